"""The line: where somebody who waits can be promised to start, and where those before them would move to.

Every waiter has a promised window, or none where nobody can say when its turn comes. The rules (conservative
backfilling):

1. A promise is time that is taken, for everybody else. So it never moves later.
2. Whoever has no promise keeps nobody from anything, and takes a place behind the promises given meanwhile.
3. Free time is first offered to the waiters, by rank. What they cannot use is given out.
4. Where a waiter of higher priority took what was promised, the one who lost it takes the first window that those of
   earlier rank leave, and may so push those of later rank.

Each waiter moves only itself, when it wakes. So whoever decides works out first where the earlier ones would move to if
each of them looked now (:class:`Replan`), and keeps off that. Since they look a little later, and may start only then,
what they would take counts as longer by :data:`~bespeak.ledger.rules.LEASE_US`, as their places live
without a sign: else it would be too short for them when they do look.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.frozen import frozen
from bespeak.ledger import row_mapping, rules
from bespeak.ledger.occupancy import Occupancy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bespeak.ledger.candidates import Candidates
    from bespeak.ledger.constraints import Constraints
    from bespeak.ledger.model import Booking, Reservation, Selection
    from bespeak.storage.interface import Transaction

    Window = tuple[int, int]


@frozen
class Move:
    """Time that a waiter takes, or would take; with ``instead``, the promised window in whose place it stands."""

    waiter: Reservation
    names: tuple[str, ...]
    window: Window
    instead: Window | None = None


class Replan:
    """Where the waiters before somebody would move to, one after the other by rank.

    Args:
        tx: the transaction.
        names: the resources in question.
        line: who waits for them, or for wholes and parts of them, with the resource.
        needy: who waits for resources by need.
        ahead_of: only those before this waiter count; None for a newcomer, behind all.
        capacity: seats of the resources in question.
        constraints: what else keeps resources from being given out; None where there is nothing.
    """

    def __init__(
        self,
        tx: Transaction,
        names: Iterable[str],
        line: Iterable[tuple[str, Reservation]],
        needy: Iterable[Reservation],
        ahead_of: Reservation | None,
        capacity: Mapping[str, int],
        constraints: Constraints | None,
    ) -> None:
        self._constraints = constraints
        self._tx = tx
        self._ahead_of = ahead_of
        self._waiters = {waiter.id: waiter for _, waiter in line}
        self._capacity = dict(capacity)
        self._needy = [waiter for waiter in needy if waiter.is_ahead_of(ahead_of)]
        self._names = set(names)
        self._choices: dict[Selection, Candidates | None] = {}
        self._places: dict[str, Move | None] = {}
        self._moves = self._plan()
        self.moved: list[Move] = []
        """Time that moves would take, beyond what is promised; as far as was asked for."""

    def next_move(self) -> list[Move]:
        """Return what the next waiter that moves would take beyond what it was promised; empty after the last."""
        more = next(self._moves, [])
        self.moved += more
        return more

    def _plan(self) -> Iterator[list[Move]]:
        earlier = self._close()
        if not earlier:
            return
        everything = self._board(self._names)
        for waiter in self._waiters.values():
            window = promised_window(waiter, self._tx.now_us)
            self._places[waiter.id] = None if window is None else Move(waiter, waiter.resources, window)
        places = [place for place in self._places.values() if place is not None]
        everything.enter((place.names, place.waiter.mode, counted(place.waiter, place.window)) for place in places)
        for waiter in earlier:
            before = self._places[waiter.id]
            if before is not None and self._stays(before, everything):
                continue
            after = self._next_place(waiter, everything)
            if after != before:
                taken = self._outside(after, before)
                if taken:
                    yield taken

    def _enter(self, everything: Occupancy, waiter: Reservation, place: Move | None) -> None:
        self._places[waiter.id] = place
        if place is not None:
            everything.change(place.names, waiter.mode, counted(waiter, place.window))

    def _outside(self, after: Move | None, before: Move | None) -> list[Move]:
        """Return the parts of the place ``after`` that are not within ``before``, as whoever asks sees them."""
        if after is None:
            return []
        starts_us, ends_us = self._seen(after)
        ends_us = rules.window_end(ends_us, rules.LEASE_US)
        found = []
        for name in after.names:
            if before is None or name not in before.names:
                found.append(Move(after.waiter, (name,), (starts_us, ends_us)))
            else:
                found += self._beyond(name, after.waiter, (starts_us, ends_us), self._seen(before))
        return found

    def _beyond(self, name: str, waiter: Reservation, window: Window, known: Window) -> list[Move]:
        """Return what ``window`` takes of a resource beyond the window that is ``known`` to be the waiter's."""
        gap_us = 0 if self._constraints is None else self._constraints.cooldown_us(name)
        if gap_us and window[0] <= known[1] + gap_us and known[0] <= window[1] + gap_us:
            # Nobody needs a pause between what are its own: as two windows it would be counted twice.
            both = (min(window[0], known[0]), max(window[1], known[1]))
            return [] if both == known else [Move(waiter, (name,), both, known)]
        parts = ((window[0], min(window[1], known[0])), (max(window[0], known[1]), window[1]))
        return [Move(waiter, (name,), part) for part in parts if part[0] < part[1]]

    def _seen(self, place: Move) -> Window:
        return place.window if self._ahead_of is None else counted(place.waiter, place.window)

    def _close(self) -> list[Reservation]:
        """Read whoever waits for what earlier waiters wait for; return the earlier ones, by rank."""
        while True:
            self._admit_needy()
            earlier = [waiter for waiter in self._waiters.values() if waiter.is_ahead_of(self._ahead_of)]
            new = {name for waiter in earlier for name in self._wanted_by(waiter)} - self._names
            if not new:
                return sorted(earlier, key=lambda waiter: (waiter.rank, waiter.seq))
            new = self._know(new)
            for _, waiter in row_mapping.in_queue(self._tx, new):
                if not waiter.lapsed(self._tx.now_us):
                    self._waiters.setdefault(waiter.id, waiter)

    def _admit_needy(self) -> None:
        for waiter in self._needy:
            if waiter.id not in self._waiters:
                wanted = self._scope(self._wanted_by(waiter))
                if not self._names.isdisjoint(wanted):
                    self._waiters[waiter.id] = waiter

    def _wanted_by(self, waiter: Reservation) -> tuple[str, ...]:
        """Return the resources that a waiter holds a place for, or could be given."""
        candidates = self._candidates(waiter)
        return waiter.resources if candidates is None else (*waiter.resources, *candidates.names)

    def _candidates(self, waiter: Reservation) -> Candidates | None:
        if waiter.selection is None:
            return None
        if waiter.selection not in self._choices:
            from bespeak.ledger.candidates import candidates_of

            self._choices[waiter.selection] = candidates_of(self._tx, waiter.selection)
        return self._choices[waiter.selection]

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

    def _stays(self, place: Move, everything: Occupancy) -> bool:
        """Tell, for most of a long line at little cost, that a waiter has room where it is and none before."""
        waiter, now_us = place.waiter, self._tx.now_us
        if waiter.selection is not None:
            return False
        window = max(place.window[0], now_us), place.window[1]
        return everything.stays(place.names, waiter.mode, window, max(now_us, waiter.not_before_us))

    def _next_place(self, waiter: Reservation, everything: Occupancy) -> Move | None:
        """Move a waiter in ``everything``; return where to."""
        before = self._places[waiter.id]
        if before is not None:
            everything.change(before.names, waiter.mode, counted(waiter, before.window), -1)
        if before is None:
            starts_us, names = self._first(everything, waiter)
        elif self._has_lost(waiter, before.window, everything):
            starts_us, names = self._first(self._left_by_those_ahead(waiter), waiter)
        elif before.window[0] <= self._tx.now_us:
            starts_us, names = before.window[0], before.names
        else:
            starts_us, names = self._first(everything, waiter, before.window[0])
            if not names:
                starts_us, names = before.window[0], before.names
        window = (starts_us, rules.window_end(starts_us, waiter.wanted_us))
        after = Move(waiter, names, window) if names else None
        self._enter(everything, waiter, after)
        return after

    def _first(self, board: Occupancy, waiter: Reservation, before_us: int = FOREVER_US) -> tuple[int, tuple[str, ...]]:
        """Return the first place on ``board`` that suits a waiter; no names when there is none."""
        from_us = max(self._tx.now_us, waiter.not_before_us)
        if waiter.selection is not None:
            candidates = self._candidates(waiter)
            if candidates is None:
                return FOREVER_US, ()
            return board.earliest(candidates, waiter.mode, from_us, waiter.wanted_us, before_us)
        starts_us = board.first_fit(waiter.resources, waiter.mode, from_us, waiter.wanted_us, before_us)
        return starts_us, waiter.resources if starts_us < before_us else ()

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
        """Return, as bookings, the places of those before ``waiter``."""
        wanted = self._scope(waiter.resources)
        for place in self._places.values():
            if place is not None and place.waiter.is_ahead_of(waiter):
                for name in place.names:
                    if name in wanted:
                        yield row_mapping.booking(name, place.waiter, place.window)

    def _left_by_those_ahead(self, waiter: Reservation) -> Occupancy:
        left = self._board(self._wanted_by(waiter))
        for place in self._places.values():
            if place is not None and place.waiter.is_ahead_of(waiter):
                left.change(place.names, place.waiter.mode, counted(place.waiter, place.window))
        return left


def promised_window(waiter: Reservation, now_us: int) -> Window | None:
    """Return what is promised to ``waiter``, µs UTC; None when nothing is, or when all of it is past."""
    if waiter.starts_us >= FOREVER_US or waiter.ends_us <= now_us:
        return None
    return waiter.starts_us, waiter.ends_us


def counted(waiter: Reservation, window: Window) -> Window:
    """Return a promised window as other waiters see it: with no end where the hold lasts until it is given back."""
    return (window[0], FOREVER_US) if waiter.open_end else window
