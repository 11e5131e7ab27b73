"""The application: its routes, and what every request passes on the way to them."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response

from bespeak import __version__
from bespeak.base.errors import BespeakError
from bespeak.server import middleware, problems
from bespeak.server.answers import API
from bespeak.server.book import ServedBook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from bespeak.ledger.service import Ledger
    from bespeak.server.identity import Authenticator, Caller, Peer
    from bespeak.server.settings import ServerSettings

ROUTERS = (
    ("bespeak.server.api.service:router", API),
    ("bespeak.server.api.reservations:router", API),
    ("bespeak.server.api.resources:router", API),
    ("bespeak.server.api.questions:router", API),
)
"""The routes that are always there, each with its prefix."""

OPTIONAL_ROUTERS = (("bespeak.web.app:router", ""),)
"""Routes of rooms that stand on this one; they are found by name, so this room imports none of them."""

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_DESCRIPTION = (
    "One book of reservations that people, CI jobs and coding agents share. Instants are ISO 8601 and, under `..._us`, "
    "integer microseconds since 1970 in UTC; durations are microseconds."
)


class Application:
    """The application that serves one book.

    Args:
        settings: what the server was started with.
        open_ledger: opens the book.
        authenticator: says who calls, of an open book; called in the thread that asks.
    """

    def __init__(
        self,
        settings: ServerSettings,
        open_ledger: Callable[[], Ledger],
        authenticator: Callable[[Ledger], Authenticator],
    ) -> None:
        self.book = ServedBook(open_ledger)
        self.settings = settings
        self._authenticator = authenticator
        asgi: ASGIApp = middleware.SignIn(routes(self.book), self._identify)
        asgi = middleware.BodyLimit(asgi, settings.limits.body_bytes)
        asgi = middleware.KnownHosts(asgi, known_hosts(settings))
        asgi = middleware.SecurityHeaders(asgi, tls=settings.tls is not None)
        self.asgi: ASGIApp = middleware.Observed(asgi, middleware.to_access_log)

    async def _identify(self, headers: Mapping[str, str], peer: Peer) -> Caller | None:
        return await self.book.read(lambda ledger: self._authenticator(ledger).authenticate(headers, peer))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Have the book open for as long as the block runs.

        Raises:
            BespeakError: it cannot be opened.
        """
        await self.book.start()
        try:
            yield
        finally:
            await self.book.close()


def routes(book: ServedBook) -> FastAPI:
    """Return the application without what requests pass before it: the routes and their description."""
    app = FastAPI(
        title="bespeak",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.book = book
    problems.install(app)
    app.add_route("/healthz", healthz)
    app.add_route("/readyz", readyz)
    for name, prefix in ROUTERS:
        app.include_router(_load(name), prefix=prefix)
    for name, prefix in OPTIONAL_ROUTERS:
        if find_spec(name.partition(":")[0].rpartition(".")[0]) is not None:
            app.include_router(_load(name), prefix=prefix, include_in_schema=False)
    return app


def known_hosts(settings: ServerSettings) -> frozenset[str]:
    """Return the names that this server is known by, in lower case."""
    names = [*_LOOPBACK, *settings.hosts]
    if settings.host not in _LOOPBACK:
        names += [f"[{settings.host}]" if ":" in settings.host else settings.host, socket.gethostname()]
    return frozenset(name.lower() for name in names)


async def healthz(_: Request) -> Response:
    """Tell that the process answers."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Tell whether the book can be asked."""
    book: ServedBook = request.app.state.book
    try:
        await book.read(lambda ledger: ledger.now_us(), seconds=5.0)
    except BespeakError:
        return PlainTextResponse("the book cannot be asked\n", 503)
    return PlainTextResponse("ok\n")


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
