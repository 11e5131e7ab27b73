"""Behind a reverse proxy: whose word counts for the address of a client, and who may connect at all."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from bespeak.server import problems

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bespeak.server.settings import Networks

PEER_ADDRESS = "peer_address"
"""In the state of a request: the address that the connection comes from, whatever a header says."""
_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"})


class BehindProxy:
    """Takes the client's address from a proxy, and from nobody else.

    Without a proxy, headers that speak for one are taken away. With one, a port is for it alone: what others send would
    cross the network in plain text.

    Args:
        inner: what answers.
        networks: that the proxy connects from; empty without one.
    """

    def __init__(self, inner: ASGIApp, networks: Networks) -> None:
        self._inner = inner
        self._networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        client = scope.get("client")
        address = _address(client[0]) if client else None
        scope["state"][PEER_ADDRESS] = None if address is None else str(address)
        if address is not None and self._networks:
            if any(address in network for network in self._networks):
                self._believe(scope)
            elif not address.is_loopback:
                text = "this port is for the reverse proxy; connect to that"
                await problems.plain(403, text, scope)(scope, receive, send)
                return
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in _FORWARDED]
        await self._inner(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        hops = [hop.strip() for hop in headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")]
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                break
            scope["client"] = (str(address), 0)
            if not any(address in network for network in self._networks):
                break
        if headers.get(b"x-forwarded-proto") == b"https":
            scope["scheme"] = "https"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
