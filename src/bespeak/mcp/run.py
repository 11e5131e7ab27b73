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

from bespeak.base.display import escape_unprintable
from bespeak.mcp import stdio
from bespeak.mcp.server import ToolServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from bespeak.mcp.tool import Setup
    from bespeak.net.listen_address import ListenAddress

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SIGNAL_BASE = 128
MOST_LINES = 20
"""Lines on stderr in a minute."""
_LINES_SECONDS = 60.0
_GRACE_SECONDS = 10.0
"""After a signal everything has so long to end in order: a book that cannot be reached holds nobody up for ever."""


def over_stdio(setup: Setup) -> int:
    """Serve one client on stdin and stdout; return the exit code."""
    _log_to_stderr(debug=setup.debug)
    door = ToolServer(setup)
    server = door.server()
    code = _until_told(lambda: stdio.serve(server))
    if setup.run_ends and setup.run_id is not None:
        _end_at_last(code)
        door.end(setup.run_id)
    return code


def over_http(
    setup: Setup, address: ListenAddress, token: str | None, bound: socket.socket, ready: Callable[[], None]
) -> int:
    """Serve every client that connects to a socket and, on TCP, has the token; return the exit code."""
    from bespeak.mcp import http

    _log_to_stderr(debug=setup.debug)
    server = ToolServer(setup).server()
    return _until_told(lambda: http.serve(server, address, token, bound, ready))


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
    if not debug:
        handler.addFilter(Sparing())
    logging.basicConfig(handlers=[handler], level=logging.INFO if debug else logging.WARNING, force=True)
    # It tells of each request that was cut off when the server ended.
    logging.getLogger("uvicorn.error").setLevel(logging.INFO if debug else logging.CRITICAL)


class Sparing(logging.Filter):
    """Lets so many lines a minute pass: what strangers send must not fill a disk.

    Args:
        now: the monotonic clock, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._began = now()
        self._count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is said; the last of a minute says that it is."""
        if self._now() - self._began >= _LINES_SECONDS:
            self._began, self._count = self._now(), 0
        self._count += 1
        if self._count == MOST_LINES:
            record.msg = f"{record.getMessage()} (the rest of this minute is left out; --debug has it all)"
            record.args = ()
        return self._count <= MOST_LINES


class _Line(logging.Formatter):
    """One safe line a record; with ``debug`` also where an error comes from."""

    def __init__(self, *, debug: bool) -> None:
        super().__init__()
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = f"bespeak: {record.levelname.lower()}: {escape_unprintable(' '.join(record.getMessage().split()))}"
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return text
        if self._debug:
            return f"{text}\n{self.formatException(record.exc_info)}"  # type: ignore[arg-type]
        return f"{text}: {type(error).__name__} (--debug shows where)"
