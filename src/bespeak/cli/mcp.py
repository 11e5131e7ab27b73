"""``mcp``: the services as tools for agents; started by the agent's program, or listening for many."""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Argument, Option, command
from bespeak.errors import UnavailableError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.mcp.address import Address
    from bespeak.mcp.toolkit import Setup

_ENVIRONMENT = "env:"
_ONLY_HTTP = (
    ("--path", "path"),
    ("--token", "token"),
    ("--without-token", "without_token"),
    ("--allow-host", "allow_host"),
)


@command(
    "mcp",
    text="Speaks the protocol on stdin and stdout, for the program of one agent; with --http it listens for many. "
    "config prints the configuration that makes a program start it. Needs the extra: pip install 'bespeak[mcp]'.",
    examples=(
        ("mcp config --client claude", "what to put into the settings of an agent"),
        ("mcp --read-only", "only tools that change nothing"),
        ("mcp --http 127.0.0.1:8765", "one server for all agents of this machine"),
    ),
    arguments=(Argument("ACTION", required=False, choices=("serve", "config")),),
    options=(
        Option(("--http",), "Listen there instead; port 0 takes a free one and prints it.", "HOST:PORT"),
        Option(("--path",), "The path of the endpoint (default /mcp).", "PATH"),
        Option(("--token",), "What clients have to send: env:NAME names the variable that has it.", "env:NAME"),
        Option(("--without-token",), "Let everybody on the network in who can reach it."),
        Option(("--allow-host",), "A further name that clients reach it by; may be repeated.", "NAME", many=True),
        Option(
            ("--repository",), "Serve this repository and its work trees only (default: any, first this).", "FOLDER"
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
    address = None if values["http"] is None else _address(values)
    for flag, key in _ONLY_HTTP:
        if values[key] and address is None:
            raise UsageError(f"{flag} goes with --http")
    setup = _setup(context, values, address)
    try:
        import mcp.server.lowlevel  # noqa: F401 whether it is installed
    except ImportError as missing:
        raise UnavailableError("mcp needs the extra: pip install 'bespeak[mcp]'") from missing
    from bespeak.mcp.run import over_http, over_stdio

    if address is None:
        if sys.stdin.isatty():
            context.warn("the protocol is spoken on stdin; 'bespeak mcp config' shows how an agent does it", "dim")
        return over_stdio(setup)
    from bespeak.mcp import http

    bound = http.listen(address)
    return over_http(setup, address, bound, lambda: _say_where(context, address, http.url(address, bound)))


def _setup(context: Context, values: Values, address: Address | None) -> Setup:
    from bespeak.git.repository import find
    from bespeak.mcp.toolkit import Setup
    from bespeak.places import working_directory

    folder, repository = working_directory(), values["repository"]
    if repository is not None:
        repository = os.path.join(folder, os.path.expanduser(repository))
        if not os.path.isdir(repository):
            raise UsageError(f"--repository: {values['repository']!a} is no folder")
        find(repository)
    elif address is not None and not address.is_local:
        repository = folder  # other machines have no business in other folders of this one
    return Setup(
        folder,
        repository=repository,
        ledger=context.ledger_flag,
        as_user=context.as_user,
        labs=context.lab_option,
        run_id=_one_client() if address is None else None,
        read_only=values["read_only"],
        debug=context.debug,
    )


def _one_client() -> str:
    """Return the run of the one client on stdin: as it says, else an id of its own."""
    from bespeak.coord.runs import VARIABLE
    from bespeak.ids import new_id

    return os.environ.get(VARIABLE) or f"mcp-{new_id()}"


def _address(values: Values) -> Address:
    from bespeak.mcp.address import Address, read_address

    host, port = read_address(values["http"])
    address = Address(host, port, values["path"] or "/mcp", _token(values["token"]), tuple(values["allow_host"]))
    if not address.path.startswith("/") or not address.path.isascii() or not address.path.isprintable():
        raise UsageError(f"--path: {address.path!a} is no path such as /mcp")
    if not address.is_local and address.token is None and not values["without_token"]:
        raise UsageError(
            f"--http {values['http']}: other machines could book in your name; give --token env:NAME (or "
            "--without-token, if the network is to be trusted)"
        )
    return address


def _token(text: str | None) -> str | None:
    if text is None:
        return None
    name = text.removeprefix(_ENVIRONMENT)
    if not text.startswith(_ENVIRONMENT) or not name:
        raise UsageError("--token: name the variable that has it, as env:NAME; a secret is not typed")
    token = os.environ.get(name, "")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"--token: the variable {name!a} is not set, or is no token")
    return token


def _say_where(context: Context, address: Address, url: str) -> None:
    context.answer({"url": url, "token": address.token is not None}, f"serving {url}")
    sys.stdout.flush()


def _config(context: Context, values: Values) -> int:
    from bespeak.mcp.clients import CLIENTS, configuration, page

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
