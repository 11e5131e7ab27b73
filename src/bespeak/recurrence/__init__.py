"""When something comes again: rules as people write them or as RRULE, and the instants they mean in a time zone.

The rules themselves are python-dateutil's, on wall-clock times without a zone. What a wall-clock time means is decided
here, by the one rule of the house: a time that the clocks skip, or show twice, is never guessed. It is listed, and
whoever asks says which reading is meant.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import Field, UsageError, needs_extra
from bespeak.base.timezones import NamedZone, instants_of, local_zone
from bespeak.base.wallclock import time_of_day_us, weekday

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.base.timezones import Zone

MOST = 1_000
"""The most occurrences that a rule is expanded to; more are a typing error, or a rule without an end."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 a wall clock, counted as if it were UTC
_LETTERS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAYS = {
    "day": ",".join(_LETTERS),
    "daily": ",".join(_LETTERS),
    "weekday": ",".join(_LETTERS[:5]),
    "weekdays": ",".join(_LETTERS[:5]),
    "weekend": ",".join(_LETTERS[5:]),
}
_FREQUENCIES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_MANNER = (
    "a rule is written like 'weekday 22:00', 'mon,thu 9:00 Europe/Berlin', or RRULE: FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"
)


class ClockChange(Enum):
    """What is meant by a time that the clocks skip or show twice."""

    REFUSE = "refuse"
    SKIP = "skip"
    EARLY = "early"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Rule:
    """When something comes again.

    Attributes:
        text: as it was written, for people.
        rrule: the same as RRULE.
        time_of_day: at which time; None where only the first occurrence says it.
        zone_name: of whose clocks; empty for the machine's.
    """

    text: str
    rrule: str
    time_of_day: time | None
    zone_name: str

    def zone(self) -> Zone:
        """Return whose clocks are meant."""
        return NamedZone(self.zone_name) if self.zone_name else local_zone()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One wall-clock time of a rule.

    Attributes:
        wall: the time that the clocks show.
        instants_us: what it means, µs UTC: one instant; none where the clocks skip it, two where they show it twice.
        readings_us: what it could mean where it is not one instant, earlier first.
    """

    wall: datetime
    instants_us: tuple[int, ...]
    readings_us: tuple[int, ...]

    @property
    def problem(self) -> str | None:
        """Why it is not one instant; None where it is."""
        if len(self.instants_us) == 1:
            return None
        return "the clocks show it twice" if self.instants_us else "the clocks skip it"


def parse(text: str) -> Rule:
    """Read a rule.

    Raises:
        UsageError: it is none.
    """
    words = text.split()
    if not words or not text.isascii() or len(text) > 200:  # noqa: PLR2004 longer ones are no rule
        raise UsageError(f"{text[:80]!r} is not read: {_MANNER}")
    zone_name = words.pop() if "/" in words[-1] or words[-1] == "UTC" else ""
    if zone_name:
        NamedZone(zone_name)
    if len(words) == 1 and "=" in words[0]:
        return Rule(text, _checked(words[0].upper().removeprefix("RRULE:"), text), None, zone_name)
    at = time_of_day_us(words[-1]) if words else None
    if len(words) != 2 or at is None:  # noqa: PLR2004 days and a time
        raise UsageError(f"{text[:80]!r} is not read: {_MANNER}")
    days = _DAYS.get(words[0].lower()) or _named_days(words[0], text)
    clock = (_EPOCH + timedelta(microseconds=at)).time()
    return Rule(text, f"FREQ=WEEKLY;BYDAY={days}", clock, zone_name)


def _named_days(word: str, text: str) -> str:
    numbers = [weekday(part) for part in word.split(",")]
    if any(number is None for number in numbers):
        raise UsageError(f"{text[:80]!r} is not read: {_MANNER}")
    return ",".join(_LETTERS[number] for number in sorted({number for number in numbers if number is not None}))


def _checked(rrule: str, text: str) -> str:
    parts = dict(part.partition("=")[::2] for part in rrule.split(";"))
    if parts.get("FREQ") not in _FREQUENCIES:
        raise UsageError(f"{text[:80]!r}: FREQ must be one of {', '.join(_FREQUENCIES)}")
    _expand(rrule, datetime(2000, 1, 1))  # noqa: DTZ001 only to see whether it can be read
    return rrule


def _expand(rrule: str, first: datetime) -> Iterator[datetime]:
    try:
        from dateutil.rrule import rrulestr
    except ImportError as missing:
        raise UsageError(needs_extra("a rule", "series")) from missing
    try:
        found: Iterator[datetime] = iter(rrulestr(rrule, dtstart=first))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{rrule[:80]!r} is no RRULE: {error}") from None
    return found


def expand(rule: Rule, first: datetime, *, until: datetime | None = None, count: int | None = None) -> list[Occurrence]:
    """Return the occurrences of a rule.

    Args:
        rule: which one.
        first: the earliest wall-clock time; its time of day counts where the rule says none.
        until: no later than this wall-clock time.
        count: at most so many.

    Raises:
        UsageError: the rule says neither of them, or there are more than :data:`MOST`.
    """
    if until is None and count is None and not ({"UNTIL", "COUNT"} & set(rule.rrule.replace("=", ";").split(";"))):
        raise UsageError("a rule without an end: say until when, or how many")
    start = first if rule.time_of_day is None else datetime.combine(first.date(), rule.time_of_day)
    zone = rule.zone()
    found: list[Occurrence] = []
    for wall in islice(_expand(rule.rrule, start), MOST * 2):
        if (until is not None and wall > until) or (count is not None and len(found) >= count):
            break
        if wall >= first:
            found.append(occurrence(wall, zone))
        if len(found) > MOST:
            raise UsageError(f"more than {MOST} occurrences; say until when, or how many")
    return found


def local_zone_name() -> str:
    """Return the name of the machine's zone; empty where nothing says it."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name:
        name = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    try:
        NamedZone(name or "none")
    except UsageError:
        return ""
    return name if "/" in name or name == "UTC" else ""


