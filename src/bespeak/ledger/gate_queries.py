"""What the gate asks of the book: who holds what right now. Plain rows, because the gate is on the path of hooks.

Every query seeks by index: by resource no further back than its longest bounded booking, or by holder.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.ledger.current_hold import only_seq
from bespeak.ledger.schema import LONG_US
from bespeak.storage.row_shape import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.current_hold import CurrentHold
    from bespeak.storage.interface import Transaction

    Holders = list[tuple[str, int | None]]

MOST_FREE = 50
_AT_ONCE = 5_000
"""Resources in one query; engines limit the number of parameters."""
_ALIVE = "r.ended_us IS NULL AND r.waiting = 0 AND (r.lease_us IS NULL OR r.lease_us > :now)"
_NOW_ON = f"""
SELECT b.resource, r.holder, b.ends_us, r.seq
FROM ledger_resources x
JOIN ledger_bookings b
  ON b.resource = x.name AND b.starts_us <= :now AND b.starts_us > :now - x.longest_us - 1
JOIN ledger_reservations r ON r.seq = b.reservation
WHERE x.name IN ({{names}}) AND b.ends_us > :now AND b.ends_us - b.starts_us < {LONG_US} AND {_ALIVE}
UNION ALL
SELECT b.resource, r.holder, b.ends_us, r.seq
FROM ledger_bookings b
JOIN ledger_reservations r ON r.seq = b.reservation
WHERE b.resource IN ({{names}}) AND b.ends_us > :now AND b.ends_us - b.starts_us >= {LONG_US} AND b.starts_us <= :now
  AND {_ALIVE}
