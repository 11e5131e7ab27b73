"""What a change of the book means for whom: pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import FOREVER_US, MINUTE_US, as_datetime
from bespeak.base.display import escape_unprintable
from bespeak.base.ids import short_id
from bespeak.ledger.actions import Action
from bespeak.ledger.model import State
from bespeak.notices.model import Draft, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.model import Reservation

SOON_US = 10 * MINUTE_US
"""So long before its end a hold's holder is told, µs."""

LEAST_US = 2 * SOON_US
"""A shorter hold ends soon from its start; nobody is told that."""

_ANSWERS = {Action.APPROVED: "was approved", Action.REFUSED: "was refused", Action.UNANSWERED: "expired unanswered"}
_CHANGES = (Action.MOVED, Action.SHORTENED, Action.TRANSFERRED)
TELLING = frozenset({Action.GRANTED, Action.QUEUED, Action.KICKED, Action.APPROVAL_ASKED, *_CHANGES, *_ANSWERS})
"""The rows of the log that can mean a notice."""


def drafts(
    entry: LogEntry,
    reservation: Reservation | None,
    holders: Callable[[], Iterable[Reservation]],
    approvers: Callable[[], Iterable[str]] = tuple,
) -> list[Draft]:
    """Return the notices that a row of the log means.

    Args:
        entry: the row.
        reservation: the reservation that it is about.
        holders: returns the holds on the resources of the row, as they are now.
        approvers: returns who may approve reservations of these resources.
    """
    if reservation is None:
        return []
    cause = f"log:{entry.seq}"
    if entry.action is Action.APPROVAL_ASKED:
        return _asked(entry, reservation, approvers(), cause)
    if entry.action is Action.QUEUED:
        return _somebody_waits(entry, reservation, holders(), cause)
    teller = _TELLERS.get(entry.action)
    return [] if teller is None else teller(entry, reservation, cause)


def _your_turn(entry: LogEntry, reservation: Reservation, cause: str) -> list[Draft]:
    text = f"It is your turn: {_names(entry.resources)} is yours {_until(reservation.ends_us)}."
    return [Draft(reservation.holder, Kind.YOUR_TURN, text, cause, entry.resources, reservation.id)]


def _somebody_waits(
    entry: LogEntry, reservation: Reservation, holders: Iterable[Reservation], cause: str
) -> list[Draft]:
    purpose = f" ({escape_unprintable(reservation.purpose)})" if reservation.purpose else ""
    found = {hold.holder: hold for hold in holders if hold.holder != reservation.holder}
    return [
        Draft(
            hold.holder,
            Kind.SOMEBODY_WAITS,
            f"{escape_unprintable(reservation.holder)} waits for {_shared(entry, hold)}, which you hold "
            f"{_until(hold.ends_us)}{purpose}.",
            cause,
            tuple(name for name in entry.resources if name in hold.resources),
            hold.id,
        )
        for hold in found.values()
    ]


def _changed_by_another(entry: LogEntry, reservation: Reservation, cause: str) -> list[Draft]:
    """Return what the holder is told who did not make the change; who got a hold from another is the holder then."""
    by = entry.requested_by or entry.who
    if by == reservation.holder:
        return []
    what = f"{escape_unprintable(by)} %s {_what_of(entry)}"
    reason = escape_unprintable(str(entry.after.get("reason") or ""))
    window = f"{_clock(reservation.starts_us)}, {_until(reservation.ends_us)}"
    text = f"{what % 'moved your booking of'}: it begins {window}"
    if entry.action is Action.SHORTENED:
        text = f"{what % 'shortened your hold on'}: it is yours {_until(reservation.ends_us)}"
    if entry.action is Action.TRANSFERRED:
        text = f"{what % 'handed over to you'}, {_until(reservation.ends_us)}"
    text += f" ({reason})." if reason else "."
    return [Draft(reservation.holder, Kind.MOVED, text, cause, entry.resources, reservation.id)]


