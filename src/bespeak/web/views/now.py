"""The page *now*: each resource, who has it, and what the viewer may do about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.access.model import Right
from bespeak.base.clock import FOREVER_US
from bespeak.base.display import escape_unprintable
from bespeak.base.natural_order import natural_key
from bespeak.ledger.model import Health, Mode, State
from bespeak.web.views.reservations import element_id, resource_url, show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.ledger.model import Reservation, Resource
    from bespeak.web.read import Board, Closure
    from bespeak.web.viewer import Viewer
    from bespeak.web.views.reservations import Shown
    from bespeak.web.wallclock import Moment, WallClock


STATES = ("free", "mine", "held", "shared", "closed", "sick", "offline")
"""The states of a resource on this page, in the order in which they are counted."""

ALWAYS_COUNTED = ("free", "held")


@dataclass(frozen=True, slots=True)
class NowRow:
    """One resource.

    Attributes:
        key: the id of its element.
        name: its exact name, as buttons send it.
        state: one of :data:`STATES`.
        seats: how many are taken of how many; empty where there is one seat.
        holders: who has it now.
        waiting: how many wait for it.
        my_place: the viewer's queue entry, where they wait.
        closed: why it is not given out now, and until when; empty where it is.
        next: when somebody else has it booked next; None where nobody has.
        changes_us: the next instant, µs UTC, at which time alone changes this row; None where none is known.
    """

    key: str
    name: str
    label: str
    url: str
    description: str
    state: str
    seats: str
    holders: tuple[Shown, ...]
    waiting: int
    my_place: Shown | None
    closed: str
    next: Moment | None
    may_reserve: bool
    may_join: bool
    changes_us: int | None


@dataclass(frozen=True, slots=True)
class NowView:
    """The page.

    Attributes:
        counts: how many resources there are in each state.
        changes_us: the next instant, µs UTC, at which time alone changes something.
    """

    rows: tuple[NowRow, ...]
    counts: dict[str, int]
    last_seq: int
    changes_us: int | None


def now_view(board: Board, viewer: Viewer, clock: WallClock) -> NowView:
    """Return the page for what was read."""
    viewer.ask_at_once(board.names)
    seen = (one for one in board.resources if viewer.may(Right.LOOK, one.name))
    rows = tuple(now_row(one, board, viewer, clock) for one in sorted(seen, key=lambda one: natural_key(one.name)))
    changes = [row.changes_us for row in rows if row.changes_us is not None]
    return NowView(rows, counted(row.state for row in rows), board.last_seq, min(changes, default=None))


def counted(states: Iterable[str]) -> dict[str, int]:
    """Return how many there are of each state; of the common ones also where there is none."""
    counts = Counter(states)
    return {state: counts[state] for state in STATES if counts[state] or state in ALWAYS_COUNTED}


def now_row(of: Resource, board: Board, viewer: Viewer, clock: WallClock) -> NowRow:
    """Return the row of one resource."""
    holds = [one for one in board.booked.get(of.name, ()) if one.state(clock.now_us) is State.ACTIVE]
    queue = board.waiting.get(of.name, ())
    mine = next((one for one in queue if one.holder == viewer.user), None)
    next_us = board.next_starts.get(of.name)
    closed = next((one for one in board.closures.get(of.name, ()) if one.starts_us <= clock.now_us < one.ends_us), None)
    state = "closed" if closed is not None and not holds else _state(of, holds, viewer)
    books = viewer.may(Right.RESERVE, of.name)
    return NowRow(
        key=element_id("now", of.name),
        name=of.name,
        label=escape_unprintable(of.name),
        url=resource_url(of.name),
        description=escape_unprintable(of.description),
        state=state,
        seats=f"{len(holds)} of {of.capacity}" if of.capacity > 1 else "",
        holders=tuple(show(one, viewer, clock) for one in holds),
        waiting=len(queue),
        my_place=None if mine is None else show(mine, viewer, clock),
        closed="" if closed is None else _closed(closed, clock),
        next=None if next_us is None else clock.moment(next_us),
        may_reserve=books and state in ("free", "shared") and not queue,
        may_join=books and mine is None and (state in ("held", "shared") or bool(queue)),
        changes_us=_next_change(holds, next_us if closed is None else min(closed.ends_us, next_us or closed.ends_us)),
    )


def _state(of: Resource, holds: list[Reservation], viewer: Viewer) -> str:
    if any(one.holder == viewer.user for one in holds):
        return "mine"
    if of.health is not Health.OK:
        return str(of.health.value)
    if not holds or len(holds) < of.capacity:
        return "free"
    return "shared" if all(one.mode is Mode.SHARED for one in holds) else "held"


def _closed(of: Closure, clock: WallClock) -> str:
    reason = f": {escape_unprintable(of.reason)}" if of.reason else ""
    return f"{of.kind} until {clock.moment(of.ends_us).text}{reason}"


def _next_change(holds: list[Reservation], next_us: int | None) -> int | None:
    edges = [one.ends_us for one in holds] + [one.lease_us for one in holds if one.lease_us is not None]
    edges += [] if next_us is None else [next_us]
    return min((edge for edge in edges if edge < FOREVER_US), default=None)
