"""Reservations as an iCalendar file (RFC 5545), as calendar programs subscribe to it.

Instants are in UTC, which every program shows in its own zone. An event keeps its ``UID`` for ever; its ``SEQUENCE``
grows with each change that the log has of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.access.model import Caller, Role, kind_of
from bespeak.base.clock import DAY_US, FOREVER_US, as_datetime
from bespeak.base.display import escape_unprintable
from bespeak.integrations.calendar_links import Shows
from bespeak.ledger import rights, row_mapping
from bespeak.ledger.inventory.read import entries
from bespeak.ledger.model import EndReason, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.integrations.calendar_links import CalendarLink
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.model import Reservation
    from bespeak.storage.interface import Transaction

PAST_US = 31 * DAY_US
AHEAD_US = 366 * DAY_US
_LINE_BYTES = 75
_AT_ONCE = 400
_NEVER_TOOK_PLACE = frozenset({EndReason.CANCELLED, EndReason.NO_SHOW, EndReason.REPLACED})


@dataclass(frozen=True, slots=True)
class Event:
    """A reservation with what the log knows of it.

    Attributes:
        changes: how often it was changed.
        changed_us: when it was last, µs UTC.
    """

    of: Reservation
    changes: int
    changed_us: int


def calendar(book: LedgerContext, link: CalendarLink) -> bytes:
    """Return the calendar that a link shows, with its owner's rights."""

    def work(tx: Transaction) -> tuple[list[Event], int]:
        window_us = (tx.now_us - PAST_US, tx.now_us + AHEAD_US)
        if link.shows is Shows.USER:
            found = _of_holder(tx, link.target, window_us)
        else:
            found = _of_resources(tx, _visible(book, tx, link), window_us)
        wanted = [one for one in found if _takes_place(one, tx.now_us)]
        return _with_changes(tx, wanted), tx.now_us

    events, now_us = book.engine.read(work)
    return ical(f"bespeak: {link.title}", events, now_us, names_hidden=link.names_hidden)


def _takes_place(of: Reservation, now_us: int) -> bool:
    if of.waiting:
        return of.state(now_us) in (State.WAITING, State.AWAITING) and of.starts_us < FOREVER_US
    return of.fencing_token is not None and of.end_reason not in _NEVER_TOOK_PLACE and of.starts_us < of.end_us(now_us)


def _visible(book: LedgerContext, tx: Transaction, link: CalendarLink) -> list[str]:
    names = [link.target] if link.shows is Shows.RESOURCE else _names(tx, link)
    owner = Caller(link.owner, kind_of(link.owner), "calendar", unruled=Role.VIEWER)
    answers = rights.decisions(book, tx, owner, "look", names)
    return [name for name, answer in zip(names, answers, strict=True) if answer.allowed]


def _names(tx: Transaction, link: CalendarLink) -> list[str]:
    every = entries(tx).values()
    return [one.name for one in every if link.shows is Shows.ALL or link.target in one.properties.groups]


def _of_holder(tx: Transaction, holder: str, window_us: tuple[int, int]) -> list[Reservation]:
    sql = (
        f"SELECT {row_mapping.COLUMNS} FROM ledger_reservations r WHERE r.holder = :holder AND r.starts_us < :ends "
        "AND (r.ended_us IS NULL OR r.ended_us > :starts) AND r.ends_us > :starts ORDER BY r.seq"
    )
    params = {"holder": holder, "starts": window_us[0], "ends": window_us[1]}
    return [row_mapping.reservation(row) for row in tx.fetch_all(sql, params)]


def _of_resources(tx: Transaction, names: Sequence[str], window_us: tuple[int, int]) -> list[Reservation]:
    found: dict[int, Reservation] = {}
    for first in range(0, len(names), _AT_ONCE):
        part = names[first : first + _AT_ONCE]
        every = row_mapping.overlapping(tx, part, *window_us) + row_mapping.in_queue(tx, part)
        found |= {one.seq: one for _, one in every}
    return [found[seq] for seq in sorted(found)]


def _with_changes(tx: Transaction, found: Sequence[Reservation]) -> list[Event]:
    changes: dict[str, tuple[int, int]] = {}
    for first in range(0, len(found), _AT_ONCE):
        inside, params = row_mapping.in_list("i", [one.id for one in found[first : first + _AT_ONCE]])
        sql = f"SELECT reservation, COUNT(*), MAX(at_us) FROM ledger_log WHERE reservation IN ({inside}) GROUP BY 1"
        changes |= {row[0]: (int(row[1]), int(row[2])) for row in tx.fetch_all(sql, params)}
    return [Event(one, *changes.get(one.id, (1, one.created_us))) for one in found]


def ical(title: str, events: Iterable[Event], now_us: int, *, names_hidden: bool) -> bytes:
    """Return a calendar.

    Args:
        title: its name.
        events: what is in it.
        now_us: the present instant, µs UTC.
        names_hidden: say that something is taken, not by whom or why.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//bespeak//bespeak//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(title)}",
        "X-WR-TIMEZONE:Etc/UTC",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
    ]
    for event in events:
        lines += _event(event, now_us, names_hidden=names_hidden)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(event: Event, now_us: int, *, names_hidden: bool) -> list[str]:
    of = event.of
    ends_us = of.end_us(now_us)
    open_end = ends_us >= FOREVER_US
    shown_end_us = (now_us + AHEAD_US) // DAY_US * DAY_US if open_end else ends_us
    names = ", ".join(of.resources)
    waits = of.waiting
    summary = f"{names}: {'taken' if names_hidden else of.holder}"
    notes = [] if names_hidden or not of.purpose else [of.purpose]
    notes += ["no end"] if open_end else []
    notes += ["awaits approval"] if of.is_awaiting else ["promised at the latest for this time"] if waits else []
    lines = [
        "BEGIN:VEVENT",
        f"UID:{of.id}@bespeak",
        f"DTSTAMP:{_instant(event.changed_us)}",
        f"LAST-MODIFIED:{_instant(event.changed_us)}",
        f"CREATED:{_instant(of.created_us)}",
        f"SEQUENCE:{max(event.changes - 1, 0)}",
        f"DTSTART:{_instant(of.starts_us)}",
        f"DTEND:{_instant(max(shown_end_us, of.starts_us + 1_000_000))}",
        f"SUMMARY:{_text(summary)}",
        f"LOCATION:{_text(names)}",
        f"STATUS:{'TENTATIVE' if waits else 'CONFIRMED'}",
        f"TRANSP:{'TRANSPARENT' if waits else 'OPAQUE'}",
    ]
    if notes:
        lines.append(f"DESCRIPTION:{_text('; '.join(notes))}")
    return [*lines, "END:VEVENT"]


def _instant(instant_us: int) -> str:
    return f"{as_datetime(instant_us):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """Escape a text; what does not print is shown as an escape first, so it can begin no line."""
    plain = escape_unprintable(text)
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> bytes:
    """Return a line in pieces of at most 75 bytes, none of which cuts a character."""
    pieces: list[bytes] = []
    piece = b""
    for char in line:
        encoded = char.encode("utf-8", "replace")
        if len(piece) + len(encoded) > _LINE_BYTES:
            pieces.append(piece)
            piece = b" "
        piece += encoded
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
