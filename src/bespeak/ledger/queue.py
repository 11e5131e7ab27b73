"""Waiting in the queue.

A waiter is a reservation with a *promised* window, kept in the book: the first one that nothing granted and nobody
earlier in the queue is in the way of. Whenever something changes on its resources it looks again, and its promise can
move earlier; when the promised start is now, the grant is written. Each waiter moves only itself, under the locks of
its own resources, so the order of waking does not matter.

Order is by arrival. A point of priority counts as one hour of having waited, so a waiter of low priority is
overtaken by those who come within its handicap, and by nobody after that: nobody starves.

A waiter shows signs of life; one that died loses its place when its lease lapses.
"""

from __future__ import annotations

import time

from bespeak.base import ids
from bespeak.base.clock import FOREVER_US, HOUR_US, SECOND_US, duration_text
from bespeak.base.errors import NotFoundError, UnavailableError, UsageError, WaitTimedOutError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.ledger import row_mapping, rules, write_operations
from bespeak.ledger.availability import Availability
from bespeak.ledger.model import Action, EndReason, QueuePosition
from bespeak.ledger.modify import check_live, give_back
from bespeak.ledger.request_checks import announce, checked, facts, new
from bespeak.storage.time_limit import within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Request, Reservation
    from bespeak.storage.interface import Listener, Transaction

HEAD_START_US = HOUR_US
"""What a point of priority is worth in waiting time."""

MOST_PRIORITY = 1_000
LEASE_US = 30 * SECOND_US
"""A waiter without a sign of life for this long has lost its place."""

_RENEW_US = 10 * SECOND_US
LONGEST_OUTAGE_SECONDS = 900.0
"""For so long a waiter that would wait for ever bears a book that cannot be asked."""

_RETRY_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
_LEAST_ANSWER_SECONDS = 1.0
_LEAVE_SECONDS = 2.0
_STOP_SECONDS = 0.2


def wait_in_queue(
    book: LedgerContext,
    request: Request,
    *,
    priority: int = 0,
    timeout_us: int | None = None,
    on_position: Callable[[QueuePosition], None] | None = None,
    repeat_position_us: int | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_outage: Callable[[str], None] | None = None,
) -> Reservation:
    """Wait in the queue until all of ``request.resources`` are free, and hold them.

    Args:
        book: the open book.
        request: what is wanted, for a duration; ``starts_us`` is then the earliest start.
        priority: points; each counts as an hour of having waited.
        timeout_us: leave the queue after this long, µs; None waits for ever.
        on_position: told the queue position whenever it changes.
        repeat_position_us: tell it again after this long, µs, also if nothing has changed.
        should_stop: asked a few times a second; True leaves the queue.
        on_outage: told, when the book cannot be asked, why; and, when it can again, what became of the queue position.
            An outage that is longer than a position is kept without a heartbeat costs it: it takes the last one.

    Raises:
        UsageError: the request cannot wait (it ends at a fixed instant), or the priority is out of range.
        NotFoundError: the book is strict and a resource is not declared.
        UnavailableError: the book cannot be asked at the beginning, or, without ``timeout_us``, for very long.
        WaitTimedOutError: the time is over, or ``should_stop`` said so; the place is given up.
        WrongStateError: the place was taken away or lost.
    """
    waiter = _QueueEntry(book, _can_wait(checked(request), priority), priority, on_position, should_stop, on_outage)
    waiter.repeat_seconds = None if repeat_position_us is None else repeat_position_us / SECOND_US
    try:
        deadline = None if timeout_us is None else time.monotonic() + timeout_us / SECOND_US
        waiter.join()
        return waiter.wait(deadline)
    except BaseException:
        waiter.leave()
        raise
    finally:
        waiter.close()


