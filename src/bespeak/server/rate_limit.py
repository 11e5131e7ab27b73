"""How often somebody may ask: a bucket for each caller, filled at a steady rate."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_MOST_KEYS = 10_000


class Buckets:
    """One bucket for each key.

    Args:
        per_minute: what a bucket holds, and what flows into it in a minute.
        now: the monotonic clock, seconds.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._rate = per_minute / 60
        self._now = now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one from the bucket of ``key``; return how long (seconds) it is until there is one, 0 if there was."""
        level, now = self._level(key)
        self._levels[key] = (max(level - 1, 0.0), now)
        self._levels.move_to_end(key)
        if len(self._levels) > _MOST_KEYS:
            self._levels.popitem(last=False)
        return 0.0 if level >= 1 else (1 - level) / self._rate

    def _level(self, key: str) -> tuple[float, float]:
        now = self._now()
        level, since = self._levels.get(key, (self._size, now))
        return min(level + (now - since) * self._rate, self._size), now


def guessed(request: Request) -> int:
    """Count a guess of whoever sent a request without a credential; return how long (seconds) to wait, 0 for not."""
    guesses: Buckets = request.app.state.guesses
    return math.ceil(guesses.take(request.client.host if request.client else ""))
