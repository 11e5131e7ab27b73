"""From the log to messages, each row exactly once: the transaction that writes the messages also moves the cursor.

Several server processes may do it at the same time; they take turns by a lock, and find nothing left to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US
from bespeak.ledger import approvals, row_mapping
from bespeak.ledger.model import State
from bespeak.ledger.policy import PolicyDefaults, read_policy
from bespeak.notices import rules, store
from bespeak.notices.schema import NOTICES
from bespeak.storage.optional_tables import ensure

if TYPE_CHECKING:
    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Reservation
    from bespeak.notices.model import Draft
    from bespeak.storage.interface import Transaction

BATCH = 200
"""Rows of the log that one transaction turns into messages."""

_KEY = "notices:outbox"
_SETTLED_US = 70 * SECOND_US
"""Below a row as old as this no number is on its way (see :mod:`bespeak.ledger.audit_log`)."""

_NEW = f"""
SELECT {row_mapping.LOG_COLUMNS} FROM ledger_log
WHERE seq > :low AND seq NOT IN (SELECT seq FROM notices_handled) ORDER BY seq LIMIT :limit
"""
_ENDING = f"""
SELECT {row_mapping.COLUMNS} FROM ledger_reservations r
WHERE r.ended_us IS NULL AND r.waiting = 0 AND r.ends_us > :now AND r.ends_us <= :soon
AND r.starts_us <= :now AND r.ends_us - r.starts_us >= :least AND NOT EXISTS (
    SELECT 1 FROM notices_messages m WHERE m.cause = 'end:' || r.id || ':' || r.ends_us AND m.recipient = r.holder
)
"""
"""This is asked after every change of the book, so what has been told is left out here."""


def collect(book: LedgerContext) -> list[str]:
    """Turn what is new in the log, and what time has brought, into messages.

    Returns:
        The recipient of each message that was written.
    """
    ensure(book.engine, NOTICES)
    approvals.record_unanswered(book)
    written: list[str] = []
    while True:
        made, more = book.engine.transact([_KEY], _batch)
        written += made
        if not more:
            return written


def _batch(tx: Transaction) -> tuple[list[str], bool]:
    low = _cursor(tx)
    entries = [row_mapping.log_entry(row) for row in tx.fetch_all(_NEW, {"low": low, "limit": BATCH})]
    every = [draft for entry in entries if entry.action in rules.TELLING for draft in _drafts_of(tx, entry)]
    if len(entries) < BATCH:
        every += _of_time(tx)
    written = store.write(tx, every)
    if entries:
        _advance(tx, low, [entry.seq for entry in entries])
    return written, len(entries) == BATCH


def _cursor(tx: Transaction) -> int:
    """Return the cursor; in a book that has none yet it begins at the present end of the log."""
    row = tx.fetch_one("SELECT low FROM notices_cursor")
    if row is not None:
        return int(row[0])
    last = tx.fetch_one("SELECT MAX(seq) FROM ledger_log")
    low = int((last and last[0]) or 0)
    tx.execute("INSERT INTO notices_cursor (id, low) VALUES (1, :low)", {"low": low})
    return low


def _advance(tx: Transaction, low: int, handled: list[int]) -> None:
    """Move the cursor over rows below which nothing can be missing any more; remember the handled ones above it.

    SQLite commits rows in the order of their numbers, so the cursor alone says it all.
    """
    if tx.dialect == "sqlite":
        tx.execute("UPDATE notices_cursor SET low = :low", {"low": handled[-1]})
        return
    tx.execute_many("INSERT INTO notices_handled (seq) VALUES (:seq)", [{"seq": seq} for seq in handled])
    rows = tx.fetch_all(
        "SELECT h.seq, l.at_us FROM notices_handled h JOIN ledger_log l ON l.seq = h.seq ORDER BY h.seq"
    )
    old = [seq for seq, at_us in rows if tx.now_us - at_us > _SETTLED_US]
    new = max([low, *old])
    for seq, _ in rows:
        if seq == new + 1:
            new = seq
    if new > low:
        tx.execute("UPDATE notices_cursor SET low = :low", {"low": new})
        tx.execute("DELETE FROM notices_handled WHERE seq <= :low", {"low": new})


def _drafts_of(tx: Transaction, entry: LogEntry) -> list[Draft]:
    found = None if entry.reservation_id is None else row_mapping.by_id(tx, entry.reservation_id)

    def holders() -> list[Reservation]:
        overlapping = row_mapping.overlapping(tx, entry.resources, tx.now_us, tx.now_us + 1)
        return [one for _, one in overlapping if one.state(tx.now_us) is State.ACTIVE]

    def approvers() -> set[str]:
        return approvals.approvers(tx, read_policy(tx, PolicyDefaults()), entry.resources)

    return rules.drafts(entry, found, holders, approvers)


def _of_time(tx: Transaction) -> list[Draft]:
    params = {"now": tx.now_us, "soon": tx.now_us + rules.SOON_US, "least": rules.LEAST_US}
    ending = [row_mapping.reservation(row) for row in tx.fetch_all(_ENDING, params)]
    return rules.ending_drafts(ending, tx.now_us) + _now_free(tx)


def _now_free(tx: Transaction) -> list[Draft]:
    """Return the notices for resources that somebody asked about and that are free now; each is asked about once."""
    found = []
    for holder, resource, created_us in tx.fetch_all("SELECT holder, resource, created_us FROM notices_watches"):
        held = row_mapping.overlapping(tx, [resource], tx.now_us, tx.now_us + 1)
        seats = row_mapping.resources(tx, [resource]).get(resource)
        taken = sum(one.state(tx.now_us) in (State.ACTIVE, State.AWAITING) for _, one in held)
        if taken < (1 if seats is None else seats.capacity):
            found.append(rules.free_draft(holder, resource, created_us))
            tx.execute(
                "DELETE FROM notices_watches WHERE holder = :holder AND resource = :resource",
                {"holder": holder, "resource": resource},
            )
    return found
