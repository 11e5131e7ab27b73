"""What a decision stands on: everything that matters for some resources, read once inside the transaction."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.frozen import replace
from bespeak.ledger import row_mapping, rules, validation, write_operations
from bespeak.ledger.errors import UndeclaredError
from bespeak.ledger.policy import POLICY_QUERY, policy_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak.ledger.backfill import Move, Replan
    from bespeak.ledger.candidates import Candidates
    from bespeak.ledger.constraints import Constraints
    from bespeak.ledger.model import Booking, Mode, Request, Reservation, Resource
    from bespeak.ledger.occupancy import Occupancy
    from bespeak.ledger.policy import Policy, PolicyDefaults
    from bespeak.storage.interface import Transaction

    Place = tuple[int, tuple[str, ...]]

LONG_LINE = 1_000
"""Of more who wait, each is only looked at where somebody is to get something."""


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
        self._names = self.names = tuple(names)
        self._sweep = sweep
        self._first = first
        self._number: int | None = None
        first_of_line = row_mapping.queue_query(names, LONG_LINE + 1)
        queries = [row_mapping.resources_query(names), first_of_line, (POLICY_QUERY, {})]
        queries.append(row_mapping.needy_query())
        if first is not None:
            queries.append(row_mapping.overlap_query(names, *first))
            if tx.dialect == "postgresql":  # a sequence costs nothing there; SQLite would write for a refusal too
                queries.append((write_operations.NEXT_NUMBER[tx.dialect], {}))
        known, line, self._policy, needy, *more = tx.fetch_batch(queries)
        self._taken_first = more[0] if more else []
        if len(more) > 1:
            self._number = int(more[1][0][0])
        self.known: dict[str, Resource] = {row[0]: row_mapping.resource(row) for row in known}
        self.capacity = {name: resource.capacity for name, resource in self.known.items()}
        self.constraints: Constraints | None = None
        """What else keeps the resources from being given out; None where there is nothing."""
        self.cooldown_us: dict[str, int] = {}
        self._cooling: list[Booking] = []
        self._scope = names
        """The resources, with their wholes and parts."""
        self.leases_us: set[int] = set()
        """When what was looked at lapses, µs UTC, if there is no further sign of life."""
        self._is_long = len(line) > LONG_LINE
        constrained = any(one.is_constrained(tx.now_us) for one in self.known.values())
        self._others = self._constrain() if constrained else []
        self._line = None if self._is_long else self._those_alive(row_mapping.named(line))
        by_need = map(row_mapping.reservation, needy)
        self.needy = [waiter for waiter in by_need if not waiter.lapsed(tx.now_us)]
        self._replan: Replan | None = None

    def _constrain(self) -> list[tuple[str, Reservation]]:
        """Find what else keeps the resources from being given out; return who waits for wholes and parts of them."""
        from bespeak.ledger.constraints import Constraints

        self.constraints = Constraints(self._tx, self.known)
        self._scope = self.constraints.scope(self._names)
        self.cooldown_us = {name: gap for name in self._scope if (gap := self.constraints.cooldown_us(name))}
        if self._sweep:
            self.constraints.require_locks(self._names)
        if self.cooldown_us or len(self._scope) > len(self._names):
            self._first = None  # what was read ahead is not all that matters
        others = [name for name in self._scope if name not in self._names]
        return row_mapping.in_queue(self._tx, others) if others else []

    @property
    def line(self) -> list[tuple[str, Reservation]]:
        """Who waits for the resources, and for wholes and parts of them, with the resource; a long one is read here."""
        if self._line is None:
            self._line = self._those_alive(row_mapping.in_queue(self._tx, self._names))
        return self._line

    def _those_alive(self, waiting: list[tuple[str, Reservation]]) -> list[tuple[str, Reservation]]:
        return [entry for entry in (*waiting, *self._others) if self._alive(entry[1])]

    def _alive(self, reservation: Reservation) -> bool:
        if not reservation.lapsed(self._tx.now_us):
            if reservation.lease_us is not None:
                self.leases_us.add(reservation.lease_us)
            return True
        if self._sweep:
            write_operations.record_lapse(self._tx, reservation)
        return False

    def policy(self, defaults: PolicyDefaults) -> Policy:
        """Return the policy of the book, read in the same round trip; ``defaults`` count where it says nothing."""
        return policy_of(self._policy, defaults)

    def with_check_in(self, request: Request) -> Request:
        """Return the request with the shortest time to check in that one of the resources asks for, or it itself."""
        asked = [known.check_in_us for known in self.known.values() if known.check_in_us is not None]
        if not asked:
            return request
        return replace(request, check_in_us=min([*asked, request.check_in_us or asked[0]]))

    def check_new(self) -> None:
        """Refuse a whole together with its part, and new resources whose names are not what they look like.

        Raises:
            UsageError: naming the first of them.
        """
        for name in self._names:
            if name not in self.known:
                validation.check_new_resource(name, declared=False)
                from bespeak.ledger import resources_like

                resources_like.check(self._tx, name)
        if self.constraints is not None:
            self.constraints.check_apart(self._names)

    def require_known(self) -> None:
        """Refuse names that nobody declared.

        Raises:
            UndeclaredError: with the first of them; what it may have meant is looked for when the locks are free.
        """
        for name in self._names:
            if name not in self.known or not self.known[name].declared:
                raise UndeclaredError(name)

    def taken(self, starts_us: int, ends_us: int, ahead_of: Reservation | None = None) -> list[Booking]:
        """Return what is held, booked or promised and could be in the way of ``[starts_us, ends_us)``.

        Args:
            starts_us: the first instant, µs UTC.
            ends_us: the end, µs UTC.
            ahead_of: somebody in the queue: of promises only those to earlier entries count then.
        """
        held = self.held(starts_us, ends_us)
        if not self.line:
            return held
        from bespeak.ledger.backfill import promised_window

        gap_us = max(self.cooldown_us.values(), default=0)
        return held + [
            row_mapping.booking(name, waiter)
            for name, waiter in self.line
            if waiter.starts_us < ends_us + gap_us
            and waiter.ends_us + gap_us > starts_us
            and waiter.is_ahead_of(ahead_of)
            and promised_window(waiter, self._tx.now_us) is not None
        ]

    def held(self, starts_us: int, ends_us: int) -> list[Booking]:
        """Return what is held or booked in ``[starts_us, ends_us)``."""
        held = [row_mapping.booking(name, reservation) for name, reservation in self._holding(starts_us, ends_us)]
        return [*held, *self._cooling, *self._closed(starts_us, ends_us)]

    def _closed(self, starts_us: int, ends_us: int) -> list[Booking]:
        """Return, as bookings of nobody, when one of the resources, their wholes and parts is not given out."""
        if self.constraints is None:
            return []
        return [booking for name in self._scope for booking in self.constraints.closed_first(name, starts_us, ends_us)]

    def _holding(self, starts_us: int, ends_us: int) -> list[tuple[str, Reservation]]:
        if (starts_us, ends_us) == self._first:
            found = row_mapping.named(self._taken_first)
        else:
            gap_us = max(self.cooldown_us.values(), default=0)
            found = row_mapping.overlapping(self._tx, self._scope, starts_us - gap_us, ends_us + gap_us)
        alive = [(name, reservation) for name, reservation in found if self._alive(reservation)]
        self._cooling = row_mapping.cooling(found, self.cooldown_us, self._tx.now_us) if self.cooldown_us else []
        return alive

    def next_number(self) -> int:
        """Return the next number of the book; only to be asked once."""
        return write_operations.next_number(self._tx) if self._number is None else self._number

    def blockers(self, mode: Mode, starts_us: int, ends_us: int) -> list[Booking]:
        """Return what keeps a newcomer from ``[starts_us, ends_us)``; time that the queue is about to take included."""
        if self._is_long:
            held = self.held(starts_us, ends_us)
            if found := rules.blockers(mode, starts_us, ends_us, held, self.capacity, self.cooldown_us):
                return found
        taken = self.taken(starts_us, ends_us)
        while True:
            found = rules.blockers(mode, starts_us, ends_us, taken, self.capacity, self.cooldown_us)
            if found:
                return found
            moves = self._moves()
            if not moves:
                return []
            taken = self._with_moves(taken, moves)

    def _with_moves(self, taken: Iterable[Booking], moves: Iterable[Move]) -> list[Booking]:
        """Return, as bookings, what is taken and what the moves would take; of two windows that are one, the one."""
        replaced = {(move.waiter.id, name) for move in moves if move.instead for name in move.names}
        return [booking for booking in taken if (booking.reservation_id, booking.resource) not in replaced] + [
            row_mapping.booking(name, move.waiter, move.window)
            for move in moves
            for name in move.names
            if name in self._scope
        ]

    def holding_now(self, waiter: Reservation) -> list[Reservation]:
        """Return who holds what keeps ``waiter`` from being granted at this instant."""
        now_us = self._tx.now_us
        ends_us = rules.window_end(now_us, waiter.wanted_us)
        holding = self._holding(now_us, ends_us)
        taken = [row_mapping.booking(name, reservation) for name, reservation in holding]
        blocking = rules.blockers(waiter.mode, now_us, ends_us, taken, self.capacity, self.cooldown_us)
        found = {booking.reservation_id for booking in blocking}
        return [reservation for reservation in {r.id: r for _, r in holding}.values() if reservation.id in found]

    def displaced(self, of: Reservation, starts_us: int, ends_us: int) -> list[Booking]:
        """Return whose time ``of`` would take by having ``[starts_us, ends_us)`` too: held, booked or promised."""
        others = [booking for booking in self.taken(starts_us, ends_us) if booking.reservation_id != of.id]
        return rules.blockers(of.mode, starts_us, ends_us, others, self.capacity, self.cooldown_us)

    def in_place_of(self, waiter: Reservation, starts_us: int, ends_us: int) -> list[Booking]:
        """Return what has taken ``[starts_us, ends_us)`` from ``waiter``, to whom it was promised."""
        wanted = waiter.resources if self.constraints is None else self.constraints.scope(waiter.resources)
        others = [
            booking
            for booking in self.taken(starts_us, ends_us, waiter)
            if booking.reservation_id != waiter.id and booking.resource in wanted
        ]
        capacity = {name: seats for name, seats in self.capacity.items() if name in waiter.resources}
        return rules.blockers(waiter.mode, starts_us, ends_us, others, capacity, self.cooldown_us)

    def offer(self, mode: Mode, from_us: int, duration_us: int) -> int | None:
        """Return a start for who is refused, µs UTC, or None: the first one, or behind a long line a later one.

        Where each of thousands would move to is not worked out for that.
        """
        if not self._is_long:
            return self.first_fit(mode, from_us, duration_us)
        from bespeak.ledger.occupancy import Occupancy

        first_us = max(from_us, row_mapping.last_promise_us(self._tx, self._scope))
        if first_us >= rules.LAST_US:
            return None
        board = Occupancy(
            self._tx, self.capacity, self._names, first_us, for_waiters=False, constraints=self.constraints
        )
        fit_us = board.first_fit(self._names, mode, first_us, duration_us)
        return fit_us if fit_us < FOREVER_US else None

    def first_fit(self, mode: Mode, from_us: int, duration_us: int) -> int | None:
        """Return the first start at which a newcomer is granted ``duration_us``, µs UTC, or None."""
        board = self.board(from_us, for_waiters=False)

        def find(starts_us: int) -> Place:
            fit_us = board.first_fit(self._names, mode, starts_us, duration_us)
            return fit_us, tuple(self._names) if fit_us < FOREVER_US else ()

        fit_us, names = self._search(board, find, None, mode, from_us, duration_us)
        return fit_us if names else None

    def pick(
        self, candidates: Candidates, mode: Mode, from_us: int, duration_us: int, before_us: int = FOREVER_US
    ) -> tuple[int, tuple[str, ...]]:
        """Return the first start at which a newcomer is granted some of ``candidates``, µs UTC, and which.

        Args:
            candidates: what to choose from; this availability is of all of them.
            mode: how they are wanted.
            from_us: the earliest start, µs UTC.
            duration_us: how long, µs.
            before_us: look no further than this; a start that is not before it comes with no names.
        """
        board = self.board(from_us, for_waiters=False)

        def find(starts_us: int) -> Place:
            return board.earliest(candidates, mode, starts_us, duration_us, before_us)

        return self._search(board, find, None, mode, from_us, duration_us)

    def free_until(self, name: str, mode: Mode, from_us: int) -> int:
        """Return until when a newcomer could have ``name`` from ``from_us`` on, µs UTC; ``FOREVER_US`` for no end."""
        while self._moves():
            pass
        board = self.board(from_us, for_waiters=False)
        self._enter(board, [] if self._replan is None else self._replan.moved)
        return board.free_until(name, mode, from_us)

    def fit(self, waiter: Reservation, before_us: int, *, by_rank: bool, candidates: Candidates | None = None) -> Place:
        """Return the first start that can be promised to ``waiter``, µs UTC, and the resources; no names when none can.

        Args:
            waiter: who.
            before_us: look no further than this.
            by_rank: only what is promised to earlier entries counts, and not what is promised to later ones.
            candidates: what to choose from, for somebody who waits by need; this availability is of all of them.
        """
        from_us = max(self._tx.now_us, waiter.not_before_us)
        board = self.board(self._tx.now_us, for_waiters=True, but=waiter, ahead_of=waiter if by_rank else None)

        def find(starts_us: int) -> Place:
            if candidates is not None:
                return board.earliest(candidates, waiter.mode, starts_us, waiter.wanted_us, before_us)
            fit_us = board.first_fit(waiter.resources, waiter.mode, starts_us, waiter.wanted_us, before_us)
            return fit_us, waiter.resources if fit_us < before_us else ()

        place = self._search(board, find, waiter, waiter.mode, from_us, waiter.wanted_us)
        self.leases_us |= board.leases_us
        return place

    def board(
        self, from_us: int, *, for_waiters: bool, but: Reservation | None = None, ahead_of: Reservation | None = None
    ) -> Occupancy:
        """Return what is taken from ``from_us`` on: held, booked, and promised to those before ``ahead_of``."""
        from bespeak.ledger.backfill import counted, promised_window
        from bespeak.ledger.occupancy import Occupancy

        board = Occupancy(
            self._tx, self.capacity, self._names, from_us, for_waiters=for_waiters, constraints=self.constraints
        )
        windows = []
        for waiter in {waiter.id: waiter for _, waiter in self.line}.values():
            window = promised_window(waiter, self._tx.now_us)
            if window is None or not waiter.is_ahead_of(ahead_of) or (but is not None and waiter.id == but.id):
                continue
            windows.append((waiter.resources, waiter.mode, counted(waiter, window) if for_waiters else window))
        board.enter(windows)
        return board

    def _search(
        self,
        board: Occupancy,
        find: Callable[[int], Place],
        ahead_of: Reservation | None,
        mode: Mode,
        from_us: int,
        duration_us: int,
    ) -> Place:
        """Return the first place that ``find`` finds on the board and that nobody earlier would move to."""
        self._enter(board, [] if self._replan is None else self._replan.moved)
        starts_us = from_us
        while True:
            starts_us, names = find(starts_us)
            if not names:
                return starts_us, ()
            window = (starts_us, rules.window_end(starts_us, duration_us))
            while board.has_room(names, mode, window):
                moves = self._moves(ahead_of)
                if not moves:
                    return starts_us, names
                self._enter(board, moves)

    def _enter(self, board: Occupancy, moves: Iterable[Move]) -> None:
        for move in moves:
            if move.instead is not None:
                board.change(move.names, move.waiter.mode, move.instead, -1)
            board.change(move.names, move.waiter.mode, move.window)

    def _moves(self, ahead_of: Reservation | None = None) -> list[Move]:
        """Return what the next of the earlier entries would take beyond what it is promised; empty after the last.

        An availability is asked by one newcomer or by one waiter, so there is one plan.
        """
        if not self.line and not self.needy:
            return []
        if self._replan is None:
            from bespeak.ledger.backfill import Replan

            everybody = (self._names, self.line, self.needy)
            self._replan = Replan(self._tx, *everybody, ahead_of, self.capacity, self.constraints)
        return self._replan.next_move()
