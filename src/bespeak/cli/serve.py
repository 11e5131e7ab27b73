"""``serve``: the book for other machines, over HTTP."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.errors import UnavailableError, UsageError, needs_extra

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.server.settings import ServerSettings

_MOST_PORT = 65_535
_PUBLIC_PAGES = ("now", "timeline", "log")
_LONGEST_SOCKET = 107
"""Bytes in the path of a Unix socket, on Linux."""


@command(
    "serve",
    text="Serves the book that the other commands use, to whoever signs in: over a Unix socket by the account, on a "
    "port with a token (extra: server). It listens on this machine alone unless it is told otherwise. install writes "
    "the systemd units that keep it running, with an account of its own and sockets that systemd opens.",
    examples=(
        ("serve", "for this machine, on its usual port and a Unix socket"),
        ("serve --port 0 --json", "on a free port, which is printed"),
        ("serve --public now", "a screen in the lab may show who holds what: the page /wall"),
        ("serve --socket /run/bespeak/book.sock", "the Unix socket at a place of your choice"),
        ("serve --host 0.0.0.0 --tls-self", "for other machines, with a certificate made for a first try"),
        ("serve --host 10.0.0.5 --behind-proxy 10.0.0.9/32", "behind a reverse proxy, which speaks TLS"),
        ("serve install --print", "the systemd units, to be looked at first"),
    ),
    arguments=(Argument("ACTION", required=False, choices=("install",)),),
    options=(
        Option(("--host",), "The name or address to listen on (default 127.0.0.1).", "HOST"),
        Option(("--port",), "The port; 0 takes a free one (default 8420).", "PORT", kind="int"),
        Option(("--socket",), "The Unix socket (default: one of yours, named after the port).", "PATH"),
        Option(
            ("--public",),
            "A page (now, timeline or log) that may be seen without signing in; may be repeated.",
            "PAGE",
            many=True,
        ),
        Option(("--hide-names",), "Without signing in, nobody sees who holds what, or why."),
        Option(("--mail-server",), "Send the mail of notices through smtp://user@host or smtps://host.", "URL"),
        Option(("--mail-from",), "The address that this mail comes from.", "ADDRESS"),
        Option(
            ("--webhooks-to",),
            "A network that webhooks may reach though it is not public; may be repeated.",
            "CIDR",
            many=True,
        ),
        Option(("--allow-host",), "A further name that clients reach it by; may be repeated.", "NAME", many=True),
        Option(("--tls-cert",), "The file with its certificate, and those between it and the root.", "FILE"),
        Option(("--tls-key",), "The file with the key of the certificate.", "FILE"),
        Option(("--tls-self",), "Make a certificate for a first try, and keep it."),
        Option(
            ("--behind-proxy",),
            "A network that a reverse proxy connects from, and nobody else may; may be repeated.",
            "CIDR",
            many=True,
        ),
        Option(("--proxy-user-header",), "The header in which that proxy says who calls.", "NAME"),
        Option(("--print",), "Print the units instead (for install)."),
        Option(("--force",), "Replace units with other contents (for install)."),
        Option(("--remove",), "Remove the units (for install)."),
        Option(("--output",), "The folder for the units (for install; default /etc/systemd/system).", "FOLDER"),
    ),
)
def serve(context: Context, values: Values) -> int:
    """Serve the book until a signal comes."""
    port = values["port"]
    if port is not None and not 0 <= port <= _MOST_PORT:
        raise UsageError(f"--port: {port} is no port; they go from 0 to {_MOST_PORT}")
    try:
        from bespeak.net.activation import passed_sockets
        from bespeak.server import run
    except ImportError as missing:
        raise UnavailableError(needs_extra("serve", "server")) from missing
    from bespeak.cli import serve_install

    if values["action"] == "install":
        return serve_install.install(context, values)
    for flag, key in serve_install.ONLY_INSTALL:
        if values[key]:
            raise UsageError(f"{flag} goes with 'serve install'")
    passed = passed_sockets(os.environ, os.getpid())
    settings = _settings(context, values, is_activated=bool(passed))
    _check_notices(settings)
    sockets = run.Listening(settings, passed)
    try:
        return run.serve(settings, sockets, lambda: _ready(context, settings, sockets.url))
    finally:
        sockets.close()


def _settings(context: Context, values: Values, *, is_activated: bool) -> ServerSettings:
    from bespeak.server import exposure
    from bespeak.server.settings import DEFAULT_PORT, ServerSettings
    from bespeak.server.sign_in import settings as sign_in

    port = DEFAULT_PORT if values["port"] is None else values["port"]
    host = values["host"] or "127.0.0.1"
    proxy = exposure.networks(values["behind_proxy"])
    wants_tls = values["tls_self"] or values["tls_cert"] is not None or values["tls_key"] is not None
    exposure.check(host, tls=wants_tls, proxy=proxy)
    return ServerSettings(
        ledger=context.ledger_flag,
        host=host,
        port=port,
        socket=None if is_activated else _socket(context, values["socket"], port),
        hosts=tuple(values["allow_host"]),
        public=_public(values["public"]),
        names_hidden=values["hide_names"],
        tls=_tls(values, host),
        behind_proxy=proxy,
        mail_server=values["mail_server"],
        mail_from=values["mail_from"],
        webhooks_to=tuple(values["webhooks_to"]),
        debug=context.debug,
        sign_in=sign_in.load(proxy_user_header=values["proxy_user_header"], behind_proxy=bool(proxy)),
    )


def _check_notices(settings: ServerSettings) -> None:
    """Refuse ways to send notices that cannot work, before anything is served."""
    from bespeak.web.background import ways_of

    ways_of(settings)


def _public(pages: tuple[str, ...]) -> tuple[str, ...]:
    for page in pages:
        if page not in _PUBLIC_PAGES:
            raise UsageError(
                f"--public: {page!a} is not a page that can be public; they are {', '.join(_PUBLIC_PAGES)}"
            )
    return pages


def _tls(values: Values, host: str) -> tuple[str, str] | None:
    """Return the files of the certificate and of its key; None for no TLS."""
    from bespeak.base.paths import user_folder
    from bespeak.server import exposure, self_signed

    if not values["tls_self"]:
        return exposure.tls_files(values["tls_cert"], values["tls_key"])
    if values["tls_cert"] is not None or values["tls_key"] is not None:
        raise UsageError("--tls-self and --tls-cert exclude each other")
    unspecified = host in ("0.0.0.0", "::")  # noqa: S104 nobody listens here
    names = [*values["allow_host"], *(() if unspecified else (host,))]
    return self_signed.kept(os.path.join(user_folder(os.environ, "state"), "serve"), names)


def _socket(context: Context, said: str | None, port: int) -> str | None:
    """Return the path of the Unix socket: the one that was said, or one of this account."""
    from bespeak.base.paths import user_folder

    if said is not None:
        return os.path.abspath(os.path.expanduser(said))
    folder = os.environ.get("XDG_RUNTIME_DIR") or user_folder(os.environ, "state")
    place = os.path.join(folder, f"bespeak-{port or os.getpid()}.sock")
    if len(os.fsencode(place)) > _LONGEST_SOCKET:
        context.warn(f"no Unix socket: its path would be too long ({place}); choose one with --socket")
        return None
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return place


def _ready(context: Context, settings: ServerSettings, url: str) -> None:
    from bespeak.jobs.sd_notify import ServiceManager

    _say_where(context, settings, url)
    ServiceManager(os.environ).tell("READY=1")


def _say_where(context: Context, settings: ServerSettings, url: str) -> None:
    facts: dict[str, object] = {"url": url, "socket": settings.socket, "certificate": None, "fingerprint": None}
    text = f"serving {url}" + (f" and the socket {settings.socket}" if settings.socket else "")
    if settings.tls is not None:
        from bespeak.server.self_signed import fingerprint

        facts |= {"certificate": settings.tls[0], "fingerprint": fingerprint(settings.tls[0])}
        text += f"\nthe certificate is {settings.tls[0]}, SHA-256 {facts['fingerprint']}"
    context.answer(facts, text)
    sys.stdout.flush()
