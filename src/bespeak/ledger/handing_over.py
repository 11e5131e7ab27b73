"""Giving a reservation to another holder: a person, a team, or who gives another one for it.

Who has it then holds it under a new number, and whoever acts under the old one is refused.
"""

from __future__ import annotations

from bespeak.base.errors import UsageError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.base.json_text import compact_utf8
from bespeak.ledger import rights, validation, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.change_checks import check_owner, live
from bespeak.ledger.gains import check_gain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.storage.interface import Transaction


def transfer(
    book: LedgerContext,
    identifier: str,
    to: str,
    by: Holder,
    *,
    fencing_token: int | None = None,
    reason: str = "",
) -> Reservation:
    """Give a reservation to somebody else, a person or a team (``team:bringup``); it gets a new number.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        to: the new holder.
        by: who asks.
        fencing_token: the token the caller believes in; None does not compare.
        reason: why, for the log; must be given by whoever acts for the holder and has not reserved it.

    Raises:
        NotFoundError: no such reservation.
        BusyError: it is somebody else's.
        WrongStateError: it has ended, waits, is kept alive by a process, is theirs, or the fencing token is stale.
        UsageError: the name cannot be one, or the reason is missing.
    """
    validation.check_new_user(to)
    validation.check_text("reason", reason)

    def work(tx: Transaction) -> Reservation:
        found = live(tx, identifier, fencing_token)
        check_owner(found, by)
        _check_transferable(found)
        rights.check_may_end(book, tx, found, by, reason, "transfer")
        if to == found.holder:
            raise WrongStateError(f"reservation {found.id} is {to}'s already")
        check_gain(book, tx, found, to, (found.starts_us, found.ends_us), by, "hand it over")
        given = _hand_over(tx, found, to, rights.asker(by), found.purpose, found.tags)
        after = {"holder": to, "acting": given.requested_by, "number": given.fencing_token, "reason": reason}
        write_operations.log_by(tx, Action.TRANSFERRED, by, found, _owned(found), after)
        return given

    return book.write(book.resources_of(identifier), work)


def swap(book: LedgerContext, mine: str, other: str, by: Holder, *, reason: str = "") -> list[Reservation]:
    """Let two reservations change hands: each holder gets the time and the resources of the other.

    What for, and the tags, go along with the holder; both get new numbers. Who asks has one of the two, and has
    the other one too or may take it away.

    Args:
        book: the open book.
        mine: the full id of a reservation of whoever asks.
        other: the full id of the other one.
        by: who asks.
        reason: why, for the log; must be given where the other one is somebody else's.

    Raises:
        NotFoundError: no such reservation.
        BusyError: neither is whoever asks's, or the other one may not be taken away.
        WrongStateError: one has ended, waits, or is kept alive by a process.
        UsageError: both are the same, or the reason is missing.
    """
    validation.check_text("reason", reason)
    if mine == other:
        raise UsageError("swap: two reservations are swapped, and this is one")

    def work(tx: Transaction) -> list[Reservation]:
        first, second = live(tx, mine, None), live(tx, other, None)
        check_owner(first, by)
        for one in (first, second):
            _check_transferable(one)
        rights.check_may_end(book, tx, first, by, reason, "swap")
        if second.holder != by.name:
            rights.check_may_take(book, tx, by, second.resources)
            if not reason.strip():
                raise UsageError(f"swap: a reason must be given; {second.holder} will read it")
        if first.holder != second.holder:
            for one, other_one in ((first, second), (second, first)):
                window = (one.starts_us, one.ends_us)
                check_gain(book, tx, one, other_one.holder, window, by, "swap it", instead=other_one)
        return [_swapped(tx, first, second, by, reason), _swapped(tx, second, first, by, reason)]

    return book.write({*book.resources_of(mine), *book.resources_of(other)}, work)


def _swapped(tx: Transaction, of: Reservation, other: Reservation, by: Holder, reason: str) -> Reservation:
    """Give ``of`` to the holder of ``other``."""
    given = _hand_over(tx, of, other.holder, other.requested_by, other.purpose, other.tags)
    before = {**_owned(of), "purpose": of.purpose, "tags": [list(tag) for tag in of.tags]}
    after = {**_owned(given), "purpose": given.purpose, "tags": [list(tag) for tag in given.tags], "reason": reason}
    write_operations.log_by(tx, Action.SWAPPED, by, of, before, after)
    return given


def _check_transferable(found: Reservation) -> None:
    if found.keepalive_us is not None:
        raise WrongStateError(
            f"reservation {found.id} is kept alive by a process of {found.holder}'s and cannot change hands"
        )


def _hand_over(
    tx: Transaction,
    found: Reservation,
    holder: str,
    requested_by: str | None,
    purpose: str,
    tags: tuple[tuple[str, str], ...],
) -> Reservation:
    """Give a reservation to somebody else, with what it is for, and a new number."""
    given = replace(
        found,
        fencing_token=write_operations.next_number(tx),
        holder=holder,
        requested_by=requested_by,
        purpose=purpose,
        tags=tags,
    )
    row = {
        "seq": found.seq,
        "holder": given.holder,
        "by": given.requested_by,
        "token": given.fencing_token,
        "purpose": given.purpose,
        "tags": compact_utf8(given.tags),
    }
    tx.execute_deferred(
        "UPDATE ledger_reservations SET holder = :holder, requested_by = :by, fencing_token = :token, "
        "purpose = :purpose, tags = :tags WHERE seq = :seq",
        [row],
    )
    write_operations.wake(tx, given)
    return given


def _owned(of: Reservation) -> dict[str, object]:
    return {"holder": of.holder, "acting": of.requested_by, "number": of.fencing_token}
