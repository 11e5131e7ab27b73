"""How full a resource is at each moment, and the first moments at which several have room: pure and fast.

:mod:`bespeak.ledger.rules` judges one window and names who is in the way; a timeline looks for a window, through
thousands of bookings, and names nobody. Both have the same rule of seats.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from bespeak.base.clock import FOREVER_US
from bespeak.ledger.model import Mode
from bespeak.ledger.rules import window_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Timeline:
    """The load of one resource over time.

    Args:
        capacity: how many exclusive holders it seats.
        cooldown_us: how long it stays free between two holds, µs.
    """

    __slots__ = ("_alone", "_capacity", "_sharing", "_times", "cooldown_us")

    def __init__(self, capacity: int, cooldown_us: int = 0) -> None:
        self._capacity = capacity
        self.cooldown_us = cooldown_us
        self._times = [0]
        self._alone = [0]
        self._sharing = [0]

    def change(self, mode: Mode, starts_us: int, ends_us: int, by: int = 1) -> None:
        """Add ``by`` holders of the window, µs UTC; -1 takes one away."""
        if starts_us < ends_us:
            self._add(mode, starts_us, min(ends_us + self.cooldown_us, FOREVER_US), by)

    def as_a_whole(self) -> Timeline:
        """Return a view of the same load in which there is room only where nobody else is at all."""
        view = object.__new__(Timeline)
        view._capacity, view.cooldown_us = 1, self.cooldown_us
        view._times, view._alone, view._sharing = self._times, self._alone, self._sharing
        return view

    def _add(self, mode: Mode, starts_us: int, ends_us: int, by: int) -> None:
        first = self._cut(starts_us)
        last = len(self._times) if ends_us >= FOREVER_US else self._cut(ends_us)
        counts = self._alone if mode is Mode.EXCLUSIVE else self._sharing
        for index in range(first, last):
            counts[index] += by
        self._join(last)
        self._join(first)

    def _join(self, index: int) -> None:
        """Make one stretch of two that follow each other and are alike, so that a search through thousands is short."""
        alone, sharing = self._alone, self._sharing
        if 0 < index < len(alone) and alone[index] == alone[index - 1] and sharing[index] == sharing[index - 1]:
            del self._times[index], alone[index], sharing[index]

    def _cut(self, at_us: int) -> int:
        """Return the index of the stretch that begins at ``at_us``, made by cutting one in two where needed."""
        index = bisect_left(self._times, at_us)
        if index == len(self._times) or self._times[index] != at_us:
            self._times.insert(index, at_us)
            self._alone.insert(index, self._alone[index - 1])
            self._sharing.insert(index, self._sharing[index - 1])
        return index

    def _is_full(self, index: int, mode: Mode) -> bool:
        if mode is Mode.SHARED:
            return self._alone[index] > 0
        return self._sharing[index] > 0 or self._alone[index] >= self._capacity

    def first_fit(self, mode: Mode, from_us: int, duration_us: int) -> int:
        """Return the first start from ``from_us`` on with room for ``duration_us``; ``FOREVER_US`` when never."""
        times, count = self._times, len(self._times)
        index = bisect_right(times, from_us) - 1
        starts_us = from_us
        while True:
            while index < count and self._is_full(index, mode):
                index += 1
            if index == count:
                return FOREVER_US
            starts_us = max(starts_us, times[index])
            ends_us = window_end(starts_us, duration_us + self.cooldown_us)
            index += 1
            while index < count and times[index] < ends_us and not self._is_full(index, mode):
                index += 1
            if index == count or times[index] >= ends_us:
                return starts_us

    def has_room_within(self, mode: Mode, from_us: int, until_us: int) -> bool:
        """Tell whether there is any room at some instant of ``[from_us, until_us)``, however short it lasts."""
        times, count = self._times, len(self._times)
        index = bisect_right(times, from_us) - 1
        while index < count and times[index] < until_us:
            if not self._is_full(index, mode):
                return True
            index += 1
        return False

    def seats_all(self, mode: Mode, starts_us: int, ends_us: int) -> bool:
        """Tell whether all who are entered in a window, µs UTC, have their seats, one in this mode among them."""
        times, count = self._times, len(self._times)
        ends_us = window_end(ends_us, self.cooldown_us)
        index = bisect_right(times, starts_us) - 1
        while index < count and times[index] < ends_us:
            alone, sharing = self._alone[index], self._sharing[index]
            if (alone > 0) if mode is Mode.SHARED else (sharing > 0 or alone > self._capacity):
                return False
            index += 1
        return True

    def free_until(self, mode: Mode, from_us: int) -> int:
        """Return the end of the room that there is at ``from_us``, µs UTC; ``FOREVER_US`` when it has no end."""
        index = bisect_right(self._times, from_us) - 1
        while index < len(self._times) and not self._is_full(index, mode):
            index += 1
        if index == len(self._times):
            return FOREVER_US
        return max(self._times[index] - self.cooldown_us, from_us)


def first_fit(
    timelines: Sequence[Timeline], mode: Mode, from_us: int, duration_us: int, before_us: int = FOREVER_US
) -> int:
    """Return the first start at which all of ``timelines`` have room, µs UTC.

    Args:
        timelines: the resources.
        mode: how they are wanted.
        from_us: the earliest start, µs UTC.
        duration_us: how long, µs; ``FOREVER_US`` for an open end.
        before_us: look no further than this; what is returned then is not before it.
    """
    starts_us = from_us
    while starts_us < before_us:
        found_us = starts_us
        for timeline in timelines:
            found_us = timeline.first_fit(mode, found_us, duration_us)
        if found_us == starts_us:
            return starts_us
        starts_us = found_us
    return max(starts_us, before_us)
