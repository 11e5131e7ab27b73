"""``mcp``: the services as tools for agents; started by the agent's program, or listening for many."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.errors import UnavailableError, UsageError, needs_extra

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.mcp.tool import Setup
    from bespeak.net.listen_address import ListenAddress

_ONLY_LISTENING = (("--path", "path"), ("--allow-host", "allow_host"))
_ONLY_HTTP = (("--token", "token"),)
_ONLY_SOCKET = (("--allow-user", "allow_user"),)


@command(
    "mcp",
    text="Speaks the protocol on stdin and stdout, for the program of one agent; with --http or --socket it "
    "listens for many. config prints the configuration that makes a program start it (extra: mcp).",
    examples=(
        ("mcp config --client claude", "what to put into the settings of an agent"),
        ("mcp --read-only", "only tools that change nothing"),
        ("mcp --socket ~/.bespeak-mcp", "one server for all agents of this account"),
        ("mcp --http 127.0.0.1:8765", "the same on a port, with a token"),
    ),
    arguments=(Argument("ACTION", required=False, choices=("serve", "config")),),
    options=(
        Option(("--http",), "Listen there instead; port 0 takes a free one and prints it.", "HOST:PORT"),
        Option(("--socket",), "Listen on this Unix socket instead; needs no token.", "PATH"),
        Option(
            ("--token",),
            "What clients have to send, as env:NAME or file:PATH (default: made, and kept in a file).",
            "env:NAME",
        ),
        Option(("--allow-user",), "Another account that may use the socket; may be repeated.", "NAME", many=True),
        Option(("--path",), "The path of the endpoint (default /mcp).", "PATH"),
        Option(("--allow-host",), "A further name that clients reach it by; may be repeated.", "NAME", many=True),
        Option(("--repository",), "Serve this repository and its work trees, and start there.", "FOLDER"),
        Option(
            ("--root",),
            "A further folder that clients may name; may be repeated (default: the one it is started in; any, on "
            "stdin and stdout).",
            "FOLDER",
            many=True,
        ),
        Option(("--read-only",), "Only tools that change nothing."),
        Option(("--client",), "claude, cursor, vscode or generic (for config).", "NAME"),
    ),
)
def mcp(context: Context, values: Values) -> int:
    """Serve the tools, or print the configuration that makes an agent use them."""
    if values["action"] == "config":
        return _config(context, values)
    if values["client"] is not None:
        raise UsageError("--client goes with 'mcp config'")
    _must_go_together(values)
    address = _address(values)
    setup = _setup(context, values, address)
    try:
        import mcp.server.lowlevel  # noqa: F401 whether it is installed
    except ImportError as missing:
        raise UnavailableError(needs_extra("mcp", "mcp")) from missing
    if address is not None:
        return _listen(context, setup, address, values["token"])
    from bespeak.mcp.run import over_stdio

    if sys.stdin.isatty():
        context.warn("the protocol is spoken on stdin; 'bespeak mcp config' shows how an agent does it", "dim")
    return over_stdio(setup)


def _must_go_together(values: Values) -> None:
    http, unix = values["http"] is not None, values["socket"] is not None
    if http and unix:
        raise UsageError("choose one of --http and --socket")
    for options, there, which in (
        (_ONLY_LISTENING, http or unix, "--http or --socket"),
        (_ONLY_HTTP, http, "--http"),
        (_ONLY_SOCKET, unix, "--socket"),
    ):
        for flag, key in options:
            if values[key] and not there:
                raise UsageError(f"{flag} goes with {which}")


def _listen(context: Context, setup: Setup, address: ListenAddress, named: str | None) -> int:
    from bespeak.base.paths import user_folder
    from bespeak.mcp import tokens
    from bespeak.mcp.run import over_http
    from bespeak.net import listening

    token = None if named is None else tokens.given(named)
    bound = listening.listen(address)
    token_file = None
    try:
        if token is None and address.socket is None:
            folder = os.path.join(user_folder(os.environ, "state"), "mcp")
            token, token_file = tokens.kept(folder, address.host, bound.getsockname()[1])
        url = listening.url(address, bound)
        return over_http(setup, address, token, bound, lambda: _say_where(context, address, url, token_file))
    finally:
        bound.close()
        listening.leave(address)
        if token_file is not None and address.port == 0:
            os.unlink(token_file)


def _setup(context: Context, values: Values, address: ListenAddress | None) -> Setup:
    from bespeak.base.paths import working_directory
    from bespeak.mcp.tool import Setup

    folder = working_directory()
    repository = _repository(values["repository"], folder)
    run_id, run_ends = _one_client() if address is None else (None, False)
    return Setup(
        folder,
        repository=repository,
        roots=_roots(values, repository, folder, listens=address is not None),
        remote=address is not None and not address.is_local,
        ledger=context.ledger_flag,
        as_user=context.as_user,
        labs=context.lab_option,
        run_id=run_id,
        run_ends=run_ends,
        read_only=values["read_only"],
        debug=context.debug,
    )


def _repository(said: str | None, folder: str) -> str | None:
    from bespeak.git.repository import find

    if said is None:
        return None
    repository = os.path.join(folder, os.path.expanduser(said))
    if not os.path.isdir(repository):
        raise UsageError(f"--repository: {said!a} is no folder")
    find(repository)
    return repository


def _roots(values: Values, repository: str | None, folder: str, *, listens: bool) -> tuple[str, ...] | None:
    """Return the folders that clients may name; None for any, which is for the one client that started the server."""
    more = [os.path.join(folder, os.path.expanduser(said)) for said in values["root"]]
    for said, root in zip(values["root"], more, strict=True):
        if not os.path.isdir(root):
            raise UsageError(f"--root: {said!a} is no folder")
    if not listens and repository is None and not more:
        return None
    return (repository or folder, *more)


def _one_client() -> tuple[str, bool]:
    """Return the run of the one client on stdin, and whether it ends with it: as it says, else an id of its own."""
    from bespeak.base.ids import new_id
    from bespeak.coord.run_id import VARIABLE

    named = os.environ.get(VARIABLE)
    return (named, False) if named else (f"mcp-{new_id()}", True)


def _address(values: Values) -> ListenAddress | None:
    from bespeak.net.listen_address import ListenAddress, read_address

    path, hosts = values["path"] or "/mcp", tuple(values["allow_host"])
    if not path.startswith("/") or not path.isascii() or not path.isprintable():
        raise UsageError(f"--path: {path!a} is no path such as /mcp")
    if values["http"] is not None:
        host, port = read_address(values["http"])
        return ListenAddress(host, port, path, hosts)
    if values["socket"] is None:
        return None
    place = os.path.abspath(os.path.expanduser(values["socket"]))
    return ListenAddress(
        path=path, hosts=hosts, socket=place, uids=frozenset([os.geteuid(), *_uids(values["allow_user"])])
    )


def _uids(names: list[str]) -> list[int]:
    import pwd

    found = []
    for name in names:
        try:
            found.append(pwd.getpwnam(name).pw_uid)
        except (KeyError, ValueError):
            raise UsageError(f"--allow-user: there is no account {name!a} on this machine") from None
    return found


def _say_where(context: Context, address: ListenAddress, url: str, token_file: str | None) -> None:
    facts = {"url": url, "token": address.socket is None, "token_file": token_file, "socket": address.socket}
    text = f"serving {url}" if address.socket is None else f"serving {url} on the socket {address.socket}"
    if token_file is not None:
        text += f"\nclients send 'Authorization: Bearer TOKEN'; TOKEN is in {token_file}"
    context.answer(facts, text)
    sys.stdout.flush()


def _config(context: Context, values: Values) -> int:
    from bespeak.mcp.client_config import CLIENTS, configuration, page

    client = values["client"] or "generic"
    if client not in CLIENTS:
        raise UsageError(f"--client: {client!a} is not known; known: {', '.join(CLIENTS)}")
    words = [*_program(), *context.spoken(), "mcp"]
    words += ["--repository", os.path.abspath(values["repository"])] if values["repository"] else []
    words += ["--read-only"] if values["read_only"] else []
    context.answer(configuration(client, words), page(client, words))
    return 0


def _program() -> list[str]:
    """Return the words that start this program from anywhere."""
    from shutil import which

    found = which("bespeak")
    return [sys.executable, "-P", "-m", "bespeak"] if found is None else [found]