def join(book: LedgerContext, tx: Transaction, request: Request, identifier: str, priority: int) -> Reservation:
    """Write a new place at the end of the queue, and grant it at once where nothing is in the way."""
    ground = Availability(tx, request.resources, sweep=True)
    if book.strict:
        ground.require_known()
    ground.check_new()
    arrivals = [other.rank + other.priority * HEAD_START_US + 1 for _, other in ground.line]
    rank = max([tx.now_us, *arrivals]) - priority * HEAD_START_US
    wanted_us = FOREVER_US if request.ends_us is not None else book.length_us(request)
    never = (FOREVER_US, FOREVER_US)
    me = replace(
        new(request, identifier, write_operations.next_number(tx), tx.now_us, never, wanted_us),
        fencing_token=None,
        not_before_us=request.starts_us or 0,
        priority=priority,
        lease_us=tx.now_us + LEASE_US,
        waiting=True,
        rank=rank,
    )
    write_operations.insert(tx, me)
    write_operations.enter_queue(tx, me)
    announce(tx, Action.QUEUED, request.holder, me)
    return _advance(tx, me, ground)


def _can_wait(request: Request, priority: int) -> Request:
    if request.ends_us is not None and request.ends_us < FOREVER_US:
        raise UsageError("a waiting request does not know its start yet: ask for a duration, not for an end")
    if abs(priority) > MOST_PRIORITY:
        raise UsageError(f"priority {priority}: at most {MOST_PRIORITY} either way")
    return request


