"""``run --keep``: what has been over for long enough is deleted, of the reservations and of the runner's history."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bespeak.jobs import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.jobs.dispatcher_parts import DispatcherParts

EVERY_SECONDS = 600.0
_BATCHES = 5
_CLEAN_SECONDS = 300.0


class Retention:
    """What one dispatcher tidies up, a few batches at a time.

    Args:
        parts: of the dispatcher.
        tokens: for calls of its runner.
        keep_seconds: how long to keep what is over; None for ever.
    """

    def __init__(self, parts: DispatcherParts, tokens: Iterator[int], keep_seconds: float | None) -> None:
        self._parts = parts
        self._tokens = tokens
        self._keep_seconds = keep_seconds
        self._due = 0.0

    def begin(self) -> None:
        """Delete what is due to go, if it is time to look."""
        if self._keep_seconds is None or time.monotonic() < self._due:
            return
        before_s = int(time.time() + self._parts.session.offset_us / 1e6 - self._keep_seconds)
        wanted = queries.Filter(site=self._parts.session.me.site, updated_before=before_s, terminal=True, ended=True)
        batches = queries.delete(self._parts.session.engine, wanted)
        gone = [len(batch) for batch, _ in zip(batches, range(_BATCHES), strict=False)]
        more = len(gone) == _BATCHES
        self._due = time.monotonic() + (0.0 if more else EVERY_SECONDS)
        if sum(gone):
            self._parts.log.emit("old_reservations_deleted", {"count": sum(gone)})
        if not more and self._parts.runner.embedded:
            words = ["clean", "--before", str(before_s)]
            self._parts.router.submit(next(self._tokens), words, _CLEAN_SECONDS)
