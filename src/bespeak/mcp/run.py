"""Runs the server until its client leaves or a signal comes, and leaves nothing behind."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import anyio

from bespeak.mcp import stdio
from bespeak.mcp.server import Door
from bespeak.text import safe

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from bespeak.mcp.address import Address
    from bespeak.mcp.toolkit import Setup

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SIGNAL_BASE = 128
_GRACE_SECONDS = 10.0
"""After a signal everything has so long to end in order: a book that cannot be reached holds nobody up for ever."""


def over_stdio(setup: Setup) -> int:
    """Serve one client on stdin and stdout; return the exit code."""
    _log_to_stderr(debug=setup.debug)
    server = Door(setup).server()
    return _until_told(lambda: stdio.serve(server))


def over_http(setup: Setup, address: Address, bound: socket.socket, ready: Callable[[], None]) -> int:
    """Serve every client that connects to a socket; return the exit code."""
    from bespeak.mcp import http

    _log_to_stderr(debug=setup.debug)
    server = Door(setup).server()
    return _until_told(lambda: http.serve(server, address, bound, ready))


def _until_told(serve: Callable[[], Awaitable[None]]) -> int:
    told: list[int] = []
    try:
        anyio.run(_run, serve, told)
    except BaseExceptionGroup as group:
        raise _first(group) from None
    finally:
        _finish_threads()
    return _SIGNAL_BASE + told[0] if told else 0


def _first(error: BaseException) -> BaseException:
    """Return what failed first, out of the groups in which tasks report it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _run(serve: Callable[[], Awaitable[None]], told: list[int]) -> None:
    with anyio.open_signal_receiver(*_ENDING) as signals:
        async with anyio.create_task_group() as tasks:

            async def end_on_signal() -> None:
                async for number in signals:
                    told.append(number)
                    _end_at_last(_SIGNAL_BASE + number)
                    tasks.cancel_scope.cancel()
                    return

            tasks.start_soon(end_on_signal)
            await serve()
            tasks.cancel_scope.cancel()


def _end_at_last(code: int) -> None:
    timer = threading.Timer(_GRACE_SECONDS, os._exit, (code,))
    timer.daemon = True
    timer.start()


def _finish_threads() -> None:
    """Give threads that still work for a cancelled call the time to end; the book survives it if one does not."""
    deadline = time.monotonic() + _GRACE_SECONDS
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join(max(deadline - time.monotonic(), 0))
            if thread.is_alive():
                _end_at_last(0)


def _log_to_stderr(*, debug: bool) -> None:
    """Say on stderr, a line each, what the libraries have to say; stdout belongs to the protocol."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(debug=debug))
    logging.basicConfig(handlers=[handler], level=logging.INFO if debug else logging.WARNING, force=True)
    # It tells of each request that was cut off when the server ended.
    logging.getLogger("uvicorn.error").setLevel(logging.INFO if debug else logging.CRITICAL)


class _Line(logging.Formatter):
    """One safe line a record; with ``debug`` also where an error comes from."""

    def __init__(self, *, debug: bool) -> None:
        super().__init__()
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = f"bespeak: {record.levelname.lower()}: {safe(' '.join(record.getMessage().split()))}"
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return text
        if self._debug:
            return f"{text}\n{self.formatException(record.exc_info)}"  # type: ignore[arg-type]
        return f"{text}: {type(error).__name__} (--debug shows where)"