def _what_of(entry: LogEntry) -> str:
    """Return the resources of a row; of a move to others, those before and those after it."""
    before, after = entry.before.get("resources"), entry.after.get("resources")
    if isinstance(before, list) and isinstance(after, list):
        return f"{_names(map(str, before))} to {_names(map(str, after))}"
    return _names(entry.resources)


def _asked(entry: LogEntry, reservation: Reservation, approvers: Iterable[str], cause: str) -> list[Draft]:
    """Return what those who may approve a reservation are told."""
    if not reservation.is_awaiting:
        return []
    purpose = f" ({escape_unprintable(reservation.purpose)})" if reservation.purpose else ""
    text = (
        f"{escape_unprintable(reservation.holder)} asks for {_names(entry.resources)} from "
        f"{_clock(reservation.starts_us)} {_until(reservation.ends_us)}{purpose}: approve or refuse it, "
        f"reservation {short_id(reservation.id)}."
    )
    told = sorted(set(approvers) - {reservation.holder})
    return [Draft(one, Kind.APPROVAL, text, cause, entry.resources, reservation.id) for one in told]


def _answered(entry: LogEntry, reservation: Reservation, cause: str) -> list[Draft]:
    """Return what the holder is told whose reservation awaited approval."""
    by = entry.requested_by or entry.who
    if by == reservation.holder:
        return []
    who = "" if entry.action is Action.UNANSWERED else f" by {escape_unprintable(by)}"
    reason = escape_unprintable(str(entry.after.get("ended_note") or ""))
    text = f"Your request for {_names(entry.resources)} {_ANSWERS[entry.action]}{who}{': ' + reason if reason else ''}."
    return [Draft(reservation.holder, Kind.APPROVAL, text, cause, entry.resources, reservation.id)]


def _taken(entry: LogEntry, reservation: Reservation, cause: str) -> list[Draft]:
    by = entry.requested_by or entry.who
    if by == reservation.holder:
        return []
    reason = escape_unprintable(str(entry.after.get("ended_note") or ""))
    text = f"{escape_unprintable(by)} took {_names(entry.resources)} away from you{': ' + reason if reason else ''}."
    return [Draft(reservation.holder, Kind.TAKEN_AWAY, text, cause, entry.resources, reservation.id)]


_TELLERS: dict[Action, Callable[[LogEntry, Reservation, str], list[Draft]]] = {
    Action.GRANTED: _your_turn,
    Action.KICKED: _taken,
    **dict.fromkeys(_CHANGES, _changed_by_another),
    **dict.fromkeys(_ANSWERS, _answered),
}


def ending_drafts(holds: Iterable[Reservation], now_us: int) -> list[Draft]:
    """Return the notices for holds that end soon; a hold that is extended is told of again at its new end."""
    found = []
    for hold in holds:
        soon = now_us < hold.ends_us <= now_us + SOON_US
        if soon and hold.state(now_us) is State.ACTIVE and hold.ends_us - hold.starts_us >= LEAST_US:
            text = f"Your hold on {_names(hold.resources)} ends {_at(hold.ends_us)}."
            cause = f"end:{hold.id}:{hold.ends_us}"
            found.append(Draft(hold.holder, Kind.ENDS_SOON, text, cause, hold.resources, hold.id))
    return found


def free_draft(holder: str, resource: str, asked_us: int) -> Draft:
    """Return the notice that a resource is free, for somebody who asked at ``asked_us`` (µs UTC) to be told."""
    text = f"{escape_unprintable(resource)} is free."
    return Draft(holder, Kind.FREE, text, f"free:{resource}:{asked_us}", (resource,))


def _names(resources: Iterable[str]) -> str:
    return ", ".join(escape_unprintable(name) for name in resources)


def _shared(entry: LogEntry, hold: Reservation) -> str:
    return _names(name for name in entry.resources if name in hold.resources)


def _until(ends_us: int) -> str:
    return "without an end" if ends_us >= FOREVER_US else f"until {_clock(ends_us)}"


def _at(ends_us: int) -> str:
    return f"at {_clock(ends_us)}"


def _clock(instant_us: int) -> str:
    return f"{as_datetime(instant_us):%Y-%m-%d %H:%M} UTC"
