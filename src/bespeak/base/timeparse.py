"""Reading the durations and times that people type, and showing instants to people.

A booking made for the wrong hour is worse than a question, so the reader guesses nothing: whatever could be read in
two ways is refused, with the readings it could have, each written so that it can be typed instead. All commands
load this module, so it imports next to nothing.
"""

from __future__ import annotations

import time

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.durations import FOREVER, LONGEST_TEXT, Unclear, duration, read_duration, told
from bespeak.base.errors import UsageError
from bespeak.base.timezones import FixedZone, NamedZone, abbreviation_zones, instants_of, local_zone, offset_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.base.timezones import Zone

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DATE_LENGTH = 10
_LAST_YEAR = 9998
_FURTHEST_OFFSET_S = 18 * 3600
_DAY_S = 86_400

__all__ = ["duration", "instant", "local_zone", "show"]


def instant(text: str, *, now_us: int, zone: Zone | None = None) -> int:
    """Read a point in time; return µs since 1970, UTC.

    Args:
        text: ``now``, ``+2h``, ``14:00``, ``fri 14:00``, ``today 9:00``, ``tomorrow 9:00 Europe/Berlin``,
            ``2026-11-24 14:00`` or ISO 8601 with or without offset.
        now_us: the present, in µs since 1970, UTC.
        zone: the zone of times that name none; by default the machine's.

    Raises:
        UsageError: it is not a time, or not a clear one; ``details["readings"]`` has what it could mean.
    """
    at_home = zone or local_zone()
    return told(
        text,
        lambda words: _instant(words, now_us, at_home),
        "a time is written like 14:00, fri 14:00, tomorrow 9:00 Europe/Berlin, 2026-11-24T14:00+01:00 or +2h",
    )


def show(instant_us: int, zone: Zone | None = None) -> str:
    """Format an instant for people: ``2026-11-24 14:00 CET``, or ``no end`` for an open one.

    Args:
        instant_us: µs since 1970, UTC.
        zone: whose wall clock; by default the machine's.
    """
    if instant_us >= FOREVER_US:
        return "no end"
    seconds = instant_us // SECOND_US
    try:
        offset, name = (zone or local_zone()).at(seconds)
    except (OverflowError, OSError, ValueError):
        offset, name = 0, "UTC"
    return f"{_wall_text(seconds + offset)} {name.strip() or offset_text(offset)}"


# --- instants --------------------------------------------------------------------------------------------------


def _instant(text: str, now_us: int, home: Zone) -> int:
    words = text.split()
    if text == "now":
        return now_us
    if len(words) == 1 and text.startswith("+"):
        if text == "+" + FOREVER:
            raise Unclear("a point in time has to be a date")
        return now_us + _relative(text[1:])
    day, clock, zone = _pieces(words, text, now_us, home)
    return _wall(day, clock, zone or home, now_us)


def _relative(text: str) -> int:
    try:
        return read_duration(text)
    except Unclear as doubt:
        raise Unclear(str(doubt), ["+" + reading for reading in doubt.readings]) from None


def _pieces(words: list[str], text: str, now_us: int, home: Zone) -> tuple[str, str, Zone | None]:
    """Split into a day (empty if none), a time of day and a zone (None if none); refuse anything else."""
    rest = list(words)
    day = ""
    if rest and _is_date(rest[0][:_DATE_LENGTH]) and rest[0][_DATE_LENGTH : _DATE_LENGTH + 1] in ("T", "t"):
        rest[:1] = [rest[0][:_DATE_LENGTH], rest[0][_DATE_LENGTH + 1 :]]
    if rest and (_is_date(rest[0]) or _weekday(rest[0]) is not None or rest[0].lower() in ("today", "tomorrow")):
        day = rest.pop(0).lower()
    if not rest:
        raise Unclear("the time of day is missing", _midnights(day))
    clock, offset = _split_offset(rest.pop(0))
    if _clock(clock) is None or (rest and rest[0].lower() in ("am", "pm")):
        raise Unclear("", _instant_readings(words, text, now_us, home))
    zones = [word for word in (offset, *rest) if word]
    if len(zones) > 1:
        raise Unclear("more than one zone, or words after it")
    return day, clock, _zone(zones[0], f"{day} {clock}".strip()) if zones else None


