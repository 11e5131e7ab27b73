"""The line: where somebody who waits can be promised to start, and where those before them would move to.

Every waiter has a promised window, or none where nobody can say when its turn comes. The rules (conservative
backfilling):

1. A promise is time that is taken, for everybody else. So it never moves later.
2. Whoever has no promise keeps nobody from anything, and takes a place behind the promises given meanwhile.
3. Free time is first offered to the waiters, by rank. What they cannot use is given out.
4. Where a waiter of higher priority took what was promised, the one who lost it takes the first window that those of
   earlier rank leave, and may so push those of later rank.

Each waiter moves only itself, when it wakes. So whoever decides works out first where the earlier ones would move to if
each of them looked now (:class:`Replan`), and keeps off that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import FOREVER_US
from bespeak.ledger import row_mapping, rules
from bespeak.ledger.occupancy import Occupancy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bespeak.ledger.constraints import Constraints
    from bespeak.ledger.model import Booking, Reservation
    from bespeak.storage.interface import Transaction

    Window = tuple[int, int]


class Replan:
    """Where the waiters before somebody would move to, one after the other by rank.

    Args:
        tx: the transaction.
        line: who waits for the resources in question, with the resource.
        ahead_of: only those before this waiter count; None for a newcomer, behind all.
        capacity: seats of the resources in question.
        constraints: what else keeps resources from being given out; None where there is nothing.
    """

    def __init__(
        self,
        tx: Transaction,
        line: Iterable[tuple[str, Reservation]],
        ahead_of: Reservation | None,
        capacity: Mapping[str, int],
        constraints: Constraints | None,
    ) -> None:
        self._constraints = constraints
        self._tx = tx
        self._ahead_of = ahead_of
        self._waiters = {waiter.id: waiter for _, waiter in line}
        self._capacity = dict(capacity)
        self._names = {name for name, _ in line if constraints is None or name in capacity}
        self._windows: dict[str, Window | None] = {}
        self._moves = self._plan()
        self.moved: list[tuple[Reservation, Window]] = []
        """Time that moves would take, beyond what is promised; as far as was asked for."""

    def next_move(self) -> list[tuple[Reservation, Window]]:
        """Return what the next waiter that moves would take beyond what it was promised; empty after the last."""
        more = next(self._moves, [])
        self.moved += more
        return more

    def _plan(self) -> Iterator[list[tuple[Reservation, Window]]]:
        earlier = self._close()
        if not earlier:
            return
        now_us = self._tx.now_us
        everything = self._board(self._names)
        for waiter in self._waiters.values():
            window = self._windows[waiter.id] = promised_window(waiter, now_us)
            if window is not None:
                everything.change(waiter.resources, waiter.mode, counted(waiter, window))
        for waiter in earlier:
            before = self._windows[waiter.id]
            after = self._window_of(waiter, everything)
            if after != before:
                self._windows[waiter.id] = after
                taken = self._outside(waiter, after, before)
                if taken:
                    yield [(waiter, window) for window in taken]

    def _outside(self, waiter: Reservation, after: Window | None, before: Window | None) -> list[Window]:
        """Return the parts of the window ``after`` that are not within ``before``, as whoever asks sees them."""
        if after is None:
            return []
        after = after if self._ahead_of is None else counted(waiter, after)
        if before is None:
            return [after]
        known = before if self._ahead_of is None else counted(waiter, before)
        parts = [(after[0], min(after[1], known[0])), (max(after[0], known[1]), after[1])]
        return [(starts_us, ends_us) for starts_us, ends_us in parts if starts_us < ends_us]

    def _close(self) -> list[Reservation]:
        """Read whoever waits for what earlier waiters wait for; return the earlier ones, by rank."""
        while True:
            earlier = [waiter for waiter in self._waiters.values() if waiter.is_ahead_of(self._ahead_of)]
            new = {name for waiter in earlier for name in waiter.resources} - self._names
            if not new:
                return sorted(earlier, key=lambda waiter: (waiter.rank, waiter.seq))
            new = self._know(new)
            for _, waiter in row_mapping.in_queue(self._tx, new):
                if not waiter.lapsed(self._tx.now_us):
                    self._waiters.setdefault(waiter.id, waiter)

    def _know(self, names: set[str]) -> set[str]:
        """Learn about resources; return them with their wholes and parts, as far as those are new too."""
        known = row_mapping.resources(self._tx, sorted(names))
        if self._constraints is None:
            from bespeak.ledger.constraints import Constraints

            if any(one.is_constrained(self._tx.now_us) for one in known.values()):
                self._constraints = Constraints(self._tx, known)
        else:
            self._constraints.add(known)
        self._capacity |= {name: found.capacity for name, found in known.items()}
        if self._constraints is not None:
            others = set(self._constraints.scope(names)) - names - self._names
            self._names |= names
            return names | self._know(others) if others else names
        self._names |= names
        return names

    def _board(self, names: Iterable[str]) -> Occupancy:
        return Occupancy(
            self._tx, self._capacity, names, self._tx.now_us, for_waiters=True, constraints=self._constraints
        )

    def _scope(self, names: Iterable[str]) -> list[str]:
        return sorted(names) if self._constraints is None else self._constraints.scope(names)

    def _blockers(self, waiter: Reservation, window: Window, taken: Iterable[Booking]) -> list[Booking]:
        capacity = {name: self._capacity.get(name, 1) for name in waiter.resources}
        return rules.blockers(waiter.mode, *window, taken, capacity, self._gaps(self._scope(waiter.resources)))

    def _window_of(self, waiter: Reservation, everything: Occupancy) -> Window | None:
        """Move a waiter in ``everything``; return its window then."""
        now_us = self._tx.now_us
        before = self._windows[waiter.id]
        if before is not None:
            everything.change(waiter.resources, waiter.mode, counted(waiter, before), -1)
        from_us = max(now_us, waiter.not_before_us)
        names, mode, wanted_us = waiter.resources, waiter.mode, waiter.wanted_us
        if before is None:
            starts_us = everything.first_fit(names, mode, from_us, wanted_us)
        elif self._has_lost(waiter, before, everything):
            starts_us = self._first_by_rank(waiter, from_us)
        elif before[0] <= now_us:
            starts_us = before[0]
        else:
            starts_us = everything.first_fit(names, mode, from_us, wanted_us, before_us=before[0])
            starts_us = min(starts_us, before[0])
        after = None if starts_us >= FOREVER_US else (starts_us, rules.window_end(starts_us, wanted_us))
        if after is not None:
            everything.change(names, mode, counted(waiter, after))
        return after

    def _has_lost(self, waiter: Reservation, window: Window, everything: Occupancy) -> bool:
        starts_us, ends_us = max(window[0], self._tx.now_us), window[1]
        if everything.has_room(waiter.resources, waiter.mode, (starts_us, ends_us)):
            return False
        taken = [*self._held(waiter.resources, starts_us, ends_us), *self._ahead_of_it(waiter)]
        return bool(self._blockers(waiter, (starts_us, ends_us), taken))

    def _held(self, names: Iterable[str], starts_us: int, ends_us: int) -> list[Booking]:
        """Return what is held or booked in a window, µs UTC, and when nothing is given out."""
        scope = self._scope(names)
        found: list[Booking] = []
        gap_us = 0
        if self._constraints is not None:
            gap_us = max(map(self._constraints.cooldown_us, scope))
            for name in scope:
                found += self._constraints.closed_first(name, starts_us, ends_us)
        held = row_mapping.overlapping(self._tx, scope, starts_us - gap_us, ends_us + gap_us)
        if gap_us:
            found += row_mapping.cooling(held, self._gaps(scope), self._tx.now_us)
        return found + [row_mapping.booking(name, one) for name, one in held if not one.lapsed(self._tx.now_us)]

    def _gaps(self, names: Iterable[str]) -> dict[str, int]:
        return {name: 0 if self._constraints is None else self._constraints.cooldown_us(name) for name in names}

    def _ahead_of_it(self, waiter: Reservation) -> Iterator[Booking]:
        """Return, as bookings, the windows of those before ``waiter``."""
        wanted = self._scope(waiter.resources)
        for other in self._waiters.values():
            window = self._windows[other.id]
            if window is not None and other.is_ahead_of(waiter):
                for name in other.resources:
                    if name in wanted:
                        yield row_mapping.booking(name, other, window)

    def _first_by_rank(self, waiter: Reservation, from_us: int) -> int:
        left = self._board(waiter.resources)
        for other in self._waiters.values():
            window = self._windows[other.id]
            if window is not None and other.is_ahead_of(waiter):
                left.change(other.resources, other.mode, counted(other, window))
        return left.first_fit(waiter.resources, waiter.mode, from_us, waiter.wanted_us)


def promised_window(waiter: Reservation, now_us: int) -> Window | None:
    """Return what is promised to ``waiter``, µs UTC; None when nothing is, or when all of it is past."""
    if waiter.starts_us >= FOREVER_US or waiter.ends_us <= now_us:
        return None
    return waiter.starts_us, waiter.ends_us


def counted(waiter: Reservation, window: Window) -> Window:
    """Return a promised window as other waiters see it: with no end where the hold lasts until it is given back."""
    return (window[0], FOREVER_US) if waiter.open_end else window
