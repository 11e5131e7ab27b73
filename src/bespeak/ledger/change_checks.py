"""What must hold before a reservation may be changed: it is the one who asks's, it lives, and it is granted."""

from __future__ import annotations

from bespeak.base.errors import BusyError, WrongStateError
from bespeak.base.timeparse import show
from bespeak.ledger import write_operations
from bespeak.ledger.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.storage.interface import Transaction


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


def live(tx: Transaction, identifier: str, fencing_token: int | None) -> Reservation:
    """Return a reservation that is granted and has not ended."""
    found = write_operations.locked(tx, identifier)
    check_live(found, tx.now_us, fencing_token)
    if found.waiting:
        raise not_granted(found, "leave it with release")
    return found


def not_granted(found: Reservation, otherwise: str) -> WrongStateError:
    """Return the error for a change of what is no grant yet."""
    if found.is_awaiting:
        return WrongStateError(f"reservation {found.id} awaits approval; release it and ask again, or wait for that")
    return WrongStateError(f"reservation {found.id} still waits in the queue; {otherwise}")
