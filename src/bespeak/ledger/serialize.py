"""The JSON forms of the book's values: one shape for every door.

An instant appears twice: as ISO 8601 in UTC (null for "no end") and, under ``..._us``, as integer microseconds.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, iso
from bespeak.base.ids import short_id
from bespeak.ledger.model import State, holder_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.maintenance import Plan, Window
    from bespeak.ledger.model import Booking, Free, QueuePosition, Refusal, Reservation, Resource

    Json = dict[str, object]


def instant_json(name: str, instant_us: int | None) -> Json:
    """Return an instant, µs UTC, as ISO 8601 and as µs; null for no end."""
    bounded = instant_us is not None and instant_us < FOREVER_US
    return {name: iso(instant_us), f"{name}_us": instant_us if bounded else None}


def reservation_json(of: Reservation, now_us: int) -> Json:
    """Return a reservation as it stands at ``now_us`` (µs UTC)."""
    state = of.state(now_us)
    return {
        "id": of.id,
        "short_id": short_id(of.id),
        "number": of.fencing_token,
        "state": state.value,
        "holder": of.holder,
        "holder_kind": of.kind.value,
        "acting": of.requested_by,
        "host": of.origin.host or None,
        "process": of.origin.process or None,
        **instant_json("seen", of.seen_us),
        "resources": list(of.resources),
        "mode": of.mode.value,
        **instant_json("starts", of.starts_us),
        **instant_json("ends", of.ends_us),
        **instant_json("created", of.created_us),
        **instant_json("ended_at", of.end_us(now_us) if state is State.ENDED else None),
        "ended_why": of.why_ended(now_us),
        "ended_note": of.ended_note,
        "purpose": of.purpose,
        "tags": dict(of.tags),
        "priority": of.priority,
        "open_end": of.open_end,
        "approval": of.approval.value or None,
        "needs": [{"count": need.count, "label": need.label} for need in of.selection.needs] if of.selection else [],
    }


def booking_json(of: Booking) -> Json:
    """Return what is in the way of a request."""
    return {
        "resource": of.resource,
        "holder": of.holder,
        "holder_kind": holder_kind(of.holder).value,
        "host": of.origin.host or None,
        "process": of.origin.process or None,
        **instant_json("seen", of.seen_us or None),
        "reservation_id": of.reservation_id,
        "mode": of.mode.value,
        "waiting": of.waiting,
        "awaiting": of.awaiting,
        **instant_json("starts", of.starts_us),
        **instant_json("ends", of.ends_us),
        "purpose": of.purpose,
    }


def refusal_json(of: Refusal) -> Json:
    """Return why a request was refused, and when it would be granted."""
    return {
        "conflicts": [booking_json(booking) for booking in of.conflicts],
        **instant_json("next_free", of.next_free_us),
    }


def position_json(of: QueuePosition) -> Json:
    """Return where somebody stands in the queue."""
    return {
        "position": of.position,
        "ahead": list(of.ahead),
        **instant_json("promised", of.promised_us),
        **instant_json("expected", of.expected_us),
        **instant_json("moved_from", of.moved_from_us),
        "moved_by": of.moved_by,
        "held": [booking_json(booking) for booking in of.held],
    }


def resource_json(of: Resource) -> Json:
    """Return a resource."""
    return {"name": of.name, "capacity": of.capacity, "declared": of.declared, "description": of.description}


def free_json(of: Free) -> Json:
    """Return a free window."""
    return {"resource": of.resource, **instant_json("from", of.from_us), **instant_json("until", of.until_us)}


def log_json(of: LogEntry) -> Json:
    """Return a row of the log."""
    return {
        "seq": of.seq,
        **instant_json("at", of.at_us),
        "action": of.action.value,
        "who": of.who,
        "acting": of.requested_by,
        "reservation_id": of.reservation_id,
        "resources": list(of.resources),
        "before": of.before,
        "after": of.after,
    }


def window_json(of: Window) -> Json:
    """Return a window of maintenance."""
    return {
        "id": of.id,
        "resource": of.resource,
        **instant_json("starts", of.starts_us),
        **instant_json("ends", of.ends_us),
        "reason": of.reason,
        "who": of.who,
    }


def plan_json(of: Plan, now_us: int) -> Json:
    """Return maintenance, and what became of the reservations that it hits (at ``now_us``, µs UTC)."""
    return {
        "maintenance": [window_json(one) for one in of.windows],
        "hits": [
            {"before": reservation_json(hit.before, now_us), "after": reservation_json(hit.after, now_us)}
            for hit in of.hits
        ],
    }
