"""What pages ask of the book, each question in one read transaction.

The page *now* asks for every resource at once. Its statements seek by resource, so that bookings far in the future and
the history cost nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from bespeak.ledger import row_mapping
from bespeak.ledger.model import State
from bespeak.ledger.schema import LONG_US

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Reservation, Resource
    from bespeak.storage.interface import Row, Transaction

AT_ONCE = 500
"""How many names one statement carries."""

_MOST_LOOKED_THROUGH = 50_000
"""How many rows of the log are looked through for the use of a resource; it bounds what a page costs."""

_ALL_OVERLAPPING = f"""
SELECT b.resource, {row_mapping.COLUMNS}
FROM ledger_resources x
JOIN ledger_bookings b
  ON b.resource = x.name AND b.starts_us < :ends AND b.starts_us > :starts - x.longest_us
JOIN ledger_reservations r ON r.seq = b.reservation
WHERE b.ends_us > :starts AND b.ends_us - b.starts_us < {LONG_US}
UNION ALL
SELECT b.resource, {row_mapping.COLUMNS}
FROM ledger_bookings b
JOIN ledger_reservations r ON r.seq = b.reservation
WHERE b.ends_us > :starts AND b.ends_us - b.starts_us >= {LONG_US} AND b.starts_us < :ends
"""
_ALL_WAITING = f"""
SELECT l.resource, {row_mapping.COLUMNS}
FROM ledger_queue l JOIN ledger_reservations r ON r.seq = l.reservation
ORDER BY l.rank, r.seq
"""
_NEXT_STARTS = """
SELECT x.name, (SELECT MIN(b.starts_us) FROM ledger_bookings b WHERE b.resource = x.name AND b.starts_us > :now)
FROM ledger_resources x
"""


@dataclass(frozen=True, slots=True)
class Closure:
    """A window in which a resource is not given out.

    Attributes:
        kind: ``maintenance`` or ``cooldown``.
    """

    starts_us: int
    ends_us: int
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Board:
    """Resources with what concerns them in a window.

    Attributes:
        now_us: the present instant, µs UTC.
        resources: what was asked for.
        rows: for each of them all facts of it that the book has, in a form that is compared fast.
        booked: for each resource the granted reservations that overlap the window and have not ended early.
        waiting: for each resource who waits, in order.
        next_starts: for each resource the next start of a booking, µs UTC.
        closures: for each resource the windows in which it is not given out, as far as they overlap the window.
        last_seq: the number of the newest log row that is part of this.
    """

    now_us: int
    resources: tuple[Resource, ...]
    rows: tuple[Hashable, ...] = ()
    booked: dict[str, list[Reservation]] = field(default_factory=dict)
    waiting: dict[str, list[Reservation]] = field(default_factory=dict)
    next_starts: dict[str, int] = field(default_factory=dict)
    closures: dict[str, list[Closure]] = field(default_factory=dict)
    last_seq: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the resources."""
        return tuple(one.name for one in self.resources)


def board(book: LedgerContext, *, window_us: tuple[int, int] | None = None, only: Iterable[str] | None = None) -> Board:
    """Return resources and what concerns them.

    Args:
        book: the open book.
        window_us: the bookings of this window, µs UTC; None means those of the present instant.
        only: these resources, as far as the book knows them; None means all.
    """
    names = None if only is None else tuple(dict.fromkeys(only))

    def work(tx: Transaction) -> Board:
        starts_us, ends_us = window_us or (tx.now_us, tx.now_us + 1)
        newest = tx.fetch_one("SELECT MAX(seq) FROM ledger_log")
        resources, booked, queue, starts = (
            _all(tx, starts_us, ends_us) if names is None else _some(tx, names, starts_us, ends_us)
        )
        return Board(
            tx.now_us,
            tuple(map(_resource, resources)),
            tuple(resources),
            _living(booked, tx.now_us),
            _living(queue, tx.now_us),
            starts,
            _closures(tx, starts_us, ends_us),
            int((newest and newest[0]) or 0),
        )

    return book.engine.read(work)


_Found = tuple["list[Row]", "list[tuple[str, Reservation]]", "list[tuple[str, Reservation]]", "dict[str, int]"]


def _closures(tx: Transaction, starts_us: int, ends_us: int) -> dict[str, list[Closure]]:
    sql = (
        "SELECT resource, starts_us, ends_us, kind, reason FROM ledger_closures "
        "WHERE ends_us > :starts AND starts_us < :ends ORDER BY resource, starts_us"
    )
    found: dict[str, list[Closure]] = {}
    for name, *facts in tx.fetch_all(sql, {"starts": starts_us, "ends": ends_us}):
        found.setdefault(name, []).append(Closure(*facts))
    return found


def _all(tx: Transaction, starts_us: int, ends_us: int) -> _Found:
    columns = row_mapping.RESOURCE_COLUMNS
    resources = tx.fetch_all(f"SELECT {columns} FROM ledger_resources")
    booked = _named(tx.fetch_all(_ALL_OVERLAPPING, {"starts": starts_us, "ends": ends_us}))
    queue = _named(tx.fetch_all(_ALL_WAITING))
    starts = {name: start for name, start in tx.fetch_all(_NEXT_STARTS, {"now": tx.now_us}) if start is not None}
    return resources, booked, queue, starts


