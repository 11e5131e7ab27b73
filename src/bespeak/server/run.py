"""Runs the server until a signal comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn

from bespeak.net import connections, fast_connections, listening
from bespeak.net.descriptors import connections_for
from bespeak.net.listen_address import ListenAddress
from bespeak.net.log_lines import log_to_stderr
from bespeak.net.until_signal import run_until_signal
from bespeak.net.web import Ending, TlsWeb, Web, serve_until_cancelled
from bespeak.server.app import Application
from bespeak.server.sign_in.authenticator import authenticators

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from bespeak.ledger.service import Ledger
    from bespeak.server.identity import Authenticator
    from bespeak.server.settings import ServerSettings

_GRACE_SECONDS = 5
_SOCKETS = 2
_BACKLOG = 2_048
_IDLE_SECONDS = 75


class Listening:
    """The sockets of a server.

    Args:
        settings: what it was started with.

    Raises:
        UsageError: others could replace the Unix socket.
        UnavailableError: an address cannot be had.
    """

    def __init__(self, settings: ServerSettings) -> None:
        tcp = ListenAddress(settings.host, settings.port, "", option="--host, --port")
        self._unix = None if settings.socket is None else ListenAddress(path="", socket=settings.socket, uids=None)
        self.tcp = listening.listen(tcp)
        try:
            self.unix = None if self._unix is None else listening.listen(self._unix)
        except BaseException:
            self.tcp.close()
            raise
        scheme = "http" if settings.tls is None else "https"
        self.url = listening.url(tcp, self.tcp).replace("http", scheme, 1)

    def close(self) -> None:
        """Stop listening."""
        self.tcp.close()
        if self.unix is not None and self._unix is not None:
            self.unix.close()
            listening.leave(self._unix)


def open_from(settings: ServerSettings) -> Callable[[], Ledger]:
    """Return what opens the book that a server was started for, and makes it where there is none."""

    def open_ledger() -> Ledger:
        from bespeak.ledger.open_from_settings import open_book

        return open_book(settings.ledger, create=True)

    return open_ledger


def serve(settings: ServerSettings, sockets: Listening, ready: Callable[[], None]) -> int:
    """Serve until a signal comes; return the exit code.

    Raises:
        BespeakError: the book cannot be opened.
    """
    log_to_stderr(debug=settings.debug)
    authenticator = authenticators(replace(settings.sign_in, proxies=settings.behind_proxy))
    return run_until_signal(lambda: serve_sockets(settings, open_from(settings), sockets, ready, authenticator))


async def serve_sockets(
    settings: ServerSettings,
    open_ledger: Callable[[], Ledger],
    sockets: Listening,
    ready: Callable[[], None],
    authenticator: Callable[[Ledger], Authenticator],
) -> None:
    """Serve until cancelled.

    Args:
        settings: what the server was started with.
        open_ledger: opens the book.
        sockets: where it listens.
        ready: called when clients can connect.
        authenticator: says who calls, of an open book.
    """
    application = Application(settings, open_ledger, authenticator)
    ending = Ending(application.asgi)
    kind = Web if settings.tls is None else TlsWeb
    webs = [(kind(configuration(ending, settings, tls=settings.tls)), sockets.tcp)]
    if sockets.unix is not None:
        webs.append((Web(configuration(ending, settings, tls=None)), sockets.unix))
    async with application.open():
        await serve_until_cancelled(webs, ending, ready)


def configuration(app: ASGIApp, settings: ServerSettings, *, tls: tuple[str, str] | None) -> uvicorn.Config:
    """Return how the connections of one socket are served."""
    most = connections_for(settings.limits.connections, _SOCKETS)
    limits = connections.Limits(connections=most, idle_seconds=_IDLE_SECONDS, waiting=_BACKLOG)
    return uvicorn.Config(
        app,
        http=fast_connections.protocol(limits),
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="off",
        backlog=limits.waiting,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=None if tls is None else tls[0],
        ssl_keyfile=None if tls is None else tls[1],
    )
