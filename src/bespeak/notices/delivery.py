"""Sending what is due, at least once: an attempt is written down before it is made, and its outcome after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import HOUR_US, MINUTE_US, SECOND_US
from bespeak.notices import store
from bespeak.notices.model import Delivery
from bespeak.notices.schema import NOTICES
from bespeak.notices.send import send
from bespeak.storage.optional_tables import ensure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.ledger.context import LedgerContext
    from bespeak.notices.send import Sent
    from bespeak.notices.targets import DeliverySettings
    from bespeak.storage.interface import Transaction

PAUSES_US = (
    5 * SECOND_US,
    5 * MINUTE_US,
    30 * MINUTE_US,
    2 * HOUR_US,
    5 * HOUR_US,
    10 * HOUR_US,
    14 * HOUR_US,
    20 * HOUR_US,
    24 * HOUR_US,
)
"""How long to wait after each failed attempt, µs; after the last one, a notice is given up."""

BATCH = 20
_LEASE_US = 2 * MINUTE_US
"""Another server takes an attempt for lost after so long."""

_KEY = "notices:deliveries"
_DUE = f"""
SELECT d.attempts, {store.NOTICE_COLUMNS}, {store.SUBSCRIPTION_COLUMNS}
FROM notices_deliveries d
JOIN notices_messages m ON m.seq = d.message
JOIN notices_subscriptions s ON s.id = d.subscription
WHERE d.next_us <= :now AND s.ended_us IS NULL ORDER BY d.next_us, d.message LIMIT :limit
"""
_NOTICE_WIDTH = store.NOTICE_COLUMNS.count(",") + 1


def deliver(
    book: LedgerContext, ways: DeliverySettings, sender: Callable[[Delivery, DeliverySettings, int], Sent] = send
) -> int:
    """Send what is due now.

    Returns:
        How many attempts were made.
    """
    ensure(book.engine, NOTICES)
    made = 0
    while True:
        claimed, now_us = book.engine.transact([_KEY], _claim)
        for one in claimed:
            _record(book, one, sender(one, ways, now_us))
        made += len(claimed)
        if len(claimed) < BATCH:
            return made


def next_due_us(book: LedgerContext) -> int | None:
    """Return when the next attempt is due, µs UTC; None where there is none."""
    ensure(book.engine, NOTICES)
    row = book.engine.read(lambda tx: tx.fetch_one("SELECT MIN(next_us) FROM notices_deliveries"))
    return None if row is None or row[0] is None else int(row[0])


def _claim(tx: Transaction) -> tuple[list[Delivery], int]:
    rows = tx.fetch_all(_DUE, {"now": tx.now_us, "limit": BATCH})
    found = []
    for row in rows:
        notice = store.notice_of(row[1 : 1 + _NOTICE_WIDTH])
        subscription = store.subscription_of(row[1 + _NOTICE_WIDTH :])
        found.append(Delivery(notice, subscription, int(row[0]) + 1))
        tx.execute(
            "UPDATE notices_deliveries SET attempts = attempts + 1, next_us = :lease "
            "WHERE message = :message AND subscription = :subscription",
            {"lease": tx.now_us + _LEASE_US, "message": notice.seq, "subscription": subscription.id},
        )
    return found, tx.now_us


def _record(book: LedgerContext, of: Delivery, sent: Sent) -> None:
    def work(tx: Transaction) -> None:
        over = sent.ok or sent.final or of.attempts > len(PAUSES_US)
        tx.execute(
            "UPDATE notices_deliveries SET next_us = :next, delivered_us = :done, error = :error "
            "WHERE message = :message AND subscription = :subscription AND attempts = :attempts",
            {
                "next": None if over else tx.now_us + PAUSES_US[of.attempts - 1],
                "done": tx.now_us if sent.ok else None,
                "error": sent.error,
                "message": of.notice.seq,
                "subscription": of.subscription.id,
                "attempts": of.attempts,
            },
        )
        if sent.final:
            store.end(tx, of.subscription.id, sent.error)

    book.engine.transact([_KEY], work)
