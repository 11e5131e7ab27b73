"""The log of the book: read it, or follow it as it grows."""

from __future__ import annotations

import time

from bespeak.clock import FOREVER_US
from bespeak.ledger import rows, writes
from bespeak.ledger.base import Book

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bespeak.ledger.model import LogEntry
    from bespeak.storage.port import Transaction

_GAP_SECONDS = 40.0
"""A row number still missing after this long was rolled back: no transaction lives as long (see storage)."""

_STOP_SECONDS = 0.2
_BATCH = 500


class History(Book):
    """What happened to the book."""

    def log(
        self,
        *,
        after_seq: int = 0,
        limit: int | None = None,
        resource: str | None = None,
        reservation_id: str | None = None,
        newest_first: bool = False,
    ) -> list[LogEntry]:
        """Return changes of the book.

        Args:
            after_seq: only those with a greater row number.
            limit: at most so many.
            resource: only those that concern it.
            reservation_id: only those of this reservation.
            newest_first: the other way round.
        """
        where = ["seq > :after"]
        params: dict[str, object] = {"after": after_seq, "limit": FOREVER_US if limit is None else limit}
        if reservation_id is not None:
            where.append("reservation = :id")
            params["id"] = reservation_id
        if resource is not None:
            where.append("resources LIKE :like ESCAPE '!'")
            params["like"] = _like(resource)
        order = "DESC" if newest_first else "ASC"
        sql = f"SELECT {rows.LOG_COLUMNS} FROM ledger_log WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT :limit"
        return self.engine.read(lambda tx: [rows.log_entry(row) for row in tx.all(sql, params)])

    def watch(
        self,
        resources: Iterable[str] = (),
        *,
        after_seq: int | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[LogEntry]:
        """Yield each change as it is committed, for ever.

        Args:
            resources: only changes that concern one of these; empty means all.
            after_seq: begin behind this row of the log; None begins now.
            stop: asked a few times a second; True ends the iteration.
        """
        wanted = frozenset(resources)
        listener = self.engine.listen([writes.resource_topic(name) for name in wanted] or ["*"])
        try:
            last = "SELECT COALESCE(MAX(seq), 0) FROM ledger_log"
            start = after_seq if after_seq is not None else self.engine.read(lambda tx: int((tx.one(last) or (0,))[0]))
            follower = _Follower(start)
            while stop is None or not stop():
                fresh = self.engine.read(follower.take)
                for entry in fresh:
                    if not wanted or wanted.intersection(entry.resources):
                        yield entry
                if not fresh:
                    listener.wait(_STOP_SECONDS if stop else None)
        finally:
            listener.close()


class _Follower:
    """Reads a log whose row numbers can become visible out of order.

    On PostgreSQL a row with a smaller number may be committed later. ``low`` is the last number below which nothing
    is missing; numbers above it that were seen are remembered, so each row is given out once.
    """

    def __init__(self, low: int) -> None:
        self._low = low
        self._seen: set[int] = set()
        self._gap_since = time.monotonic()

    def take(self, tx: Transaction) -> list[LogEntry]:
        sql = f"SELECT {rows.LOG_COLUMNS} FROM ledger_log WHERE seq > :low ORDER BY seq LIMIT :limit"
        found = tx.all(sql, {"low": self._low, "limit": _BATCH + len(self._seen)})
        new = [row for row in found if row[0] not in self._seen]
        self._seen.update(row[0] for row in new)
        self._close_gaps()
        return [rows.log_entry(row) for row in new]

    def _close_gaps(self) -> None:
        before = self._low
        self._advance()
        if self._low != before or not self._seen:
            self._gap_since = time.monotonic()
        elif time.monotonic() - self._gap_since > _GAP_SECONDS:
            self._low = min(self._seen) - 1
            self._advance()
            self._gap_since = time.monotonic()

    def _advance(self) -> None:
        while self._low + 1 in self._seen:
            self._low += 1
            self._seen.discard(self._low)


def _like(resource: str) -> str:
    quoted = writes.dump(resource)
    for char in "!%_":
        quoted = quoted.replace(char, "!" + char)
    return f"%{quoted}%"
