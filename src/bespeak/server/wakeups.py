"""Wake-ups for clients: lines of an answer that has no end, written whenever a commit wakes a listener of the book."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bespeak.client.wakeups import WOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bespeak.server.stream_access import StreamAccess
    from bespeak.storage.interface import Listener

_ALIVE = b"alive\n"


async def wake_ups(listener: Listener, access: StreamAccess) -> AsyncIterator[bytes]:
    """Yield a line for each wake-up, and one now and then, while the credential counts; closes the listener."""
    try:
        yield _ALIVE
        while True:
            woken = await _readable(listener, access)
            if not await access.lasts():
                return
            yield WOKEN + b"\n" if woken else _ALIVE
    finally:
        listener.close()


async def _readable(listener: Listener, access: StreamAccess) -> bool:
    """Wait in the loop for a wake-up, or until the credential has to be looked at."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    loop.add_reader(listener.fileno(), _note, woken)
    try:
        await asyncio.wait([woken, access.changed], timeout=access.seconds_left, return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(listener.fileno())
    return woken.done() and listener.wait(0)


def _note(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
