"""The protocol over stdin and stdout, one line a message.

What is read and written goes through descriptors of our own: whatever else is printed in this process, or by a program
it starts, goes to stderr and cannot spoil the protocol, and nobody else reads its input. Reading is done by a thread
that may be left behind, so that a signal ends the server although nobody closes its stdin.
"""

from __future__ import annotations

import os
import threading
from contextlib import asynccontextmanager
from fcntl import F_DUPFD_CLOEXEC, fcntl
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import ObjectReceiveStream, ObjectSendStream
    from mcp.server.lowlevel.server import Server

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_BLOCK = 65_536
_LAST_WORDS_SECONDS = 2.0
"""A client that has closed its end may read the last answers for so long."""
LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of one message; as many as over HTTP."""


async def serve(server: Server[Any]) -> None:
    """Serve the one client on stdin and stdout until it closes its end."""
    wire_in, wire_out = _take_wires()
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    async with _reading(wire_in, to_server), anyio.create_task_group() as tasks:
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


@asynccontextmanager
async def _reading(wire: int, to_server: ObjectSendStream[SessionMessage | Exception]) -> AsyncIterator[None]:
    async with from_thread.BlockingPortal() as portal:
        reader = threading.Thread(target=_read, args=(wire, portal, to_server), daemon=True, name="bespeak-stdin")
        reader.start()
        yield
        await portal.stop(cancel_remaining=True)


def _read(wire: int, portal: from_thread.BlockingPortal, to_server: ObjectSendStream[Any]) -> None:
    """Send each line on as a message; close the stream at the end of the input."""
    try:
        kept = bytearray()
        while block := os.read(wire, _BLOCK):
            kept += block
            *lines, rest = kept.split(b"\n")
            kept = rest
            for line in lines:
                if line.strip():
                    portal.call(to_server.send, _message(bytes(line)))
            if len(kept) > LONGEST_LINE:
                portal.call(to_server.send, ValueError("a message is too long"))
                kept = _skip(wire)
        portal.call(to_server.aclose)
    except (OSError, RuntimeError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        _close(portal, to_server)


def _skip(wire: int) -> bytearray:
    """Read to the end of a line that is too long; return what follows it."""
    while block := os.read(wire, _BLOCK):
        _, newline, rest = block.partition(b"\n")
        if newline:
            return bytearray(rest)
    return bytearray()


def _close(portal: from_thread.BlockingPortal, to_server: ObjectSendStream[Any]) -> None:
    try:
        portal.call(to_server.aclose)
    except RuntimeError:
        return  # the server has ended already


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line.decode("utf-8", "replace"), by_name=False))
    except ValueError as error:
        return error


async def _write(wire: int, from_server: ObjectReceiveStream[SessionMessage], scope: anyio.CancelScope) -> None:
    """Write each message as a line; when nobody reads any more, end the server."""
    limiter = CapacityLimiter(1)
    async for message in from_server:
        text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
        try:
            await to_thread.run_sync(_write_all, wire, text.encode() + b"\n", abandon_on_cancel=True, limiter=limiter)
        except OSError:
            scope.cancel()
            return


def _write_all(wire: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(wire, view) :]
