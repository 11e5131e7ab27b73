"""Numbers about the book for those who watch over it; no names in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bespeak.ledger.context import LedgerContext
    from bespeak.storage.interface import Transaction

_LIVE = "ended_us IS NULL AND ends_us > :now AND (lease_us IS NULL OR lease_us > :now)"
_COUNTS = f"""
SELECT SUM(CASE WHEN waiting = 0 AND starts_us <= :now THEN 1 ELSE 0 END),
       SUM(CASE WHEN waiting = 0 AND starts_us > :now THEN 1 ELSE 0 END),
       SUM(CASE WHEN waiting = 1 AND approval = '' THEN 1 ELSE 0 END),
       SUM(CASE WHEN waiting = 1 AND approval <> '' THEN 1 ELSE 0 END),
       MIN(CASE WHEN waiting = 1 AND approval = '' THEN created_us END),
       COUNT(DISTINCT CASE WHEN waiting = 0 AND starts_us <= :now THEN holder END)
FROM ledger_reservations
WHERE {_LIVE}
"""


@dataclass(frozen=True, slots=True)
class BookStatistics:
    """How much there is in the book now.

    Attributes:
        active: reservations that are held.
        pending: reservations that have not begun.
        waiting: places in the line.
        awaiting: requests that keep their time until somebody approves them.
        longest_wait_us: how long the first of these has waited, µs; 0 where nobody waits.
        holders: different holders of what is held.
        resources: resources that the book knows.
    """

    active: int
    pending: int
    waiting: int
    awaiting: int
    longest_wait_us: int
    holders: int
    resources: int


def statistics(book: LedgerContext) -> BookStatistics:
    """Return how much there is in the book now."""

    def work(tx: Transaction) -> BookStatistics:
        active, pending, waiting, awaiting, since_us, holders = tx.fetch_all(_COUNTS, {"now": tx.now_us})[0]
        (resources,) = tx.fetch_all("SELECT COUNT(*) FROM ledger_resources")[0]
        longest_us = 0 if since_us is None else max(tx.now_us - since_us, 0)
        counts = (active or 0, pending or 0, waiting or 0, awaiting or 0)
        return BookStatistics(*counts, longest_us, holders or 0, resources)

    return book.engine.read(work)
