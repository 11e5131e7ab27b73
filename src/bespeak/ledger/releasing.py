"""Giving a reservation back, whole or in part, and taking it away (kick)."""

from __future__ import annotations

from bespeak.base.errors import BusyError, NotFoundError, UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.base.json_text import compact_utf8
from bespeak.base.timeparse import show
from bespeak.ledger import queries, rights, row_mapping, validation, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.change_checks import check_live, check_owner, live
from bespeak.ledger.current_hold import only_seq
from bespeak.ledger.model import EndReason, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.current_hold import CurrentHold
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.storage.interface import Transaction


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


def release_part(
    book: LedgerContext,
    identifier: str,
    resources: Iterable[str],
    by: Holder,
    *,
    fencing_token: int | None = None,
    reason: str = "",
) -> Reservation:
    """Give back some of the resources of a reservation; the rest is held on, under the same number.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        resources: what is given back.
        by: who asks.
        fencing_token: the token the caller believes in; None does not compare.
        reason: why, for the log; must be given by whoever acts for the holder and has not reserved it.

    Raises:
        NotFoundError: no such reservation.
        BusyError: it is somebody else's.
        WrongStateError: it has ended, waits, has not all of these, has nothing else, or the token is stale.
        UsageError: the reason is missing.
    """
    names = validation.resource_names(resources)
    validation.check_text("reason", reason)

    def work(tx: Transaction) -> Reservation:
        found = live(tx, identifier, fencing_token)
        check_owner(found, by)
        rights.check_may_end(book, tx, found, by, reason, "release")
        if missing := [name for name in names if name not in found.resources]:
            raise WrongStateError(f"reservation {found.id} does not have {', '.join(missing)}")
        kept = tuple(name for name in found.resources if name not in names)
        if not kept:
            raise WrongStateError(f"nothing would be left of reservation {found.id}; release it as a whole")
        write_operations.cool_down(tx, found, names, tx.now_us)
        write_operations.unbook(tx, found, names)
        row = {"seq": found.seq, "resources": compact_utf8(kept)}
        tx.execute_deferred("UPDATE ledger_reservations SET resources = :resources WHERE seq = :seq", [row])
        before, after = {"resources": list(found.resources)}, {"resources": list(kept), "reason": reason}
        write_operations.log_by(tx, Action.PART_RELEASED, by, found, before, after)
        write_operations.wake(tx, found)
        return replace(found, resources=kept)

    return book.remember(book.write(book.resources_of(identifier), work))


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
