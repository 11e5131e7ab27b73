"""Who may replace, move or prune a whole book: who may change its policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.ledger.policy_changes import require_administrator

if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Transaction


def check_may(doing: str, book: LedgerContext, tx: Transaction, by: Holder) -> None:
    """Refuse to do something to the whole of a book, such as ``prune the book``.

    Raises:
        BusyError: who asks neither owns the book nor is named in ``admins``.
        NotAllowedError: the book has rules, and none lets whoever asks administer it.
    """
    require_administrator(book, tx, by, doing=doing)
