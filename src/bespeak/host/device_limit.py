"""How many requests a device serves at once, and time limits that do not run while one waits for one's turn.

Management controllers, power distribution units and SSH servers refuse, or answer never, when too many ask them at
once. Whoever asks one waits for a turn; a host that waits because its neighbours are served first has lost no time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from weakref import WeakKeyDictionary


class TimeLimit:
    """A time limit that can be paused.

    Args:
        timeout: the running one.
    """

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout
        self._waiting = 0
        self._left: float | None = None

    @property
    def left_seconds(self) -> float | None:
        """How long it still runs; None for no limit, or while somebody waits."""
        when = self._timeout.when()
        return None if when is None else max(when - asyncio.get_running_loop().time(), 0.0)

    def pause(self) -> None:
        """Stop the time; each call needs one of :meth:`go_on`."""
        self._waiting += 1
        if self._waiting == 1 and not self._timeout.expired():
            self._left = self.left_seconds
            self._timeout.reschedule(None)

    def go_on(self) -> None:
        """Let the time run again."""
        self._waiting -= 1
        if self._waiting == 0 and self._left is not None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left)


_limits: ContextVar[tuple[TimeLimit, ...]] = ContextVar("bespeak_time_limits", default=())
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, asyncio.Semaphore]] = WeakKeyDictionary()


def left_seconds() -> float | None:
    """How long the shortest of the present time limits still runs; None for no limit."""
    left = [seconds for limit in _limits.get() if (seconds := limit.left_seconds) is not None]
    return min(left, default=None)


@asynccontextmanager
async def time_limit(seconds: float | None) -> AsyncIterator[TimeLimit]:
    """End this block after ``seconds``, not counting the time in which it waits for a turn.

    Raises:
        TimeoutError: the time is over.
    """
    async with asyncio.timeout(seconds) as timeout:
        limit = TimeLimit(timeout)
        token = _limits.set((*_limits.get(), limit))
        try:
            yield limit
        finally:
            _limits.reset(token)


@asynccontextmanager
async def turn_at(device: Hashable, at_once: int) -> AsyncIterator[None]:
    """Wait until fewer than ``at_once`` ask ``device``; within this block one of them is this one.

    Args:
        device: the same for everything that goes to the same device.
        at_once: how many it serves; who asks first decides.
    """
    turns = _turns.setdefault(asyncio.get_running_loop(), {})
    turn = turns.setdefault(device, asyncio.Semaphore(at_once))
    if turn.locked():
        limits = _limits.get()
        for limit in limits:
            limit.pause()
        try:
            await turn.acquire()
        finally:
            for limit in limits:
                limit.go_on()
    else:
        await turn.acquire()
    try:
        yield
    finally:
        turn.release()
