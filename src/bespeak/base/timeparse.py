"""The one grammar of the durations and times that people and scripts type, and how instants are shown to people.

A booking made for the wrong hour is worse than a question, so the reader guesses nothing: whatever could be read in
two ways is refused, with the readings it could have, each written so that it can be typed instead. All commands
load this module, so it imports next to nothing. What the contract of ``orchesjob-reserver`` reads otherwise (a number
of any length, a date alone) is in :mod:`bespeak.jobs.contract_times`.
"""

from __future__ import annotations

from itertools import pairwise

from bespeak.base.clock import DAY_US, FOREVER_US, SECOND_US, UNITS, duration_text, from_iso, number_word_pairs
from bespeak.base.errors import UsageError
from bespeak.base.timezones import FixedZone, NamedZone, abbreviation_zones, instants_of, local_zone, offset_text
from bespeak.base.wallclock import (
    DATE_LENGTH,
    DAY_S,
    WEEKDAYS,
    UnclearTimeError,
    date_text,
    day_number,
    days_until,
    is_date,
    iso_text,
    time_of_day_us,
    today,
    wall_text,
    weekday,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bespeak.base.timezones import Zone

FOREVER = "forever"
LONGEST_US = 36_525 * DAY_US
"""The longest duration that is read, in µs: a hundred years. Longer ones are typing errors."""
LONGEST_TEXT = 80

_SIZES = dict(UNITS)
_FURTHEST_OFFSET_S = 18 * 3600
_EPOCH_DIGITS = range(9, 12)
"""How many digits a bare number has that can only be seconds since 1970; 8, 12 and 14 digits may be a date."""
_BASIC_DATE = 8


def duration(text: str, *, may_be_zero: bool = False) -> int:
    """Read a duration such as ``90s``, ``15m``, ``2h``, ``1d``, ``1h30m`` or ``forever``; return µs.

    ``forever`` is :data:`~bespeak.base.clock.FOREVER_US`.

    Args:
        text: what was typed.
        may_be_zero: accept ``0s``, too.

    Raises:
        UsageError: it is not a duration, or not a clear one; ``details["readings"]`` has what it could mean.
    """
    if text == FOREVER:
        return FOREVER_US
    return _read(
        text,
        lambda words: _duration(words, may_be_zero=may_be_zero),
        "a duration is written like 90s, 15m, 2h, 1d, 1h30m or forever",
    )


def instant(text: str, *, now_us: int, zone: Zone | None = None) -> int:
    """Read a point in time; return µs since 1970, UTC.

    Args:
        text: ``now``, ``+2h``, ``now+2h``, ``-1d``, ``14:00``, ``fri 14:00``, ``today 9:00``,
            ``tomorrow 9:00 Europe/Berlin``, ``2026-11-24 14:00``, ISO 8601 with or without offset, or
            seconds since 1970.
        now_us: the present, in µs since 1970, UTC.
        zone: the zone of times that name none; by default the machine's.

    Raises:
        UsageError: it is not a time, or not a clear one; ``details["readings"]`` has what it could mean.
    """
    at_home = zone or local_zone()
    return _read(
        text,
        lambda words: _instant(words, now_us, at_home),
        "a time is written like 14:00, fri 14:00, tomorrow 9:00 Europe/Berlin, 2026-11-24T14:00+01:00 or +2h",
    )


def script_duration(text: str) -> int:
    """Read a duration as scripts write it: as :func:`duration` does, or a bare number of seconds; return µs.

    Raises:
        UsageError: it is neither.
    """
    plain = text.strip()
    if not (plain.isascii() and plain.replace(".", "", 1).isdigit()):
        return duration(plain, may_be_zero=True)
    length_us = int(float(plain) * SECOND_US) if len(plain) <= LONGEST_TEXT else LONGEST_US + 1
    if length_us > LONGEST_US:
        raise UsageError(f"{text[:LONGEST_TEXT]!r} is not read: longer than a hundred years")
    return length_us


def script_instant(text: str, *, now_us: int) -> int:
    """Read a point in time as scripts write it; return µs since 1970, UTC.

    A bare number of any length is seconds since 1970, and ISO 8601 is read as Python reads it: a date alone is its
    midnight, and a local time that is shown twice is the first. Everything else is read by :func:`instant`.

    Raises:
        UsageError: it is not a time, or not a clear one.
    """
    plain = text.strip()
    if plain.isascii() and plain.isdigit() and len(plain) <= LONGEST_TEXT:
        return int(plain) * SECOND_US
    try:
        return from_iso(plain)
    except (ValueError, OverflowError, OSError):
        return instant(plain, now_us=now_us)


def optional(name: str, text: str | None, read: Callable[[str], int]) -> int | None:
    """Read the value of an option or a field; None if it was not given.

    Args:
        name: what the complaint begins with.
        text: what was given.
        read: such as :func:`duration`.

    Raises:
        UsageError: as ``read`` raises it, with the name in front.
    """
    if text is None:
        return None
    try:
        return read(text)
    except UsageError as error:
        raise UsageError(f"{name}: {error}", option=name, **error.details) from None


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
    except (OverflowError, OSError, ValueError, UsageError):
        offset, name = 0, "UTC"
    return f"{wall_text(seconds + offset)} {name.strip() or offset_text(offset)}"


# --- refusing ---------------------------------------------------------------------------------------------------


def _read(text: str, read: Callable[[str], int], manner: str) -> int:
    """Call ``read`` and turn its doubt into one line that names the readings that can be typed instead."""
    try:
        return read(_plain(text))
    except UnclearTimeError as doubt:
        readings = list(dict.fromkeys(text for reading in doubt.readings for text in _typable(read, reading)))
        shown = repr(text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "...")
        why = str(doubt)
        if len(readings) > 1:
            offered = ", ".join(f"'{reading}'" for reading in readings[:-1]) + f" or '{readings[-1]}'"
            line = f"{shown} is not clear{why and f' ({why})'}: it could be {offered}"
        elif readings:
            line = f"{shown} is not clear{why and f' ({why})'}: write '{readings[0]}'"
        else:
            line = f"{shown} is not read{why and f' ({why})'}: {manner}"
        raise UsageError(line, readings=readings) from None


def _plain(text: str) -> str:
    """Refuse what no duration and no time contains, before anything looks closer."""
    if len(text) > LONGEST_TEXT or not text.isascii() or not text.isprintable():
        raise UnclearTimeError("")
    return text


def _typable(read: Callable[[str], int], reading: str) -> Iterable[str]:
    """Yield a suggestion if it would itself be accepted, else the clear ones among its own readings."""
    try:
        read(reading)
    except UnclearTimeError as doubt:
        for finer in doubt.readings:
            try:
                read(finer)
            except UnclearTimeError:
                continue
            yield finer
    else:
        yield reading


# --- durations --------------------------------------------------------------------------------------------------


def _duration(text: str, *, may_be_zero: bool = False) -> int:
    """Read a duration other than ``forever``; return µs, or raise :class:`UnclearTimeError`."""
    parts = number_word_pairs(text)
    if not parts or any(unit not in _SIZES for _, unit in parts):
        from bespeak.base.time_suggestions import of_a_duration

        raise UnclearTimeError("", of_a_duration(text))
    sizes = [_SIZES[unit] for _, unit in parts]
    total = sum(int(count) * size for (count, _), size in zip(parts, sizes, strict=True))
    if total == 0 and not may_be_zero:
        raise UnclearTimeError("it must be greater than zero")
    if total > LONGEST_US:
        raise UnclearTimeError("more than a hundred years")
    falling = all(left > right for left, right in pairwise(sizes))
    carried = any(
        int(count) * size >= left for (count, _), size, left in zip(parts[1:], sizes[1:], sizes, strict=False)
    )
    if not falling or carried:
        exact = duration_text(total, units=len(UNITS))
        raise UnclearTimeError("units go from large to small, each less than one of the unit before", [exact])
    return total


# --- instants ---------------------------------------------------------------------------------------------------


def _instant(text: str, now_us: int, home: Zone) -> int:
    if text == "now":
        return now_us
    delay = text.removeprefix("now")
    if delay.startswith(("+", "-")) and " " not in delay:
        away_us = _delay(delay[1:], delay[0])
        return now_us + away_us if delay[0] == "+" else max(now_us - away_us, 0)
    if text.isdigit() and len(text) in _EPOCH_DIGITS:
        return int(text) * SECOND_US
    day, clock, zone = _pieces(text, now_us, home)
    return _wall(day, clock, zone or home, now_us)


def _delay(text: str, sign: str) -> int:
    if text == FOREVER:
        raise UnclearTimeError("a point in time has to be a date")
    try:
        return _duration(text, may_be_zero=True)
    except UnclearTimeError as doubt:
        raise UnclearTimeError(str(doubt), [sign + reading for reading in doubt.readings]) from None


def _pieces(text: str, now_us: int, home: Zone) -> tuple[str, str, Zone | None]:
    """Split into a day (empty if none), a time of day and a zone (None if none); refuse anything else."""
    rest = text.split()
    day = ""
    if rest:
        rest[:1] = _split_iso(rest[0])
    if rest and (is_date(rest[0]) or weekday(rest[0]) is not None or rest[0].lower() in ("today", "tomorrow")):
        day = rest.pop(0).lower()
    if not rest:
        from bespeak.base.time_suggestions import of_a_day_alone

        raise UnclearTimeError("the time of day is missing", of_a_day_alone(day))
    clock, offset = _split_offset(rest.pop(0))
    if time_of_day_us(clock) is None or (rest and rest[0].lower() in ("am", "pm")):
        from bespeak.base.time_suggestions import of_a_time

        raise UnclearTimeError("", of_a_time(text.split(), now_us, home) if len(text) < LONGEST_TEXT else ())
    zones = [word for word in (offset, *rest) if word]
    if len(zones) > 1:
        raise UnclearTimeError("more than one zone, or words after it")
    return day, clock, _zone(zones[0], f"{day} {clock}".strip()) if zones else None


def _split_iso(word: str) -> list[str]:
    """Split ISO 8601 at its ``T``, the basic form (``20261124T140000Z``) written as the extended one."""
    if is_date(word[:DATE_LENGTH]) and word[DATE_LENGTH : DATE_LENGTH + 1] in ("T", "t"):
        return [word[:DATE_LENGTH], word[DATE_LENGTH + 1 :]]
    date, clock = word[:_BASIC_DATE], word[_BASIC_DATE + 1 :]
    digits = len(clock) - len(clock.lstrip("0123456789"))
    if not date.isdigit() or word[_BASIC_DATE : _BASIC_DATE + 1] not in ("T", "t") or digits not in (4, 6):
        return [word]
    pairs = ":".join(clock[at : at + 2] for at in range(0, digits, 2))
    return [f"{date[:4]}-{date[4:6]}-{date[6:]}", pairs + clock[digits:]]


def _wall(day: str, clock: str, zone: Zone, now_us: int) -> int:
    """Return the one instant at which the clocks of ``zone`` show ``clock`` on ``day``."""
    present = today(now_us, zone)
    number = _day(day, present, f" {clock}{zone.suffix}")
    found = _existing(number, clock, zone)
    if day == "" and found < now_us:
        dates = [f"{word} {clock}{zone.suffix}" for word in ("today", "tomorrow")]
        raise UnclearTimeError(f"{date_text(present)} {clock} is past", dates)
    return found


def _day(day: str, present: int, tail: str) -> int:
    """Return which day is meant; ``tail`` is what follows a day in a suggestion."""
    if day in ("", "today"):
        return present
    if day == "tomorrow":
        return present + 1
    named = weekday(day)
    if named is None:
        return day_number(day)
    ahead = days_until(named, present)
    if ahead == 0:
        dates = [date_text(present + days) + tail for days in (0, 7)]
        raise UnclearTimeError(f"today is {WEEKDAYS[named].capitalize()}", dates)
    return present + ahead


def _existing(day_number: int, clock: str, zone: Zone) -> int:
    """Return the instant of a wall-clock time; refuse one that does not exist or exists twice."""
    of_day_us = time_of_day_us(clock) or 0
    wall_seconds = day_number * DAY_S + of_day_us // SECOND_US
    try:
        instants, readings = instants_of(wall_seconds, zone)
    except (OverflowError, OSError, ValueError):
        raise UnclearTimeError("too far away") from None
    if len(instants) == 1:
        return instants[0] * SECOND_US + of_day_us % SECOND_US
    why = "the clocks go back, so it is shown twice" if instants else "the clocks go forward, so it is never shown"
    raise UnclearTimeError(why, [iso_text(reading, zone.at(reading)[0]) for reading in readings])


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
            raise UnclearTimeError(f"the offset {word} is not written like +01:00")
        seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        if int(digits[2:]) > 59 or seconds > _FURTHEST_OFFSET_S:  # noqa: PLR2004 minutes of an hour
            raise UnclearTimeError(f"no place is {word} away from UTC")
        return FixedZone(-seconds if word[0] == "-" else seconds)
    if "/" not in word:
        names = abbreviation_zones(word)
        why = f"{word} is not one zone" if names else f"{word} is not a zone; zones are named like Europe/Berlin"
        raise UnclearTimeError(why, [f"{time_text} {name}" for name in names])
    try:
        return NamedZone(word)
    except UsageError as error:
        raise UnclearTimeError(str(error)) from None
