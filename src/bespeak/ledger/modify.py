"""Changing a reservation that exists: extend, shorten, release, kick, keep alive."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import BusyError, NotFoundError, UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.base.timeparse import show
from bespeak.ledger import approvals, queries, quotas, rights, row_mapping, rules, validation, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.availability import Availability
from bespeak.ledger.current_hold import only_seq
from bespeak.ledger.errors import RefusedError
from bespeak.ledger.model import EndReason, Holder, Refusal, Request, State
from bespeak.ledger.request_checks import check_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.current_hold import CurrentHold
    from bespeak.ledger.model import Reservation, Resource
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


def release(
    book: LedgerContext, identifier: str, by: Holder, *, fencing_token: int | None = None, reason: str = ""
) -> Reservation:
    """Give a reservation back (or leave the queue); what is left of it is free at once.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        by: who asks.
        fencing_token: the token the caller believes in; None does not compare.
        reason: why, for the log. Whoever acts for the holder and has not reserved it must give one, and takes it away.

    Raises:
        NotFoundError: no such reservation.
        BusyError: it is somebody else's, or who asks for them may not take it away.
        WrongStateError: it has ended already, or the fencing token is stale.
        UsageError: the reason is missing.
    """
    validation.check_text("reason", reason)

    def work(tx: Transaction) -> Reservation:
        found = write_operations.locked(tx, identifier)
        check_owner(found, by)
        ending = rights.check_may_end(book, tx, found, by, reason, "release")
        check_live(found, tx.now_us, fencing_token)
        return end(tx, found, by, ending)

    return book.write(book.resources_of(identifier), work)


def release_resources(
    book: LedgerContext,
    wanted: Iterable[str],
    by: Holder,
    *,
    within: CurrentHold | None = None,
    made_by: str | None = None,
    reason: str = "",
) -> list[Reservation]:
    """Give back what ``by`` holds of ``wanted`` now, all in one transaction.

    Args:
        book: the open book.
        wanted: names of resources.
        by: who asks.
        within: the hold of the run that asks; what is held under another one is not its to give back.
        made_by: what asks, as an origin's process; what it has not made is not its to give back, but for ``within``.
        reason: as for :func:`release`.

    Raises:
        NotFoundError: who asks does not hold one of them now, or not under ``within``.
        WrongStateError: one reservation also holds something that was not named.
        BusyError: one is held by the same holder and was not ``made_by``; or who asks may not take it away.
        UsageError: the reason is missing.
    """
    wanted = validation.resource_names(wanted)
    validation.check_text("reason", reason)

    def work(tx: Transaction) -> list[Reservation]:
        held = {
            found.id: found
            for _, found in row_mapping.overlapping(tx, wanted, tx.now_us, tx.now_us + 1)
            if found.holder == by.name and found.state(tx.now_us) is State.ACTIVE
        }
        only = only_seq(tx, within)
        own = [found for found in held.values() if _is_meant(found, only, made_by)]
        _check_own(wanted, own, list(held.values()), by, within, made_by)
        endings = [rights.check_may_end(book, tx, found, by, reason, "release") for found in own]
        return [end(tx, found, by, ending) for found, ending in zip(own, endings, strict=True)]

    return book.write(wanted, work)


def _is_meant(found: Reservation, only: int | None, made_by: str | None) -> bool:
    """Tell whether a hold of whoever asks is the one of the run around it, or was made by the agent that asks.

    Outside of both it is what the person has reserved: what a command holds as long as it runs is the command's.
    """
    if found.seq == only:
        return True
    if made_by is not None:
        return found.origin.process == made_by
    return only is None and not found.origin.is_of_command


def _check_own(
    wanted: Iterable[str],
    own: list[Reservation],
    held: list[Reservation],
    by: Holder,
    within: CurrentHold | None,
    made_by: str | None,
) -> None:
    """Refuse names that are not held by what asks, or not alone.

    Args:
        wanted: the names.
        own: what is held, and is meant.
        held: what the same holder holds of them.
        by: who asks.
        within: as for :func:`release_resources`.
        made_by: as for :func:`release_resources`.
    """
    holds = {name for found in own for name in found.resources}
    for name in wanted:
        if name in holds:
            continue
        other = next((found for found in held if name in found.resources), None)
        if other is None:
            raise NotFoundError(f"{by.name} does not hold {name} now")
        if within is not None and made_by is None:
            raise of_another_hold(other, within)
        raise _of_another_session(name, other)
    if more := sorted(holds.difference(wanted)):
        raise WrongStateError(
            f"the same reservation also holds {', '.join(more)}; name all of it, or release it by its id"
        )


def _of_another_session(name: str, found: Reservation) -> BusyError:
    from bespeak.base.timeparse import show

    who = f"{found.holder} [{found.origin.text}]" if found.origin.text else found.holder
    return BusyError(
        f"{name} is held by {who} since {show(found.starts_us)}, and not by this session; its id ends it all the same:"
        f" {found.id}"
    )


def of_another_hold(found: Reservation, within: CurrentHold) -> NotFoundError:
    """Return the error for a resource that is named inside a run, and is held otherwise than by that run."""
    return NotFoundError(
        f"{', '.join(found.resources)} is held under reservation {found.id}, and not under that of the bespeak run"
        f" around this command ({within.reservation_id}); name it by its id"
    )


def release_mine(
    book: LedgerContext,
    by: Holder,
    *,
    within: CurrentHold | None = None,
    made_by: str | None = None,
    reason: str = "",
) -> list[Reservation]:
    """Give back everything that ``by`` holds, has booked or waits for, one transaction each.

    Inside a run that is the hold of the run alone; of an agent (``made_by``), that and what it has made itself.
    Outside of both it is all but what commands hold as long as they run. The rest is as for :func:`release`.
    """
    ended = []
    only = book.engine.read(lambda tx: only_seq(tx, within))
    for found in queries.reservations(book, holder=by.name):
        if not _is_meant(found, only, made_by):
            continue
        try:
            ended.append(release(book, found.id, by, reason=reason))
        except WrongStateError:
            continue  # it ended by itself in between
    return ended


def kick(book: LedgerContext, identifier: str, by: Holder, reason: str) -> Reservation:
    """Take a reservation away from its holder; who did it and why stays in the log.

    Raises:
        UsageError: no reason is given.
        BusyError: who asks may not kick.
        NotFoundError: no such reservation.
        WrongStateError: it has ended already.
    """
    if not validation.check_text("reason", reason).strip():
        raise UsageError("kick: a reason must be given; the holder will read it")

    def work(tx: Transaction) -> Reservation:
        found = write_operations.locked(tx, identifier)
        rights.check_may_take(book, tx, by, found.resources)
        check_live(found, tx.now_us, None)
        return _close(tx, found, by, EndReason.KICKED, reason)

    return book.write(book.resources_of(identifier), work)


def give_back(tx: Transaction, found: Reservation, by: Holder) -> Reservation:
    """End a live reservation by its holder's wish: released once it has begun, cancelled before."""
    return end(tx, found, by, rights.Ending(taken=False, reason=""))


