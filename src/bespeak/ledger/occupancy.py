"""When several resources have room, looked for in the book: timelines filled from its bookings as far as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import FOREVER_US
from bespeak.ledger import row_mapping, timeline
from bespeak.ledger.rules import window_end
from bespeak.ledger.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bespeak.ledger.candidates import Candidates
    from bespeak.ledger.model import Mode
    from bespeak.storage.interface import Transaction


class Occupancy:
    """What is booked on some resources from an instant on, and the room that it leaves.

    Args:
        tx: the transaction.
        capacity: seats by resource; 1 where it is not named.
        names: the resources.
        from_us: nothing before this instant, µs UTC, will be asked.
        for_waiters: a hold that lasts until it is given back has no end, so nothing behind it can be promised.
    """

    def __init__(
        self, tx: Transaction, capacity: Mapping[str, int], names: Iterable[str], from_us: int, *, for_waiters: bool
    ) -> None:
        self._tx = tx
        self._from_us = from_us
        self._for_waiters = for_waiters
        self._timelines = {name: Timeline(capacity.get(name, 1)) for name in names}
        self._loaded_us = dict.fromkeys(self._timelines, from_us)
        self.leases_us: set[int] = set()
        """When what was read lapses, µs UTC, if there is no further sign of life."""

    def change(self, names: Iterable[str], mode: Mode, window_us: tuple[int, int], by: int = 1) -> None:
        """Add ``by`` holders of a window, µs UTC, to those of ``names`` that are looked at; -1 takes one away."""
        for name in names:
            if name in self._timelines:
                self._timelines[name].change(mode, *window_us, by)

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
        wanted = [self._timelines[name] for name in names]
        starts_us = from_us
        until_us = window_end(from_us, duration_us)
        while True:
            self._load(names, until_us)
            starts_us = timeline.first_fit(wanted, mode, starts_us, duration_us, before_us)
            ends_us = window_end(starts_us, duration_us)
            if starts_us >= before_us or all(ends_us <= self._loaded_us[name] for name in names):
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
            self._load(candidates.names, window_end(starts_us, duration_us))
            fits = {name: self._timelines[name].first_fit(mode, starts_us, duration_us) for name in candidates.names}
            names = candidates.choose(name for name, fit_us in fits.items() if fit_us == starts_us)
            if names is not None:
                return starts_us, names
            # What was read so far can only make a start too early, so none is passed over.
            starts_us = min((fit_us for fit_us in fits.values() if fit_us > starts_us), default=FOREVER_US)
        return max(starts_us, before_us), ()

    def has_room(self, names: Sequence[str], mode: Mode, window_us: tuple[int, int]) -> bool:
        """Tell whether a window, µs UTC, has room on all of ``names``."""
        starts_us, ends_us = window_us
        length_us = FOREVER_US if ends_us >= FOREVER_US else ends_us - starts_us
        return self.first_fit(names, mode, starts_us, length_us, before_us=starts_us + 1) == starts_us

    def free_until(self, name: str, mode: Mode, from_us: int) -> int:
        """Return until when the room lasts that there is at ``from_us``, µs UTC; ``FOREVER_US`` when for ever."""
        self._load([name], from_us + 1)
        while True:
            until_us = self._timelines[name].free_until(mode, from_us)
            loaded_us = self._loaded_us[name]
            if until_us < loaded_us or loaded_us >= FOREVER_US:
                return until_us
            next_us = row_mapping.next_start(self._tx, name, loaded_us)
            self._load([name], FOREVER_US if next_us is None else next_us + 1)

    def _load(self, names: Sequence[str], until_us: int) -> None:
        behind: dict[int, list[str]] = {}
        for name in names:
            if self._loaded_us[name] < until_us:
                behind.setdefault(self._loaded_us[name], []).append(name)
        for loaded_us, group in behind.items():
            first = loaded_us == self._from_us
            query = row_mapping.windows_query(group, loaded_us, until_us, overlapping=first)
            for name, starts_us, ends_us, mode, lease_us, open_end in row_mapping.windows(self._tx, query):
                if lease_us is not None and lease_us < ends_us:
                    if lease_us <= self._tx.now_us:
                        continue
                    self.leases_us.add(lease_us)
                last_us = FOREVER_US if open_end and self._for_waiters else ends_us
                self._timelines[name].change(mode, starts_us, last_us)
            self._loaded_us.update(dict.fromkeys(group, until_us))
