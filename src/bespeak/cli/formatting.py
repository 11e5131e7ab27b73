"""Reservations as people read them: short ids, local time with the zone named, names made safe."""

from __future__ import annotations

from bespeak.base import clock, ids, timeparse
from bespeak.base.clock import FOREVER_US, duration_text
from bespeak.base.display import escape_unprintable
from bespeak.cli.output import table
from bespeak.ledger.errors import CLOSED
from bespeak.ledger.holders import use_text
from bespeak.ledger.model import Approval, Mode, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.model import Booking, Origin, Reservation


def names(of: Reservation) -> str:
    """Return the resources, and whether they are shared."""
    shared = " (shared)" if of.mode is Mode.SHARED else ""
    return escape_unprintable(", ".join(of.resources)) + shared


def until(instant_us: int) -> str:
    """Return ``until 2026-11-24 14:00 CET``, or ``without an end``."""
    return "without an end" if instant_us >= FOREVER_US else f"until {timeparse.show(instant_us)}"


def length(of: Reservation) -> str:
    """Return how long it lasts, in brackets; nothing for an open end."""
    return "" if of.ends_us >= FOREVER_US else f" ({duration_text(of.ends_us - of.starts_us)})"


def window(of: Reservation, now_us: int) -> str:
    """Return when it is, seen from now."""
    state = of.state(now_us)
    if state is State.WAITING:
        return "waiting" + ("" if of.starts_us >= FOREVER_US else f", promised from {timeparse.show(of.starts_us)}")
    if state is State.AWAITING:
        return f"awaiting approval, from {timeparse.show(of.starts_us)} {until(of.ends_us)}{length(of)}"
    if state is State.ACTIVE:
        return until(of.ends_us) + length(of)
    if state is State.ENDED:
        return f"ended {timeparse.show(of.end_us(now_us))} ({of.why_ended(now_us)})"
    return f"from {timeparse.show(of.starts_us)} {until(of.ends_us)}{length(of)}"


def sentence(of: Reservation, now_us: int) -> str:
    """Return one line about a reservation: id, resources, when."""
    return f"{ids.short_id(of.id)}  {names(of)}  {window(of, now_us)}"


_WIDE = 160
"""From so many columns on there is room for the machine on which each was made."""
_ROOM = 120
"""From so many columns on there is room for what uses a reservation, where something does."""

_LIST = ("ID", "STATE", "HOLDER", "RESOURCES", "FROM", "UNTIL", "PURPOSE")
_ELASTIC = ("PURPOSE", "RESOURCES", "HOLDER")


def rows(found: Sequence[Reservation], now_us: int, width: int | None = None) -> str:
    """Return reservations as a table.

    Args:
        found: the reservations.
        now_us: the present, µs UTC.
        width: the columns there are: with few, times are short and texts are cut; with many, it says where each is
            used. None is for as many as it takes.
    """
    cells = [
        [
            ids.short_id(of.id),
            of.state(now_us).value,
            of.holder,
            names(of),
            "-" if of.starts_us >= FOREVER_US else timeparse.show(of.starts_us),
            "-" if of.starts_us >= FOREVER_US else timeparse.show(min(of.ends_us, of.ended_us or FOREVER_US)),
            of.purpose,
        ]
        for of in found
    ]
    is_used = any(of.origin.text for of in found)
    if width is None and not is_used:
        return table(_LIST, cells)
    if width is None or width >= (_ROOM if is_used else _WIDE):
        every = [[*row, of.origin.text or of.origin.host] for row, of in zip(cells, found, strict=True)]
        return table((*_LIST, "WHERE"), every, width, (*_ELASTIC, "WHERE"))
    if len(table(_LIST, [[*row[:-1], ""] for row in cells]).partition("\n")[0]) > width - len("PURPOSE"):
        now, _, zone = timeparse.show(now_us).rpartition(" ")
        for row in cells:
            row[4:6] = (_short(text, now) for text in row[4:6])
        return table((*_LIST[:4], f"FROM ({zone})", f"UNTIL ({zone})", "PURPOSE"), cells, width, _ELASTIC)
    return table(_LIST, cells, width, _ELASTIC)


