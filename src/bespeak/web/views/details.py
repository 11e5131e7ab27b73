"""The pages of one resource, of one reservation, of what is the viewer's, and of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.access.model import Right
from bespeak.base.clock import DAY_US, FOREVER_US
from bespeak.base.display import escape_unprintable
from bespeak.ledger.actions import Action
from bespeak.ledger.model import State
from bespeak.ledger.series import TAG
from bespeak.notices import targets
from bespeak.web.views.now import NowRow, now_view
from bespeak.web.views.reservations import reservation_url, resource_url, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.inventory.model import Entry
    from bespeak.ledger.model import Reservation
    from bespeak.notices.model import Subscription
    from bespeak.web.read import Account, Board, Usage
    from bespeak.web.viewer import Viewer
    from bespeak.web.views.reservations import Shown
    from bespeak.web.wallclock import Moment, WallClock

_VERBS = {
    Action.RESERVED: "reserved",
    Action.QUEUED: "joined the line for",
    Action.PROMISED: "was promised another time for",
    Action.GRANTED: "was granted",
    Action.EXTENDED: "extended",
    Action.SHORTENED: "shortened",
    Action.RELEASED: "released",
    Action.CANCELLED: "cancelled",
    Action.KICKED: "took away",
    Action.LAPSED: "recorded the lapse of",
    Action.NO_SHOW: "ended the wait of one who was gone for",
    Action.CLOSED: "planned maintenance of",
    Action.OPENED: "ended the maintenance of",
    Action.MOVED: "moved",
    Action.APPROVAL_ASKED: "asked for",
    Action.APPROVED: "approved",
    Action.REFUSED: "refused",
    Action.UNANSWERED: "recorded that nobody answered for",
    Action.TRANSFERRED: "handed over",
    Action.SWAPPED: "swapped",
    Action.PART_RELEASED: "released a part of",
    Action.RESOURCE_SET: "declared",
    Action.RESOURCE_REMOVED: "removed",
    Action.ACTING: "is acting on",
    Action.ACTED: "acted on",
}


@dataclass(frozen=True, slots=True)
class LogRow:
    """A row of the log, ready to be shown."""

    seq: int
    at: Moment
    who: str
    requested_by: str
    verb: str
    resources: tuple[tuple[str, str], ...]
    url: str
    note: str


@dataclass(frozen=True, slots=True)
class LogView:
    """The page of the log.

    Attributes:
        earlier: the number before which the next page begins; None on the last page.
    """

    rows: tuple[LogRow, ...]
    earlier: int | None
    last_seq: int


def log_view(entries: Sequence[LogEntry], viewer: Viewer, clock: WallClock, *, limit: int) -> LogView:
    """Return the page for rows of the log, newest first; one more than ``limit`` tells that there are more."""
    shown = entries[:limit]
    rows = tuple(_log_row(one, viewer, clock) for one in shown if _visible(one, viewer))
    return LogView(rows, shown[-1].seq if len(entries) > limit else None, shown[0].seq if shown else 0)


def _visible(of: LogEntry, viewer: Viewer) -> bool:
    """Tell whether a viewer may see a row: what is about no resource (sign-ins, tokens) is for administrators."""
    if not of.resources:
        return viewer.may(Right.ADMINISTER)
    return all(viewer.may(Right.LOOK, name) for name in of.resources)


def _move_note(of: LogEntry) -> str:
    """Return from what to what a booking was moved, where that changed."""
    before, after = of.before.get("resources"), of.after.get("resources")
    if of.action is not Action.MOVED or not isinstance(before, list) or not isinstance(after, list):
        return ""
    return f"from {', '.join(map(str, before))} to {', '.join(map(str, after))}"


def _log_row(of: LogEntry, viewer: Viewer, clock: WallClock) -> LogRow:
    mine = of.who == viewer.user
    hidden = viewer.names_hidden and not mine
    note = of.after.get("ended_note") or of.after.get("purpose") or _move_note(of)
    return LogRow(
        seq=of.seq,
        at=clock.moment(of.at_us),
        who=escape_unprintable(viewer.holder_name(of.who)),
        requested_by="" if hidden else escape_unprintable(of.requested_by or ""),
        verb=_VERBS.get(of.action, of.action.value.replace("_", " ")),
        resources=tuple((escape_unprintable(name), resource_url(name)) for name in of.resources),
        url="" if of.reservation_id is None or hidden else reservation_url(of.reservation_id),
        note="" if hidden else escape_unprintable(str(note)),
    )


@dataclass(frozen=True, slots=True)
class ResourceView:
    """The page of one resource.

    Attributes:
        facts: what is declared about it: a word and its value.
        link: the address of its documentation; empty where none is declared, or it is no web page.
        next: bookings that have not begun.
        queue: who waits, in order.
        used: how much of the last 30 days it was held, per cent.
        by_holder: who held it how long in that time, per cent, most first.
    """

    row: NowRow
    facts: tuple[tuple[str, str], ...]
    link: str
    next: tuple[Shown, ...]
    queue: tuple[Shown, ...]
    history: LogView
    used: int
    by_holder: tuple[tuple[str, int], ...]


def resource_view(
    board: Board, entry: Entry, history: LogView, usage: Usage, viewer: Viewer, clock: WallClock
) -> ResourceView:
    """Return the page of the one resource that was read."""
    (of,) = board.resources
    pending = [
        one for one in board.booked.get(of.name, ()) if one.state(clock.now_us) in (State.PENDING, State.AWAITING)
    ]
    total_us = max(usage.window_us * of.capacity, 1)
    shares = sorted(usage.held_us.items(), key=lambda item: (-item[1], item[0]))
    named = tuple((escape_unprintable(who), round(us * 100 / total_us)) for who, us in shares)
    return ResourceView(
        row=now_view(board, viewer, clock).rows[0],
        facts=_facts(entry),
        link=entry.properties.link if entry.properties.link.startswith(("https://", "http://")) else "",
        next=tuple(show(one, viewer, clock) for one in pending),
        queue=tuple(show(one, viewer, clock) for one in board.waiting.get(of.name, ())),
        history=history,
        used=min(round(sum(usage.held_us.values()) * 100 / total_us), 100),
        by_holder=() if viewer.names_hidden else named,
    )


def _facts(of: Entry) -> tuple[tuple[str, str], ...]:
    properties, resource = of.properties, of.resource
    every = (
        ("Seats", str(resource.capacity) if resource.capacity > 1 else ""),
        ("Labels", ", ".join(f"{key}={value}" for key, value in properties.labels)),
        ("Location", properties.location),
        ("Owner", properties.owner),
        ("Contact", properties.contact),
        ("Groups", ", ".join(properties.groups)),
        ("Parts", ", ".join(properties.parts)),
        ("Hours", resource.hours),
        ("Health", properties.health_note),
    )
    return tuple((word, escape_unprintable(text)) for word, text in every if text)


@dataclass(frozen=True, slots=True)
class ReservationView:
    """The page of one reservation.

    Attributes:
        starts: its start on the viewer's clock, as a form sends it.
        ends: its end; empty where it has none.
        series: the id of the series that it belongs to; empty where it is alone.
        may_answer: the viewer may approve or refuse it.
    """

    shown: Shown
    resources: tuple[tuple[str, str], ...]
    requested_by: str
    created: Moment
    why_ended: str
    note: str
    tags: tuple[tuple[str, str], ...]
    history: LogView
    starts: str
    ends: str
    series: str
    may_answer: bool


def reservation_view(
    of: Reservation, history: LogView, viewer: Viewer, clock: WallClock, *, may_answer: bool = False
) -> ReservationView:
    """Return the page of a reservation."""
    return ReservationView(
        shown=show(of, viewer, clock),
        resources=tuple((escape_unprintable(name), resource_url(name)) for name in of.resources),
        requested_by=escape_unprintable(of.requested_by or ""),
        created=clock.moment(of.created_us),
        why_ended=(of.why_ended(clock.now_us) or "").replace("_", " "),
        note=escape_unprintable(of.ended_note),
        tags=tuple((escape_unprintable(key), escape_unprintable(value)) for key, value in of.tags),
        history=history,
        starts=clock.field(of.starts_us),
        ends=clock.field(of.ends_us),
        series=dict(of.tags).get(TAG, ""),
        may_answer=may_answer,
    )


@dataclass(frozen=True, slots=True)
class MineView:
    """What is the viewer's, and what others have asked the viewer for."""

    active: tuple[Shown, ...]
    waiting: tuple[Shown, ...]
    pending: tuple[Shown, ...]
    to_answer: tuple[Shown, ...]
    changes_us: int | None


