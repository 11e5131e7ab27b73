"""``reserve --every`` and ``series``: reservations that come again, shown, changed and cancelled as one thing.

Each occurrence is a reservation of its own, with two tags that say of which series it is and by which rule it came.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bespeak import recurrence
from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import clock, ids, timeparse
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BusyError, UsageError
from bespeak.base.wallclock import is_date, time_of_day_us
from bespeak.cli import converters, formatting
from bespeak.cli.converters import CLOCK_CHANGE, SKIP_CONFLICTS
from bespeak.cli.modify import REASON
from bespeak.cli.output import table
from bespeak.ledger import series as service
from bespeak.ledger.series import Series
from bespeak.recurrence import ClockChange

if TYPE_CHECKING:
    from bespeak.base.timezones import Zone
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.batches import Obstacle
    from bespeak.ledger.model import Request, Reservation
    from bespeak.ledger.service import Ledger

_SHOWN = 20
_SERIES = Argument("SERIES")
_ONLY = Option(("--only",), "Only the occurrence of this day.", "DAY")
_FROM = Option(("--from",), "This day's and all later ones (default: all that have not begun).", "DAY")


def reserve_every(context: Context, values: Values, request: Request) -> int:
    """Book every occurrence of a rule: list what is in the way first, and then all, or those that can be."""
    rule = recurrence.parse(values["every"])
    now_us = clock.now()
    starts = service.starts(
        rule,
        now_us if request.starts_us is None else request.starts_us,
        now_us,
        until=_last(values["until"], rule.zone()),
        count=values["count"],
        change=_clock_change(values),
    )
    book = context.book(create=True)
    found = service.wanted(request, rule, starts, request.duration_us or book.policy().default_for_us)
    batch = book.reserve_many(found.requests, skip_conflicts=values["skip_conflicts"])
    if not batch.done:
        raise _refused(batch.obstacles, len(found.requests))
    series = Series(found.id, found.rule, batch.done)
    context.done = f"series {ids.short_id(series.id)} was made, and stands"
    asked = sum(one.is_awaiting for one in batch.done)
    done = f"reserved {len(batch.done)} of {len(found.requests)}{f', {asked} of them await approval' if asked else ''}"
    return _answer(context, series, done, batch.obstacles)


def _last(text: str | None, zone: Zone) -> datetime | None:
    """Return the last wall-clock time that ``--until`` allows: the end of a day, or a time."""
    if text is None:
        return None
    if is_date(text):
        return datetime.combine(recurrence.day(text), datetime.max.time())
    until_us = timeparse.optional("--until", text, lambda given: timeparse.instant(given, now_us=clock.now()))
    return recurrence.wall_time(until_us or 0, zone)


def _clock_change(values: Values) -> ClockChange:
    text = values["clock_change"] or "refuse"
    if text not in {each.value for each in ClockChange}:
        raise UsageError(f"--clock-change: {text!a} is not skip, early or late")
    return ClockChange(text)


def _refused(obstacles: tuple[Obstacle, ...], wanted: int) -> BusyError:
    """Return the error that lists every occurrence that somebody is in the way of."""
    lines = [
        f"{timeparse.show(one.starts_us)}: {formatting.in_the_way(one.conflicts[0])}" for one in obstacles[:_SHOWN]
    ]
    more = f"; and {len(obstacles) - _SHOWN} more" if len(obstacles) > _SHOWN else ""
    return BusyError(
        f"{len(obstacles)} of {wanted} cannot be had, so nothing was written: {'; '.join(lines)}{more}",
        conflicts=[service.obstacle_json(one) for one in obstacles],
        hint="--skip-conflicts leaves these out",
    )


def _answer(context: Context, of: Series, done: str, obstacles: tuple[Obstacle, ...] = ()) -> int:
    now_us = context.book().now_us()
    if context.json:
        skipped = [service.obstacle_json(one) for one in obstacles]
        context.print_json({**service.series_json(of, now_us), "skipped": skipped})
        return 0
    context.print(f"{done}: series {ids.short_id(of.id)}, {escape_unprintable(of.rule)}")
    for one in of.members:
        context.print(f"  {formatting.sentence(one, now_us)}")
    for left in obstacles:
        context.print(f"  left out {timeparse.show(left.starts_us)}: {formatting.in_the_way(left.conflicts[0])}")
    return 0


@command("series list", examples=(("series list", "all that have something left"),))
def list_(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print the series that have not ended."""
    book = context.book()
    found, now_us = service.all_series(book), book.now_us()
    if context.json:
        context.print_json({"series": [service.series_json(one, now_us) for one in found]})
        return 0
    cells = [
        (
            ids.short_id(one.id),
            one.members[0].holder,
            formatting.names(one.members[0]),
            one.rule,
            str(len(one.members)),
            timeparse.show(one.members[0].starts_us),
        )
        for one in found
    ]
    headers = ("SERIES", "HOLDER", "RESOURCES", "RULE", "LEFT", "NEXT")
    context.print(table(headers, cells) if cells else "no series")
    return 0


