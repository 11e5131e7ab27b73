"""Giving a reservation another end: extend and shorten."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UsageError
from bespeak.base.frozen import replace
from bespeak.base.timeparse import show
from bespeak.ledger import approvals, quotas, rights, row_mapping, rules, validation, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.availability import Availability
from bespeak.ledger.change_checks import check_live, check_owner, not_granted
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import Refusal, Request
from bespeak.ledger.request_checks import check_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder, Reservation, Resource
    from bespeak.storage.interface import Transaction


def extend(
    book: LedgerContext,
    identifier: str,
    by: Holder,
    *,
    duration_us: int | None = None,
    ends_us: int | None = None,
    fencing_token: int | None = None,
) -> Reservation:
    """Give a reservation a later end, unless somebody holds or is promised that time.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        by: who asks.
        duration_us: how much longer, µs.
        ends_us: or the new end, µs UTC.
        fencing_token: the token the caller believes in; None does not compare.

    Raises:
        NotFoundError: no such reservation.
        BusyError: it is somebody else's, or who asks for them may not; or (as :class:`RefusedError`) the next holder
            would lose.
        WrongStateError: it has ended, waits, or the fencing token is stale.
        UsageError: the new end is not later.
    """

    def work(tx: Transaction, found: Reservation) -> Reservation:
        rights.require(book, tx, by, "reserve", found.resources)
        rights.check_may_keep(book, tx, found, by)
        end_us = _new_end(found, duration_us, ends_us)
        if end_us <= found.ends_us:
            raise UsageError(f"extend: the new end {show(end_us)} is not after the present end {show(found.ends_us)}")
        ground = Availability(tx, found.resources, sweep=True)
        policy = ground.policy(book.defaults)
        window_us = (found.starts_us, end_us)
        quotas.check(tx, policy, found.holder, window_us, len(found.resources), changed=found.id)
        approvals.require(book, tx, by, ground.known.values(), "extend it")
        displaced = ground.displaced(found, found.ends_us, end_us)
        if displaced:
            wanted = Request(found.resources, by, starts_us=found.ends_us, ends_us=end_us, mode=found.mode)
            raise RefusedError(Refusal(tuple(displaced), None), wanted)
        return _change_end(tx, Action.EXTENDED, by, found, end_us, ground.known)

    return _change(book, identifier, by, fencing_token, work)


def shorten(
    book: LedgerContext,
    identifier: str,
    by: Holder,
    *,
    duration_us: int | None = None,
    ends_us: int | None = None,
    fencing_token: int | None = None,
    reason: str = "",
) -> Reservation:
    """Give a reservation an earlier end; the rest is free at once.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        by: who asks.
        duration_us: how much shorter, µs.
        ends_us: or the new end, µs UTC, in the future.
        fencing_token: the token the caller believes in; None does not compare.
        reason: why, for the log; must be given by whoever acts for the holder and has not reserved it.

    Raises:
        NotFoundError: no such reservation.
        BusyError: it is somebody else's, or who asks for them may not take it away.
        WrongStateError: it has ended, waits, or the fencing token is stale.
        UsageError: the new end is not earlier, nothing would be left, or the reason is missing.
    """
    validation.check_text("reason", reason)

    def work(tx: Transaction, found: Reservation) -> Reservation:
        ending = rights.check_may_end(book, tx, found, by, reason, "shorten")
        end_us = _new_end(found, None if duration_us is None else -duration_us, ends_us)
        if end_us >= found.ends_us:
            raise UsageError(f"shorten: the new end {show(end_us)} is not before the present end {show(found.ends_us)}")
        if end_us <= max(tx.now_us, found.starts_us):
            raise UsageError("shorten: nothing would be left of it; release it instead")
        known = row_mapping.resources(tx, found.resources)
        return _change_end(tx, Action.SHORTENED, by, found, end_us, known, ending.reason)

    return _change(book, identifier, by, fencing_token, work)


def _change(
    book: LedgerContext,
    identifier: str,
    by: Holder,
    fencing_token: int | None,
    work: Callable[[Transaction, Reservation], Reservation],
) -> Reservation:
    def inside(tx: Transaction) -> Reservation:
        found = write_operations.locked(tx, identifier)
        check_owner(found, by)
        check_live(found, tx.now_us, fencing_token)
        if found.waiting:
            raise not_granted(found, "its window is not fixed yet")
        return work(tx, found)

    return book.write(book.resources_of(identifier), inside)


def _new_end(found: Reservation, by_us: int | None, ends_us: int | None) -> int:
    if (by_us is None) == (ends_us is None):
        raise UsageError("give either by how long, or the new end")
    if ends_us is not None:
        if ends_us < FOREVER_US:
            check_instant("end", ends_us)
        return min(ends_us, FOREVER_US)
    if found.ends_us >= FOREVER_US:
        raise UsageError(f"reservation {found.id} has no end to count from; give the new end itself")
    return rules.window_end(found.ends_us, by_us or 0)


def _change_end(
    tx: Transaction,
    action: Action,
    by: Holder,
    found: Reservation,
    end_us: int,
    known: Mapping[str, Resource],
    reason: str = "",
) -> Reservation:
    write_operations.rebook(tx, found, end_us, known)
    after = {"ends_us": end_us, "reason": reason} if reason else {"ends_us": end_us}
    write_operations.log_by(tx, action, by, found, {"ends_us": found.ends_us}, after)
    write_operations.wake(tx, found)
    return replace(found, ends_us=end_us)
