"""What a decision stands on: everything that matters for some resources, read once inside the transaction."""

from __future__ import annotations

from bespeak.base.frozen import replace
from bespeak.ledger import row_mapping, rules, validation, write_operations
from bespeak.ledger.errors import UndeclaredError
from bespeak.ledger.policy import POLICY_QUERY, policy_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.model import Booking, Mode, Reservation, Resource
    from bespeak.ledger.policy import Policy, PolicyDefaults
    from bespeak.storage.interface import Transaction


class Availability:
    """The resources of one request, who waits for them, and a way to look at any window on them.

    Args:
        tx: the transaction.
        names: the resources, sorted.
        sweep: write down the end of what has lapsed; only where the transaction holds the locks of ``names``.
        first: the window, µs UTC, that will be looked at first, for a grant; read in the same round trip.
    """

    def __init__(
        self, tx: Transaction, names: Sequence[str], *, sweep: bool, first: tuple[int, int] | None = None
    ) -> None:
        self._tx = tx
        self._names = names
        self._sweep = sweep
        self._first = first
        self._number: int | None = None
        queries = [row_mapping.resources_query(names), row_mapping.queue_query(names), (POLICY_QUERY, {})]
        if first is not None:
            queries.append(row_mapping.overlap_query(names, *first))
            if tx.dialect == "postgresql":  # a sequence costs nothing there; SQLite would write for a refusal too
                queries.append((write_operations.NEXT_NUMBER[tx.dialect], {}))
        known, line, self._policy, *more = tx.fetch_batch(queries)
        self._taken_first = more[0] if more else []
        if len(more) > 1:
            self._number = int(more[1][0][0])
        self.known: dict[str, Resource] = {row[0]: row_mapping.resource(row) for row in known}
        self.capacity = {name: resource.capacity for name, resource in self.known.items()}
        self.line = [entry for entry in row_mapping.named(line) if self._alive(entry[1])]
        self.seen: list[Reservation] = [entry[1] for entry in self.line]

    def _alive(self, reservation: Reservation) -> bool:
        if not reservation.lapsed(self._tx.now_us):
            return True
        if self._sweep:
            write_operations.record_lapse(self._tx, reservation)
        return False

    def policy(self, defaults: PolicyDefaults) -> Policy:
        """Return the policy of the book, read in the same round trip; ``defaults`` count where it says nothing."""
        return policy_of(self._policy, defaults)

    def check_new(self) -> None:
        """Refuse to make resources, by their first use, whose names are not what they look like.

        Raises:
            UsageError: naming the first of them.
        """
        for name in self._names:
            if name not in self.known:
                validation.check_new_resource(name, declared=False)

    def require_known(self) -> None:
        """Refuse names that nobody declared.

        Raises:
            UndeclaredError: with the first of them; what it may have meant is looked for when the locks are free.
        """
        for name in self._names:
            if name not in self.known or not self.known[name].declared:
                raise UndeclaredError(name)

    def taken(self, starts_us: int, ends_us: int, ahead_of: Reservation | None = None) -> list[Booking]:
        """Return what could be in the way of ``[starts_us, ends_us)``.

        Args:
            starts_us: the first instant, µs UTC.
            ends_us: the end, µs UTC.
            ahead_of: somebody in the queue: of the queue only earlier entries count then.
        """
        found = []
        for name, reservation in self._overlapping(starts_us, ends_us):
            if self._alive(reservation):
                self.seen.append(reservation)
                found.append(row_mapping.booking(name, reservation))
        for name, reservation in self.line:
            if ahead_of is None or (reservation.rank, reservation.seq) < (ahead_of.rank, ahead_of.seq):
                found.append(row_mapping.booking(name, self._promised_window(reservation)))
        return found

    def _overlapping(self, starts_us: int, ends_us: int) -> list[tuple[str, Reservation]]:
        if (starts_us, ends_us) == self._first:
            return row_mapping.named(self._taken_first)
        return row_mapping.overlapping(self._tx, self._names, starts_us, ends_us)

    def next_number(self) -> int:
        """Return the next number of the book; only to be asked once."""
        return write_operations.next_number(self._tx) if self._number is None else self._number

    def _promised_window(self, waiter: Reservation) -> Reservation:
        """Return what a waiter is owed: one who slept through all of what was promised is owed it from now on."""
        if waiter.ends_us > self._tx.now_us:
            return waiter
        starts_us = self._tx.now_us
        return replace(waiter, starts_us=starts_us, ends_us=rules.window_end(starts_us, waiter.wanted_us))

    def blockers(self, mode: Mode, starts_us: int, ends_us: int) -> list[Booking]:
        """Return what keeps a newcomer from ``[starts_us, ends_us)``."""
        return rules.blockers(mode, starts_us, ends_us, self.taken(starts_us, ends_us), self.capacity)

    def blockers_now(self, waiter: Reservation) -> list[Booking]:
        """Return what keeps somebody who waits from being granted at this instant."""
        now_us = self._tx.now_us
        ends_us = rules.window_end(now_us, waiter.wanted_us)
        return rules.blockers(waiter.mode, now_us, ends_us, self.taken(now_us, ends_us, waiter), self.capacity)

    def displaced(self, of: Reservation, starts_us: int, ends_us: int) -> list[Booking]:
        """Return whose time ``of`` would take by having ``[starts_us, ends_us)`` too: held, booked or promised."""
        others = [booking for booking in self.taken(starts_us, ends_us) if booking.reservation_id != of.id]
        return rules.blockers(of.mode, starts_us, ends_us, others, self.capacity, turns=False)

    def first_fit(self, mode: Mode, from_us: int, duration_us: int, ahead_of: Reservation | None = None) -> int | None:
        """Return the first start at which everything is free for ``duration_us``, µs UTC, or None."""
        return rules.first_fit(mode, from_us, duration_us, lambda s, e: self.taken(s, e, ahead_of), self.capacity)
