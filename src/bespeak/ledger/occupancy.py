"""When several resources have room, looked for in the book: timelines filled from its bookings as far as needed."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.ledger import row_mapping, timeline
from bespeak.ledger.model import Mode
from bespeak.ledger.rules import window_end
from bespeak.ledger.timeline import Timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bespeak.ledger.candidates import Candidates
    from bespeak.ledger.constraints import Constraints
    from bespeak.storage.interface import Transaction


class Occupancy:
    """What is booked on some resources from an instant on, and the room that it leaves.

    Args:
        tx: the transaction.
        capacity: seats by resource; 1 where it is not named.
        names: the resources.
        from_us: nothing before this instant, µs UTC, will be asked.
        for_waiters: a hold that lasts until it is given back has no end, so nothing behind it can be promised.
        constraints: what else keeps them from being given out; None for nothing.
    """

    def __init__(
        self,
        tx: Transaction,
        capacity: Mapping[str, int],
        names: Iterable[str],
        from_us: int,
        *,
        for_waiters: bool,
        constraints: Constraints | None = None,
    ) -> None:
        self._constraints = constraints
        if constraints is not None:
            names = constraints.scope(names)
        self._tx = tx
        self._from_us = from_us
        self._for_waiters = for_waiters
        self._timelines = {name: Timeline(capacity.get(name, 1), self._cooldown_us(name)) for name in names}
        self._closed = {} if constraints is None else {name: Timeline(1) for name in self._timelines}
        """Apart from what is booked: no pause is needed before or after closed time."""
        self._loaded_us = dict.fromkeys(self._timelines, from_us)
        self.leases_us: set[int] = set()
        """When what was read lapses, µs UTC, if there is no further sign of life."""

    def change(self, names: Iterable[str], mode: Mode, window_us: tuple[int, int], by: int = 1) -> None:
        """Add ``by`` holders of a window, µs UTC, to those of ``names`` that are looked at; -1 takes one away."""
        for name in names:
            if name in self._timelines:
                self._timelines[name].change(mode, *window_us, by)

    def enter(self, windows: Iterable[tuple[Iterable[str], Mode, tuple[int, int]]]) -> None:
        """Add many holders: names, mode and window, µs UTC; in the order of time it is fastest."""
        joined = _Joined(self._timelines)
        for names, mode, window in windows:
            for name in names:
                if name in self._timelines:
                    joined.add(name, mode, *window)
        joined.flush()

    def stays(self, names: Sequence[str], mode: Mode, window_us: tuple[int, int], from_us: int) -> bool:
        """Tell whether one who is entered has room in its window, µs UTC, and surely no earlier start.

        False where it may have to move, or may be able to: that is found out by taking it away and looking.

        Args:
            names: the resources.
            mode: how it has them.
            window_us: the window, what is past of it left out.
            from_us: the earliest start, µs UTC.
        """
        if self._constraints is not None:
            return False
        timelines = [self._timelines[name] for name in names]
        if all(one.has_room_within(mode, from_us, window_us[0]) for one in timelines):
            return False
        self._load(names, window_us[1])
        return all(one.seats_all(mode, *window_us) for one in timelines)

    def first_fit(
        self, names: Sequence[str], mode: Mode, from_us: int, duration_us: int, before_us: int = FOREVER_US
    ) -> int:
        """Return the first start with room on all of ``names``, µs UTC; ``FOREVER_US`` when there is none.

        Args:
            names: the resources.
            mode: how they are wanted.
            from_us: the earliest start, µs UTC.
            duration_us: how long, µs.
            before_us: look no further than this; what is returned then is not before it.
        """
        wanted = self._wanted(names)
        scope = names if self._constraints is None else self._constraints.scope(names)
        gap_us = max(map(self._cooldown_us, scope), default=0)
        last_us = self._last_us(scope)
        starts_us = from_us
        until_us = window_end(from_us, duration_us)
        while True:
            self._load(scope, window_end(until_us, gap_us))
            starts_us = timeline.first_fit(wanted, mode, starts_us, duration_us, before_us)
            ends_us = window_end(starts_us, duration_us + gap_us)
            if starts_us >= last_us:
                return max(FOREVER_US, before_us)
            if starts_us >= before_us or all(ends_us <= self._loaded_us[name] for name in scope):
                return starts_us
            until_us = max(ends_us, 2 * until_us - self._from_us)

    def earliest(
        self, candidates: Candidates, mode: Mode, from_us: int, duration_us: int, before_us: int = FOREVER_US
    ) -> tuple[int, tuple[str, ...]]:
        """Return the first start at which some of ``candidates`` that fill the needs have room, and which.

        Args:
            candidates: what to choose from.
            mode: how they are wanted.
            from_us: the earliest start, µs UTC.
            duration_us: how long, µs.
            before_us: look no further than this; a start that is not before it comes with no names.
        """
        starts_us = from_us
        while starts_us < before_us:
            scope = candidates.names if self._constraints is None else self._constraints.scope(candidates.names)
            gap_us = max(map(self._cooldown_us, scope), default=0)
            self._load(scope, window_end(starts_us, duration_us + gap_us))
            fits = {
                name: timeline.first_fit(self._wanted([name]), mode, starts_us, duration_us)
                for name in candidates.names
            }
            names = self._choose(candidates, {name for name, fit_us in fits.items() if fit_us == starts_us})
            if names is not None:
                return starts_us, names
            # What was read so far can only make a start too early, so none is passed over.
            starts_us = min((fit_us for fit_us in fits.values() if fit_us > starts_us), default=FOREVER_US)
            if starts_us >= self._last_us(scope):
                starts_us = FOREVER_US
        return max(starts_us, before_us), ()

    def _choose(self, candidates: Candidates, free: set[str]) -> tuple[str, ...] | None:
        """Return the best choice of what is free in which nothing is a part of something else in it."""
        names = candidates.choose(free)
        while names is not None and self._constraints is not None:
            wholes = self._constraints.wholes_within(names)
            if not wholes:
                break
            free = free - wholes
            names = candidates.choose(free)
        return names

    def _wanted(self, names: Sequence[str]) -> list[Timeline]:
        """Return what must have room: the resources, and their wholes and parts as far as anybody is there at all."""
        wanted = [self._timelines[name] for name in names]
        if self._constraints is not None:
            others = {other for name in names for other in self._constraints.relatives(name)}
            wanted += [self._timelines[name].as_a_whole() for name in sorted(others)]
            wanted += [self._closed[name] for name in {*names, *others}]
        return wanted

    def _cooldown_us(self, name: str) -> int:
        return 0 if self._constraints is None else self._constraints.cooldown_us(name)

    def _last_us(self, names: Sequence[str]) -> int:
        """Return the last start that is looked for, µs UTC: opening hours come back without end."""
        if self._constraints is None or not self._constraints.has_hours(names):
            return FOREVER_US
        from bespeak.ledger.constraints import HORIZON_US

        return self._tx.now_us + HORIZON_US

    def has_room(self, names: Sequence[str], mode: Mode, window_us: tuple[int, int]) -> bool:
        """Tell whether a window, µs UTC, has room on all of ``names``."""
        starts_us, ends_us = window_us
        length_us = FOREVER_US if ends_us >= FOREVER_US else ends_us - starts_us
        return self.first_fit(names, mode, starts_us, length_us, before_us=starts_us + 1) == starts_us

    def free_until(self, name: str, mode: Mode, from_us: int) -> int:
        """Return until when the room lasts that there is at ``from_us``, µs UTC; ``FOREVER_US`` when for ever."""
        wanted = self._wanted([name])
        scope = [name] if self._constraints is None else self._constraints.scope([name])
        gap_us = max(map(self._cooldown_us, scope))
        self._load(scope, from_us + gap_us + 1)
        while True:
            until_us = min(one.free_until(mode, from_us) for one in wanted)
            loaded_us = min(self._loaded_us[other] for other in scope)
            if until_us < loaded_us - gap_us or loaded_us >= FOREVER_US:
                return until_us
            starts_us = [row_mapping.next_start(self._tx, other, loaded_us) for other in scope]
            following = [start_us for start_us in starts_us if start_us is not None]
            self._load(scope, min(following) + gap_us + 1 if following else FOREVER_US)

    def _close(self, names: Iterable[str], from_us: int, until_us: int) -> None:
        if self._constraints is None:
            return
        for name in names:
            for closed in self._constraints.closed(name, from_us, until_us):
                window = max(closed.starts_us, from_us), min(closed.ends_us, until_us)
                self._closed[name].change(Mode.EXCLUSIVE, *window)

    def _load(self, names: Sequence[str], until_us: int) -> None:
        """Read what is booked before ``until_us``; whoever reads on in small steps is given twice as much each time."""
        behind: dict[int, list[str]] = {}
        for name in names:
            if self._loaded_us[name] < until_us:
                behind.setdefault(self._loaded_us[name], []).append(name)
        for loaded_us, group in behind.items():
            first = loaded_us == self._from_us
            until_us = max(until_us, window_end(loaded_us, loaded_us - self._from_us))
            gap_us = max(map(self._cooldown_us, group)) if first else 0
            query = row_mapping.windows_query(group, loaded_us - gap_us, until_us, overlapping=first)
            self._close(group, loaded_us, until_us)
            joined = _Joined(self._timelines)
            for name, starts_us, ends_us, mode, lease_us, open_end in row_mapping.windows(self._tx, query):
                if lease_us is not None and lease_us < ends_us:
                    if lease_us <= self._tx.now_us:
                        if self._cooldown_us(name):
                            self._timelines[name].change(mode, starts_us, lease_us)
                        continue
                    self.leases_us.add(lease_us)
                lasting = open_end and self._for_waiters and ends_us > self._tx.now_us
                last_us = FOREVER_US if lasting else ends_us
                joined.add(name, mode, starts_us, last_us)
            joined.flush()
            self._loaded_us.update(dict.fromkeys(group, until_us))


class _Joined:
    """Windows on their way to timelines; those that follow each other without a gap are entered as one.

    The load is the same, and of thousands of bookings back to back a timeline has one stretch.
    """

    def __init__(self, timelines: Mapping[str, Timeline]) -> None:
        self._timelines = timelines
        self._pending: dict[str, tuple[Mode, int, int]] = {}

    def add(self, name: str, mode: Mode, starts_us: int, ends_us: int) -> None:
        before = self._pending.get(name)
        if before is not None:
            if before[2] == starts_us and before[0] is mode and not self._timelines[name].cooldown_us:
                self._pending[name] = (mode, before[1], ends_us)
                return
            self._timelines[name].change(*before)
        self._pending[name] = (mode, starts_us, ends_us)

    def flush(self) -> None:
        for name, window in self._pending.items():
            self._timelines[name].change(*window)
        self._pending.clear()