def _wall(day: str, clock: str, zone: Zone, now_us: int) -> int:
    """Return the one instant at which the clocks of ``zone`` show ``clock`` on ``day``."""
    today = (now_us // SECOND_US + zone.at(now_us // SECOND_US)[0]) // _DAY_S
    weekday = _weekday(day)
    if day in ("", "today"):
        number = today
    elif day == "tomorrow":
        number = today + 1
    elif weekday is not None:
        ahead = (weekday - (today + 3)) % 7
        if ahead == 0:
            dates = [f"{_date_text(today + days)} {clock}{zone.suffix}" for days in (0, 7)]
            raise Unclear(f"today is {_WEEKDAYS[weekday].capitalize()}", dates)
        number = today + ahead
    else:
        number = _day_number(day)
    found = _existing(number, clock, zone)
    if day == "" and found < now_us:
        dates = [f"{word} {clock}{zone.suffix}" for word in ("today", "tomorrow")]
        raise Unclear(f"{_date_text(today)} {clock} is past", dates)
    return found


def _existing(day_number: int, clock: str, zone: Zone) -> int:
    """Return the instant of a wall-clock time; refuse one that does not exist or exists twice."""
    of_day_us = _clock(clock) or 0
    wall_seconds = day_number * _DAY_S + of_day_us // SECOND_US
    try:
        instants, readings = instants_of(wall_seconds, zone)
    except (OverflowError, OSError, ValueError):
        raise Unclear("too far away") from None
    if len(instants) == 1:
        return instants[0] * SECOND_US + of_day_us % SECOND_US
    why = "the clocks go back, so it is shown twice" if instants else "the clocks go forward, so it is never shown"
    raise Unclear(why, [_iso_text(reading, zone.at(reading)[0]) for reading in readings])


def _is_date(word: str) -> bool:
    shape = "".join("9" if letter.isdigit() else letter for letter in word)
    return shape == "9999-99-99"


def _day_number(date: str) -> int:
    """Return the days since 1970 of ``2026-11-24``."""
    from datetime import date as civil

    year, month, day = (int(part) for part in date.split("-"))
    try:
        number = civil(year, month, day).toordinal() - civil(1970, 1, 1).toordinal()
    except ValueError:
        raise Unclear(f"there is no {date}") from None
    if number < 0 or year > _LAST_YEAR:
        raise Unclear("too far away")
    return number


def _weekday(word: str) -> int | None:
    """Return 0 for ``mon`` or ``monday`` to 6 for ``sun`` or ``sunday``; None for anything else."""
    for number, name in enumerate(_WEEKDAYS):
        if word.lower() in (name, name[:3]):
            return number
    return None


def _clock(text: str) -> int | None:
    """Return the µs since midnight of ``9:00``, ``14:00:30`` or ``14:00:30.25``; None if it is not one."""
    text, point, fraction = text.partition(".")
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.isdigit() for part in parts) or (point and len(parts) == 2):  # noqa: PLR2004
        return None
    if len(parts[0]) > 2 or any(len(part) != 2 for part in parts[1:]):  # noqa: PLR2004 digits of a clock
        return None
    if point and not (fraction.isdigit() and len(fraction) <= 6):  # noqa: PLR2004 µs have six digits
        return None
    hours, minutes, seconds = (int(part) for part in (*parts, "0")[:3])
    if hours > 23 or minutes > 59 or seconds > 59:  # noqa: PLR2004 the limits of a clock
        return None
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND_US + int(fraction.ljust(6, "0") if point else 0)


def _split_offset(word: str) -> tuple[str, str]:
    """Split ``14:00+01:00`` into the time and the offset (empty if none)."""
    if word[-1:] in ("Z", "z"):
        return word[:-1], "UTC"
    for sign in "+-":
        clock, found, offset = word.partition(sign)
        if found:
            return clock, sign + offset
    return word, ""


def _zone(word: str, time_text: str) -> Zone:
    if word in ("UTC", "GMT", "Z", "utc", "gmt", "z"):
        return FixedZone(0, "UTC")
    if word[0] in "+-":
        digits = word[1:].replace(":", "", 1)
        if len(digits) != 4 or not digits.isdigit() or (":" in word and word[3] != ":"):  # noqa: PLR2004 ±hh:mm
            raise Unclear(f"the offset {word} is not written like +01:00")
        seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        if int(digits[2:]) > 59 or seconds > _FURTHEST_OFFSET_S:  # noqa: PLR2004 minutes of an hour
            raise Unclear(f"no place is {word} away from UTC")
        return FixedZone(-seconds if word[0] == "-" else seconds)
    if "/" not in word:
        names = abbreviation_zones(word)
        why = f"{word} is not one zone" if names else f"{word} is not a zone; zones are named like Europe/Berlin"
        raise Unclear(why, [f"{time_text} {name}" for name in names])
    try:
        return NamedZone(word)
    except UsageError as error:
        raise Unclear(str(error)) from None


