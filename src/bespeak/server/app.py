"""The application: its routes, and what every request passes on the way to them."""

from __future__ import annotations

import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import anyio
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response

from bespeak.base.errors import BespeakError, UnavailableError
from bespeak.server import description, middleware, problems
from bespeak.server.answers import API
from bespeak.server.api.service import API_VERSION
from bespeak.server.book import ServedBook
from bespeak.server.direct_routes import DirectRoutes
from bespeak.server.events import EventHub
from bespeak.server.exposure import is_loopback
from bespeak.server.metrics import Metrics
from bespeak.server.open_streams import OpenStreams
from bespeak.server.proxy import BehindProxy
from bespeak.server.queue_places import KeptPlaces
from bespeak.server.rate_limit import Buckets
from bespeak.server.tools import ToolsForAgents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Scope

    from bespeak.access.model import Caller
    from bespeak.ledger.service import Ledger
    from bespeak.server.identity import Authenticator, Peer
    from bespeak.server.settings import ServerSettings

ROUTERS = (
    "bespeak.server.api.service:router",
    "bespeak.server.api.reservations:router",
    "bespeak.server.api.changes:router",
    "bespeak.server.api.series:router",
    "bespeak.server.api.access:router",
    "bespeak.server.api.inventory:router",
    "bespeak.server.api.exchange:router",
    "bespeak.server.api.notices:router",
    "bespeak.server.api.resources:router",
    "bespeak.server.api.questions:router",
    "bespeak.server.api.events:router",
    "bespeak.server.api.calls:router",
    "bespeak.web.calendar_api:router",
)
"""The routes of the API, which are always there. Those of rooms above are found by name."""

OPTIONAL_ROUTERS = (("bespeak.server.sign_in.browser:router", ""), ("bespeak.web.app:router", ""))
"""Routes for browsers. Those of rooms that stand on this one are found by name, so this room imports none of them."""

OPTIONAL_SERVICES = ("bespeak.web.background:running",)
"""What runs beside the requests while the book is open: context managers of the settings and of what opens the book."""

SIGN_IN_PAGE = "/auth/login"
_LOOPBACK = "localhost"
_CREDENTIALS = frozenset({"authorization", "cookie"})
_ACCOUNT_SECONDS = 5.0
"""Name and groups of an account of this machine are looked up again after so long."""


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
        self.metrics = Metrics()
        self.events = EventHub(open_ledger, self.metrics.note)
        self.streams = OpenStreams(settings.limits.connections)
        self.settings = settings
        self._open_ledger = open_ledger
        self._authenticator = authenticator
        self._accounts: dict[int, tuple[Caller | None, float]] = {}
        app = routes(self.book, self.events)
        app.state.settings = settings
        app.state.streams = self.streams
        app.state.guesses = Buckets(settings.limits.failures_per_minute)
        app.state.places = self._places = KeptPlaces(self.book)
        app.state.sign_in, app.state.sign_in_url = authenticator, SIGN_IN_PAGE
        app.add_route("/metrics", self._numbers)
        self._tools = ToolsForAgents(app, settings.ledger)
        asgi: ASGIApp = DirectRoutes(app, self._tools, map(_load, ROUTERS), API)
        asgi = middleware.SignIn(asgi, self._identify, settings.limits)
        asgi = middleware.BodyLimit(asgi, settings.limits.body_bytes)
        asgi = BehindProxy(asgi, settings.behind_proxy)
        asgi = middleware.ReadableAddress(asgi)
        asgi = middleware.KnownHosts(asgi, known_hosts(settings), frozenset(map(str.lower, settings.hosts)))
        asgi = middleware.SecurityHeaders(asgi, tls=settings.tls is not None)
        self.asgi: ASGIApp = middleware.Observed(asgi, self._observe)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        self.metrics.observe(scope, status, seconds)
        middleware.to_access_log(scope, status, seconds)

    async def _numbers(self, _: Request) -> Response:
        return await self.metrics.answer(self.book, len(self.streams))

    async def _identify(self, headers: Mapping[str, str], peer: Peer, *, again: bool = False) -> Caller | None:
        if peer.uid is None or not _CREDENTIALS.isdisjoint(headers):
            return await self.book.read(
                lambda ledger: self._authenticator(ledger).authenticate(headers, peer, again=again)
            )
        known = self._accounts.get(peer.uid)
        if known is None or known[1] < time.monotonic():
            found = await self.book.read(lambda ledger: self._authenticator(ledger).authenticate({}, peer))
            known = self._accounts[peer.uid] = found, time.monotonic() + _ACCOUNT_SECONDS
        return known[0]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Have the book open for as long as the block runs.

        Raises:
            BespeakError: it cannot be opened.
        """
        await self.book.start()
        try:
            await self.events.start()
            async with AsyncExitStack() as services:
                for name in OPTIONAL_SERVICES:
                    if _is_there(name):
                        await services.enter_async_context(_load(name)(self.settings, self._open_ledger))
                tasks = await services.enter_async_context(anyio.create_task_group())
                tasks.start_soon(self._tools.run)
                tasks.start_soon(self._places.run)
                yield
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self.events.stop()
                await self.book.close()


def routes(book: ServedBook, events: EventHub) -> FastAPI:
    """Return the application without what requests pass before it: the routes and their description."""
    app = FastAPI(
        title="bespeak",
        version=str(API_VERSION),
        generate_unique_id_function=description.operation_id,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead to the host that the request names
        separate_input_output_schemas=False,
    )
    app.state.book, app.state.events = book, events
    problems.install(app)
    app.add_route("/openapi.json", description.frozen)
    app.add_route("/healthz", healthz)
    app.add_route("/readyz", readyz)
    for name in ROUTERS:
        app.include_router(_load(name), prefix=API)
    for name, prefix in OPTIONAL_ROUTERS:
        if _is_there(name):
            app.include_router(_load(name), prefix=prefix, include_in_schema=False)
    return app


def described() -> dict[str, Any]:
    """Return the description of the API (OpenAPI 3.1), made of its routes; a server sends the frozen one."""
    return description.describe(routes(*_unopened()))


def _unopened() -> tuple[ServedBook, EventHub]:
    def never() -> Ledger:
        raise UnavailableError("a description needs no book")

    return ServedBook(never), EventHub(never)


def known_hosts(settings: ServerSettings) -> frozenset[str]:
    """Return the names that this server is known by, in lower case."""
    names = [_LOOPBACK, *settings.hosts]
    if not is_loopback(settings.host):
        names += [settings.host, socket.gethostname()]
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


def _is_there(name: str) -> bool:
    """Tell whether the package of a module is installed."""
    return find_spec(name.partition(":")[0].rpartition(".")[0]) is not None


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
