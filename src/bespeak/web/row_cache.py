"""The rows of the page *now*, rendered once for as long as their facts stay the same.

A book of thousands of resources changes a few of them at a time. What a row shows follows from a few facts, which are
the key here; most rows are alike for all viewers, so one rendering serves them all.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from bespeak.access.model import Right
from bespeak.base.natural_order import natural_key
from bespeak.ledger.model import State
from bespeak.web.render import environment
from bespeak.web.views.now import counted, now_row

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from bespeak.ledger.model import Reservation
    from bespeak.web.read import Board
    from bespeak.web.viewer import Viewer
    from bespeak.web.wallclock import WallClock

MOST_ROWS = 50_000
"""Rendered rows that are kept; when there are more, all are forgotten."""


@dataclass(frozen=True, slots=True)
class RenderedRow:
    """A row as HTML, with what the page as a whole needs of it."""

    html: str
    state: str
    changes_us: int | None


@dataclass(frozen=True, slots=True)
class RenderedRows:
    """All rows of a page.

    Attributes:
        counts: how many resources there are in each state.
        changes_us: the next instant, µs UTC, at which time alone changes something.
    """

    html: Markup
    counts: dict[str, int]
    last_seq: int
    changes_us: int | None


_rows: dict[Hashable, RenderedRow] = {}
_lock = threading.Lock()


def rendered_rows(board: Board, viewer: Viewer, clock: WallClock) -> RenderedRows:
    """Return the rows of the page *now* for what was read."""
    place = (str(clock.zone), clock.today(), viewer.names_hidden)
    looks, reserves, kicks = (viewer.allowed(right, board.names) for right in (Right.LOOK, Right.RESERVE, Right.KICK))
    rows = []
    for index in _order(board.names):
        of = board.resources[index]
        if of.name in looks:
            rights = (of.name in reserves, of.name in kicks)
            rows.append(_rendered(index, board, viewer, clock, (*place, *rights)))
    changes = [row.changes_us for row in rows if row.changes_us is not None]
    return RenderedRows(
        Markup("".join([row.html for row in rows])),  # noqa: S704 made by templates, which escape
        counted(row.state for row in rows),
        board.last_seq,
        min(changes, default=None),
    )


@lru_cache(maxsize=8)
def _order(names: tuple[str, ...]) -> list[int]:
    return sorted(range(len(names)), key=lambda index: natural_key(names[index]))


def _rendered(index: int, board: Board, viewer: Viewer, clock: WallClock, place: Hashable) -> RenderedRow:
    of = board.resources[index]
    booked, waiting = board.booked.get(of.name, ()), board.waiting.get(of.name, ())
    key = (
        board.rows[index],
        _facts(booked, clock.now_us),
        _facts(waiting, clock.now_us),
        board.next_starts.get(of.name),
        tuple(one for one in board.closures.get(of.name, ()) if one.starts_us <= clock.now_us < one.ends_us),
        viewer.user if any(one.holder == viewer.user for one in (*booked, *waiting)) else None,
        place,
    )
    found = _rows.get(key)
    if found is None:
        row = now_row(of, board, viewer, clock)
        made = str(environment().get_template("now_rows.html").make_module({"view": {"rows": [row]}}))
        found = RenderedRow(made, row.state, row.changes_us)
        with _lock:
            if len(_rows) >= MOST_ROWS:
                _rows.clear()
            _rows[key] = found
    return found


def _facts(of: Sequence[Reservation], now_us: int) -> Hashable:
    return tuple(
        (
            one.seq,
            one.holder,
            one.purpose,
            one.starts_us,
            one.ends_us,
            one.fencing_token,
            one.state(now_us) is State.ACTIVE,
            one.check_in_us,
        )
        for one in of
    )
