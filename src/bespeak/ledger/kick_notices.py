"""Whoever's reservation was taken away hears of it with their next command on the book, once."""

from __future__ import annotations

from bespeak.ledger import rights, row_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Row, Transaction

_MOST = 20
_UNHEARD = f"SELECT seq, id FROM ledger_reservations WHERE holder = :holder AND unheard = 1 ORDER BY seq LIMIT {_MOST}"
_HEARD = "UPDATE ledger_reservations SET unheard = 0 WHERE seq = :seq AND unheard = 1"
_KICK = f"""
SELECT {row_mapping.LOG_COLUMNS} FROM ledger_log WHERE reservation = :id AND action = 'kicked' ORDER BY seq DESC LIMIT 1
"""


def take_kick_notices(book: LedgerContext, by: Holder) -> list[LogEntry]:
    """Return what was taken away from who asks, and by whom and why, where they have not been told; each only once.

    Args:
        book: the open book.
        by: who asks; only their own reservations are meant.

    Raises:
        UnavailableError: that they are told cannot be written down.
    """
    rights.require_identity(book, by)
    if not book.engine.read(lambda tx: _unheard(tx, by)):
        return []

    def work(tx: Transaction) -> list[LogEntry]:
        told = [found for seq, found in _unheard(tx, by) if tx.execute(_HEARD, {"seq": seq})]
        rows = [tx.fetch_one(_KICK, {"id": identifier}) for identifier in told]
        return [row_mapping.log_entry(row) for row in rows if row is not None]

    return book.engine.transact([], work)


def _unheard(tx: Transaction, by: Holder) -> list[Row]:
    return tx.fetch_all(_UNHEARD, {"holder": rights.asker(by)})
