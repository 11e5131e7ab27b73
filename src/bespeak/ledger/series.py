"""Reservations that come again, as one thing: which they are, and what is wanted of a rule.

Each occurrence is a reservation of its own, with two tags that say of which series it is and by which rule it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bespeak import recurrence
from bespeak.base import ids
from bespeak.base.errors import Field, NotFoundError, UsageError
from bespeak.ledger.batches import repeated
from bespeak.ledger.model import State
from bespeak.ledger.serialize import booking_json, instant_json, reservation_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from bespeak.base.timezones import Zone
    from bespeak.ledger.batches import Obstacle
    from bespeak.ledger.model import Request, Reservation
    from bespeak.ledger.service import Ledger
    from bespeak.recurrence import ClockChange, Rule

TAG, RULE_TAG = "series", "series-rule"


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rule asks for.

    Attributes:
        id: of the series.
        rule: as it is written into the book, with its zone.
        requests: one for each occurrence.
    """

    id: str
    rule: str
    requests: list[Request]


def starts(
    rule: Rule, first_us: int, now_us: int, *, until: datetime | None, count: int | None, change: ClockChange
) -> list[int]:
    """Return the starts that a rule means, µs UTC.

    Args:
        rule: when it comes again.
        first_us: the earliest start, µs UTC.
        now_us: the present, µs UTC; what is past is left out.
        until: no later than this wall-clock time.
        count: at most so many.
        change: what is meant by a time that the clocks skip or show twice.

    Raises:
        UsageError: the rule has no end, no occurrence, or one that is not clear.
    """
    first = recurrence.wall_time(first_us, rule.zone())
    found = recurrence.expand(rule, first, until=until, count=count)
    kept = [at for _, at in recurrence.chosen(found, change) if at >= now_us]
    if not kept:
        raise UsageError(Field("every"), ": the rule has no occurrence from then on")
    return kept


def wanted(request: Request, rule: Rule, starts_us: Sequence[int], length_us: int) -> Wanted:
    """Return the requests of a new series.

    Args:
        request: what each occurrence holds.
        rule: by which they come.
        starts_us: of :func:`starts`.
        length_us: how long each lasts, µs.
    """
    text = rule.text if rule.zone_name else f"{rule.text} {recurrence.local_zone_name()}".rstrip()
    identifier = ids.new_id()
    tags = ((TAG, identifier), (RULE_TAG, text))
    return Wanted(identifier, text, repeated(request, [(at, at + length_us) for at in starts_us], tags))


def all_series(book: Ledger, *, include_ended: bool = False) -> list[Series]:
    """Return the series of a book, by the start of their first reservation."""
    groups: dict[str, list[Reservation]] = {}
    for one in book.reservations(include_ended=include_ended):
        identifier = dict(one.tags).get(TAG)
        if identifier is not None:
            groups.setdefault(identifier, []).append(one)
    found = [_of(identifier, members) for identifier, members in groups.items()]
    return sorted(found, key=lambda series: series.members[0].starts_us)


def named_series(book: Ledger, word: str, *, include_ended: bool = False) -> Series:
    """Return the series that a word names: by the start of its id or of the last group of it.

    Raises:
        NotFoundError: there is none.
        UsageError: there are several.
    """
    start = word.strip().lower()
    known = all_series(book, include_ended=include_ended)
    found = [one for one in known if start and (one.id.startswith(start) or ids.tail(one.id).startswith(start))]
    if not found:
        raise NotFoundError(f"no series has an id that begins with {word!a}; `bespeak series list` shows them")
    if len(found) > 1:
        raise UsageError(f"{word!a} names several series: {', '.join(one.id for one in found)}")
    return found[0]


def not_begun(series: Series, now_us: int, *, only: date | None = None, begin: date | None = None) -> list[Reservation]:
    """Return those of a series that have not begun.

    Args:
        series: which one.
        now_us: the present, µs UTC.
        only: only that of this day.
        begin: only those of this day and later.

    Raises:
        NotFoundError: there is none.
    """
    zone = series.zone()
    found = [
        one
        for one in series.members
        if one.state(now_us) in (State.PENDING, State.AWAITING)
        and only in (None, recurrence.wall_time(one.starts_us, zone).date())
        and (begin is None or recurrence.wall_time(one.starts_us, zone).date() >= begin)
    ]
    if not found:
        raise NotFoundError(f"series {ids.short_id(series.id)} has none that has not begun there")
    return found


def moves(
    series: Series,
    chosen: Sequence[Reservation],
    *,
    time_of_day_us: int | None,
    length_us: int | None,
    change: ClockChange,
) -> list[tuple[str, int, int]]:
    """Return id, new start and new end (µs UTC) of each of some reservations of a series.

    Args:
        series: whose rule says which clocks are meant.
        chosen: which of its reservations.
        time_of_day_us: the new time of day, µs since midnight; None leaves it.
        length_us: the new length, µs; None leaves it.
        change: what is meant by a time that the clocks skip or show twice.

    Raises:
        UsageError: a new time is not clear.
    """
    zone = series.zone()
    found = [recurrence.occurrence(_wall(one, zone, time_of_day_us), zone) for one in chosen]
    starts = {id(one): at for one, at in recurrence.chosen(found, change)}
    return [
        (one.id, starts[id(then)], starts[id(then)] + (one.ends_us - one.starts_us if length_us is None else length_us))
        for one, then in zip(chosen, found, strict=True)
        if id(then) in starts
    ]


def series_json(of: Series, now_us: int) -> dict[str, object]:
    """Return a series as it stands at ``now_us`` (µs UTC)."""
    return {
        "id": of.id,
        "short_id": ids.short_id(of.id),
        "rule": of.rule,
        "reservations": [reservation_json(one, now_us) for one in of.members],
    }


def obstacle_json(of: Obstacle) -> dict[str, object]:
    """Return an occurrence that somebody is in the way of."""
    return {
        **instant_json("starts", of.starts_us),
        **instant_json("ends", of.ends_us),
        "conflicts": [booking_json(each) for each in of.conflicts],
    }


def _of(identifier: str, members: Iterable[Reservation]) -> Series:
    ordered = sorted(members, key=lambda one: (one.starts_us, one.seq))
    return Series(identifier, dict(ordered[0].tags).get(RULE_TAG, "?"), tuple(ordered))


def _wall(of: Reservation, zone: Zone, at_us: int | None) -> datetime:
    wall = recurrence.wall_time(of.starts_us, zone)
    return wall if at_us is None else datetime.combine(wall.date(), datetime.min.time()) + timedelta(microseconds=at_us)
