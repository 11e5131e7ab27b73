"""Waiting in the queue.

A waiter is a reservation with a *promised* window, kept in the book. Whenever something changes on its resources it
looks again, and its promise can move earlier; when the promised start is now, the grant is written. Each waiter moves
only itself, under the locks of its own resources, so the order of waking does not matter. What is promised to whom is
decided in :mod:`bespeak.ledger.backfill`.

Order is by arrival. A point of priority counts as one hour of having waited, so a waiter of low priority is
overtaken by those who come within its handicap, and by nobody after that: nobody starves.

A waiter shows signs of life; one that died loses its place when its lease lapses.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, HOUR_US, SECOND_US
from bespeak.base.errors import NotFoundError, UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.ledger import approvals, quotas, rights, row_mapping, rules, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.availability import Availability
from bespeak.ledger.change_checks import check_live, check_owner
from bespeak.ledger.grant import candidates_for, length_us
from bespeak.ledger.model import EndReason, QueueLook, QueuePosition
from bespeak.ledger.policy import MOST_PRIORITY, PolicyDefaults
from bespeak.ledger.releasing import give_back
from bespeak.ledger.request_checks import announce, checked, facts, new
from bespeak.ledger.rules import LEASE_US

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.candidates import Candidates
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Booking, Holder, Request, Reservation
    from bespeak.storage.interface import Transaction

HEAD_START_US = HOUR_US
"""What a point of priority is worth in waiting time."""

_RENEW_US = 10 * SECOND_US


def queue_join(book: LedgerContext, request: Request, identifier: str, priority: int = 0) -> Reservation:
    """Take a place at the end of the queue, which whoever took it has to keep with :func:`queue_look`.

    Args:
        book: the open book.
        request: what is wanted, for a duration.
        identifier: a new full id.
        priority: points; each counts as an hour of having waited.

    Raises:
        UsageError: the request cannot wait, or the priority is out of range.
        NotFoundError: the book is strict and a resource is not declared.
        BusyError: the policy of the book gives whoever asks no such priority.
    """
    request = can_wait(checked(request, here=book.caller is None), priority)
    return book.write_new(request.resources, identifier, lambda tx: join(book, tx, request, identifier, priority))


def queue_look(book: LedgerContext, identifier: str, *, with_held: bool = False) -> QueueLook:
    """Look at a place in the queue, and move it where something is due: the grant, the promise or the sign of life.

    Args:
        book: the open book.
        identifier: the full id of the reservation that waits.
        with_held: also tell what is held of that which is waited for.

    Raises:
        WrongStateError: the place was taken away or lost, or ended because the quota of its holder is used up.
        NotFoundError: there is no such reservation.
        NotAllowedError: the caller of a server has not asked for it, or may not reserve it any more.
    """

    def look(tx: Transaction) -> tuple[QueueLook, bool]:
        found = row_mapping.required(tx, identifier)
        rights.require_own(book, tx, found)
        if book.caller is not None:
            from bespeak.ledger.queue_rights import require_may_wait

            require_may_wait(book, tx, found)
        return _look(tx, identifier, with_held=with_held)

    seen, due = book.engine.read(look)
    if not due:
        return seen
    moved, rival = book.write(seen.reservation.resources, lambda tx: _move(tx, identifier))
    return replace(seen, reservation=moved, position=_told(seen, moved, rival))


def _told(seen: QueueLook, moved: Reservation, rival: Booking | None) -> QueuePosition | None:
    """Return the position after a move, with who took the promise where it is a later one now."""
    if seen.position is None or rival is None:
        return seen.position
    promised_us = moved.starts_us if moved.starts_us < FOREVER_US else None
    before_us = seen.reservation.starts_us
    return replace(seen.position, promised_us=promised_us, moved_from_us=before_us, moved_by=rival.holder)


def renew_places(book: LedgerContext, identifiers: Sequence[str]) -> None:
    """Give places in the queue a sign of life, and nothing else: for many that somebody keeps at the same time.

    A place that is found lapsed in the same moment stays lapsed; whoever waits at it learns that by looking.

    Args:
        book: the open book.
        identifiers: full ids of reservations that wait; what has ended or was granted is left alone.
    """
    sql = (
        "UPDATE ledger_reservations SET lease_us = :lease "
        "WHERE id = :id AND waiting = 1 AND approval <> 'asked' AND ended_us IS NULL AND lease_us > :now"
    )

    def work(tx: Transaction) -> None:
        lease_us = tx.now_us + LEASE_US
        tx.execute_deferred(sql, [{"lease": lease_us, "id": one, "now": tx.now_us} for one in identifiers])

    book.engine.transact([], work)


def _look(tx: Transaction, identifier: str, *, with_held: bool) -> tuple[QueueLook, bool]:
    """See whether there is anything to write; most wake-ups are for somebody else."""
    me = row_mapping.required(tx, identifier)
    check_live(me, tx.now_us, None)
    if not me.in_queue:
        return QueueLook(me, None, 0), False
    ground, candidates = _ground(tx, me)
    fit_us, names, _ = promise(ground, me, tx.now_us, candidates)
    lease_us = me.lease_us or tx.now_us
    due = fit_us <= tx.now_us or fit_us != me.starts_us or lease_us - tx.now_us < LEASE_US - _RENEW_US
    position = position_of(ground, me)
    if with_held:
        wanted = set(me.resources or ground.names)
        position = _with_held(tx, position, ground.holding_now(me), wanted)
    due = due or (me.selection is not None and set(names) != set(me.resources))
    next_us = min([me.starts_us, lease_us - LEASE_US + _RENEW_US, *(lease + 1 for lease in ground.leases_us)])
    return QueueLook(me, position, max(next_us - tx.now_us, 0)), due


def _ground(tx: Transaction, me: Reservation) -> tuple[Availability, Candidates | None]:
    """Return all that a waiter can be given, and how to choose, where it waits by need."""
    if me.selection is None:
        return Availability(tx, me.resources, sweep=False), None
    from bespeak.ledger.candidates import candidates_of

    candidates = candidates_of(tx, me.selection)
    names = {*me.resources, *(candidates.names if candidates else me.selection.resources)}
    return Availability(tx, sorted(names), sweep=False), candidates


def _with_held(tx: Transaction, position: QueuePosition, held: list[Reservation], names: set[str]) -> QueuePosition:
    from bespeak.ledger.usual_length import expected_end

    bookings = [row_mapping.booking(name, hold) for hold in held for name in hold.resources if name in names]
    ends_us = [expected_end(tx, hold) for hold in held if hold.open_end]
    known = [end_us for end_us in ends_us if end_us is not None]
    expected_us = max(known) if known and len(known) == len(ends_us) else None
    return replace(position, held=tuple(bookings), expected_us=expected_us)


def _move(tx: Transaction, identifier: str) -> tuple[Reservation, Booking | None]:
    me = write_operations.locked(tx, identifier)
    check_live(me, tx.now_us, None)
    return _advance(tx, me) if me.in_queue else (me, None)


def queue_lapsed(book: LedgerContext, identifier: str) -> bool:
    """Tell whether a place in the queue is gone because its signs of life failed to come."""

    def look(tx: Transaction) -> bool:
        me = row_mapping.by_id(tx, identifier)
        return me is None or me.lapsed(tx.now_us) or me.end_reason in (EndReason.NO_SHOW, EndReason.LAPSED)

    return book.engine.read(look)


def queue_leave(book: LedgerContext, identifier: str, by: Holder) -> None:
    """Give up a place in the queue, or the hold that was just granted; does nothing where it is over.

    Args:
        book: the open book.
        identifier: the full id.
        by: who asks.

    Raises:
        BusyError: it is somebody else's.
        NotAllowedError: who asks may not act for its holder.
    """

    def work(tx: Transaction) -> None:
        me = write_operations.locked(tx, identifier)
        if me.ended_us is None and not me.lapsed(tx.now_us):
            check_owner(me, by)
            rights.require_own(book, tx, me)
            give_back(tx, me, by)

    try:
        book.write(book.resources_of(identifier), work)
    except NotFoundError:
        return


def join(book: LedgerContext, tx: Transaction, request: Request, identifier: str, priority: int) -> Reservation:
    """Write a new place at the end of the queue, and grant it at once where nothing is in the way."""
    rights.require(book, tx, request.holder, "reserve", request.resources)
    candidates = candidates_for(book, tx, request) if request.needs else None
    ground = Availability(tx, candidates.names if candidates else request.resources, sweep=candidates is None)
    policy = ground.policy(book.defaults)
    rights.check_priority(policy, request.holder, priority)
    if policy.strict:
        ground.require_known()
    ground.check_new()
    approvals.require(book, tx, request.holder, ground.known.values(), "wait in the queue for it")
    me = _new_entry(book, tx, request, identifier, priority, ground)
    first_us = max(tx.now_us, request.starts_us or 0)
    wanted = len(request.resources) + sum(need.count for need in request.needs)
    quotas.check(tx, policy, request.holder.user, (first_us, rules.window_end(first_us, me.wanted_us)), wanted)
    fit_us, names = ground.fit(me, FOREVER_US, by_rank=True, candidates=candidates)
    if candidates is not None:
        tx.require(map(write_operations.resource_topic, names))
        me = replace(me, resources=tuple(sorted(names)))
        ground = Availability(tx, me.resources, sweep=True)
    me = replace(me, seq=write_operations.next_number(tx))
    write_operations.insert(tx, me)
    write_operations.enter_queue(tx, me)
    announce(tx, Action.QUEUED, request.holder, me)
    return _move_to(tx, me, ground, fit_us, None)


def _new_entry(
    book: LedgerContext, tx: Transaction, request: Request, identifier: str, priority: int, ground: Availability
) -> Reservation:
    """Return a new entry behind all that came before; it has no number yet, so it is the last of its rank."""
    waiting = [*(other for _, other in ground.line), *ground.needy]
    arrivals = [other.rank + other.priority * HEAD_START_US + 1 for other in waiting]
    wanted_us = FOREVER_US if request.ends_us is not None else length_us(book, tx, request)
    return replace(
        new(request, identifier, FOREVER_US, tx.now_us, (FOREVER_US, FOREVER_US), wanted_us),
        fencing_token=None,
        not_before_us=request.starts_us or 0,
        priority=priority,
        lease_us=tx.now_us + LEASE_US,
        waiting=True,
        rank=max([tx.now_us, *arrivals]) - priority * HEAD_START_US,
    )


def can_wait(request: Request, priority: int) -> Request:
    """Return the request if it can wait.

    Raises:
        UsageError: it ends at a fixed instant, or the priority is out of range.
    """
    if request.ends_us is not None and request.ends_us < FOREVER_US:
        raise UsageError("a waiting request does not know its start yet: ask for a duration, not for an end")
    if abs(priority) > MOST_PRIORITY:
        raise UsageError(f"priority {priority}: at most {MOST_PRIORITY} either way")
    return request


def promise(
    ground: Availability, me: Reservation, now_us: int, candidates: Candidates | None
) -> tuple[int, tuple[str, ...], Booking | None]:
    """Return what can be promised to ``me`` now, and who took what was promised before, if anybody.

    That is a start, µs UTC, and resources; no resources where nothing can be promised.
    """
    from bespeak.ledger.backfill import promised_window

    promised = promised_window(me, now_us)
    if me.selection is not None and candidates is None:
        return FOREVER_US, (), None
    if promised is None:
        return *ground.fit(me, FOREVER_US, by_rank=False, candidates=candidates), None
    rivals = ground.in_place_of(me, max(promised[0], now_us), promised[1])
    if rivals or (candidates is not None and not set(me.resources).issubset(candidates.names)):
        rival = _first_of(rivals, ground, me) if rivals else None
        return *ground.fit(me, FOREVER_US, by_rank=True, candidates=candidates), rival
    if promised[0] > now_us:
        fit_us, names = ground.fit(me, promised[0], by_rank=False, candidates=candidates)
        if names:
            return fit_us, names, None
    return promised[0], me.resources, None


def _first_of(rivals: list[Booking], ground: Availability, me: Reservation) -> Booking:
    """Return, of those who took what was promised to ``me``, one that has a greater priority, if there is one."""
    priorities = {waiter.id: waiter.priority for _, waiter in ground.line}
    return max(rivals, key=lambda booking: priorities.get(booking.reservation_id, me.priority))


def advance(tx: Transaction, me: Reservation) -> Reservation:
    """Move a waiter as far as it goes now: grant it, or renew its promise and its sign of life."""
    return _advance(tx, me)[0]


def _advance(tx: Transaction, me: Reservation) -> tuple[Reservation, Booking | None]:
    if me.selection is None:
        ground, candidates = Availability(tx, me.resources, sweep=True), None
    else:
        ground, candidates = _ground(tx, me)
    fit_us, names, rival = promise(ground, me, tx.now_us, candidates)
    if fit_us <= tx.now_us:
        window_us = (tx.now_us, _granted_end(ground, me, tx.now_us))
        if refusal := quotas.turned_away(tx, ground.policy(PolicyDefaults()), me, window_us, len(names)):
            return _turn_away(tx, me, str(refusal)), None
    before = me
    if me.selection is not None:
        tx.require(map(write_operations.resource_topic, {*names, *me.resources}))
        if set(names) != set(me.resources):
            me = write_operations.choose(tx, me, tuple(sorted(names)))
        ground = Availability(tx, me.resources, sweep=True)
    return _move_to(tx, me, ground, fit_us, rival, chosen=me is not before), rival


def _move_to(
    tx: Transaction,
    me: Reservation,
    ground: Availability,
    fit_us: int,
    rival: Booking | None,
    *,
    chosen: bool = False,
) -> Reservation:
    if fit_us <= tx.now_us:
        return _grant(tx, me, ground, _granted_end(ground, me, tx.now_us))
    lease_us = tx.now_us + LEASE_US
    tx.execute_deferred(
        "UPDATE ledger_reservations SET starts_us = :starts, lease_us = :lease WHERE seq = :seq",
        [{"starts": fit_us, "lease": lease_us, "seq": me.seq}],
    )
    moved = replace(me, starts_us=fit_us, ends_us=rules.window_end(fit_us, me.wanted_us), lease_us=lease_us)
    if fit_us != me.starts_us or chosen:
        before, after = write_operations.window(me), write_operations.window(moved)
        if rival is not None:
            after |= {"moved_by": rival.reservation_id, "moved_by_holder": rival.holder}
        if chosen:
            after["resources"] = list(me.resources)
        write_operations.log(tx, Action.PROMISED, me.holder, me.requested_by, me.id, me.resources, before, after)
        write_operations.wake(tx, me)
    return moved


def _turn_away(tx: Transaction, me: Reservation, note: str) -> Reservation:
    """End the place of somebody who may not have it at present, so that it keeps nobody behind it from the turn."""
    write_operations.end(tx, me, tx.now_us, EndReason.CANCELLED, note)
    after = {"ended_us": tx.now_us, "ended_why": EndReason.CANCELLED.value, "ended_note": note}
    what = (Action.CANCELLED, write_operations.SYSTEM, None, me.id, me.resources, write_operations.window(me), after)
    write_operations.log(tx, *what)
    return replace(me, ended_us=tx.now_us, end_reason=EndReason.CANCELLED, ended_note=note)


def _granted_end(ground: Availability, me: Reservation, now_us: int) -> int:
    """Return the end of what ``me`` is granted now, µs UTC.

    One that woke after its promised start gets its full time, unless that would delay somebody behind it; then the
    promised end stands.
    """
    ends_us = rules.window_end(now_us, me.wanted_us)
    if not me.starts_us < now_us < me.ends_us:
        return ends_us
    return me.ends_us if ground.displaced(me, now_us, ends_us) else ends_us


def _grant(tx: Transaction, me: Reservation, ground: Availability, ends_us: int) -> Reservation:
    ground.held(tx.now_us, ends_us)  # writes down what has lapsed
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
    after = facts(granted) | ({} if me.selection is None else {"resources": list(me.resources)})
    before = write_operations.window(me)
    write_operations.log(tx, Action.GRANTED, me.holder, me.requested_by, me.id, me.resources, before, after)
    write_operations.wake(tx, me)
    return granted


def position_of(ground: Availability, me: Reservation) -> QueuePosition:
    """Return where ``me`` stands among those who wait for any of the same resources."""
    mine = (me.rank, me.seq)
    ahead = {other.id: other.holder for _, other in ground.line if (other.rank, other.seq) < mine}
    promised_us = me.starts_us if me.starts_us < FOREVER_US else None
    return QueuePosition(len(ahead) + 1, promised_us, tuple(ahead.values()))