def _short(text: str, now: str) -> str:
    """Return a time of a table without its zone and seconds, and without the year if it is this year."""
    date, _, rest = text.partition(" ")
    if len(date) != len("2026-01-31") or not rest:
        return text
    return f"{date[5:]} {rest[:5]}" if date[:4] == now[:4] else date


def details(of: Reservation, now_us: int) -> str:
    """Return everything about one reservation."""
    lines = [
        ("id", of.id),
        ("state", of.state(now_us).value),
        ("holder", of.holder + (f" (asked for by {of.requested_by})" if of.requested_by else "")),
        ("resources", ", ".join(of.resources)),
        ("mode", of.mode.value),
        ("from", "-" if of.starts_us >= FOREVER_US else timeparse.show(of.starts_us)),
        ("until", "-" if of.starts_us >= FOREVER_US else timeparse.show(of.ends_us)),
        ("made", timeparse.show(of.created_us)),
        ("number", str(of.fencing_token) if of.fencing_token is not None else "-"),
        ("purpose", of.purpose or "-"),
        ("host", of.origin.host or "-"),
        ("process", of.origin.process or "-"),
        ("seen", timeparse.show(of.seen_us)),
        ("tags", " ".join(f"{key}={value}" for key, value in of.tags) or "-"),
    ]
    if of.in_queue:
        lines.append(("priority", str(of.priority)))
    if of.state(now_us) is State.AWAITING:
        lines.append(("approval", f"asked for; unanswered, it expires {timeparse.show(of.lease_us or 0)}"))
    elif of.approval is Approval.GIVEN:
        lines.append(("approval", "given"))
    if of.state(now_us) is State.ENDED:
        note = f": {of.ended_note}" if of.ended_note else ""
        lines.append(("ended", f"{timeparse.show(of.end_us(now_us))}, {of.why_ended(now_us)}{note}"))
    return "\n".join(f"{name + ':':<11}{escape_unprintable(value)}" for name, value in lines)


ANSWERS = {"approved": "was approved", "refused": "was refused", "unanswered": "expired, nobody answered it"}
"""What became of a reservation that awaited approval, by the action in the log."""


def taken_away(kick: LogEntry) -> str:
    """Return what whoever had or asked for a reservation has to hear."""
    reason = kick.after.get("ended_note")
    if kick.action.value in ANSWERS:
        by = "" if kick.action.value == "unanswered" else f" by {kick.requested_by or kick.who}"
        what = f"{', '.join(kick.resources)} (reservation {ids.short_id(kick.reservation_id or '')})"
        said = f"{ANSWERS[kick.action.value]}{by}, {timeparse.show(kick.at_us)}"
        return f"your request for {what} {said}{f': {reason}' if reason else ''}"
    what = f"{', '.join(kick.resources)} (reservation {ids.short_id(kick.reservation_id or '')})"
    who = kick.requested_by or kick.who
    return f"{what} was taken away from you by {who}, {timeparse.show(kick.at_us)}: {reason or 'no reason given'}"


def used_by(origin: Origin, seen_us: int, now_us: int) -> str:
    """Return what uses it, where, and when that last gave a sign of life; nothing for what no process keeps."""
    return use_text(origin.text, seen_us, now_us)


def in_the_way(booking: Booking, now_us: int | None = None) -> str:
    """Return one conflict: what, who, from when if it has not begun, until when, why.

    Args:
        booking: what is in the way.
        now_us: the present of the book, µs UTC; by default that of this machine.
    """
    now_us = clock.now() if now_us is None else now_us
    begun = booking.waiting or booking.starts_us <= now_us
    what = "is promised to" if booking.waiting else "is held by" if begun else "is booked by"
    from_ = "" if begun else f"from {timeparse.show(booking.starts_us)} "
    who = booking.holder + used_by(booking.origin, booking.seen_us, now_us)
    what = "is kept, until somebody approves it, for" if booking.awaiting else what
    what = CLOSED[booking.closed] if booking.closed else f"{what} {who}"
    purpose = f" ({booking.purpose})" if booking.purpose else ""
    if booking.closed and booking.ends_us >= FOREVER_US:
        return f"{booking.resource} {what}{purpose}"
    return f"{booking.resource} {what} {from_}{until(booking.ends_us)}{purpose}"