class _QueueEntry:
    """The queue position of one process, kept alive by it."""

    def __init__(
        self,
        book: LedgerContext,
        request: Request,
        priority: int,
        on_position: Callable[[QueuePosition], None] | None,
        should_stop: Callable[[], bool] | None,
        on_outage: Callable[[str], None] | None,
    ) -> None:
        self._book = book
        self._request = request
        self._priority = priority
        self._keys = [write_operations.resource_topic(name) for name in request.resources]
        self._on_position = on_position
        self._should_stop = should_stop
        self._on_outage = on_outage
        self._shown: QueuePosition | None = None
        self._shown_at = 0.0
        self.repeat_seconds: float | None = None
        """Tell the position again after so long."""
        self._position = QueuePosition(0, None)
        self._look_again_us = 0
        self._due = False
        self._outage = False
        self._outage_began = 0.0
        self._id = ids.new_id()
        self._listener = self._listen()

    def _listen(self) -> Listener:
        return self._book.engine.listen([*self._keys, write_operations.reservation_topic(self._id)])

    def join(self) -> None:
        self._book.write_new(
            self._request.resources,
            self._id,
            lambda tx: join(self._book, tx, self._request, self._id, self._priority),
        )

    def close(self) -> None:
        self._listener.close()

    def wait(self, deadline: float | None) -> Reservation:
        while True:
            try:
                with within(_answer_seconds(deadline)):
                    found = self._ask()
            except UnavailableError as error:
                self._tell_outage(str(error))
                if deadline is None and time.monotonic() - self._outage_began > LONGEST_OUTAGE_SECONDS:
                    raise
                self._sleep(_RETRY_SECONDS, deadline)
                continue
            if not found.waiting:
                return found
            self._show()
            self._sleep(self._look_again_us / SECOND_US, deadline)

    def _ask(self) -> Reservation:
        """Look at the place, and move it where something is due; take a new one if it lapsed in an outage."""
        try:
            found = self._book.engine.read(self._look)
            if found.waiting and self._due:
                found = self._book.engine.transact(self._keys, self._move)
        except (WrongStateError, NotFoundError):
            if not self._outage or not self._lapsed():
                raise
            self._join_again()
            found = self._book.engine.read(self._look)
            self._tell_back("the queue position has lapsed meanwhile, a new one is taken")
        else:
            self._tell_back("the queue position is kept")
        return found

    def _lapsed(self) -> bool:
        def look(tx: Transaction) -> bool:
            me = row_mapping.by_id(tx, self._id)
            return me is None or me.lapsed(tx.now_us) or me.end_reason in (EndReason.NO_SHOW, EndReason.LAPSED)

        return self._book.engine.read(look)

    def _join_again(self) -> None:
        self._id = ids.new_id()
        before, self._listener = self._listener, self._listen()
        before.close()
        self.join()

    def _tell_outage(self, why: str) -> None:
        if not self._outage:
            self._outage = True
            self._outage_began = time.monotonic()
            if self._on_outage:
                self._on_outage(why)

    def _tell_back(self, what: str) -> None:
        if self._outage:
            self._outage = False
            if self._on_outage:
                self._on_outage(f"the book answers again; {what}")

    def _look(self, tx: Transaction) -> Reservation:
        """See whether there is anything to write; most wake-ups are for somebody else."""
        me = row_mapping.required(tx, self._id)
        check_live(me, tx.now_us, None)
        if not me.waiting:
            return me
        ground = Availability(tx, me.resources, sweep=False)
        fit_us = promise(ground, me, tx.now_us)
        lease_us = me.lease_us or tx.now_us
        self._due = fit_us <= tx.now_us or fit_us != me.starts_us or lease_us - tx.now_us < LEASE_US - _RENEW_US
        self._position = position_of(ground, me)
        if self._on_position:
            held = [booking for booking in ground.blockers_now(me) if not booking.waiting]
            self._position = replace(self._position, held=tuple(held))
        leases = [other.lease_us for other in ground.seen if other.lease_us is not None]
        next_us = min([me.starts_us, lease_us - LEASE_US + _RENEW_US, *(lease + 1 for lease in leases)])
        self._look_again_us = max(next_us - tx.now_us, 0)
        return me

    def _move(self, tx: Transaction) -> Reservation:
        me = row_mapping.required(tx, self._id)
        check_live(me, tx.now_us, None)
        return advance(tx, me) if me.waiting else me

    def _show(self) -> None:
        again = self.repeat_seconds is not None and time.monotonic() - self._shown_at >= self.repeat_seconds
        if self._on_position and (again or self._position != self._shown):
            self._shown, self._shown_at = self._position, time.monotonic()
            self._on_position(self._position)

    def _sleep(self, seconds: float, deadline: float | None) -> None:
        if self._should_stop:
            seconds = min(seconds, _STOP_SECONDS)
            if self._should_stop():
                raise WaitTimedOutError("stopped waiting; the queue position is given up")
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimedOutError(self._timed_out())
            seconds = min(seconds, left)
        self._listener.wait(seconds)

    def _timed_out(self) -> str:
        ahead = f"behind {', '.join(self._position.ahead)}" if self._position.ahead else "first in the queue"
        promised = self._position.promised_us
        if promised is None or self._outage:
            until = ""
        else:
            until = ", promised in " + duration_text(promised - self._book.engine.read(_now))
        return f"still not free after the time given ({ahead}{until}); the queue position is given up"

    def leave(self) -> None:
        """Give up the place, or the hold that was just granted; the lease does it where the book is away."""

        def work(tx: Transaction) -> None:
            me = row_mapping.by_id(tx, self._id)
            if me is not None and me.ended_us is None and not me.lapsed(tx.now_us):
                give_back(tx, me, self._request.holder)

        try:
            with within(_LEAVE_SECONDS):
                self._book.engine.transact(self._keys, work)
        except UnavailableError:
            return


def _answer_seconds(deadline: float | None) -> float:
    """Return how long to wait for the book: not much longer than somebody wants to wait in all."""
    if deadline is None:
        return _ANSWER_SECONDS
    return max(min(deadline - time.monotonic(), _ANSWER_SECONDS), _LEAST_ANSWER_SECONDS)


def _now(tx: Transaction) -> int:
    return tx.now_us


def promise(ground: Availability, me: Reservation, now_us: int) -> int:
    """Return the start, µs UTC, that can be promised to ``me`` now; ``FOREVER_US`` when none can."""
    from_us = max(now_us, me.not_before_us)
    fit_us = ground.first_fit(me.mode, from_us, me.wanted_us, ahead_of=me)
    return FOREVER_US if fit_us is None else fit_us


