"""When a dispatcher stores what has ended and claims what is due: many in one commit, and nothing late.

A commit costs as much as a start. While most of its places are taken a dispatcher waits for a few answers more, but
never longer than :data:`HOLD_SECONDS`; with half of its places free, or nothing under way, it acts at once.
"""

from __future__ import annotations

import time

HOLD_SECONDS = 0.01


class StepPacing:
    """Holds steps back.

    Args:
        max_starts: how many starts may be under way at once.
    """

    def __init__(self, max_starts: int) -> None:
        self._enough = max(max_starts // 2, 1)
        self._until = 0.0

    def acts(self, *, has_reason: bool, under_way: int, slots: int) -> bool:
        """Tell whether to make a step now; one that is held back is asked for again when :attr:`seconds` are over.

        Args:
            has_reason: there is something to store or to claim.
            under_way: how many starts are.
            slots: how many more may be.
        """
        if not has_reason or not under_way or slots >= self._enough:
            self.forget()
            return has_reason
        now = time.monotonic()
        self._until = self._until or now + HOLD_SECONDS
        if now < self._until:
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """Hold nothing back any more."""
        self._until = 0.0

    def is_due(self, *, has_outcomes: bool) -> bool:
        """Tell whether to look for a reason: for what was held back, or for outcomes that nothing holds back."""
        return self.seconds == 0.0 if self._until else has_outcomes

    @property
    def seconds(self) -> float | None:
        """In how many seconds to ask again; None while nothing is held back."""
        return max(self._until - time.monotonic(), 0.0) if self._until else None
