"""The protocol over stdin and stdout, one line a message.

What is read and written goes through descriptors of our own: whatever else is printed in this process, or by a program
it starts, goes to stderr and cannot spoil the protocol, and nobody else reads its input. Reading is done by a thread
that may be left behind, so that a signal ends the server although nobody closes its stdin.
"""

from __future__ import annotations

import os
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fcntl import F_DUPFD_CLOEXEC, fcntl
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from mcp.shared.message import SessionMessage
from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCError

from bespeak.mcp import framing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import ObjectReceiveStream, ObjectSendStream
    from mcp.server.lowlevel.server import Server

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_BLOCK = 65_536
_LAST_WORDS_SECONDS = 2.0
"""A client that has closed its end may read the last answers for so long."""


async def serve(server: Server[Any]) -> None:
    """Serve the one client on stdin and stdout until it closes its end."""
    wire_in, wire_out = _take_wires()
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    ways = _Ways(to_server, outgoing.clone())
    async with _reading(wire_in, ways), anyio.create_task_group() as tasks:
        tasks.start_soon(_write, wire_out, from_server, tasks.cancel_scope)
        await server.run(incoming, outgoing, server.create_initialization_options())
        tasks.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS_SECONDS


def _take_wires() -> tuple[int, int]:
    """Return descriptors for the protocol; what stdin and stdout were lead to nothing and to stderr."""
    wire_in, wire_out = (fcntl(number, F_DUPFD_CLOEXEC, _STDERR + 1) for number in (_STDIN, _STDOUT))
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(null, _STDIN)
    os.close(null)
    os.dup2(_STDERR, _STDOUT)
    return wire_in, wire_out


@dataclass(frozen=True)
class _Ways:
    """Where what was read goes: messages to the server, the answers to what is none back to the client."""

    to_server: ObjectSendStream[SessionMessage | Exception]
    to_client: ObjectSendStream[SessionMessage]

    async def send(self, line: bytes | None) -> None:
        """Send one line on its way."""
        found = framing.read(line)
        if isinstance(found, framing.Refusal):
            await self.to_client.send(SessionMessage(found.answer))
        elif found is not None:
            await self.to_server.send(SessionMessage(found))

    async def close(self) -> None:
        """Say that nothing more comes."""
        await self.to_client.aclose()
        await self.to_server.aclose()


@asynccontextmanager
async def _reading(wire: int, ways: _Ways) -> AsyncIterator[None]:
    async with from_thread.BlockingPortal() as portal:
        reader = threading.Thread(target=_read, args=(wire, portal, ways), daemon=True, name="bespeak-stdin")
        reader.start()
        yield
        await portal.stop(cancel_remaining=True)


def _read(wire: int, portal: from_thread.BlockingPortal, ways: _Ways) -> None:
    """Send each line on its way; close the ways at the end of the input."""
    lines = framing.Lines()
    try:
        while block := os.read(wire, _BLOCK):
            for line in lines.feed(block):
                portal.call(ways.send, line)
        for line in lines.feed(b"\n"):
            portal.call(ways.send, line)
        portal.call(ways.close)
    except (OSError, RuntimeError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        _close(portal, ways)


def _close(portal: from_thread.BlockingPortal, ways: _Ways) -> None:
    try:
        portal.call(ways.close)
    except RuntimeError:
        return  # the server has ended already


async def _write(wire: int, from_server: ObjectReceiveStream[SessionMessage], scope: anyio.CancelScope) -> None:
    """Write each message as a line; when nobody reads any more, end the server."""
    limiter = CapacityLimiter(1)
    async for message in from_server:
        try:
            await to_thread.run_sync(
                _write_all, wire, _encoded(message) + b"\n", abandon_on_cancel=True, limiter=limiter
            )
        except OSError:
            scope.cancel()
            return


def _encoded(message: SessionMessage) -> bytes:
    """Return a message as JSON; one that cannot be written still gets an answer, for its client waits for it."""
    try:
        return message.message.model_dump_json(by_alias=True, exclude_unset=True).encode()
    except ValueError:
        wrong = ErrorData(code=INTERNAL_ERROR, message="the answer has something in it that is no text")
        answer = JSONRPCError(jsonrpc="2.0", id=getattr(message.message, "id", None), error=wrong)
        return answer.model_dump_json(by_alias=True, exclude_unset=True).encode()


def _write_all(wire: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(wire, view) :]
