"""Runs a server until it ends or a signal comes; then everything has some seconds to end in order."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SIGNAL_BASE = 128
_GRACE_SECONDS = 10.0
"""After a signal everything has so long to end in order: a book that cannot be reached holds nobody up for ever."""


def run_until_signal(serve: Callable[[], Awaitable[None]]) -> int:
    """Run ``serve``; return the exit code: 128 and the number of the signal that ended it."""
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
                    end_at_last(_SIGNAL_BASE + number)
                    tasks.cancel_scope.cancel()
                    return

            tasks.start_soon(end_on_signal)
            await serve()
            tasks.cancel_scope.cancel()


def end_at_last(code: int) -> None:
    """End the process with ``code`` after some seconds, whatever still hangs then."""
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
                end_at_last(0)