# --- what was perhaps meant --------------------------------------------------------------------------------------


def _midnights(day: str) -> list[str]:
    """Return the start and the end of a day that was named without a time."""
    if not day:
        return []
    if _is_date(day):
        number = _day_number(day)
        return [f"{_date_text(number)} 00:00", f"{_date_text(number + 1)} 00:00"]
    return [f"{day} 9:00"] if day == "today" else [f"{day} 0:00", f"{day} 9:00"]


def _instant_readings(words: list[str], text: str, now_us: int, home: Zone) -> list[str]:
    """Guess what an unclear time was meant to be."""
    tail = " ".join(words[1:])
    if words[0].lower() in ("next", "this") and len(words) > 1 and _weekday(words[1]) is not None:
        today = (now_us // SECOND_US + home.at(now_us // SECOND_US)[0]) // _DAY_S
        ahead = ((_weekday(words[1]) or 0) - (today + 3)) % 7
        rest = " ".join(words[2:]) or "9:00"
        return [f"{_date_text(today + days)} {rest}" for days in (ahead, ahead + 7)]
    dates = _date_readings(words[0])
    if dates:
        return [f"{date} {tail or '00:00'}" for date in dates]
    head, last = " ".join(words[:-1]), words[-1].lower()
    if last in ("am", "pm") and len(words) > 1:
        head, last = " ".join(words[:-2]), words[-2].lower() + last
    return [f"{head} {clock}".strip() for clock in _clock_readings(last)] if len(text) < LONGEST_TEXT else []


def _date_readings(word: str) -> list[str]:
    """Return the dates that ``05/06/2026`` or ``5.6.26`` may stand for."""
    parts = word.replace("/", "-").replace(".", "-").split("-")
    if len(parts) != 3 or not all(part.isdigit() and len(part) <= 4 for part in parts):  # noqa: PLR2004 y, m, d
        return []
    orders = ((2, 1, 0), (2, 0, 1), (0, 1, 2))
    dates = []
    for year, month, day in ([parts[index] for index in order] for order in orders):
        full = f"20{year}" if len(year) == 2 else year  # noqa: PLR2004 a year without its century
        date = f"{full}-{month:>02}-{day:>02}"
        if _is_date(date) and 1 <= int(month) <= 12 and 1 <= int(day) <= 31:  # noqa: PLR2004 the calendar
            dates.append(date)
    return sorted(set(dates))


def _clock_readings(word: str) -> list[str]:
    """Return the times of day that ``2pm``, ``12am``, ``noon`` or ``9`` may stand for."""
    if word in ("noon", "midnight"):
        return ["12:00" if word == "noon" else "00:00"]
    half = word[-2:] if word[-2:] in ("am", "pm") else ""
    hours, _, minutes = word.removesuffix(half).partition(":")
    minutes = minutes or "00"
    if not hours.isdigit() or not minutes.isdigit() or len(hours) > 2 or len(minutes) != 2:  # noqa: PLR2004 hh:mm
        return []
    hour = int(hours)
    if half and hour == 12:  # noqa: PLR2004 noon or midnight: nobody agrees
        return [f"00:{minutes}", f"12:{minutes}"]
    if half:
        return [f"{hour + 12 if half == 'pm' else hour}:{minutes}"]
    return [f"{hour}:{minutes}"] + ([f"{hour + 12}:{minutes}"] if hour < 12 else [])  # noqa: PLR2004 two halves


def _date_text(day_number: int) -> str:
    return _wall_text(day_number * _DAY_S)[:_DATE_LENGTH]


def _wall_text(wall_seconds: int) -> str:
    """Format a wall-clock time that is counted as if it were UTC; seconds only where there are some."""
    there = time.gmtime(wall_seconds)
    date = f"{there.tm_year:04d}-{there.tm_mon:02d}-{there.tm_mday:02d}"
    return f"{date} {there.tm_hour:02d}:{there.tm_min:02d}" + (f":{there.tm_sec:02d}" if there.tm_sec else "")


def _iso_text(seconds: int, offset: int) -> str:
    return _wall_text(seconds + offset).replace(" ", "T") + offset_text(offset)
