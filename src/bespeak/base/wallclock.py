"""Wall-clock arithmetic without ``datetime``: days, times of day, and how both are written.

All commands load this module, so it imports next to nothing.
"""

from __future__ import annotations

import time

from bespeak.base.clock import SECOND_US
from bespeak.base.timezones import offset_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.base.timezones import Zone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DATE_LENGTH = 10
DAY_S = 86_400
_LAST_YEAR = 9998
_THURSDAY = 3
"""The weekday of the first day of 1970."""


class UnclearTimeError(Exception):
    """What was typed is no time or duration, or has more than one reading; it never leaves the reader.

    Args:
        why: the reason, as the end of a sentence.
        readings: what it could mean, as one would type it.
    """

    def __init__(self, why: str, readings: Iterable[str] = ()) -> None:
        super().__init__(why)
        self.readings = tuple(readings)


def today(now_us: int, zone: Zone) -> int:
    """Return the days from 1970 to the present day of a zone."""
    seconds = now_us // SECOND_US
    return (seconds + zone.at(seconds)[0]) // DAY_S


def days_until(weekday: int, day_number: int) -> int:
    """Return how many days after a day the next such weekday comes: 0 to 6."""
    return (weekday - (day_number + _THURSDAY)) % 7


def is_date(word: str) -> bool:
    """Tell whether a word has the form ``2026-11-24``."""
    shape = "".join("9" if letter.isdigit() else letter for letter in word)
    return shape == "9999-99-99"


def day_number(date: str) -> int:
    """Return the days since 1970 of ``2026-11-24``."""
    from datetime import date as civil

    year, month, day = (int(part) for part in date.split("-"))
    try:
        number = civil(year, month, day).toordinal() - civil(1970, 1, 1).toordinal()
    except ValueError:
        raise UnclearTimeError(f"there is no {date}") from None
    if number < 0 or year > _LAST_YEAR:
        raise UnclearTimeError("too far away")
    return number


def weekday(word: str) -> int | None:
    """Return 0 for ``mon`` or ``monday`` to 6 for ``sun`` or ``sunday``; None for anything else."""
    for number, name in enumerate(WEEKDAYS):
        if word.lower() in (name, name[:3]):
            return number
    return None


def time_of_day_us(text: str) -> int | None:
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


def date_text(day_number: int) -> str:
    """Format a day that is counted from 1970."""
    return wall_text(day_number * DAY_S)[:DATE_LENGTH]


def wall_text(wall_seconds: int) -> str:
    """Format a wall-clock time that is counted as if it were UTC; seconds only where there are some."""
    there = time.gmtime(wall_seconds)
    date = f"{there.tm_year:04d}-{there.tm_mon:02d}-{there.tm_mday:02d}"
    return f"{date} {there.tm_hour:02d}:{there.tm_min:02d}" + (f":{there.tm_sec:02d}" if there.tm_sec else "")


def iso_text(seconds: int, offset: int) -> str:
    """Format an instant (seconds since 1970, UTC) as ISO 8601 at an offset in seconds east of UTC."""
    return wall_text(seconds + offset).replace(" ", "T") + offset_text(offset)
