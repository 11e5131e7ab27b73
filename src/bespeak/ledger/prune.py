"""Removing what has been over for long: reservations with their log, and names that were used for a while only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.base.errors import UsageError
from bespeak.ledger import row_mapping, write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.model import State
from bespeak.ledger.policy_changes import require_administrator
from bespeak.storage.row_shape import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Holder, Reservation
    from bespeak.storage.interface import Transaction

_BATCH = 100
_PAGE = 5_000
_ENDED = (
    f"SELECT {row_mapping.COLUMNS} FROM ledger_reservations r WHERE r.seq > :after AND (r.ended_us < :before "
    "OR (r.ended_us IS NULL AND r.waiting = 0 AND r.ends_us < :before) "
    "OR (r.ended_us IS NULL AND r.lease_us < :before)) ORDER BY r.seq LIMIT :limit"
)
_ACTIONS_LEFT = """
DELETE FROM ledger_log WHERE reservation IS NULL AND at_us < :before AND action IN ('acting', 'acted')"""
_UNUSED = """
SELECT name FROM ledger_resources x WHERE declared = 0
AND NOT EXISTS (SELECT 1 FROM ledger_bookings b WHERE b.resource = x.name)
AND NOT EXISTS (SELECT 1 FROM ledger_queue q WHERE q.resource = x.name) ORDER BY name"""

_LOG_OF_RESOURCE = """
DELETE FROM ledger_log
WHERE reservation IS NULL AND resources = :only AND action IN ('resource_set', 'resource_removed')"""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, or would be.

    Attributes:
        reservations: how many.
        log_entries: rows of the log.
        resources: names that nobody declared and nothing mentions any more.
    """

    reservations: int
    log_entries: int
    resources: tuple[str, ...]


def prune(book: LedgerContext, by: Holder, *, before_us: int, dry_run: bool = False) -> Pruned:
    """Remove what ended before an instant; never what is live, declared or mentioned by what stays.

    Each transaction removes a few, so nobody waits long for one.

    Args:
        book: the open book.
        by: who asks.
        before_us: the instant, µs UTC, in the past.
        dry_run: only count.

    Raises:
        UsageError: the instant is not past.
        BusyError: who asks may not prune the book.
    """

    def check(tx: Transaction) -> None:
        if before_us > tx.now_us:
            raise UsageError("prune: only what has ended can be removed, and this instant is still to come")
        require_administrator(book, tx, by, doing="prune the book")

    book.engine.read(check)
    reservations = log_entries = after = 0
    while found := _next(book, before_us, after):
        after = found[-1].seq
        reservations += len(found)
        log_entries += _count(book, found) if dry_run else _remove(book, found, before_us)
    if dry_run:
        return Pruned(reservations, log_entries, ())
    log_entries += book.engine.transact([], lambda tx: tx.execute(_ACTIONS_LEFT, {"before": before_us}))
    pruned = Pruned(reservations, log_entries, _remove_resources(book))
    if pruned != Pruned(0, 0, ()):
        book.engine.transact([], lambda tx: _log(tx, by, pruned, before_us))
    return pruned


def _next(book: LedgerContext, before_us: int, after: int) -> list[Reservation]:
    values = {"after": after, "before": before_us, "limit": _BATCH}
    return book.engine.read(lambda tx: [row_mapping.reservation(row) for row in tx.fetch_all(_ENDED, values)])


def _count(book: LedgerContext, found: Iterable[Reservation]) -> int:
    inside, params = row_mapping.in_list("i", [one.id for one in found])
    sql = f"SELECT COUNT(*) FROM ledger_log WHERE reservation IN ({inside})"
    return book.engine.read(lambda tx: int((tx.fetch_one(sql, params) or (0,))[0]))


def _remove(book: LedgerContext, found: list[Reservation], before_us: int) -> int:
    """Remove some reservations with their bookings and their log; return how many rows of the log."""

    def work(tx: Transaction) -> int:
        entries = 0
        for one in found:
            now = row_mapping.by_id(tx, one.id)
            if now is None or now.state(tx.now_us) is not State.ENDED or now.end_us(tx.now_us) >= before_us:
                continue
            write_operations.forget(tx, now)
            entries += tx.execute("DELETE FROM ledger_log WHERE reservation = :id", {"id": now.id})
        return entries

    return book.write({name for one in found for name in one.resources}, work)


def _remove_resources(book: LedgerContext) -> tuple[str, ...]:
    """Remove resources that nobody declared and nothing mentions; return their names."""
    unused, mentioned = book.engine.read(lambda tx: ([str(row[0]) for row in tx.fetch_all(_UNUSED)], _mentioned(tx)))
    names = [name for name in unused if name not in mentioned]
    removed: list[str] = []
    for start in range(0, len(names), _BATCH):
        few = names[start : start + _BATCH]
        removed += book.write(few, lambda tx, few=few: [name for name in few if _remove_resource(tx, name)])  # type: ignore[misc]
    return tuple(removed)


def _mentioned(tx: Transaction) -> set[str]:
    """Return every name in the reservations that are kept."""
    found: set[str] = set()
    after = 0
    sql = "SELECT seq, resources FROM ledger_reservations WHERE seq > :after ORDER BY seq LIMIT :limit"
    while page := tx.fetch_all(sql, {"after": after, "limit": _PAGE}):
        for seq, resources in page:
            found.update(read_json(resources))
            after = seq
    return found


def _remove_resource(tx: Transaction, name: str) -> bool:
    """Remove a resource under its lock, unless somebody has begun to use it."""
    sql = f"DELETE FROM ledger_resources WHERE name IN ({_UNUSED.replace('ORDER BY name', '')}) AND name = :name"
    if not tx.execute(sql, {"name": name}):
        return False
    tx.execute(_LOG_OF_RESOURCE, {"only": json.dumps([name], ensure_ascii=False, separators=(",", ":"))})
    return True


def _log(tx: Transaction, by: Holder, pruned: Pruned, before_us: int) -> None:
    facts = {
        "before_us": before_us,
        "reservations": pruned.reservations,
        "log": pruned.log_entries,
        "resources": len(pruned.resources),
    }
    write_operations.log(tx, Action.PRUNED, by.user, by.requested_by, None, (), {}, facts)
