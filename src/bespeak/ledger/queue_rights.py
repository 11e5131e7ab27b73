"""What a server asks before it keeps a place in the queue for a caller, and while it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.ledger import rights, row_mapping
from bespeak.ledger.model import Holder

if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Reservation
    from bespeak.storage.interface import Transaction


def check_own_place(book: LedgerContext, identifier: str) -> None:
    """Refuse to keep a place for a caller who has not asked for it.

    Raises:
        NotFoundError: there is no such reservation.
        NotAllowedError: it is somebody else's.
    """
    book.engine.read(lambda tx: rights.require_own(book, tx, row_mapping.required(tx, identifier)))


def check_may_wait(book: LedgerContext, identifier: str) -> None:
    """Refuse to keep a place for a caller who could not ask for it any more.

    Args:
        book: the open book, as the caller of a server may use it.
        identifier: the full id of the reservation that waits.

    Raises:
        NotFoundError: there is no such reservation.
        NotAllowedError: no rule lets the caller reserve what is waited for.
    """
    book.engine.read(lambda tx: require_may_wait(book, tx, row_mapping.required(tx, identifier)))


def require_may_wait(book: LedgerContext, tx: Transaction, found: Reservation) -> None:
    """Refuse a caller who could not ask for what is waited for any more; as :func:`check_may_wait`."""
    if book.caller is None or not found.waiting or found.ended_us is not None:
        return
    asks = book.caller.holder
    by = Holder(found.holder, None if asks == found.holder else asks)
    rights.require(book, tx, by, "reserve", found.resources)
