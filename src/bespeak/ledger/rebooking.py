"""Giving a booking that has not begun another time or other resources.

It is a new grant: it gets a new number, and whoever acts under the old one is refused.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.base.json_text import compact_utf8
from bespeak.base.timeparse import show
from bespeak.ledger import rights, rules, validation, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.availability import Availability
from bespeak.ledger.change_checks import check_owner, live
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.gains import check_gain
from bespeak.ledger.model import Refusal, Request, State
from bespeak.ledger.request_checks import check_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.storage.interface import Transaction


def move(
    book: LedgerContext,
    identifier: str,
    by: Holder,
    *,
    starts_us: int | None = None,
    duration_us: int | None = None,
    ends_us: int | None = None,
    resources: Iterable[str] | None = None,
    fencing_token: int | None = None,
    reason: str = "",
) -> Reservation:
    """Give a reservation that has not begun another time or other resources, unless somebody is in the way.

    It keeps its id and gets a new number. What a new reservation would be asked is asked again: rights, quotas,
    approval, closed times and who is in the way.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        by: who asks.
        starts_us: the new start, µs UTC; None keeps it.
        duration_us: how long then, µs; by default as long as it was.
        ends_us: or the new end, µs UTC.
        resources: all that it is of then; None keeps them.
        fencing_token: the token the caller believes in; None does not compare.
        reason: why, for the log; must be given by whoever acts for the holder and has not reserved it.

    Raises:
        NotFoundError: no such reservation.
        BusyError: it is somebody else's, or (as :class:`RefusedError`) somebody is in the way.
        NotAllowedError: a quota is used up, a resource needs approval, or no right to it is given.
        WrongStateError: it has begun or ended, waits, or the fencing token is stale.
        UsageError: neither a time nor resources are given, the new time is past or empty, or the reason is missing.
    """
    validation.check_text("reason", reason)
    if starts_us is None and resources is None:
        raise UsageError("move: say to when, or to which resources")
    if starts_us is not None:
        check_instant("start", starts_us)
    others = None if resources is None else validation.resource_names(resources)

    def work(tx: Transaction) -> Reservation:
        found = live(tx, identifier, fencing_token)
        names = others or found.resources
        tx.require(map(write_operations.resource_topic, names))
        check_owner(found, by)
        rights.check_may_end(book, tx, found, by, reason, "move")
        rights.require(book, tx, by, "reserve", names)
        window = _new_window(found, tx.now_us, starts_us, duration_us, ends_us)
        check_gain(book, tx, found, found.holder, window, by, "move it", names=names)
        new = None if names == found.resources else names
        moved = rebooked(tx, found, window, by, names=new, is_strict=book.policy_in(tx).strict)
        _log_move(tx, found, moved, by, reason)
        return moved

    return book.remember(book.write({*book.resources_of(identifier), *(others or ())}, work))


def _log_move(tx: Transaction, found: Reservation, moved: Reservation, by: Holder, reason: str) -> None:
    """Record a move; where the resources are others too, the row names both, for whoever follows either."""
    before, after = numbered(found), {**numbered(moved), "reason": reason}
    if moved.resources != found.resources:
        before |= {"resources": list(found.resources), "check_in_us": found.check_in_us}
        after |= {"resources": list(moved.resources), "check_in_us": moved.check_in_us}
    both = (*found.resources, *(name for name in moved.resources if name not in found.resources))
    write_operations.log_by(tx, Action.MOVED, by, replace(found, resources=both), before, after)


def rebooked(
    tx: Transaction,
    found: Reservation,
    window_us: tuple[int, int],
    by: Holder,
    *,
    names: tuple[str, ...] | None = None,
    is_strict: bool = False,
) -> Reservation:
    """Give a booking that has not begun another window, under the locks of its resources; the log is the caller's.

    Args:
        tx: the transaction, which holds the locks of ``names``, too.
        found: the booking.
        window_us: when it is then, µs UTC.
        by: who asks.
        names: other resources that it is of then; None for those it has.
        is_strict: refuse other resources that nobody declared.

    Raises:
        WrongStateError: it has begun.
        RefusedError: somebody is in the way; carries the first time from the new start on at which nobody is.
        UndeclaredError: nobody declared one of ``names``, and the book is strict.
        UsageError: ``names`` are a whole and its part, or one is not what it looks like.
    """
    if found.state(tx.now_us) is not State.PENDING:
        raise _has_begun(found)
    write_operations.unbook(tx, found, found.resources)
    ground = Availability(tx, names or found.resources, sweep=True, first=window_us)
    check_in_us = found.check_in_us
    if names is not None:
        if is_strict:
            ground.require_known()
        ground.check_new()
        check_in_us = ground.with_check_in(Request(names, by, check_in_us=check_in_us)).check_in_us
    if blocking := ground.blockers(found.mode, *window_us):
        length_us = FOREVER_US if window_us[1] >= FOREVER_US else window_us[1] - window_us[0]
        wanted = Request(ground.names, by, starts_us=window_us[0], duration_us=length_us, mode=found.mode)
        raise RefusedError(Refusal(tuple(blocking), ground.first_fit(found.mode, window_us[0], length_us)), wanted)
    moved = replace(
        found,
        resources=ground.names,
        starts_us=window_us[0],
        ends_us=window_us[1],
        fencing_token=ground.next_number(),
        check_in_us=check_in_us,
        lease_us=found.lease_us if check_in_us is None else window_us[0] + check_in_us,
    )
    write_operations.book(tx, moved, ground.known)
    _write_move(tx, moved)
    if names is not None:
        write_operations.wake(tx, found)
    write_operations.wake(tx, moved)
    return moved


def _has_begun(found: Reservation) -> WrongStateError:
    return WrongStateError(f"reservation {found.id} has begun; give it another end (extend, shorten) or release it")


def _write_move(tx: Transaction, moved: Reservation) -> None:
    row = {
        "seq": moved.seq,
        "resources": compact_utf8(moved.resources),
        "starts": moved.starts_us,
        "ends": moved.ends_us,
        "token": moved.fencing_token,
        "check_in": moved.check_in_us,
        "lease": moved.lease_us,
    }
    tx.execute_deferred(
        "UPDATE ledger_reservations SET resources = :resources, starts_us = :starts, ends_us = :ends, "
        "fencing_token = :token, check_in_us = :check_in, lease_us = :lease WHERE seq = :seq",
        [row],
    )


def _new_window(
    found: Reservation, now_us: int, starts_us: int | None, duration_us: int | None, ends_us: int | None
) -> tuple[int, int]:
    if duration_us is not None and ends_us is not None:
        raise UsageError("a reservation ends after a duration or at an instant; both were given")
    if starts_us is None:
        if found.state(now_us) is not State.PENDING:
            raise _has_begun(found)
        starts_us = found.starts_us
    if ends_us is None:
        length_us = found.ends_us - found.starts_us if duration_us is None else duration_us
        open_end = duration_us is None and found.ends_us >= FOREVER_US
        ends_us = FOREVER_US if open_end else rules.window_end(starts_us, length_us)
    elif ends_us < FOREVER_US:
        check_instant("end", ends_us)
    if starts_us < now_us:
        raise UsageError(f"the start {show(starts_us)} is in the past (now {show(now_us)})")
    if ends_us <= starts_us:
        raise UsageError(f"the end {show(ends_us)} is not after the start {show(starts_us)}")
    return starts_us, min(ends_us, FOREVER_US)


def numbered(of: Reservation) -> dict[str, object]:
    """Return the window and the number of a reservation for the log."""
    return {**write_operations.window(of), "number": of.fencing_token}
