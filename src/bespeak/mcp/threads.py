"""Blocking work beside the event loop, so that one slow call stops no other.

Short questions, long work and waiting have room of their own: however many agents wait, others are answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter, to_thread

from bespeak.base.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
MOST_CALLS = 8
"""So many calls run at the same time; the book has one writer anyway, and a database server few connections."""
MOST_SLOW = 2
"""Reading a whole repository keeps a processor busy."""
MOST_WAITS = 64


class Threads:
    """The threads of one server."""

    def __init__(self) -> None:
        self._calls = CapacityLimiter(MOST_CALLS)
        self._slow = CapacityLimiter(MOST_SLOW)
        self._waits = CapacityLimiter(MOST_WAITS)

    async def call(self, work: Callable[[], T]) -> T:
        """Run something short; who is cancelled does not wait for its end."""
        return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._calls)

    async def slow(self, work: Callable[[], T]) -> T:
        """Run something that takes its time; who is cancelled does not wait for its end."""
        return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._slow)

    async def wait(self, work: Callable[[], T]) -> T:
        """Run something that may take long.

        Raises:
            BusyError: too many wait in this server already.
        """
        if self._waits.available_tokens < 1:
            raise BusyError(f"{MOST_WAITS} calls wait in this server already; try again later")
        return await to_thread.run_sync(work, limiter=self._waits)
