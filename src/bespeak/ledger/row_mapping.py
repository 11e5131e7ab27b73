"""Reading the book: rows become values here, and the overlap query lives here."""

from __future__ import annotations

from functools import lru_cache

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import NotFoundError
from bespeak.base.json_text import loads
from bespeak.ledger.actions import Action, LogEntry
from bespeak.ledger.model import (
    Approval,
    Booking,
    EndReason,
    Health,
    Mode,
    Need,
    Origin,
    Reservation,
    Resource,
    Selection,
)
from bespeak.ledger.rules import window_end
from bespeak.ledger.schema import LONG_US
from bespeak.storage.row_shape import RowShape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from bespeak.storage.interface import Row, Transaction

    Query = tuple[str, dict[str, object]]

COLUMNS = (
    "r.seq, r.id, r.fencing_token, r.holder, r.requested_by, r.resources, r.mode, r.starts_us, r.ends_us, "
    "r.created_us, r.ended_us, r.end_reason, r.ended_note, r.purpose, r.tags, r.priority, r.lease_us, r.waiting, "
    "r.rank, r.wanted_us, r.not_before_us, r.keepalive_us, r.open_end, r.host, r.process, r.gate_seen_us, "
    "r.check_in_us, r.selection, r.approval"
)
RESOURCE_COLUMNS = (
    "name, capacity, declared, description, longest_us, related, cooldown_us, hours, check_in_us, health,"
    " closed_until_us, approval"
)
WINDOW_COLUMNS = "b.resource, b.starts_us, b.ends_us, r.mode, r.lease_us, r.open_end"
LOG_COLUMNS = "seq, at_us, action, who, requested_by, reservation, resources, before, after"

_OVERLAP = """
SELECT {columns}
FROM ledger_resources x
JOIN ledger_bookings b
  ON b.resource = x.name AND b.starts_us < :ends AND b.starts_us > :starts - x.longest_us
JOIN ledger_reservations r ON r.seq = b.reservation
WHERE x.name IN ({names}) AND b.ends_us > :starts AND b.ends_us - b.starts_us < {long}
UNION ALL
SELECT {columns}
FROM ledger_bookings b
JOIN ledger_reservations r ON r.seq = b.reservation
WHERE b.resource IN ({names}) AND b.ends_us > :starts AND b.ends_us - b.starts_us >= {long} AND b.starts_us < :ends
"""
_FOLLOWING = """
SELECT {columns}
FROM ledger_bookings b
JOIN ledger_reservations r ON r.seq = b.reservation
WHERE b.resource IN ({names}) AND b.starts_us >= :starts AND b.starts_us < :ends
"""
_QUEUE = """
SELECT l.resource, {columns}
FROM ledger_queue l
JOIN ledger_reservations r ON r.seq = l.reservation
WHERE l.resource IN ({names})
ORDER BY l.rank, r.seq
"""
_LAST_PROMISE = """
SELECT MAX(r.starts_us + r.wanted_us)
FROM ledger_queue l
JOIN ledger_reservations r ON r.seq = l.reservation
WHERE l.resource IN ({names}) AND r.starts_us < :forever
"""


_RESOURCE = RowShape("resource", RESOURCE_COLUMNS, "tiitiiitItit")
RESERVATION = RowShape("row of the reservations", COLUMNS, "itItTttiiiITtttiIiiiiIittIITt")
_MODES = {mode.value: mode for mode in Mode}
_WINDOW = RowShape("booking", WINDOW_COLUMNS, "tiitIi")
_LOG_ENTRY = RowShape("row of the log", LOG_COLUMNS, "iittTTttt")


def in_list(prefix: str, values: Iterable[object]) -> tuple[str, dict[str, object]]:
    """Return the inside of ``IN (...)`` for named parameters, and the parameters."""
    params: dict[str, object] = {f"{prefix}{index}": value for index, value in enumerate(values)}
    return ", ".join(f":{name}" for name in params) or "NULL", params


def reservation(row: Row) -> Reservation:
    """Make a reservation of the columns of :data:`COLUMNS`.

    Raises:
        DamagedRowError: bespeak cannot have written this row.
    """
    return RESERVATION.read(row, _reservation)