def mine_view(account: Account, viewer: Viewer, clock: WallClock, to_answer: Sequence[Reservation] = ()) -> MineView:
    """Return the page of what the viewer has, and may approve."""
    shown = [show(one, viewer, clock) for one in account.live]
    edges = [edge for one in account.live for edge in (one.starts_us, one.ends_us) if clock.now_us < edge < FOREVER_US]

    def of(state: State) -> tuple[Shown, ...]:
        return tuple(one for one in shown if one.state == state.value)

    booked = (*of(State.AWAITING), *of(State.PENDING))
    asked = tuple(show(one, viewer, clock) for one in to_answer)
    return MineView(of(State.ACTIVE), of(State.WAITING), booked, asked, min(edges, default=None))


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A place where the viewer is told, without what is secret in it."""

    id: str
    channel: str
    target: str
    about: str


def target_rows(found: Sequence[Subscription]) -> tuple[TargetRow, ...]:
    """Return where the viewer is told."""
    return tuple(
        TargetRow(
            one.id,
            one.channel.value,
            escape_unprintable(targets.shown(one.channel, one.target)),
            ", ".join(kind.value.replace("_", " ") for kind in one.kinds) or "everything",
        )
        for one in found
    )


USAGE_WINDOW_US = 30 * DAY_US
"""The time over which the use of a resource is told, µs."""

AHEAD_US = 366 * DAY_US
"""How far ahead bookings of a resource are listed, µs."""