def advance(tx: Transaction, me: Reservation) -> Reservation:
    """Move a waiter as far as it goes now: grant it, or renew its promise and its sign of life."""
    return _advance(tx, me, Availability(tx, me.resources, sweep=True))


def _advance(tx: Transaction, me: Reservation, ground: Availability) -> Reservation:
    now_us = tx.now_us
    fit_us = promise(ground, me, now_us)
    if fit_us <= now_us:
        return _grant(tx, me, ground, _granted_end(ground, me, now_us))
    if me.starts_us <= now_us < me.ends_us and not _blocked(ground, me, now_us):
        # It woke late, and what follows its promised window is taken: it still gets the rest of what was promised.
        return _grant(tx, me, ground, me.ends_us)
    lease_us = now_us + LEASE_US
    tx.execute_deferred(
        "UPDATE ledger_reservations SET starts_us = :starts, lease_us = :lease WHERE seq = :seq",
        [{"starts": fit_us, "lease": lease_us, "seq": me.seq}],
    )
    moved = replace(me, starts_us=fit_us, ends_us=rules.window_end(fit_us, me.wanted_us), lease_us=lease_us)
    if fit_us != me.starts_us:
        before, after = write_operations.window(me), write_operations.window(moved)
        write_operations.log(tx, Action.PROMISED, me.holder, me.requested_by, me.id, me.resources, before, after)
        write_operations.wake(tx, me)
    return moved


def _granted_end(ground: Availability, me: Reservation, now_us: int) -> int:
    """Return the end of what ``me`` is granted now, µs UTC.

    One that woke after its promised start gets its full time, unless that would delay somebody behind it; then the
    promised end stands.
    """
    ends_us = rules.window_end(now_us, me.wanted_us)
    if not me.starts_us < now_us < me.ends_us:
        return ends_us
    return me.ends_us if ground.displaced(me, now_us, ends_us) else ends_us


def _blocked(ground: Availability, me: Reservation, now_us: int) -> bool:
    return bool(rules.blockers(me.mode, now_us, me.ends_us, ground.taken(now_us, me.ends_us, me), ground.capacity))


def _grant(tx: Transaction, me: Reservation, ground: Availability, ends_us: int) -> Reservation:
    lease_us = None if me.keepalive_us is None else tx.now_us + me.keepalive_us
    granted = replace(
        me,
        fencing_token=write_operations.next_number(tx),
        starts_us=tx.now_us,
        ends_us=ends_us,
        lease_us=lease_us,
        waiting=False,
    )
    changed = tx.execute(
        "UPDATE ledger_reservations SET fencing_token = :token, starts_us = :starts, ends_us = :ends, "
        "lease_us = :lease, waiting = 0 WHERE seq = :seq AND waiting = 1",
        {"token": granted.fencing_token, "starts": tx.now_us, "ends": ends_us, "lease": lease_us, "seq": me.seq},
    )
    if not changed:
        raise WrongStateError(f"reservation {me.id} is no longer in the queue")
    write_operations.leave_queue(tx, me)
    write_operations.book(tx, granted, ground.known)
    write_operations.log(
        tx, Action.GRANTED, me.holder, me.requested_by, me.id, me.resources, write_operations.window(me), facts(granted)
    )
    write_operations.wake(tx, me)
    return granted


def position_of(ground: Availability, me: Reservation) -> QueuePosition:
    """Return where ``me`` stands among those who wait for any of the same resources."""
    ahead: dict[str, str] = {}
    for _, other in ground.line:
        if (other.rank, other.seq) < (me.rank, me.seq):
            ahead[other.id] = other.holder
    promised_us = me.starts_us if me.starts_us < FOREVER_US else None
    return QueuePosition(len(ahead) + 1, promised_us, tuple(ahead.values()))