"""
_OF_HOLDER = f"""
SELECT r.resources, r.starts_us, r.ends_us, r.seq
FROM ledger_reservations r
WHERE r.holder = :holder AND r.ends_us > :now AND r.starts_us <= :until AND {_ALIVE}
ORDER BY r.starts_us, r.seq
"""


def _now_on(tx: Transaction, resources: Sequence[str], now_us: int) -> list[tuple[str, str, int, int]]:
    params: dict[str, object] = {f"n{index}": name for index, name in enumerate(resources)}
    sql = _NOW_ON.format(names=", ".join(f":{name}" for name in params))
    params["now"] = now_us
    return tx.fetch_all(sql, params)


def held_among(
    tx: Transaction, username: str, resources: Sequence[str], now_us: int, within: CurrentHold | None = None
) -> set[str]:
    """Return those of ``resources`` that ``username`` holds at ``now_us`` (µs UTC); inside a run, under its hold."""
    only = only_seq(tx, within)
    held: set[str] = set()
    for start in range(0, len(resources), _AT_ONCE):
        rows = _now_on(tx, resources[start : start + _AT_ONCE], now_us)
        held.update(row[0] for row in rows if row[1] == username and only in (None, row[3]))
    return held


def holdings(
    tx: Transaction, username: str, resources: Sequence[str], within: CurrentHold | None = None
) -> tuple[set[str], dict[str, Holders]]:
    """Return what ``username`` holds now of ``resources``, and who holds each other one until when (µs UTC)."""
    only = only_seq(tx, within)
    held: set[str] = set()
    ends: dict[str, dict[str, int]] = {name: {} for name in resources}
    for start in range(0, len(resources), _AT_ONCE):
        rows = _now_on(tx, resources[start : start + _AT_ONCE], tx.now_us)
        held.update(row[0] for row in rows if row[1] == username and only in (None, row[3]))
        _add_ends(ends, rows)
    return held, {name: [*ends[name].items()] for name in resources if name not in held}


def fences_among(
    tx: Transaction, username: str, resources: Sequence[str], now_us: int, within: CurrentHold | None = None
) -> list[tuple[str, str, int]]:
    """Return what ``username`` holds among ``resources`` at ``now_us``: resource, reservation id, fencing number."""
    if not resources:
        return []
    only = only_seq(tx, within)
    rows = _now_on(tx, resources, now_us)
    held = {(row[0], row[3]) for row in rows if row[1] == username and only in (None, row[3])}
    if not held:
        return []
    params: dict[str, object] = {f"s{index}": seq for index, seq in enumerate(sorted({seq for _, seq in held}))}
    inside = ", ".join(f":{name}" for name in params)
    sql = f"SELECT seq, id, fencing_token FROM ledger_reservations WHERE seq IN ({inside})"
    known = {row[0]: (row[1], int(row[2])) for row in tx.fetch_all(sql, params)}
    return sorted((name, *known[seq]) for name, seq in held)


def holders_of(tx: Transaction, resource: str, now_us: int) -> list[tuple[str, int]]:
    """Return who holds ``resource`` at ``now_us``, each once with the last end (µs UTC), first granted first."""
    ends: dict[str, dict[str, int]] = {resource: {}}
    _add_ends(ends, _now_on(tx, [resource], now_us))
    return list(ends[resource].items())


def _add_ends(ends: dict[str, dict[str, int]], rows: list[tuple[str, str, int, int]]) -> None:
    """Note for each resource who holds it, the first granted first, with the last end (µs UTC)."""
    for name, holder, ends_us, _ in sorted(rows, key=lambda row: row[3]):
        ends[name][holder] = max(ends_us, ends[name].get(holder, 0))


def users_of(tx: Transaction, resources: Sequence[str]) -> dict[str, list[tuple[str, str, int]]]:
    """Return for each of ``resources`` that is held: by whom, what uses it where, the last sign of life (µs UTC).

    At most :data:`MOST_FREE` are looked at.
    """
    from bespeak.ledger.row_mapping import COLUMNS, in_list, reservation

    rows = _now_on(tx, resources[:MOST_FREE], tx.now_us)
    inside, params = in_list("s", sorted({row[3] for row in rows}))
    found = tx.fetch_all(f"SELECT {COLUMNS} FROM ledger_reservations r WHERE r.seq IN ({inside})", params)
    known = {of.seq: (of.holder, of.origin.text, of.seen_us) for of in map(reservation, found)}
    users: dict[str, list[tuple[str, str, int]]] = {}
    for name, _, _, seq in sorted(rows, key=lambda row: row[3]):
        users.setdefault(name, []).append(known[seq])
    return users


def next_free(tx: Transaction, resources: Sequence[str]) -> dict[str, int]:
    """Return for each of ``resources`` that is taken from when on it is free (µs UTC), unless it never is.

    At most :data:`MOST_FREE` are looked at: who is refused more than that reads no list of instants.
    """
    from bespeak.ledger.availability import Availability
    from bespeak.ledger.model import Mode

    free: dict[str, int] = {}
    for name in resources[:MOST_FREE]:
        from_us = Availability(tx, [name], sweep=False).first_fit(Mode.EXCLUSIVE, tx.now_us, 1)
        if from_us is not None and from_us > tx.now_us:
            free[name] = from_us
    return free


def held_by(tx: Transaction, username: str, now_us: int, within: CurrentHold | None = None) -> set[str]:
    """Return every resource that ``username`` holds at ``now_us`` (µs UTC)."""
    found = tx.fetch_all(_OF_HOLDER, {"holder": username, "now": now_us, "until": now_us})
    only = only_seq(tx, within)
    return {name for row in found if only in (None, row[3]) for name in read_json(row[0])}


def windows_of(
    tx: Transaction, username: str, now_us: int, within: CurrentHold | None = None
) -> list[tuple[str, int, int]]:
    """Return what ``username`` holds now or later: resource, start and end (µs UTC; ``FOREVER_US`` for no end)."""
    found = tx.fetch_all(_OF_HOLDER, {"holder": username, "now": now_us, "until": FOREVER_US})
    only = only_seq(tx, within)
    return [(name, row[1], row[2]) for row in found if only in (None, row[3]) for name in read_json(row[0])]


def all_holders(tx: Transaction) -> list[str]:
    """Return every user who has or had a reservation, sorted."""
    return [row[0] for row in tx.fetch_all("SELECT DISTINCT holder FROM ledger_reservations ORDER BY holder")]


def reservations_on(tx: Transaction, resources: Sequence[str]) -> list[int]:
    """Return the row numbers of the reservations in force on one of ``resources``."""
    found: set[int] = set()
    for start in range(0, len(resources), _AT_ONCE):
        found.update(row[3] for row in _now_on(tx, resources[start : start + _AT_ONCE], tx.now_us))
    return sorted(found)