@command(
    "series show",
    examples=(("series show 8f3a2c10", "each occurrence, also those that are over"),),
    arguments=(_SERIES,),
)
def show(context: Context, values: Values) -> int:
    """Print each reservation of a series."""
    found = service.named_series(context.book(), values["series"], include_ended=True)
    return _answer(context, found, f"{len(found.members)} reservations")


@command(
    "series cancel",
    text="What has begun goes on; release it by its id.",
    examples=(
        ("series cancel 8f3a2c10 --only 2040-05-03", "one of them"),
        ("series cancel 8f3a2c10 --from 2040-05-10", "this one and the rest"),
        ("series cancel 8f3a2c10", "all that have not begun"),
    ),
    arguments=(_SERIES,),
    options=(_ONLY, _FROM, REASON),
)
def cancel(context: Context, values: Values) -> int:
    """Cancel one, the rest or all of a series that has not begun."""
    book = context.book()
    series = service.named_series(book, values["series"])
    chosen = _chosen(book, series, values)
    done = book.release_many([one.id for one in chosen], context.holder(), reason=values["reason"] or "")
    return _answer(context, Series(series.id, series.rule, tuple(done)), f"cancelled {len(done)}")


@command(
    "series edit",
    text="Those that have begun stay as they are. What is in the way is listed first, and then nothing is changed, "
    "unless --skip-conflicts leaves these where they were.",
    examples=(
        ("series edit 8f3a2c10 --time 21:00", "an hour earlier, all that have not begun"),
        ("series edit 8f3a2c10 --only 2040-05-03 --time 18:00 --for 1h", "one of them, and shorter"),
        ("series edit 8f3a2c10 --from 2040-05-10 --for 4h", "the rest, and longer"),
    ),
    arguments=(_SERIES,),
    options=(
        _ONLY,
        _FROM,
        Option(("--time",), "The new time of day, by the clocks that the rule means.", "HH:MM"),
        Option(("--for",), "How long then.", "DURATION"),
        SKIP_CONFLICTS,
        CLOCK_CHANGE,
    ),
)
def edit(context: Context, values: Values) -> int:
    """Give one, the rest or all of a series another time of day or length."""
    length_us = converters.duration("--for", values["for"])
    at_us = None if values["time"] is None else time_of_day_us(values["time"])
    if at_us is None and (values["time"] is not None or length_us is None):
        raise UsageError("series edit: say what changes: --time HH:MM, --for DURATION")
    book = context.book()
    series = service.named_series(book, values["series"])
    moves = service.moves(
        series,
        _chosen(book, series, values),
        time_of_day_us=at_us,
        length_us=length_us,
        change=_clock_change(values),
    )
    batch = book.move_many(moves, context.holder(), skip_conflicts=values["skip_conflicts"])
    if not batch.done:
        raise _refused(batch.obstacles, len(moves))
    return _answer(context, Series(series.id, series.rule, batch.done), f"changed {len(batch.done)}", batch.obstacles)


def _chosen(book: Ledger, series: Series, values: Values) -> list[Reservation]:
    """Return those of a series that have not begun and that ``--only`` or ``--from`` names."""
    if values["only"] and values["from"]:
        raise UsageError("--only and --from exclude each other")
    only = recurrence.day(values["only"]) if values["only"] else None
    begin = recurrence.day(values["from"]) if values["from"] else None
    return service.not_begun(series, book.now_us(), only=only, begin=begin)
