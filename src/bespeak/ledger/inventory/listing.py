"""Listing the inventory, as far as whoever asks may look at it."""

from __future__ import annotations

from bespeak.ledger import visibility
from bespeak.ledger.inventory.read import entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.inventory.model import Entry
    from bespeak.storage.interface import Transaction


def inventory(book: LedgerContext, names: Iterable[str] = ()) -> list[Entry]:
    """Return resources with all that is declared about them, in natural order (``board2`` before ``board10``).

    Args:
        book: the open book.
        names: which ones; those that the book does not know are left out. Empty means all.
    """
    wanted = tuple(names)

    def work(tx: Transaction) -> list[Entry]:
        found = entries(tx, wanted or None)
        return [found[name] for name in visibility.names(book, tx, found)]

    return book.engine.read(work)
