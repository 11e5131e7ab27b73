"""How long the present thread waits for a database that may not answer.

A network that stalls says nothing: without a limit of our own, whoever asks waits for as long as the kernel believes in
the connection. Each round trip has one; whoever has to be done by a certain time sets a nearer one for all it asks.
"""

from __future__ import annotations

import time
from _thread import _local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class _PerThread(_local):
    until: float | None = None


_here = _PerThread()


class within:  # noqa: N801 used like a function
    """Within this block, this thread waits for databases until a common end, and fails where that is not enough.

    Args:
        seconds: how long from the beginning of the block; an outer block that ends earlier counts.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._outer: float | None = None

    def __enter__(self) -> None:
        self._outer = _here.until
        until = time.monotonic() + self._seconds
        _here.until = until if self._outer is None else min(until, self._outer)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _here.until = self._outer


def left_seconds(longest: float) -> float:
    """Return how long to wait now: ``longest``, or what is left in this thread's :class:`within`."""
    return longest if _here.until is None else max(min(_here.until - time.monotonic(), longest), 0.0)
