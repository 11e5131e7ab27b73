"""``calendar show``: a day or a week, drawn by resource."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import clock, ids
from bespeak.base.calendar_days import day
from bespeak.base.clock import DAY_US, HOUR_US, SECOND_US, iso
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError, needs_extra
from bespeak.base.natural_order import natural_key
from bespeak.base.timezones import local_zone
from bespeak.base.wallclock import wall_text
from bespeak.cli.show import LABEL, labelled
from bespeak.ledger.model import Mode, State
from bespeak.ledger.serialize import reservation_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from bespeak.cli.context import Context, Values
    from bespeak.ledger.model import Reservation

_FREE, _SHARED, _TAKEN, _PROMISED = "·", "▒", "█", "?"
_SLOTS = 48
_WEEK_DAYS = 7
_NARROWEST = 80


@command(
    "calendar show",
    text="A day has a slot for each half hour: █ taken, ▒ shared, ? promised to somebody who waits, · free. Without "
    "names it is about all that is booked then.",
    examples=(
        ("calendar show", "today"),
        ("calendar show rack1 --week 2040-05-01", "seven days from then on"),
        ("calendar show --label arm64 --day tomorrow", "boards of a kind"),
    ),
    arguments=(Argument("RESOURCE", many=True, required=False, complete="resource"),),
    options=(
        Option(("--day",), "Which day: today (default), tomorrow, mon, 2040-05-01.", "DAY"),
        Option(("--week",), "Seven days from this one on.", "DAY"),
        LABEL,
    ),
)
def show(context: Context, values: Values) -> int:
    """Draw who has what, by resource."""
    if values["day"] and values["week"]:
        raise UsageError("--day and --week exclude each other")
    days = _WEEK_DAYS if values["week"] else 1
    flag = "--week" if values["week"] else "--day"
    from_us, to_us = day(flag, values["week"] or values["day"] or "today", clock.now(), days)
    book = context.book_to_look_at()
    wanted = labelled(book, values["label"], values["resource"])
    now_us = book.now_us()
    found = [
        one
        for one in book.reservations(resources=wanted, include_ended=True, from_us=from_us, to_us=to_us)
        if one.state(now_us) is not State.ENDED or one.starts_us < one.end_us(now_us)
    ]
    names = sorted(
        {name for one in found for name in one.resources if not wanted or name in wanted} | {*wanted}, key=natural_key
    )
    if context.json:
        resources = {name: [reservation_json(one, now_us) for one in found if name in one.resources] for name in names}
        context.print_json({"from": iso(from_us), "to": iso(to_us), "resources": resources})
        return 0
    if not names:
        context.print("nothing is reserved then")
        return 0
    draw = _week if values["week"] else _day
    _print(context, draw(names, found, from_us, now_us))
    return 0


def _table(title: str, columns: Sequence[str]) -> Table:
    try:
        from rich import box
        from rich.table import Table
    except ImportError as missing:
        raise UsageError(needs_extra("a calendar", "look")) from missing
    made = Table(title=title, box=box.SIMPLE, title_justify="left", pad_edge=False, show_edge=False)
    for name in columns:
        made.add_column(name, no_wrap=name == "RESOURCE")
    return made


def _day(names: Sequence[str], found: Sequence[Reservation], from_us: int, now_us: int) -> Table:
    hours = "".join(f"{hour:<4}" for hour in range(0, 24, 2))
    made = _table(_shown(from_us)[:10], ("RESOURCE", hours, "WHO"))
    for name in names:
        mine = sorted((one for one in found if name in one.resources), key=lambda one: one.starts_us)
        who = ", ".join(_entry(one, from_us, now_us) for one in mine)
        made.add_row(_plain(name), _bar(mine, from_us, now_us), _plain(who))
    return made


def _bar(mine: Sequence[Reservation], from_us: int, now_us: int) -> str:
    """Return a sign for each half hour of a day."""
    signs = []
    for slot in range(_SLOTS):
        starts_us = from_us + slot * HOUR_US // 2
        here = [one for one in mine if one.starts_us < starts_us + HOUR_US // 2 and one.end_us(now_us) > starts_us]
        held = [one for one in here if not one.waiting]
        shared = all(one.mode is Mode.SHARED for one in held)
        signs.append((_SHARED if shared else _TAKEN) if held else _PROMISED if here else _FREE)
    return "".join(signs)


def _week(names: Sequence[str], found: Sequence[Reservation], from_us: int, now_us: int) -> Table:
    starts = [from_us + number * DAY_US for number in range(_WEEK_DAYS)]
    made = _table(f"Week from {_shown(from_us)[:10]}", ("RESOURCE", *(_shown(each + HOUR_US)[5:10] for each in starts)))
    for name in names:
        mine = sorted((one for one in found if name in one.resources), key=lambda one: one.starts_us)
        cells = []
        for each in starts:
            there = [one for one in mine if one.starts_us < each + DAY_US and one.end_us(now_us) > each]
            cells.append(_plain("\n".join(_entry(one, each, now_us) for one in there)))
        made.add_row(_plain(name), *cells)
    return made


def _entry(of: Reservation, day_us: int, now_us: int) -> str:
    """Return from when until when on that day, and who."""
    ends_us = of.end_us(now_us)
    begins = _shown(of.starts_us)[11:16] if of.starts_us >= day_us else "…"
    ends = _shown(ends_us)[11:16] if ends_us <= day_us + DAY_US else "…"
    mark = "?" if of.waiting or of.fencing_token is None else ""
    return f"{begins}-{ends} {of.holder}{mark} {ids.short_id(of.id)}"


def _shown(instant_us: int) -> str:
    seconds = instant_us // SECOND_US
    return wall_text(seconds + local_zone().at(seconds)[0])


def _plain(text: str) -> str:
    """Return a text that neither a terminal nor rich takes for more than text."""
    from rich.markup import escape

    return escape("\n".join(escape_unprintable(line) for line in text.split("\n")))


def _print(context: Context, drawn: Table) -> None:
    from rich.console import Console

    width = int(os.environ.get("COLUMNS") or 0) or (shutil.get_terminal_size().columns if sys.stdout.isatty() else 120)
    console = Console(width=max(width, _NARROWEST), no_color=True, highlight=False, force_terminal=False)
    with console.capture() as captured:
        console.print(drawn)
    context.print("\n".join(line.rstrip() for line in captured.get().splitlines()))
