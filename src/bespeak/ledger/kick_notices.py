"""Whoever's reservation was taken away, approved or refused hears of it with their next command, once."""

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
_EXPIRED = """
SELECT seq, id FROM ledger_reservations
WHERE approval = 'asked' AND waiting = 1 AND ended_us IS NULL AND lease_us <= :now AND holder = :holder
"""
_HEARD = "UPDATE ledger_reservations SET unheard = 0 WHERE seq = :seq AND unheard = 1"
_KICK = f"""
SELECT {row_mapping.LOG_COLUMNS} FROM ledger_log WHERE reservation = :id
AND action IN ('kicked', 'approved', 'refused', 'unanswered') ORDER BY seq DESC LIMIT 1
"""


def take_kick_notices(book: LedgerContext, by: Holder) -> list[LogEntry]:
    """Return what was taken away from who asks, approved or refused, where they have not been told; each only once.

    Args:
        book: the open book.
        by: who asks; only their own reservations are meant.

    Raises:
        UnavailableError: that they are told cannot be written down.
    """
    rights.require_identity(book, by)
    unheard, expired = book.engine.read(lambda tx: (_unheard(tx, by), tx.fetch_all(_EXPIRED, _of(tx, by))))
    if expired:
        from bespeak.ledger.approvals import record_unanswered

        record_unanswered(book, rights.asker(by))
    elif not unheard:
        return []

    def work(tx: Transaction) -> list[LogEntry]:
        told = [found for seq, found in _unheard(tx, by) if tx.execute(_HEARD, {"seq": seq})]
        rows = [tx.fetch_one(_KICK, {"id": identifier}) for identifier in told]
        return [row_mapping.log_entry(row) for row in rows if row is not None]

    return book.engine.transact([], work)


def _of(tx: Transaction, by: Holder) -> dict[str, object]:
    return {"holder": rights.asker(by), "now": tx.now_us}


def _unheard(tx: Transaction, by: Holder) -> list[Row]:
    return tx.fetch_all(_UNHEARD, {"holder": rights.asker(by)})
