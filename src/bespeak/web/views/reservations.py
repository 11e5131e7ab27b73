"""Reservations as pages show them to one viewer; shared by all views."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import quote

from bespeak.access.model import Right
from bespeak.base.clock import FOREVER_US
from bespeak.base.display import escape_unprintable
from bespeak.base.ids import short_id
from bespeak.ledger.model import Mode, State

if TYPE_CHECKING:
    from bespeak.ledger.model import Reservation
    from bespeak.web.viewer import Viewer
    from bespeak.web.wallclock import Moment, WallClock


def element_id(prefix: str, name: str) -> str:
    """Return an id for an HTML element that stands for ``name``, which may have any character."""
    return f"{prefix}-{blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def resource_url(name: str) -> str:
    """Return the address of a resource's page."""
    return "/resource/" + quote(name, safe="")


def reservation_url(identifier: str) -> str:
    """Return the address of a reservation's page."""
    return "/reservation/" + quote(identifier, safe="")


@dataclass(frozen=True, slots=True)
class Shown:
    """A reservation, ready to be shown.

    Attributes:
        key: the id and the fencing token, as buttons send them.
        url: its page; empty where the viewer may not know more of it.
        state: a value of :class:`bespeak.ledger.model.State`.
        left: how long until it ends or begins, for people.
        may_end: the viewer may give it back.
        may_kick: the viewer may take it away from its holder.
        may_move: the viewer may give it another time.
        may_check_in: the viewer should say that it is used, or it is given back.
    """

    id: str
    short_id: str
    key: str
    url: str
    holder: str
    mine: bool
    state: str
    shared: bool
    resources: tuple[str, ...]
    starts: Moment
    ends: Moment
    left: str
    purpose: str
    may_end: bool
    may_extend: bool
    may_kick: bool
    may_move: bool
    may_check_in: bool


def show(of: Reservation, viewer: Viewer, clock: WallClock) -> Shown:
    """Return a reservation as the viewer may see it."""
    mine = viewer.user is not None and of.holder == viewer.user
    state = of.state(clock.now_us)
    live = state is not State.ENDED
    known = mine or not viewer.names_hidden
    edge_us = of.starts_us if state in (State.PENDING, State.WAITING, State.AWAITING) else of.end_us(clock.now_us)
    return Shown(
        id=of.id,
        short_id=short_id(of.id),
        key=f"{of.id}.{of.fencing_token or 0}",
        url=reservation_url(of.id) if known else "",
        holder=escape_unprintable(viewer.holder_name(of.holder)),
        mine=mine,
        state=state.value,
        shared=of.mode is Mode.SHARED,
        resources=of.resources,
        starts=clock.moment(of.starts_us),
        ends=clock.moment(of.end_us(clock.now_us)),
        left="" if edge_us >= FOREVER_US else clock.distance(edge_us),
        purpose=escape_unprintable(viewer.purpose(of.holder, of.purpose)),
        may_end=mine and live,
        may_extend=mine and state in (State.ACTIVE, State.PENDING) and of.ends_us < FOREVER_US,
        may_kick=live and not mine and all(viewer.may(Right.KICK, name) for name in of.resources),
        may_move=mine and state is State.PENDING,
        may_check_in=mine and state is State.ACTIVE and of.check_in_us is not None,
    )
