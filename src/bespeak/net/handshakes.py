"""Handshakes of TLS that are under way: how many, and for how long.

Nobody has said anything before the handshake is over, and no limit of connections counts who is still at it. So the
server takes connections on as they come, keeps so many handshakes at the same time, and lets the oldest give way.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

HANDSHAKE_SECONDS = 5.0


class Handshakes:
    """The handshakes of one listening socket.

    Args:
        context: the certificate of the server.
        protocol: makes what a connection speaks with once it is secured.
        most: so many at the same time.
        seconds: how long each may take.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        protocol: Callable[[], asyncio.Protocol],
        most: int,
        seconds: float,
    ) -> None:
        self.context = context
        self.protocol = protocol
        self.seconds = seconds
        self._most = most
        self._pending: dict[_Handshake, None] = {}

    def __len__(self) -> int:
        """Return how many are under way."""
        return len(self._pending)

    def new(self) -> asyncio.Protocol:
        """Return what a new connection speaks with first."""
        return _Handshake(self)

    def begin(self, one: _Handshake) -> None:
        """Count one; the oldest gives way where there are too many."""
        self._pending[one] = None
        if len(self._pending) > self._most:
            next(iter(self._pending)).drop()

    def end(self, one: _Handshake) -> None:
        """Count one no more."""
        self._pending.pop(one, None)

    def drop_all(self) -> None:
        """Hang up on whoever has not finished."""
        for one in tuple(self._pending):
            one.drop()


class _Handshake(asyncio.Protocol):
    """A connection before it is secured; what comes right behind the handshake is kept for who takes over."""

    def __init__(self, owner: Handshakes) -> None:
        self._owner = owner
        self._raw: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._early: list[bytes] = []
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._raw = cast("asyncio.Transport", transport)
        self._raw.pause_reading()
        self._owner.begin(self)
        self._task = asyncio.get_running_loop().create_task(self._secure(self._raw))

    def data_received(self, data: bytes) -> None:
        """Keep what came early."""
        self._early.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        del exc
        self._ended = True
        self._owner.end(self)

    def drop(self) -> None:
        """Hang up."""
        self._owner.end(self)
        if self._raw is not None:
            self._raw.abort()

    async def _secure(self, raw: asyncio.Transport) -> None:
        owner, loop = self._owner, asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                raw,
                self,
                owner.context,
                server_side=True,
                ssl_handshake_timeout=owner.seconds,
                ssl_shutdown_timeout=owner.seconds,
            )
        except OSError:
            raw.abort()  # a failed handshake, or one that took too long
            return
        finally:
            owner.end(self)
        if secured is None or raw.is_closing() or self._ended:
            raw.abort()
            return
        after = owner.protocol()
        secured.set_protocol(after)
        after.connection_made(secured)
        for data in self._early:
            after.data_received(data)
