"""``mcp``: the services as tools for agents; started by the agent's program, or listening for many."""

from __future__ import annotations

import os
import sys

from bespeak.errors import UnavailableError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.mcp.http import Address
    from bespeak.mcp.toolkit import Setup

_ENVIRONMENT = "env:"


def mcp(context: Context, values: Values) -> int:
    """Serve the tools, or print the configuration that makes an agent use them."""
    if values["action"] == "config":
        return _config(context, values)
    if values["client"] is not None:
        raise UsageError("--client goes with 'mcp config'")
    try:
        import mcp.server.lowlevel  # noqa: F401 whether it is installed
    except ImportError as missing:
        raise UnavailableError("mcp needs the extra: pip install 'bespeak[mcp]'") from missing
    if values["http"] is None:
        for flag, key in (("--path", "path"), ("--token", "token"), ("--allow-host", "allow_host")):
            if values[key]:
                raise UsageError(f"{flag} goes with --http")
        from bespeak.mcp.run import over_stdio

        return over_stdio(_setup(context, values, _one_client()))
    return _listen(context, values)


def _setup(context: Context, values: Values, run_id: str | None) -> Setup:
    from bespeak.coord.repository import find
    from bespeak.mcp.toolkit import Setup
    from bespeak.places import working_directory

    folder, repository = working_directory(), values["repository"]
    if repository is not None:
        repository = os.path.join(folder, os.path.expanduser(repository))
        if not os.path.isdir(repository):
            raise UsageError(f"--repository: {values['repository']!a} is no folder")
        find(repository)
    return Setup(
        folder,
        repository=repository,
        ledger=context.ledger_flag,
        as_user=context.as_user,
        labs=context.lab_option,
        run_id=run_id,
        read_only=values["read_only"],
        debug=context.debug,
    )


def _one_client() -> str:
    """Return the run of the one client on stdin: as it says, else an id of its own."""
    from bespeak.coord.runs import VARIABLE
    from bespeak.ids import new_id

    return os.environ.get(VARIABLE) or f"mcp-{new_id()}"


def _listen(context: Context, values: Values) -> int:
    from bespeak.mcp import http
    from bespeak.mcp.run import over_http

    host, port = http.read_address(values["http"])
    address = http.Address(host, port, values["path"] or "/mcp", _token(values["token"]), tuple(values["allow_host"]))
    if not address.path.startswith("/") or not address.path.isascii() or not address.path.isprintable():
        raise UsageError(f"--path: {address.path!a} is no path such as /mcp")
    if not address.is_local and address.token is None and not values["without_token"]:
        raise UsageError(
            f"--http {values['http']}: other machines could book in your name; give --token env:NAME (or "
            "--without-token, if the network is to be trusted)"
        )
    setup = _setup(context, values, None)
    bound = http.listen(address)
    return over_http(setup, address, bound, lambda: _say_where(context, address, http.url(address, bound)))


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
    return [sys.executable, "-m", "bespeak"] if found is None else [found]
