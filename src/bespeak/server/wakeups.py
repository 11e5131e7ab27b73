"""Wake-ups for clients: lines of an answer that has no end, written whenever a commit wakes a listener of the book."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bespeak.client.wakeups import ALIVE_SECONDS, WOKEN
from bespeak.storage.wakeups import FifoListener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bespeak.storage.interface import Listener

MOST_WAITING = 512
"""Listeners that need a thread each: those of a book on PostgreSQL."""

_threads = ThreadPoolExecutor(MOST_WAITING, "bespeak-wakeups")
_ALIVE = b"alive\n"
_STOP_SECONDS = 1.0


async def wake_ups(listener: Listener) -> AsyncIterator[bytes]:
    """Yield a line for each wake-up, and one now and then; closes the listener."""
    try:
        yield _ALIVE
        while True:
            woken = await (_readable(listener) if isinstance(listener, FifoListener) else _waited(listener))
            yield WOKEN + b"\n" if woken else _ALIVE
    finally:
        listener.close()


async def _readable(listener: Listener) -> bool:
    """Wait for a wake-up in the loop."""
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    loop.add_reader(listener.fileno(), woken.set)
    try:
        async with asyncio.timeout(ALIVE_SECONDS):
            await woken.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(listener.fileno())
    listener.wait(0)
    return True


async def _waited(listener: Listener) -> bool:
    """Wait for a wake-up in a thread."""
    loop = asyncio.get_running_loop()
    for _ in range(int(ALIVE_SECONDS / _STOP_SECONDS)):
        if await loop.run_in_executor(_threads, listener.wait, _STOP_SECONDS):
            return True
    return False
