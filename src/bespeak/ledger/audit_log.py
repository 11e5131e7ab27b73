"""The log of the book: read it, or follow it as it grows."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.json_text import compact_utf8
from bespeak.ledger import row_mapping, validation, visibility, write_operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.protocols import LogReader
    from bespeak.storage.interface import Transaction

_SETTLED_US = 70 * SECOND_US
"""Below a row as old as this no number is on its way: a transaction lives half a minute at most (see storage), and
one that drew a smaller number began before this row was written."""

_UNDER_WAY = 256
"""More log rows than are being written at one time."""

_STOP_SECONDS = 0.2
_BATCH = 500


def log(
    book: LedgerContext,
    *,
    after_seq: int = 0,
    limit: int | None = None,
    resource: str | None = None,
    reservation_id: str | None = None,
    newest_first: bool = False,
) -> list[LogEntry]:
    """Return changes of the book.

    Args:
        book: the open book.
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
        validation.check_name("resource", resource)
        within = "instr(resources, {0}) > 0" if book.engine.dialect == "sqlite" else "strpos(resources, {0}) > 0"
        where.append(f"({within.format(':first')} OR {within.format(':other')})")
        quoted = compact_utf8(resource)
        params |= {"first": "[" + quoted, "other": "," + quoted}
    order = "DESC" if newest_first else "ASC"
    sql = (
        f"SELECT {row_mapping.LOG_COLUMNS} FROM ledger_log WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT"
        f" :limit"
    )

    def page(tx: Transaction) -> list[LogEntry]:
        return [row_mapping.log_entry(row) for row in tx.fetch_all(sql, params)]

    def work(tx: Transaction) -> list[LogEntry]:
        seen = visibility.sight_of(book, tx)
        if seen is None:
            return page(tx)
        params["limit"] = FOREVER_US
        return seen.keep(page(tx))[:limit]

    return book.engine.read(work)


def log_rows(book: LedgerContext, after_seq: int, limit: int) -> tuple[list[LogEntry], int]:
    """Return rows of the log as they stand, and the present instant of the book, µs UTC.

    Args:
        book: the open book.
        after_seq: only those with a greater number.
        limit: at most so many.
    """

    def work(tx: Transaction) -> tuple[list[LogEntry], int]:
        found, now_us = _rows(tx, after_seq, limit)
        seen = visibility.sight_of(book, tx)
        return (found if seen is None else seen.blanked(found)), now_us

    return book.engine.read(work)


def _rows(tx: Transaction, after_seq: int, limit: int) -> tuple[list[LogEntry], int]:
    sql = f"SELECT {row_mapping.LOG_COLUMNS} FROM ledger_log WHERE seq > :low ORDER BY seq LIMIT :limit"
    found = tx.fetch_all(sql, {"low": after_seq, "limit": limit})
    return [row_mapping.log_entry(row) for row in found], tx.now_us


def log_start(book: LedgerContext) -> tuple[int, list[tuple[int, int]]]:
    """Return where to begin so that nothing is missed from now on.

    Rows just below the last may still be on their way: the first number returned is below them, and the pairs (number,
    µs UTC) are the rows above it that are there already.
    """
    return book.engine.read(_start)


def _start(tx: Transaction) -> tuple[int, list[tuple[int, int]]]:
    last = tx.fetch_one("SELECT MAX(seq) FROM ledger_log")
    low = max(((last and last[0]) or 0) - _UNDER_WAY, 0)
    return low, tx.fetch_all("SELECT seq, at_us FROM ledger_log WHERE seq > :low", {"low": low})


def watch(
    book: LogReader,
    resources: Iterable[str] = (),
    *,
    after_seq: int | None = None,
    stop: Callable[[], bool] | None = None,
) -> Iterator[LogEntry]:
    """Yield each change as it is committed, for ever.

    Args:
        book: the open book.
        resources: only changes that concern one of these; empty means all.
        after_seq: begin behind this row of the log; None begins now.
        stop: asked a few times a second; True ends the iteration.
    """
    wanted = frozenset(resources)
    for name in wanted:
        validation.check_name("resource", name)
    listener = book.listen([write_operations.resource_topic(name) for name in wanted] or ["*"])
    try:
        follower = _Follower(*book.log_start()) if after_seq is None else _Follower(after_seq)
        while stop is None or not stop():
            fresh = follower.accept(*book.log_rows(follower.low, follower.limit))
            for entry in fresh:
                if entry.who != visibility.HIDDEN and (not wanted or wanted.intersection(entry.resources)):
                    yield entry
            if not fresh:
                listener.wait(_STOP_SECONDS if stop else None)
    finally:
        listener.close()


class _Follower:
    """Reads a log whose row numbers can become visible out of order.

    On PostgreSQL a row with a smaller number may be committed later. ``low`` is the last number below which nothing
    is missing; rows above it that were seen are remembered with their time, so each row is given out once.
    """

    def __init__(self, low: int, seen: Iterable[tuple[int, int]] = ()) -> None:
        self.low = low
        self._seen: dict[int, int] = dict(seen)

    @property
    def limit(self) -> int:
        """How many rows to read at most."""
        return _BATCH + len(self._seen)

    def accept(self, found: Iterable[LogEntry], now_us: int) -> list[LogEntry]:
        """Return what of the rows after ``low``, read at ``now_us`` (µs UTC), was not given out yet."""
        new = [entry for entry in found if entry.seq > self.low and entry.seq not in self._seen]
        self._seen |= {entry.seq: entry.at_us for entry in new}
        self._settle(now_us)
        return new

    def _settle(self, now_us: int) -> None:
        """Forget the rows below which nothing can be missing any more."""
        old = [seq for seq, at_us in self._seen.items() if now_us - at_us > _SETTLED_US]
        self.low = max([self.low, *old])
        while self.low + 1 in self._seen:
            self.low += 1
        self._seen = {seq: at_us for seq, at_us in self._seen.items() if seq > self.low}
