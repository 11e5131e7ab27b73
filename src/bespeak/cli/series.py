"""``reserve --every`` and ``series``: reservations that come again, shown, changed and cancelled as one thing.

Each occurrence is a reservation of its own, with two tags that say of which series it is and by which rule it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bespeak import recurrence
from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import clock, ids, timeparse
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BusyError, NotFoundError, UsageError
from bespeak.base.wallclock import is_date, time_of_day_us
from bespeak.cli import converters, formatting
from bespeak.cli.converters import CLOCK_CHANGE, SKIP_CONFLICTS
from bespeak.cli.modify import REASON
from bespeak.cli.output import table
from bespeak.ledger.batches import repeated
from bespeak.ledger.model import State
from bespeak.ledger.serialize import booking_json, reservation_json
from bespeak.recurrence import ClockChange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.base.timezones import Zone
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.batches import Obstacle
    from bespeak.ledger.model import Request, Reservation
    from bespeak.ledger.service import Ledger

TAG, RULE_TAG = "series", "series-rule"
_SHOWN = 20
_SERIES = Argument("SERIES")
_ONLY = Option(("--only",), "Only the occurrence of this day.", "DAY")
_FROM = Option(("--from",), "This day's and all later ones (default: all that have not begun).", "DAY")


@dataclass(frozen=True, slots=True)
class Series:
    """The reservations of one series.

    Attributes:
        id: of the series.
        rule: as it was written.
        members: its reservations, in order of their start.
    """

    id: str
    rule: str
    members: tuple[Reservation, ...]

    def zone(self) -> Zone:
        """Return whose clocks the rule means."""
        return recurrence.parse(self.rule).zone()


def reserve_every(context: Context, values: Values, request: Request) -> int:
    """Book every occurrence of a rule: list what is in the way first, and then all, or those that can be."""
    rule = recurrence.parse(values["every"])
    zone = rule.zone()
    now_us = clock.now()
    first = recurrence.wall_time(now_us if request.starts_us is None else request.starts_us, zone)
    found = recurrence.expand(rule, first, until=_last(values["until"], zone), count=values["count"])
    chosen = [(one, at) for one, at in recurrence.chosen(found, _clock_change(values)) if at >= now_us]
    if not chosen:
        raise UsageError("--every: the rule has no occurrence from then on")
    book = context.book(create=True)
    length_us = request.duration_us or book.policy().default_for_us
    text = rule.text if rule.zone_name else f"{rule.text} {recurrence.local_zone_name()}".rstrip()
    tags = ((TAG, ids.new_id()), (RULE_TAG, text))
    wanted = repeated(request, [(at, at + length_us) for _, at in chosen], tags)
    batch = book.reserve_many(wanted, skip_conflicts=values["skip_conflicts"])
    if not batch.done:
        raise _refused(batch.obstacles, len(wanted))
    series = Series(tags[0][1], text, batch.done)
    context.done = f"series {ids.short_id(series.id)} was made, and stands"
    return _answer(context, series, f"reserved {len(batch.done)} of {len(wanted)}", batch.obstacles)


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
        conflicts=[_obstacle_json(one) for one in obstacles],
        hint="--skip-conflicts leaves these out",
    )


def _obstacle_json(of: Obstacle) -> dict[str, object]:
    return {
        "starts": clock.iso(of.starts_us),
        "starts_us": of.starts_us,
        "ends": clock.iso(of.ends_us),
        "ends_us": of.ends_us,
        "conflicts": [booking_json(each) for each in of.conflicts],
    }


def _answer(context: Context, of: Series, done: str, obstacles: tuple[Obstacle, ...] = ()) -> int:
    now_us = context.book().now_us()
    if context.json:
        skipped = [_obstacle_json(one) for one in obstacles]
        context.print_json({**_series_json(of, now_us), "skipped": skipped})
        return 0
    context.print(f"{done}: series {ids.short_id(of.id)}, {escape_unprintable(of.rule)}")
    for one in of.members:
        context.print(f"  {formatting.sentence(one, now_us)}")
    for left in obstacles:
        context.print(f"  left out {timeparse.show(left.starts_us)}: {formatting.in_the_way(left.conflicts[0])}")
    return 0


def _series_json(of: Series, now_us: int) -> dict[str, object]:
    return {
        "id": of.id,
        "short_id": ids.short_id(of.id),
        "rule": of.rule,
        "reservations": [reservation_json(one, now_us) for one in of.members],
    }


def all_series(book: Ledger, *, include_ended: bool = False) -> list[Series]:
    """Return the series of a book, by the start of their first reservation."""
    groups: dict[str, list[Reservation]] = {}
    for one in book.reservations(include_ended=include_ended):
        identifier = dict(one.tags).get(TAG)
        if identifier is not None:
            groups.setdefault(identifier, []).append(one)
    found = [_of(identifier, members) for identifier, members in groups.items()]
    return sorted(found, key=lambda series: series.members[0].starts_us)


def _of(identifier: str, members: Iterable[Reservation]) -> Series:
    ordered = sorted(members, key=lambda one: (one.starts_us, one.seq))
    return Series(identifier, dict(ordered[0].tags).get(RULE_TAG, "?"), tuple(ordered))


def _named(book: Ledger, word: str, *, include_ended: bool = False) -> Series:
    """Return the series that a word names: by the start of its id or of the last group of it."""
    wanted = word.strip().lower()
    known = all_series(book, include_ended=include_ended)
    found = [one for one in known if wanted and (one.id.startswith(wanted) or ids.tail(one.id).startswith(wanted))]
    if not found:
        raise NotFoundError(f"no series has an id that begins with {word!a}; `bespeak series list` shows them")
    if len(found) > 1:
        raise UsageError(f"{word!a} names several series: {', '.join(one.id for one in found)}")
    return found[0]


@command("series list", examples=(("series list", "all that have something left"),))
def list_(context: Context, values: Values) -> int:  # noqa: ARG001 the shape of a command
    """Print the series that have not ended."""
    book = context.book()
    found, now_us = all_series(book), book.now_us()
    if context.json:
        context.print_json({"series": [_series_json(one, now_us) for one in found]})
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
    found = _named(context.book(), values["series"], include_ended=True)
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
    series = _named(book, values["series"])
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
    series = _named(book, values["series"])
    chosen, zone = _chosen(book, series, values), series.zone()
    found = [recurrence.occurrence(_wall(one, zone, at_us), zone) for one in chosen]
    starts = {id(one): at for one, at in recurrence.chosen(found, _clock_change(values))}
    moves = [
        (one.id, starts[id(then)], starts[id(then)] + (one.ends_us - one.starts_us if length_us is None else length_us))
        for one, then in zip(chosen, found, strict=True)
        if id(then) in starts
    ]
    batch = book.move_many(moves, context.holder(), skip_conflicts=values["skip_conflicts"])
    if not batch.done:
        raise _refused(batch.obstacles, len(moves))
    return _answer(context, Series(series.id, series.rule, batch.done), f"changed {len(batch.done)}", batch.obstacles)


def _wall(of: Reservation, zone: Zone, at_us: int | None) -> datetime:
    wall = recurrence.wall_time(of.starts_us, zone)
    return wall if at_us is None else datetime.combine(wall.date(), datetime.min.time()) + timedelta(microseconds=at_us)


def _chosen(book: Ledger, series: Series, values: Values) -> list[Reservation]:
    """Return those of a series that have not begun and that ``--only`` or ``--from`` names."""
    if values["only"] and values["from"]:
        raise UsageError("--only and --from exclude each other")
    now_us, zone = book.now_us(), series.zone()
    only = recurrence.day(values["only"]) if values["only"] else None
    begin = recurrence.day(values["from"]) if values["from"] else None
    found = [
        one
        for one in series.members
        if one.state(now_us) is State.PENDING
        and only in (None, recurrence.wall_time(one.starts_us, zone).date())
        and (begin is None or recurrence.wall_time(one.starts_us, zone).date() >= begin)
    ]
    if not found:
        raise NotFoundError(f"series {ids.short_id(series.id)} has none that has not begun there")
    return found
