"""The timeline: resources as rows, time as columns, every booking a bar that is drawn where and when it is.

Positions are hundredths of the width, so that a drawing fits every screen without a script and without inline styles.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from bespeak.access.model import Right
from bespeak.base.clock import FOREVER_US, HOUR_US, MINUTE_US
from bespeak.base.display import escape_unprintable
from bespeak.base.natural_order import natural_key
from bespeak.web.views.reservations import element_id, resource_url, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.model import Reservation, Resource
    from bespeak.web.read import Board, Closure
    from bespeak.web.viewer import Viewer
    from bespeak.web.wallclock import WallClock

_LANE_HEIGHT = 30
_DAYS_OF_A_WEEK = 7
_LAST_MONTH = 12
_HOUR_LABELS = 3
"""A day has a label for each so many hours."""


class Span(Enum):
    """How much time the timeline shows at once."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def step_us(self) -> int:
        """Return the grid, µs, on which a booking is drawn with the pointer or with keys."""
        return {Span.DAY: 15 * MINUTE_US, Span.WEEK: HOUR_US, Span.MONTH: 6 * HOUR_US}[self]

    def days(self, day: date) -> tuple[date, date]:
        """Return the first day of the span that contains ``day``, and the first day after it."""
        if self is Span.DAY:
            return day, day + timedelta(days=1)
        if self is Span.WEEK:
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=_DAYS_OF_A_WEEK)
        after = date(day.year + day.month // _LAST_MONTH, day.month % _LAST_MONTH + 1, 1)
        return day.replace(day=1), after


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the timeline: where (per cent), what is written at it, and whether a day begins there."""

    x: str
    label: str
    major: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A booking or a promised place in the queue, in its row.

    Attributes:
        x: its left edge, per cent.
        width: per cent.
        y: its upper edge, pixels: bookings that overlap lie below each other.
        kind: ``mine``, ``held``, ``shared``, ``promised`` or ``blocked``.
        url: the page of the reservation; empty where the viewer may not know more of it.
        text: what is written on it.
        label: what a screen reader says.
        key: names it to the button that moves it; empty where the viewer cannot.
        starts_us: its start, µs UTC.
        ends_us: its end, µs UTC.
    """

    x: str
    width: str
    y: int
    kind: str
    url: str
    text: str
    label: str
    key: str = ""
    starts_us: int = 0
    ends_us: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """The row of one resource."""

    key: str
    name: str
    label: str
    url: str
    height: int
    bars: tuple[Bar, ...]
    may_reserve: bool


@dataclass(frozen=True, slots=True)
class TimelineView:
    """The page.

    Attributes:
        now_x: where the present instant is, per cent; empty where it is outside.
        step_us: the grid of bookings, µs.
    """

    title: str
    span: str
    day: str
    earlier: str
    later: str
    starts_us: int
    ends_us: int
    step_us: int
    now_x: str
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    last_seq: int
    changes_us: int | None


def window(span: Span, day: date, clock: WallClock) -> tuple[int, int]:
    """Return the window, µs UTC, of a span around a day in the viewer's zone."""
    first, after = span.days(day)
    return clock.midnight(first), clock.midnight(after)


def timeline_view(board: Board, viewer: Viewer, clock: WallClock, span: Span, day: date) -> TimelineView:
    """Return the page for what was read of :func:`window`."""
    first, after = span.days(day)
    starts_us, ends_us = window(span, day, clock)
    scale = _Scale(starts_us, ends_us)
    viewer.ask_at_once(board.names)
    seen = sorted(
        (one for one in board.resources if viewer.may(Right.LOOK, one.name)), key=lambda r: natural_key(r.name)
    )
    lanes = tuple(_lane(one, board, viewer, clock, scale) for one in seen)
    inside = starts_us <= clock.now_us < ends_us
    return TimelineView(
        title=_title(span, first, after),
        span=span.value,
        day=day.isoformat(),
        earlier=(first - timedelta(days=1)).isoformat(),
        later=after.isoformat(),
        starts_us=starts_us,
        ends_us=ends_us,
        step_us=span.step_us,
        now_x=scale.per_cent(clock.now_us) if inside else "",
        ticks=_ticks(span, first, after, clock, scale),
        lanes=lanes,
        last_seq=board.last_seq,
        changes_us=clock.now_us + MINUTE_US if inside else None,
    )


def _title(span: Span, first: date, after: date) -> str:
    last = after - timedelta(days=1)
    if span is Span.DAY:
        return f"{first:%A} {first.day} {first:%B %Y}"
    if span is Span.MONTH:
        return f"{first:%B %Y}"
    return f"{first.day} {first:%b} to {last.day} {last:%b %Y}, week {first.isocalendar().week}"


@dataclass(frozen=True, slots=True)
class _Scale:
    starts_us: int
    ends_us: int

    def per_cent(self, instant_us: int) -> str:
        inside = min(max(instant_us, self.starts_us), self.ends_us)
        return f"{(inside - self.starts_us) * 100 / (self.ends_us - self.starts_us):.3f}"

    def width(self, starts_us: int, ends_us: int) -> str:
        starts_us, ends_us = max(starts_us, self.starts_us), min(ends_us, self.ends_us)
        return f"{max((ends_us - starts_us) * 100 / (self.ends_us - self.starts_us), 0.05):.3f}"


def _ticks(span: Span, first: date, after: date, clock: WallClock, scale: _Scale) -> tuple[Tick, ...]:
    if span is Span.DAY:
        starts_us = clock.midnight(first)
        hours = range((scale.ends_us - starts_us) // HOUR_US)
        instants = [(starts_us + hour * HOUR_US) for hour in hours]
        return tuple(
            Tick(scale.per_cent(at), f"{clock.local(at):%H:%M}" if index % _HOUR_LABELS == 0 else "", index == 0)
            for index, at in enumerate(instants)
        )
    count = (after - first).days
    form = "{:%a} {}" if span is Span.WEEK else "{1}"
    return tuple(
        Tick(scale.per_cent(at), form.format(day, day.day), day.weekday() == 0) for day, at in clock.days(first, count)
    )


def _lane(of: Resource, board: Board, viewer: Viewer, clock: WallClock, scale: _Scale) -> Lane:
    waiting = [one for one in board.waiting.get(of.name, ()) if one.starts_us < scale.ends_us and _promised(one)]
    every = sorted([*board.booked.get(of.name, ()), *waiting], key=lambda one: (one.starts_us, one.seq))
    every = [one for one in every if one.end_us(clock.now_us) > scale.starts_us]
    rows = _stacked(every, clock.now_us)
    bars = tuple(_blocked(of.name, one, clock, scale) for one in board.closures.get(of.name, ()))
    bars += tuple(_bar(of.name, one, row, viewer, clock, scale) for one, row in zip(every, rows, strict=True))
    return Lane(
        key=element_id("lane", of.name),
        name=of.name,
        label=escape_unprintable(of.name),
        url=resource_url(of.name),
        height=(max(rows, default=0) + 1) * _LANE_HEIGHT,
        bars=bars,
        may_reserve=viewer.may(Right.RESERVE, of.name),
    )


def _promised(of: Reservation) -> bool:
    return of.starts_us < FOREVER_US


def _stacked(every: Sequence[Reservation], now_us: int) -> list[int]:
    """Return for each of some reservations, by start, the first row in which nothing overlaps it."""
    ends: list[int] = []
    rows = []
    for one in every:
        row = next((index for index, end in enumerate(ends) if end <= one.starts_us), len(ends))
        ends[row : row + 1] = [one.end_us(now_us)]
        rows.append(row)
    return rows


def _blocked(name: str, of: Closure, clock: WallClock, scale: _Scale) -> Bar:
    """Return the bar of a window in which a resource is not given out."""
    text = f"{of.kind}: {escape_unprintable(of.reason)}" if of.reason else of.kind
    starts, ends = clock.moment(of.starts_us).text, clock.moment(of.ends_us).text
    x, width = scale.per_cent(of.starts_us), scale.width(of.starts_us, of.ends_us)
    return Bar(x, width, 3, "blocked", "", text, f"{escape_unprintable(name)}: {text}, {starts} to {ends}")


def _bar(name: str, of: Reservation, row: int, viewer: Viewer, clock: WallClock, scale: _Scale) -> Bar:
    shown = show(of, viewer, clock)
    kind = "promised" if of.waiting else "mine" if shown.mine else "held"
    if kind == "held" and shown.shared:
        kind = "shared"
    ends_us = of.end_us(clock.now_us)
    verb = {"promised": "promised", "shared": "shared"}.get(kind, "held")
    text = f"{shown.holder} · {shown.purpose}" if shown.purpose else shown.holder
    return Bar(
        x=scale.per_cent(of.starts_us),
        width=scale.width(of.starts_us, ends_us),
        y=row * _LANE_HEIGHT + 3,
        kind=kind,
        url=shown.url,
        text=text,
        label=f"{escape_unprintable(name)}: {text}, {verb} {shown.starts.text} to {shown.ends.text}",
        key=shown.key if shown.may_move and of.ends_us < FOREVER_US else "",
        starts_us=of.starts_us,
        ends_us=of.ends_us,
    )
