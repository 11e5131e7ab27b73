"""The protocol over streamable HTTP, for several clients at once.

Whoever can speak to it can book in the name of the account that it runs under. So a TCP port wants a token, on this
machine too, and a Unix socket lets in accounts only that it was told of. Requests for a host that it does not know are
refused, so that a page in somebody's browser cannot reach it under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import hmac
import socket
from typing import TYPE_CHECKING, Any

from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse

from bespeak.net import connections
from bespeak.net.web import Ending, Web, configuration, serve_until_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    import uvicorn
    from mcp.server.lowlevel.server import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bespeak.net.listen_address import ListenAddress

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
SESSION_IDLE_SECONDS = 30 * 60.0
"""A session is forgotten when its client has had no request and no stream open for so long."""
MOST_SESSIONS = 256
"""So many sessions at the same time; each costs some 40 KiB."""
LONGEST_REQUEST = 4 * 1024 * 1024
"""Bytes of the body of one request."""
_GRACE_SECONDS = 2


async def serve(
    server: Server[Any],
    address: ListenAddress,
    token: str | None,
    bound: socket.socket,
    ready: Callable[[], None],
    limits: connections.Limits | None = None,
) -> None:
    """Serve every client until cancelled.

    Args:
        server: the tools.
        address: where, and who may ask.
        token: what clients have to send; None over a Unix socket only.
        bound: the listening socket.
        limits: what connections may take.
        ready: called when clients can connect.
    """
    inner = server.streamable_http_app(
        streamable_http_path=address.path,
        transport_security=_known_hosts(address),
        host=address.host,
        session_idle_timeout=SESSION_IDLE_SECONDS,
        max_sessions=MOST_SESSIONS,
        max_request_body_size=LONGEST_REQUEST,
    )
    unanswered = PlainTextResponse("the server is stopping\n", 503, {"Retry-After": "1"})
    ending = Ending(inner if token is None else _Token(inner, token), unanswered, _GRACE_SECONDS)
    web = Web(_configuration(ending, address, limits or connections.Limits()))
    await serve_until_cancelled([(web, bound)], ending, ready)


def _configuration(app: ASGIApp, address: ListenAddress, limits: connections.Limits) -> uvicorn.Config:
    uids = None if address.socket is None else address.uids
    return configuration(app, connections.protocol(limits, uids), grace_seconds=_GRACE_SECONDS, lifespan="on")


def _known_hosts(address: ListenAddress) -> TransportSecuritySettings:
    names = [*LOOPBACK, *address.hosts]
    if not address.is_local:
        names += [f"[{address.host}]" if ":" in address.host else address.host, socket.gethostname()]
    hosts = [host for name in dict.fromkeys(names) for host in (name, f"{name}:*")]
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
    return TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins)


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
