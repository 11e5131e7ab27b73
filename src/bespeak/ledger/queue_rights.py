"""What a server asks before it keeps a place in the queue for a caller, and while it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.ledger import rights, row_mapping
from bespeak.ledger.model import Holder

if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
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

    def check(tx: Transaction) -> None:
        if book.caller is None:
            return
        found, asks = row_mapping.required(tx, identifier), book.caller.holder
        by = Holder(found.holder, None if asks == found.holder else asks)
        if found.waiting and found.ended_us is None:
            rights.require(book, tx, by, "reserve", found.resources)

    book.engine.read(check)
