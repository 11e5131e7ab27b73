"""Runs the server until a signal comes."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak.base.errors import UsageError
from bespeak.net import connections, fast_connections, listening, web
from bespeak.net.descriptors import connections_for
from bespeak.net.listen_address import ListenAddress
from bespeak.net.log_lines import log_to_stderr
from bespeak.net.until_signal import run_until_signal
from bespeak.net.web import Ending, TlsWeb, Web, serve_until_cancelled
from bespeak.server import exposure, problems
from bespeak.server.app import Application
from bespeak.server.sign_in.authenticator import authenticators

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import uvicorn
    from starlette.types import ASGIApp

    from bespeak.ledger.service import Ledger
    from bespeak.server.identity import Authenticator
    from bespeak.server.settings import ServerSettings

_GRACE_SECONDS = 4
_SOCKETS = 2
_BACKLOG = 2_048
_IDLE_SECONDS = 75


class Listening:
    """The sockets of a server.

    Args:
        settings: what it was started with.
        passed: sockets that systemd has opened, which are used instead of the settings' addresses.

    Raises:
        UsageError: others could replace the Unix socket, or read along on a port that was passed.
        UnavailableError: an address cannot be had.
    """

    def __init__(self, settings: ServerSettings, passed: Sequence[socket.socket] = ()) -> None:
        self.tcp: socket.socket | None = None
        self.unix: socket.socket | None = None
        self._left: ListenAddress | None = None
        if passed:
            self._adopt(settings, passed)
        else:
            self._open(settings)
        self.url = self._url(settings, None if passed else settings.host)

    def _adopt(self, settings: ServerSettings, passed: Sequence[socket.socket]) -> None:
        for one in passed:
            is_unix = one.family == socket.AF_UNIX
            if (self.unix if is_unix else self.tcp) is not None:
                raise UsageError("LISTEN_FDS: at most one port and one Unix socket can be served")
            if is_unix:
                self.unix = one
            else:
                exposure.check(one.getsockname()[0], tls=settings.tls is not None, proxy=settings.behind_proxy)
                self.tcp = one

    def _open(self, settings: ServerSettings) -> None:
        self.tcp = listening.listen(ListenAddress(settings.host, settings.port, "", option="--host, --port"))
        if settings.socket is None:
            return
        self._left = ListenAddress(path="", socket=settings.socket, uids=None)
        try:
            self.unix = listening.listen(self._left)
        except BaseException:
            self.tcp.close()
            raise

    def _url(self, settings: ServerSettings, named: str | None) -> str:
        if self.tcp is None:
            return "http://localhost"
        host, port = self.tcp.getsockname()[:2]
        host = named or host
        scheme = "http" if settings.tls is None else "https"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def close(self) -> None:
        """Stop listening."""
        for one in (self.tcp, self.unix):
            if one is not None:
                one.close()
        if self._left is not None:
            listening.leave(self._left)


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
    most = connections_for(settings.limits.connections, _SOCKETS)
    settings = replace(settings, limits=replace(settings.limits, connections=most))
    application = Application(settings, open_ledger, authenticator)
    ending = Ending(application.asgi, problems.ended, _GRACE_SECONDS)
    kind = Web if settings.tls is None else TlsWeb
    webs: list[tuple[Web, socket.socket]] = []
    if sockets.tcp is not None:
        webs.append((kind(configuration(ending, settings, tls=settings.tls)), sockets.tcp))
    if sockets.unix is not None:
        webs.append((Web(configuration(ending, settings, tls=None)), sockets.unix))
    async with application.open():
        await serve_until_cancelled(webs, ending, ready)


def configuration(app: ASGIApp, settings: ServerSettings, *, tls: tuple[str, str] | None) -> uvicorn.Config:
    """Return how the connections of one socket are served."""
    limits = connections.Limits(connections=settings.limits.connections, idle_seconds=_IDLE_SECONDS, waiting=_BACKLOG)
    kind = fast_connections.protocol(limits)
    return web.configuration(app, kind, grace_seconds=_GRACE_SECONDS, lifespan="off", tls=tls)