def _some(tx: Transaction, names: Sequence[str], starts_us: int, ends_us: int) -> _Found:
    resources: list[Row] = []
    booked: list[tuple[str, Reservation]] = []
    queue: list[tuple[str, Reservation]] = []
    starts: dict[str, int] = {}
    for first in range(0, len(names), AT_ONCE):
        part = names[first : first + AT_ONCE]
        resources += tx.fetch_all(*row_mapping.resources_query(part))
        booked += row_mapping.overlapping(tx, part, starts_us, ends_us)
        queue += row_mapping.in_queue(tx, part)
        inside, params = row_mapping.in_list("n", part)
        rows = tx.fetch_all(f"{_NEXT_STARTS} WHERE x.name IN ({inside})", {**params, "now": tx.now_us})
        starts |= {name: start for name, start in rows if start is not None}
    return resources, booked, queue, starts


_reservation = lru_cache(maxsize=20_000)(row_mapping.reservation)
"""Rows that have not changed since the last look become the same values again."""
_resource = lru_cache(maxsize=20_000)(row_mapping.resource)


def _named(rows: Iterable[tuple[object, ...]]) -> list[tuple[str, Reservation]]:
    """Make reservations of rows; one that covers several resources is made once."""
    made: dict[object, Reservation] = {}
    found = []
    for row in rows:
        reservation = made.get(row[1])
        if reservation is None:
            reservation = made[row[1]] = _reservation(row[1:])
        found.append((str(row[0]), reservation))
    return found


def _living(found: Iterable[tuple[str, Reservation]], now_us: int) -> dict[str, list[Reservation]]:
    by_resource: defaultdict[str, list[Reservation]] = defaultdict(list)
    for name, reservation in found:
        if reservation.ended_us is None and not reservation.lapsed(now_us):
            by_resource[name].append(reservation)
    for reservations in by_resource.values():
        reservations.sort(key=lambda one: (one.rank, one.starts_us, one.seq))
    return dict(by_resource)


@dataclass(frozen=True, slots=True)
class Account:
    """What one user has.

    Attributes:
        now_us: the present instant, µs UTC.
        live: holds, bookings and queue entries, by what comes first.
    """

    now_us: int
    live: tuple[Reservation, ...]


def account(book: LedgerContext, user: str) -> Account:
    """Return everything that a user holds, has booked or waits for."""
    from bespeak.ledger import queries

    now_us = queries.now_us(book)
    order = {State.ACTIVE: 0, State.AWAITING: 1, State.WAITING: 2, State.PENDING: 3}
    live = [one for one in queries.reservations(book, holder=user) if one.state(now_us) is not State.ENDED]
    return Account(now_us, tuple(sorted(live, key=lambda one: (order[one.state(now_us)], one.starts_us, one.seq))))


def newest_log(
    book: LedgerContext, *, before_seq: int | None, limit: int, resource: str | None = None
) -> list[LogEntry]:
    """Return rows of the log, newest first, optionally only those before one and those of one resource."""
    from bespeak.ledger import audit_log

    if before_seq is None:
        return audit_log.log(book, limit=limit, resource=resource, newest_first=True)

    def work(tx: Transaction) -> list[LogEntry]:
        sql = f"SELECT {row_mapping.LOG_COLUMNS} FROM ledger_log WHERE seq < :before ORDER BY seq DESC LIMIT :limit"
        return [row_mapping.log_entry(row) for row in tx.fetch_all(sql, {"before": before_seq, "limit": limit})]

    return book.engine.read(work)


@dataclass(frozen=True, slots=True)
class Usage:
    """How long each holder held a resource in a window of the past.

    Attributes:
        window_us: the length of the window, µs.
        held_us: for each holder the time held, µs.
    """

    window_us: int
    held_us: dict[str, int]


def usage(book: LedgerContext, resource: str, window_us: int) -> Usage:
    """Return who held a resource how long in the last ``window_us``, from the log of its reservations."""

    def work(tx: Transaction) -> Usage:
        since_us = tx.now_us - window_us
        held_us: defaultdict[str, int] = defaultdict(int)
        for one in _touched_since(tx, resource, since_us):
            if not one.waiting and one.fencing_token is not None:
                overlap_us = min(one.end_us(tx.now_us), tx.now_us) - max(one.starts_us, since_us)
                held_us[one.holder] += max(overlap_us, 0)
        return Usage(window_us, {who: us for who, us in held_us.items() if us})

    return book.engine.read(work)


def _touched_since(tx: Transaction, resource: str, since_us: int) -> list[Reservation]:
    """Return the reservations of a resource that the log names since an instant, or that overlap it."""
    from bespeak.base.json_text import compact_utf8

    within = "instr(l.resources, :quoted) > 0" if tx.dialect == "sqlite" else "strpos(l.resources, :quoted) > 0"
    sql = (
        f"SELECT DISTINCT {row_mapping.COLUMNS} FROM ledger_log l JOIN ledger_reservations r ON r.id = l.reservation "
        f"WHERE l.seq > (SELECT MAX(seq) FROM ledger_log) - {_MOST_LOOKED_THROUGH} AND l.at_us > :since AND {within}"
    )
    rows = tx.fetch_all(sql, {"since": since_us, "quoted": compact_utf8(resource)})
    found = [one for one in map(row_mapping.reservation, rows) if resource in one.resources]
    found += [one for _, one in row_mapping.overlapping(tx, [resource], since_us, tx.now_us)]
    return list({one.id: one for one in found}.values())
