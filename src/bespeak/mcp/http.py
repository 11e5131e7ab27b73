"""The protocol over streamable HTTP, for several clients at once.

It listens on this machine only unless it is told otherwise, and then wants a token: whoever can speak to it can book
in the name of the account that it runs under. Requests for a host that it does not know are refused, so that a page in
somebody's browser cannot reach it under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import hmac
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse

from bespeak.errors import UnavailableError
from bespeak.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mcp.server.lowlevel.server import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bespeak.mcp.address import Address

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_IDLE_SECONDS = 24 * 3600.0
"""A session is forgotten after a day without a request; until then it stands for one run."""
_GRACE_SECONDS = 3


def listen(address: Address) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UnavailableError: the address cannot be had.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(place)
            found.listen(512)
        except OSError:
            found.close()
            raise
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no such host"
        raise UnavailableError(f"--http: {shown(address.host)} port {address.port}: {why}") from error
    return found


def url(address: Address, bound: socket.socket) -> str:
    """Return what clients are told to connect to."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http://{host}:{bound.getsockname()[1]}{address.path}"


async def serve(server: Server[Any], address: Address, bound: socket.socket, ready: Callable[[], None]) -> None:
    """Serve every client until cancelled.

    Args:
        server: the tools.
        address: where, and who may ask.
        bound: the listening socket.
        ready: called when clients can connect.
    """
    inner = server.streamable_http_app(
        streamable_http_path=address.path,
        transport_security=_known_hosts(address),
        host=address.host,
    )
    server.session_manager.session_idle_timeout = _IDLE_SECONDS
    ending = _Ending(_Token(inner, address.token) if address.token is not None else inner)
    config = uvicorn.Config(
        ending, log_config=None, access_log=False, ws="none", lifespan="on", timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
    )  # fmt: skip
    web = _Web(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end, web, ending)
        with anyio.CancelScope(shield=True):
            tasks.start_soon(_announce, web, ready)
            await web.serve(sockets=[bound])
        tasks.cancel_scope.cancel()


async def _announce(web: _Web, ready: Callable[[], None]) -> None:
    while not web.started:  # noqa: ASYNC110 uvicorn has a flag only
        await anyio.sleep(0.01)
    ready()


async def _end(web: _Web, ending: _Ending) -> None:
    """Wait to be cancelled; then close down in order."""
    try:
        await anyio.sleep_forever()
    finally:
        web.should_exit = True
        ending.end()


def _known_hosts(address: Address) -> TransportSecuritySettings:
    names = [*LOOPBACK, *address.hosts]
    if not address.is_local:
        names += [f"[{address.host}]" if ":" in address.host else address.host, socket.gethostname()]
    hosts = [host for name in dict.fromkeys(names) for host in (name, f"{name}:*")]
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
    return TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins)


class _Web(uvicorn.Server):
    """Leaves signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


class _Token:
    """Lets only requests with the token pass."""

    def __init__(self, inner: ASGIApp, token: str) -> None:
        self._inner = inner
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            if not hmac.compare_digest(given, self._expected):
                refusal = PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
                await refusal(scope, receive, send)
                return
        await self._inner(scope, receive, send)


class _Ending:
    """Ends the requests that are open when the server ends: streams of events never end by themselves."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner
        self._open: set[anyio.CancelScope] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        with anyio.CancelScope() as cancel:
            self._open.add(cancel)
            try:
                await self._inner(scope, receive, send)
            finally:
                self._open.discard(cancel)

    def end(self) -> None:
        """End them."""
        for scope in tuple(self._open):
            scope.cancel()
