"""Following the log in the order of its numbers, so that the last number says all that a reader has seen.

On PostgreSQL a row with a smaller number can become visible later, because its transaction commits later. A reader that
comes back with a number must find everything behind it, so a row is given out only when no smaller one can still
appear: when there is no gap before it, or when every transaction that could fill the gap has ended. On SQLite, which
has one writer, there are no gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.ledger import row_mapping

if TYPE_CHECKING:
    from bespeak.ledger.actions import LogEntry
    from bespeak.storage.interface import Transaction

_BATCH = 500
_DRAWN_US = 100_000
"""A number is drawn and its row written in one statement; so long (µs) after a gap was seen, a transaction that drew a
number of it has an id of its own by which the server knows it."""
_SETTLED_US = 70_000_000
"""No transaction lives so long (see storage)."""
_ROWS = f"SELECT {row_mapping.LOG_COLUMNS} FROM ledger_log WHERE seq > :after ORDER BY seq LIMIT {_BATCH}"
_HORIZON = "SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
_OLDEST = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"


class OrderedLog:
    """The rows of the log behind a number, each once and in order.

    Args:
        after: the last number that is known already.
    """

    def __init__(self, after: int) -> None:
        self.last = after
        """The number of the last row given out: everything up to it was."""
        self._gap_since_us: int | None = None
        self._seen = 0
        self._horizon: int | None = None

    @classmethod
    def from_now(cls, tx: Transaction) -> OrderedLog:
        """Begin behind the last row there is."""
        last = tx.fetch_one("SELECT MAX(seq) FROM ledger_log")
        return cls((last and last[0]) or 0)

    @property
    def waits(self) -> bool:
        """Whether rows are held back that can soon be given out though nobody writes."""
        return self._gap_since_us is not None

    def take(self, tx: Transaction) -> list[LogEntry]:
        """Return the rows that can be given out now; more may follow at once."""
        found = [row_mapping.log_entry(row) for row in tx.fetch_all(_ROWS, {"after": self.last})]
        ready = len(found) if tx.dialect == "sqlite" else self._without_gap(found)
        if ready < len(found):
            ready = max(ready, self._behind_gap(tx, found))
        else:
            self._close_gap()
        if ready:
            self.last = found[ready - 1].seq
        return found[:ready]

    def _without_gap(self, found: list[LogEntry]) -> int:
        """Return how many rows follow on the last one without a number missing."""
        for count, entry in enumerate(found):
            if entry.seq != self.last + 1 + count:
                return count
        return len(found)

    def _behind_gap(self, tx: Transaction, found: list[LogEntry]) -> int:
        """Return how many rows may be given out although a number before them is missing."""
        if self._gap_since_us is None:
            self._gap_since_us, self._seen = tx.now_us, found[-1].seq
            return 0
        waited_us = tx.now_us - self._gap_since_us
        if self._horizon is None and waited_us >= _DRAWN_US:
            self._horizon = _number(tx, _HORIZON)
            return 0
        ended = self._horizon is not None and _number(tx, _OLDEST) >= self._horizon
        if not ended and waited_us < _SETTLED_US:
            return 0
        ready = sum(entry.seq <= self._seen for entry in found)
        self._close_gap()
        return ready

    def _close_gap(self) -> None:
        self._gap_since_us = self._horizon = None


def _number(tx: Transaction, sql: str) -> int:
    row = tx.fetch_one(sql)
    return int(row[0]) if row else 0
