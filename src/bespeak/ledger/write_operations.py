"""Writing the book: each change of a reservation and its row in the log, inside the caller's transaction."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UnavailableError
from bespeak.base.frozen import replace
from bespeak.base.ids import tail
from bespeak.base.json_text import compact_utf8
from bespeak.ledger.actions import Action
from bespeak.ledger.model import EndReason
from bespeak.ledger.row_mapping import STORED_REASON, required, selection_facts
from bespeak.ledger.schema import LONG_US

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bespeak.ledger.model import Holder, Reservation, Resource
    from bespeak.storage.interface import Transaction

SYSTEM = "bespeak"
"""Who is named in the log for what follows from the rules alone (a lapse)."""

_INSERT = """
INSERT INTO ledger_reservations (seq, id, tail, fencing_token, holder, requested_by, resources, mode, starts_us,
    ends_us, created_us, purpose, tags, priority, lease_us, waiting, rank, wanted_us, not_before_us, keepalive_us,
    open_end, host, process, check_in_us, selection, approval)
VALUES (:seq, :id, :tail, :fencing_token, :holder, :requested_by, :resources, :mode, :starts_us, :ends_us, :created_us,
    :purpose, :tags, :priority, :lease_us, :waiting, :rank, :wanted_us, :not_before_us, :keepalive_us,
    :open_end, :host, :process, :check_in_us, :selection, :approval)
"""
_LOG = """
INSERT INTO ledger_log (at_us, action, reservation, resources, who, requested_by, before, after)
VALUES (:at_us, :action, :reservation, :resources, :who, :requested_by, :before, :after)
"""
_END = """
UPDATE ledger_reservations SET ended_us = :ended_us, end_reason = :reason, ended_note = :note, waiting = 0,
    unheard = :unheard, approval = CASE WHEN :refused = 1 THEN 'refused' ELSE approval END
