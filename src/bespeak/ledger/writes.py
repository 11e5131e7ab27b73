"""Writing the book: each change of a reservation and its row in the log, inside the caller's transaction."""

from __future__ import annotations

import json

from bespeak.clock import FOREVER_US
from bespeak.ids import tail
from bespeak.ledger.model import Action, EndedWhy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bespeak.ledger.model import Actor, Reservation, Resource
    from bespeak.storage.port import Transaction

SYSTEM = "bespeak"
"""Who is named in the log for what follows from the rules alone (a lapse)."""

_INSERT = """
INSERT INTO ledger_reservations (id, tail, number, holder, acting, resources, mode, starts_us, ends_us, created_us,
    purpose, tags, priority, lease_us, waiting, rank, wanted_us, not_before_us, keepalive_us)
VALUES (:id, :tail, :number, :holder, :acting, :resources, :mode, :starts_us, :ends_us, :created_us,
    :purpose, :tags, :priority, :lease_us, :waiting, :rank, :wanted_us, :not_before_us, :keepalive_us)
RETURNING seq
"""
_LOG = """
INSERT INTO ledger_log (at_us, action, reservation, resources, who, acting, before, after)
VALUES (:at_us, :action, :reservation, :resources, :who, :acting, :before, :after)
"""
_END = """
UPDATE ledger_reservations SET ended_us = :ended_us, ended_why = :why, ended_note = :note, waiting = 0
WHERE seq = :seq AND ended_us IS NULL
"""


def dump(value: object) -> str:
    """Return compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def next_number(tx: Transaction) -> int:
    """Return the next fencing number of the book. Called under the locks of what is granted, so it grows there."""
    if tx.dialect == "sqlite":
        row = tx.one("UPDATE ledger_number SET last = last + 1 RETURNING last")
    else:
        row = tx.one("SELECT nextval('ledger_number')")
    return int(row[0]) if row else 0


def insert(tx: Transaction, facts: Mapping[str, object], resources: Iterable[str]) -> int:
    """Write a new reservation and return its row number.

    Args:
        tx: the transaction, which holds the locks of ``resources``.
        facts: every column but ``seq``, ``tail`` and ``resources``, by name.
        resources: what it holds or waits for.
    """
    row = tx.one(_INSERT, {**facts, "tail": tail(str(facts["id"])), "resources": dump(list(resources))})
    return int(row[0]) if row else 0


def book(
    tx: Transaction, seq: int, resources: Iterable[str], starts_us: int, ends_us: int, known: Mapping[str, Resource]
) -> None:
    """Enter a granted window into the index by resource.

    Args:
        tx: the transaction, which holds the locks of ``resources``.
        seq: the reservation's row number.
        resources: what it holds.
        starts_us: the first instant, µs UTC.
        ends_us: the end, µs UTC.
        known: the resources that the book has already, by name.
    """
    length_us = ends_us - starts_us if ends_us < FOREVER_US else 0
    names = list(resources)
    for name in names:
        if name not in known or known[name].longest_us < length_us:
            remember_resource(tx, name, length_us)
    tx.run_many(
        "INSERT INTO ledger_bookings (resource, starts_us, ends_us, reservation) VALUES (:name, :starts, :ends, :seq)",
        [{"name": name, "starts": starts_us, "ends": ends_us, "seq": seq} for name in names],
    )


def remember_resource(tx: Transaction, name: str, longest_us: int) -> None:
    """Make a resource by its first use, and note a booking longer than all before."""
    tx.run(
        "INSERT INTO ledger_resources (name, longest_us) VALUES (:name, :longest) ON CONFLICT (name) DO UPDATE "
        "SET longest_us = excluded.longest_us WHERE ledger_resources.longest_us < excluded.longest_us",
        {"name": name, "longest": longest_us},
    )


def rebook(tx: Transaction, of: Reservation, ends_us: int, known: Mapping[str, Resource]) -> None:
    """Give the bookings of ``of`` another end, µs UTC; one that would be empty is taken out."""
    if ends_us <= of.starts_us:
        sql = "DELETE FROM ledger_bookings WHERE resource = :name AND starts_us = :starts AND reservation = :seq"
    else:
        sql = (
            "UPDATE ledger_bookings SET ends_us = :ends "
            "WHERE resource = :name AND starts_us = :starts AND reservation = :seq"
        )
    length_us = ends_us - of.starts_us if ends_us < FOREVER_US else 0
    for name in of.resources:
        if name in known and known[name].longest_us < length_us:
            remember_resource(tx, name, length_us)
    keys = {"starts": of.starts_us, "seq": of.seq} | ({"ends": ends_us} if ends_us > of.starts_us else {})
    tx.run_many(sql, [{**keys, "name": name} for name in of.resources])


def leave_line(tx: Transaction, of: Reservation) -> None:
    """Take a waiting reservation out of the line."""
    tx.run_many(
        "DELETE FROM ledger_line WHERE resource = :name AND rank = :rank AND reservation = :seq",
        [{"name": name, "rank": of.rank, "seq": of.seq} for name in of.resources],
    )


def end(tx: Transaction, of: Reservation, ended_us: int, why: EndedWhy, note: str = "") -> bool:
    """End a reservation: facts, bookings and place in line. False when somebody else ended it first."""
    if not tx.run(_END, {"seq": of.seq, "ended_us": ended_us, "why": why.value, "note": note}):
        return False
    if of.waiting:
        leave_line(tx, of)
    else:
        rebook(tx, of, min(max(ended_us, of.starts_us), of.ends_us), {})
    wake(tx, of)
    return True


def bury_lapsed(tx: Transaction, of: Reservation) -> None:
    """Record that a reservation whose sign of life is overdue has ended, at the instant at which it lapsed."""
    ended_us = of.lease_us if of.lease_us is not None else tx.now_us
    why = EndedWhy.NO_SHOW if of.waiting else EndedWhy.LAPSED
    if end(tx, of, ended_us, why):
        action = Action.NO_SHOW if of.waiting else Action.LAPSED
        log(tx, action, SYSTEM, None, of.id, of.resources, after={"ended_us": ended_us, "ended_why": why.value})


def wake(tx: Transaction, of: Reservation) -> None:
    """Wake, after the commit, whoever follows this reservation or its resources."""
    tx.wake(reservation_topic(of.id))
    for name in of.resources:
        tx.wake(resource_topic(name))


def resource_topic(name: str) -> str:
    """Return the topic that changes of a resource are announced under; also the key that locks it."""
    return f"resource:{name}"


def reservation_topic(identifier: str) -> str:
    """Return the topic that changes of a reservation are announced under."""
    return f"reservation:{identifier}"


def log_by(
    tx: Transaction,
    action: Action,
    actor: Actor,
    of: Reservation,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    """Record what ``actor`` did to a reservation."""
    log(tx, action, actor.user, actor.acting, of.id, of.resources, before, after)


def log(
    tx: Transaction,
    action: Action,
    who: str,
    acting: str | None,
    reservation_id: str | None,
    resources: Iterable[str],
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Record a change: the facts that differ, before and after."""
    tx.run(
        _LOG,
        {
            "at_us": tx.now_us,
            "action": action.value,
            "reservation": reservation_id,
            "resources": dump(list(resources)),
            "who": who,
            "acting": acting,
            "before": dump(before or {}),
            "after": dump(after or {}),
        },
    )