def occurrence(wall: datetime, zone: Zone) -> Occurrence:
    """Return what a wall-clock time means in a zone."""
    seconds = (wall - _EPOCH) // timedelta(seconds=1)
    instants, readings = instants_of(seconds, zone)
    return Occurrence(wall, tuple(one * SECOND_US for one in instants), tuple(one * SECOND_US for one in readings))


def chosen(found: list[Occurrence], change: ClockChange) -> list[tuple[Occurrence, int]]:
    """Return the instant, µs UTC, that each occurrence means; without those that are skipped.

    Raises:
        UsageError: one is not one instant, and nobody said what is meant.
    """
    unclear = [one for one in found if one.problem is not None]
    if unclear and change is ClockChange.REFUSE:
        listed = "; ".join(f"{one.wall:%Y-%m-%d %H:%M}: {one.problem}" for one in unclear[:10])
        raise UsageError(
            f"{len(unclear)} of {len(found)} times are not clear ({listed}); nothing was written. Say what is meant, ",
            Field("clock_change"),
            ": skip, early or late",
            unclear=[f"{one.wall:%Y-%m-%dT%H:%M}" for one in unclear],
        )
    kept = []
    for one in found:
        if one.problem is None:
            kept.append((one, one.instants_us[0]))
        elif change is not ClockChange.SKIP:
            kept.append((one, one.readings_us[0 if change is ClockChange.EARLY else -1]))
    return kept


def wall_time(instant_us: int, zone: Zone) -> datetime:
    """Return what the clocks of a zone show at an instant, µs UTC."""
    seconds = instant_us // SECOND_US
    return _EPOCH + timedelta(seconds=seconds + zone.at(seconds)[0])


def day(text: str) -> date:
    """Read a day such as ``2040-05-01``.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text[:40]!r} is not a day; days are written like 2040-05-01") from None