WHERE seq = :seq AND ended_us IS NULL
"""
_COOL_DOWN = """
INSERT INTO ledger_closures (id, resource, starts_us, ends_us, kind, reason, made_by)
SELECT :id, name, :ended_us, :ended_us + cooldown_us, 'cooldown', '', :holder
FROM ledger_resources WHERE name = :name AND cooldown_us > 0
ON CONFLICT (resource, id) DO NOTHING
"""
"""Keeps a resource free for its cool-down behind a hold that ended before its time; else the booking itself says so."""
_AT = "resource = :name AND starts_us = :starts AND reservation = :seq"


NEXT_NUMBER = {
    "sqlite": "UPDATE ledger_counter SET last = last + 1 RETURNING last",
    "postgresql": "SELECT nextval('ledger_counter')",
}
"""Draws the next number of the book, for a new row and for a grant. Drawn under the locks of the resources concerned,
so a later grant of a resource has the greater number."""


def next_number(tx: Transaction) -> int:
    """Return the next number of the book."""
    row = tx.fetch_one(NEXT_NUMBER[tx.dialect])
    if row is None or type(row[0]) is not int:
        raise UnavailableError("the book is damaged: its counter of grants is no number")
    return row[0]


def insert(tx: Transaction, new: Reservation) -> None:
    """Write a new reservation; its bookings or its queue position are written apart."""
    tx.execute_deferred(
        _INSERT,
        [
            {
                "seq": new.seq,
                "id": new.id,
                "tail": tail(new.id),
                "fencing_token": new.fencing_token,
                "holder": new.holder,
                "requested_by": new.requested_by,
                "resources": compact_utf8(new.resources),
                "mode": new.mode.value,
                "starts_us": new.starts_us,
                "ends_us": FOREVER_US if new.in_queue else new.ends_us,
                "created_us": new.created_us,
                "purpose": new.purpose,
                "tags": compact_utf8(new.tags),
                "priority": new.priority,
                "lease_us": new.lease_us,
                "waiting": int(new.waiting),
                "rank": new.rank,
                "wanted_us": new.wanted_us,
                "not_before_us": new.not_before_us,
                "keepalive_us": new.keepalive_us,
                "open_end": int(new.open_end),
                "check_in_us": new.check_in_us,
                "host": new.origin.host,
                "process": new.origin.process,
                "selection": None if new.selection is None else compact_utf8(selection_facts(new.selection)),
                "approval": new.approval.value,
            }
        ],
    )


def book(tx: Transaction, granted: Reservation, known: Mapping[str, Resource]) -> None:
    """Enter a granted window into the index by resource.

    Args:
        tx: the transaction, which holds the locks of the resources.
        granted: the reservation.
        known: the resources that the book has already, by name.
    """
    remember(tx, granted, granted.ends_us, known)
    window = {"starts": granted.starts_us, "ends": granted.ends_us, "seq": granted.seq}
    tx.execute_deferred(
        "INSERT INTO ledger_bookings (resource, starts_us, ends_us, reservation) VALUES (:name, :starts, :ends, :seq)",
        [{"name": name, **window} for name in granted.resources],
    )


def remember(tx: Transaction, of: Reservation, ends_us: int, known: Mapping[str, Resource]) -> None:
    """Make resources by their first use, and note a booking until ``ends_us`` that is longer than all before."""
    length_us = ends_us - of.starts_us
    if length_us >= LONG_US:
        length_us = 0
    new = [name for name in of.resources if name not in known or known[name].longest_us < length_us]
    tx.execute_deferred(
        "INSERT INTO ledger_resources (name, longest_us) VALUES (:name, :longest) ON CONFLICT (name) DO UPDATE "
        "SET longest_us = excluded.longest_us WHERE ledger_resources.longest_us < excluded.longest_us",
        [{"name": name, "longest": length_us} for name in new],
    )


def unbook(tx: Transaction, of: Reservation, names: Iterable[str]) -> None:
    """Take some resources of a granted reservation out of the index."""
    keys = {"starts": of.starts_us, "seq": of.seq}
    tx.execute_deferred(f"DELETE FROM ledger_bookings WHERE {_AT}", [{**keys, "name": name} for name in names])


def rebook(tx: Transaction, of: Reservation, ends_us: int, known: Mapping[str, Resource]) -> None:
    """Give a reservation and its bookings another end, µs UTC."""
    remember(tx, of, ends_us, known)
    tx.execute_deferred(
        "UPDATE ledger_reservations SET ends_us = :ends WHERE seq = :seq", [{"ends": ends_us, "seq": of.seq}]
    )
    keys = {"starts": of.starts_us, "seq": of.seq, "ends": ends_us}
    tx.execute_deferred(
        f"UPDATE ledger_bookings SET ends_us = :ends WHERE {_AT}", [{**keys, "name": n} for n in of.resources]
    )


def cool_down(tx: Transaction, of: Reservation, names: Iterable[str], ended_us: int) -> None:
    """Keep resources that need it free for a while behind a hold that ended at ``ended_us``, µs UTC."""
    if of.starts_us < ended_us:
        rest = {"id": of.id, "holder": of.holder, "ended_us": ended_us}
        tx.execute_deferred(_COOL_DOWN, [{**rest, "name": name} for name in names])


def enter_queue(tx: Transaction, of: Reservation) -> None:
    """Enter a waiting reservation into the queue."""
    tx.execute_deferred(
        "INSERT INTO ledger_queue (resource, rank, reservation) VALUES (:name, :rank, :seq)",
        [{"name": name, "rank": of.rank, "seq": of.seq} for name in of.resources],
    )


def locked(tx: Transaction, identifier: str) -> Reservation:
    """Return a reservation, with the locks of its resources: those of somebody who waits by need change.

    Raises:
        NotFoundError: there is none.
    """
    found = required(tx, identifier)
    tx.require(map(resource_topic, found.resources))
    return found


def choose(tx: Transaction, of: Reservation, names: tuple[str, ...]) -> Reservation:
    """Let a waiter by need wait for other resources than before, all of whose locks the transaction holds."""
    leave_queue(tx, of)
    row = {"resources": compact_utf8(names), "seq": of.seq}
    tx.execute_deferred("UPDATE ledger_reservations SET resources = :resources WHERE seq = :seq", [row])
    chosen = replace(of, resources=names)
    enter_queue(tx, chosen)
    wake(tx, of)
    return chosen


def leave_queue(tx: Transaction, of: Reservation) -> None:
    """Take a waiting reservation out of the queue."""
    tx.execute_deferred(
        "DELETE FROM ledger_queue WHERE resource = :name AND rank = :rank AND reservation = :seq",
        [{"name": name, "rank": of.rank, "seq": of.seq} for name in of.resources],
    )


def end(
    tx: Transaction, of: Reservation, ended_us: int, why: EndReason, note: str = "", *, unheard: bool = False
) -> None:
    """End a live reservation all of whose locks the transaction holds: facts, bookings and queue position.

    Args:
        tx: the transaction.
        of: the reservation.
        ended_us: when, µs UTC.
        why: the reason that programs read.
        note: the reason that its holder reads.
        unheard: its holder has to be told (see :mod:`bespeak.ledger.kick_notices`).
    """
    tx.execute_deferred(_END, [_ending(of, ended_us, why, note) | {"unheard": int(unheard)}])
    _vacate(tx, of, ended_us)


def _ending(of: Reservation, ended_us: int, why: EndReason, note: str) -> dict[str, object]:
    reason, refused = STORED_REASON.get(why, why.value), int(why is EndReason.REFUSED)
    return {"seq": of.seq, "ended_us": ended_us, "reason": reason, "note": note, "unheard": 0, "refused": refused}


def _vacate(tx: Transaction, of: Reservation, ended_us: int) -> None:
    if of.in_queue:
        leave_queue(tx, of)
    else:
        if not of.waiting:
            cool_down(tx, of, of.resources, ended_us)
        unbook(tx, of, of.resources)
    wake(tx, of)


def forget(tx: Transaction, of: Reservation) -> None:
    """Remove a reservation that has ended, all of whose locks the transaction holds."""
    if of.in_queue:
        leave_queue(tx, of)
    unbook(tx, of, of.resources)
    tx.execute_deferred("DELETE FROM ledger_reservations WHERE seq = :seq", [{"seq": of.seq}])


def record_lapse(tx: Transaction, of: Reservation) -> None:
    """Record that a reservation whose sign of life is overdue has ended, at the instant at which it lapsed.

    Of several transactions that find it, each under the lock of another of its resources, one records it.
    """
    ended_us = of.end_us(tx.now_us)
    why = of.why_lapsed
    unheard = {"unheard": int(why is EndReason.UNANSWERED)}
    if tx.execute(_END, _ending(of, ended_us, why, "") | unheard):
        _vacate(tx, of, ended_us)
        after = {"ended_us": ended_us, "ended_why": why.value, "ended_note": ""}
        log(tx, Action(why.value), SYSTEM, None, of.id, of.resources, window(of), after)


def window(of: Reservation) -> dict[str, object]:
    """Return the window of a reservation for the log."""
    return {"starts_us": of.starts_us, "ends_us": of.ends_us}


def wake(tx: Transaction, of: Reservation) -> None:
    """Wake, after the commit, whoever follows this reservation or its resources."""
    tx.notify(reservation_topic(of.id))
    for name in of.resources:
        tx.notify(resource_topic(name))


def resource_topic(name: str) -> str:
    """Return the topic that changes of a resource are announced under; also the key that locks it."""
    return f"resource:{name}"


def reservation_topic(identifier: str) -> str:
    """Return the topic that changes of a reservation are announced under."""
    return f"reservation:{identifier}"


def log_by(
    tx: Transaction,
    action: Action,
    by: Holder,
    of: Reservation,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    """Record what ``by`` did to a reservation."""
    log(tx, action, by.name, by.requested_by, of.id, of.resources, before, after)


def log(
    tx: Transaction,
    action: Action,
    who: str,
    requested_by: str | None,
    reservation_id: str | None,
    resources: Iterable[str],
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Record a change: the facts that differ, before and after."""
    tx.execute_deferred(
        _LOG,
        [
            {
                "at_us": tx.now_us,
                "action": action.value,
                "reservation": reservation_id,
                "resources": compact_utf8(list(resources)),
                "who": who,
                "requested_by": requested_by,
                "before": compact_utf8(before or {}),
                "after": compact_utf8(after or {}),
            }
        ],
    )