def _reservation(row: Row) -> Reservation:
    (
        seq, identifier, fencing_token, holder, requested_by, resources, mode, starts_us, ends_us, created_us,
        ended_us, end_reason, ended_note, purpose, tags, priority, lease_us, waiting, rank, wanted_us, not_before_us,
        keepalive_us, open_end, host, process, gate_seen_us, check_in_us, selected, approval,
    ) = row  # fmt: skip
    if not (identifier.isascii() and identifier.isprintable()):
        raise ValueError("the id has characters that no id has")
    if not 0 <= min(starts_us, ends_us, created_us, wanted_us) <= max(starts_us, ends_us, wanted_us) <= FOREVER_US:
        raise ValueError("an instant or a length is none")
    of_tags = tuple((key, value) for key, value in loads(tags)) if tags != "[]" else ()
    end_us = window_end(starts_us, wanted_us) if fencing_token is None else ends_us  # the end of a promise follows
    why = _end_reason(end_reason, approval) if end_reason else None
    selection = None if selected is None else _selection(loads(selected))
    return Reservation(  # in the order of its fields: of a long line, each is made for every answer
        seq, identifier, fencing_token, holder, requested_by, _names(resources), Mode(mode), starts_us, end_us,
        created_us, ended_us, why, ended_note, purpose, of_tags, priority, lease_us, bool(waiting), rank, wanted_us,
        not_before_us, keepalive_us, bool(open_end), _origin(host, process), gate_seen_us, check_in_us, selection,
        Approval(approval) if approval else Approval.NONE,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _names(text: str) -> tuple[str, ...]:
    return tuple(loads(text))


@lru_cache(maxsize=1024)
def _origin(host: str, process: str) -> Origin:
    return Origin(host, process)


STORED_REASON = {EndReason.REFUSED: "cancelled", EndReason.UNANSWERED: "no_show"}
"""How the book keeps the reasons that its first tables did not know; what was said of the approval tells them apart."""


def _end_reason(stored: str, approval: str) -> EndReason:
    if approval == Approval.REFUSED.value and stored == STORED_REASON[EndReason.REFUSED]:
        return EndReason.REFUSED
    if approval == Approval.ASKED.value and stored == STORED_REASON[EndReason.UNANSWERED]:
        return EndReason.UNANSWERED
    return EndReason(stored)


def _selection(found: list[Any]) -> Selection:
    named, needs, prefer, same = found
    return Selection(tuple(named), tuple(Need(count, label) for count, label in needs), prefer, tuple(same))


def selection_facts(of: Selection) -> list[object]:
    """Return a selection as the book keeps it."""
    return [list(of.resources), [[need.count, need.label] for need in of.needs], of.prefer, list(of.same)]


def needy(tx: Transaction) -> list[Reservation]:
    """Return who waits for resources by need, in order; lapsed ones included."""
    return [reservation(row) for row in tx.fetch_all(*needy_query())]


def needy_query() -> Query:
    """Return the query of :func:`needy`; its rows are read by :func:`reservation`."""
    sql = f"SELECT {COLUMNS} FROM ledger_reservations r WHERE r.waiting = 1 AND r.selection IS NOT NULL"
    return f"{sql} ORDER BY r.rank, r.seq", {}


def booking(resource: str, of: Reservation, window_us: tuple[int, int] | None = None) -> Booking:
    """Return what ``of``, which is live, means for one of its resources; in another window, µs UTC, if one is given."""
    starts_us, ends_us = (of.starts_us, of.ends_us) if window_us is None else window_us
    return Booking(
        resource,
        of.holder,
        of.id,
        of.mode,
        starts_us,
        ends_us,
        of.in_queue,
        of.purpose,
        of.origin,
        of.seen_us,
        awaiting=of.is_awaiting,
    )


def cooling(found: Iterable[tuple[str, Reservation]], cooldown_us: Mapping[str, int], now_us: int) -> list[Booking]:
    """Return what has lapsed on resources that need a pause behind it, whether or not the lapse was written down."""
    return [
        booking(name, of, (of.starts_us, of.lease_us))
        for name, of in found
        if cooldown_us.get(name)
        and not of.waiting
        and of.lapsed(now_us)
        and of.lease_us is not None
        and of.starts_us < of.lease_us
    ]


def log_entry(row: Row) -> LogEntry:
    """Make a log entry of the columns of :data:`LOG_COLUMNS`.

    Raises:
        DamagedRowError: bespeak cannot have written this row.
    """
    return _LOG_ENTRY.read(row, _log_entry)


def _log_entry(row: Row) -> LogEntry:
    seq, at_us, action, who, requested_by, reservation_id, resources, before, after = row
    facts = loads(before), loads(after)
    if not all(isinstance(fact, dict) for fact in facts):
        raise ValueError("what changed is no object")
    return LogEntry(
        seq=seq,
        at_us=at_us,
        action=Action(action),
        who=who,
        requested_by=requested_by,
        reservation_id=reservation_id,
        resources=tuple(loads(resources)),
        before=facts[0],
        after=facts[1],
    )


def resource(row: Row) -> Resource:
    """Make a resource of the columns of :data:`RESOURCE_COLUMNS`.

    Raises:
        DamagedRowError: bespeak cannot have written this row.
    """
    return _RESOURCE.read(row, _resource)


def _resource(row: Row) -> Resource:
    (
        name, capacity, declared, description, longest_us, related, cooldown_us, hours, check_in_us, health,
        closed_until_us, approval,
    ) = row  # fmt: skip
    return Resource(
        name,
        capacity,
        bool(declared),
        description,
        longest_us,
        related,
        cooldown_us,
        hours,
        check_in_us,
        Health.OK if health == "ok" else Health(health),
        closed_until_us,
        tuple(loads(approval)) if approval else None,
    )


def resources(tx: Transaction, names: Iterable[str]) -> dict[str, Resource]:
    """Return the known ones among ``names``."""
    return {row[0]: resource(row) for row in tx.fetch_all(*resources_query(names))}


def resources_query(names: Iterable[str]) -> Query:
    """Return the query for those of ``names`` that the book knows."""
    inside, params = in_list("n", names)
    return f"SELECT {RESOURCE_COLUMNS} FROM ledger_resources WHERE name IN ({inside})", params


def overlapping(tx: Transaction, names: Iterable[str], starts_us: int, ends_us: int) -> list[tuple[str, Reservation]]:
    """Return the granted reservations that overlap ``[starts_us, ends_us)``, with the resource they overlap on.

    Lapsed ones are among them; whoever asks decides what a lapse means.
    """
    return named(tx.fetch_all(*overlap_query(names, starts_us, ends_us)))


def overlap_query(names: Iterable[str], starts_us: int, ends_us: int) -> Query:
    """Return the query of :func:`overlapping`; its rows are read by :func:`named`."""
    inside, params = in_list("n", names)
    params |= {"starts": starts_us, "ends": ends_us}
    return _OVERLAP.format(columns=f"b.resource, {COLUMNS}", names=inside, long=LONG_US), params


def windows_query(names: Iterable[str], from_us: int, until_us: int, *, overlapping: bool) -> Query:
    """Return the query for the granted windows that begin in ``[from_us, until_us)``; :func:`windows` reads them.

    Args:
        names: the resources.
        from_us: the first instant, µs UTC.
        until_us: the end, µs UTC.
        overlapping: also those that began before and reach into it.
    """
    inside, params = in_list("n", names)
    params |= {"starts": from_us, "ends": until_us}
    statement = _OVERLAP if overlapping else _FOLLOWING
    return statement.format(columns=WINDOW_COLUMNS, names=inside, long=LONG_US), params


def windows(tx: Transaction, query: Query) -> list[tuple[str, int, int, Mode, int | None, bool]]:
    """Return granted windows: resource, start, end, mode, lease (µs UTC), and whether the end is open."""
    rows = _WINDOW.check_all(tx.fetch_all(*query))
    try:
        return [
            (resource, starts_us, ends_us, _MODES[mode], lease_us, bool(open_end))
            for resource, starts_us, ends_us, mode, lease_us, open_end in rows
        ]
    except KeyError:
        return [_WINDOW.read(row, _window) for row in rows]  # says which one is damaged


def _window(row: Row) -> tuple[str, int, int, Mode, int | None, bool]:
    resource, starts_us, ends_us, mode, lease_us, open_end = row
    return resource, starts_us, ends_us, Mode(mode), lease_us, bool(open_end)


def next_start(tx: Transaction, name: str, from_us: int) -> int | None:
    """Return the start of the first granted window of a resource that begins at ``from_us`` or later, µs UTC."""
    sql = "SELECT min(starts_us) FROM ledger_bookings WHERE resource = :name AND starts_us >= :starts"
    row = tx.fetch_one(sql, {"name": name, "starts": from_us})
    return row[0] if row else None


def in_queue(tx: Transaction, names: Iterable[str]) -> list[tuple[str, Reservation]]:
    """Return who waits for any of ``names``, in order, with the resource waited for; lapsed ones included."""
    return named(tx.fetch_all(*queue_query(names)))


def queue_query(names: Iterable[str], limit: int | None = None) -> Query:
    """Return the query of :func:`in_queue`, of so many rows at most; its rows are read by :func:`named`."""
    inside, params = in_list("n", names)
    end = "" if limit is None else f"LIMIT {limit}"
    return _QUEUE.format(columns=COLUMNS, names=inside) + end, params


def last_promise_us(tx: Transaction, names: Iterable[str]) -> int:
    """Return the end of the last time that is promised to anybody who waits for ``names``, µs UTC; 0 if none is."""
    inside, params = in_list("n", names)
    row = tx.fetch_one(_LAST_PROMISE.format(names=inside), params | {"forever": FOREVER_US})
    return 0 if row is None or row[0] is None else int(row[0])


def named(found: Iterable[Row]) -> list[tuple[str, Reservation]]:
    """Make reservations of rows that begin with the name of a resource."""
    return [(row[0], reservation(row[1:])) for row in found]


def by_id(tx: Transaction, identifier: str) -> Reservation | None:
    """Return the reservation with this full id, or None."""
    row = tx.fetch_one(f"SELECT {COLUMNS} FROM ledger_reservations r WHERE r.id = :id", {"id": identifier})
    return reservation(row) if row else None


def required(tx: Transaction, identifier: str) -> Reservation:
    """Return the reservation with this full id, as it is in this transaction.

    Raises:
        NotFoundError: there is none.
    """
    found = by_id(tx, identifier)
    if found is None:
        raise NotFoundError(f"no reservation {identifier}")
    return found