def end(tx: Transaction, found: Reservation, by: Holder, ending: rights.Ending) -> Reservation:
    """End a live reservation by its holder's wish, or take it away in the holder's name."""
    if ending.taken:
        return _close(tx, found, by, EndReason.KICKED, ending.reason)
    began = found.state(tx.now_us) is State.ACTIVE
    return _close(tx, found, by, EndReason.RELEASED if began else EndReason.CANCELLED, ending.reason)


def _close(tx: Transaction, found: Reservation, by: Holder, why: EndReason, note: str) -> Reservation:
    unheard = why is EndReason.KICKED and rights.asker(by) != found.holder
    write_operations.end(tx, found, tx.now_us, why, note, unheard=unheard)
    after = {"ended_us": tx.now_us, "ended_why": why.value, "ended_note": note}
    write_operations.log_by(tx, Action(why.value), by, found, write_operations.window(found), after)
    return replace(found, ended_us=tx.now_us, end_reason=why, ended_note=note, waiting=False)


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


def not_granted(found: Reservation, otherwise: str) -> WrongStateError:
    """Return the error for a change of what is no grant yet."""
    if found.is_awaiting:
        return WrongStateError(f"reservation {found.id} awaits approval; release it and ask again, or wait for that")
    return WrongStateError(f"reservation {found.id} still waits in the queue; {otherwise}")


def check_owner(found: Reservation, by: Holder) -> None:
    """Refuse a change of somebody else's reservation.

    Raises:
        BusyError: it is not who asks's.
    """
    if found.holder != by.name:
        raise BusyError(f"reservation {found.id} is {found.holder}'s; {by.name} cannot change it")


def check_live(found: Reservation, now_us: int, fencing_token: int | None) -> None:
    """Refuse a change of what has ended, or by somebody whose fencing token is stale.

    Raises:
        WrongStateError: it has ended, or ``fencing_token`` is not its own.
    """
    if found.state(now_us) is State.ENDED:
        note = f": {found.ended_note}" if found.ended_note else ""
        raise WrongStateError(
            f"reservation {found.id} ended at {show(found.end_us(now_us))} ({found.why_ended(now_us)}{note})"
        )
    if fencing_token is not None and fencing_token != found.fencing_token:
        raise WrongStateError(
            f"number {fencing_token} is stale: reservation {found.id} has number {found.fencing_token}"
        )
