"""Connections of a server that listens: how many, how long each may take, and who may open one.

A connection costs a descriptor before anybody has said who he is. Those that say nothing are closed after a while, and
as soon as others need their room; the one that has waited longest goes first, so a new client is always heard.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

if TYPE_CHECKING:
    _Base = H11Protocol
else:
    _Base = object

PEER_UID = "peer_uid"
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True)
class Limits:
    """What one server gives its connections.

    Attributes:
        connections: as many are open at the same time; a process may often have 1,024 descriptors only.
        header_bytes: a request line and its headers are no longer than this.
        header_seconds: a request line and its headers have to be there after so long.
        body_seconds: the body of a request has to be there after so long.
        idle_seconds: a connection may rest so long between two requests.
        stall_seconds: a client may leave what it is sent unread for so long.
        waiting: so many connections may wait to be accepted.
    """

    connections: int = 256
    header_bytes: int = 64 * 1024
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: int = 5
    stall_seconds: float = 60.0
    waiting: int = 128


def peer_uid(connection: socket.socket) -> int:
    """Return the account of the process at the other end of a Unix socket."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(packed)[1]
    return uid


def protocol(given: Limits, uids: frozenset[int] | None) -> type[Connection]:
    """Return the class of the connections of one server.

    Args:
        given: what they may take.
        uids: the accounts that may connect, where the socket tells; None for all.
    """

    class Limited(Connection):
        limits = given
        accounts = uids

    return Limited


class LimitedConnection(_Base):
    """One connection, closed when it takes too long or too much; mixed into a protocol of uvicorn.

    Requests find the account at the other end of a Unix socket as ``peer_uid`` in the state of their scope.
    """

    limits = Limits()
    accounts: frozenset[int] | None = None
    _unread = 0
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _arriving: object = None
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection on, if it may be."""
        super().connection_made(transport)
        self._since = self.loop.time()
        opened = transport.get_extra_info("socket")
        if opened is not None and opened.family == socket.AF_UNIX:
            uid = peer_uid(opened)
            if self.accounts is not None and uid not in self.accounts:
                self._drop()
                return
            self.app_state = {**self.app_state, PEER_UID: uid}
        if len(self.connections) > self.limits.connections:
            self._make_room()
        self._wait(self.limits.header_seconds)

    def data_received(self, data: bytes) -> None:
        """Take in what was sent, and see what is still missing."""
        if self.transport.is_closing():
            return
        self._unread += len(data)
        super().data_received(data)
        self._settle()

    def on_response_complete(self) -> None:
        """Let the connection rest, or go on with a request that came early."""
        super().on_response_complete()
        if self._is_serving:
            self._settle()
        else:
            self._stop_waiting()

    def pause_writing(self) -> None:
        """Start to wait for a client that does not read."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.limits.stall_seconds, self._drop)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self._read_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        self._read_again()
        super().connection_lost(exc)

    @property
    def _is_serving(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete  # there is none before the first request

    @property
    def _is_half_open(self) -> bool:
        return not self._is_serving or self.cycle.more_body

    def _settle(self) -> None:
        """Set the deadline of what is missing now: the rest of the headers, or of the body, or nothing."""
        if self.transport.is_closing():
            return
        if not self._is_serving:
            if self._unread > self.limits.header_bytes:
                self._drop()
            elif self._deadline is None:
                self._wait(self.limits.header_seconds)
            return
        self._unread = 0
        if not self.cycle.more_body:
            self._stop_waiting()
        elif self._arriving is not self.cycle:
            self._arriving = self.cycle
            self._wait(self.limits.body_seconds)

    def _make_room(self) -> None:
        """Drop the connection that has been open longest without a whole request to answer."""
        found = [one for one in self.connections if isinstance(one, LimitedConnection) and one._is_half_open]  # noqa: SLF001
        min(found, key=lambda one: one._since)._drop()  # noqa: SLF001 connections of the same server

    def _drop(self) -> None:
        self.connections.discard(self)
        self.transport.abort()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._drop)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _read_again(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


class Connection(LimitedConnection, H11Protocol):
    """A connection whose requests are parsed in Python."""
