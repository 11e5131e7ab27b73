"""Signs of life: what a hold with a keep-alive lives by, and what others leave for people to see."""

from __future__ import annotations

from bespeak.base.errors import WrongStateError
from bespeak.base.frozen import replace
from bespeak.ledger import change_checks, rights, row_mapping, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.storage.interface import Transaction


def sign_of_life(book: LedgerContext, identifiers: Iterable[str]) -> None:
    """Note that holds which no process keeps alive are used: by a gate, or by a job that runs. No change for the log.

    Args:
        book: the open book.
        identifiers: full ids; those that have ended are left alone.

    Raises:
        NotAllowedError: the caller of a server has not reserved one of them.
    """
    wanted = sorted(set(identifiers))
    sql = (
        "UPDATE ledger_reservations SET gate_seen_us = :now, lease_us = CASE WHEN keepalive_us IS NULL"
        " OR check_in_us IS NOT NULL THEN lease_us ELSE :now + keepalive_us END"
        " WHERE id = :id AND waiting = 0 AND ended_us IS NULL AND (lease_us IS NULL OR lease_us > :now)"
    )

    def work(tx: Transaction) -> None:
        for identifier in wanted if book.caller is not None else ():
            if found := row_mapping.by_id(tx, identifier):
                rights.require_own(book, tx, found)
        tx.execute_deferred(sql, [{"id": identifier, "now": tx.now_us} for identifier in wanted])

    book.engine.transact([], work)


def touch(book: LedgerContext, identifier: str, by: Holder) -> Reservation:
    """Say that a hold is used: check in, and renew its sign of life where it needs one.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        by: who asks.

    Raises:
        NotFoundError: no such reservation.
        BusyError: it is somebody else's.
        NotAllowedError: the caller of a server has not reserved it.
        WrongStateError: it has not begun, waits, or has ended.
    """

    def work(tx: Transaction) -> Reservation:
        found = row_mapping.required(tx, identifier)
        change_checks.check_owner(found, by)
        rights.require_own(book, tx, found)
        change_checks.check_live(found, tx.now_us, None)
        if found.state(tx.now_us) is not State.ACTIVE:
            raise WrongStateError(f"reservation {found.id} has not begun; there is nothing to use yet")
        if found.check_in_us is None:
            return _renew(tx, found)
        lease_us = None if found.keepalive_us is None else tx.now_us + found.keepalive_us
        tx.execute_deferred(
            "UPDATE ledger_reservations SET check_in_us = NULL, lease_us = :lease WHERE seq = :seq",
            [{"lease": lease_us, "seq": found.seq}],
        )
        before, after = {"check_in_us": found.check_in_us}, {"check_in_us": None}
        write_operations.log_by(tx, Action.CHECKED_IN, by, found, before, after)
        write_operations.wake(tx, found)
        return replace(found, check_in_us=None, lease_us=lease_us)

    return book.write(book.resources_of(identifier), work)


def keep_alive(book: LedgerContext, identifier: str, fencing_token: int) -> Reservation:
    """Renew the sign of life of a hold.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        fencing_token: its fencing token.

    Raises:
        NotFoundError: no such reservation.
        WrongStateError: it has lapsed, ended or been taken away: the caller does not hold it any more.
        NotAllowedError: the caller of a server has not reserved it.
    """

    def work(tx: Transaction) -> Reservation:
        found = write_operations.locked(tx, identifier)
        rights.require_own(book, tx, found)
        change_checks.check_live(found, tx.now_us, fencing_token)
        return _renew(tx, found)

    return book.write(book.resources_of(identifier), work)


def hold_in_force(book: LedgerContext, identifier: str, fencing_token: int | None = None) -> tuple[Reservation, int]:
    """Return a hold that has not ended, and the present instant of the book, µs UTC; changes nothing.

    Args:
        book: the open book.
        identifier: the reservation's full id.
        fencing_token: the token the caller believes in; None does not compare.

    Raises:
        NotFoundError: no such reservation.
        WrongStateError: it has ended, or the fencing token is stale.
    """

    def look(tx: Transaction) -> tuple[Reservation, int]:
        found = row_mapping.required(tx, identifier)
        change_checks.check_live(found, tx.now_us, fencing_token)
        return found, tx.now_us

    return book.engine.read(look)


def _renew(tx: Transaction, found: Reservation) -> Reservation:
    """Move the instant at which ``found`` lapses, where it needs a sign of life. Not a change for the log."""
    if found.keepalive_us is None:
        return found
    lease_us = tx.now_us + found.keepalive_us
    tx.execute_deferred(
        "UPDATE ledger_reservations SET lease_us = :l WHERE seq = :s", [{"l": lease_us, "s": found.seq}]
    )
    return replace(found, lease_us=lease_us)
