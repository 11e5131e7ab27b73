"""What an unclear time or duration was perhaps meant to be, each guess written as one would type it.

Loaded only when something is refused. A guess need not be right: the reader offers only those that it would accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US, UNITS, duration_text, number_word_pairs
from bespeak.base.wallclock import date_text, day_number, days_until, is_date, today, weekday

if TYPE_CHECKING:
    from bespeak.base.timezones import Zone

_LONGEST_NUMBER = 12
_SIZES = dict(UNITS)
_LETTERS = {
    "week": "w",
    "wk": "w",
    "day": "d",
    "hour": "h",
    "hr": "h",
    "minute": "m",
    "min": "m",
    "second": "s",
    "sec": "s",
}
"""Units as people write them out, without the ``s`` of the plural."""


def of_a_day_alone(day: str) -> list[str]:
    """Return the start and the end of a day that was named without a time."""
    if not day:
        return []
    if is_date(day):
        number = day_number(day)
        return [f"{date_text(number)} 00:00", f"{date_text(number + 1)} 00:00"]
    return [f"{day} 9:00"] if day == "today" else [f"{day} 0:00", f"{day} 9:00"]


def of_a_time(words: list[str], now_us: int, home: Zone) -> list[str]:
    """Guess what an unclear time was meant to be."""
    tail = " ".join(words[1:])
    if words[0].lower() in ("next", "this") and len(words) > 1 and weekday(words[1]) is not None:
        here = today(now_us, home)
        ahead = days_until(weekday(words[1]) or 0, here)
        rest = " ".join(words[2:]) or "9:00"
        return [f"{date_text(here + days)} {rest}" for days in (ahead, ahead + 7)]
    dates = _date_readings(words[0])
    if dates:
        return [f"{date} {tail or '00:00'}" for date in dates]
    head, last = " ".join(words[:-1]), words[-1].lower()
    if last in ("am", "pm") and len(words) > 1:
        head, last = " ".join(words[:-2]), words[-2].lower() + last
    return [f"{head} {clock}".strip() for clock in _clock_readings(last)]


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
        if is_date(date) and 1 <= int(month) <= 12 and 1 <= int(day) <= 31:  # noqa: PLR2004 the calendar
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


def of_a_duration(text: str) -> list[str]:
    """Guess what an unclear duration was meant to be."""
    plain = text.strip()
    if plain.isdigit():
        return [plain + unit for unit in ("s", "m", "h")]
    parts = number_word_pairs(text)
    if parts:
        return [_with_letters(parts)]
    first, colon, second = plain.partition(":")
    if colon and first.isdigit() and second.isdigit():
        return [f"{int(first)}h{int(second)}m", f"{int(first)}m{int(second)}s"]
    if plain[:-1].isdigit() and plain[-1:] == "M":
        return [plain.lower(), f"{30 * int(plain[:-1])}d"]
    return _fraction_reading(plain) or _squeezed_reading(plain)


def _fraction_reading(plain: str) -> list[str]:
    """Write ``0.5h`` as ``30m``, if it is a whole number of seconds."""
    whole, point, fraction = plain[:-1].replace(",", ".").partition(".")
    if point and (whole + fraction).isdigit() and plain[-1] in _SIZES and len(plain) <= _LONGEST_NUMBER:
        total, rest = divmod(int(whole + fraction) * _SIZES[plain[-1]], 10 ** len(fraction))
        return [] if rest or total % SECOND_US else [duration_text(total, units=4)]
    return []


def _squeezed_reading(plain: str) -> list[str]:
    """Write ``1 Hour 30`` the way it is read: without blanks, in small letters."""
    return [_with_letters(number_word_pairs(plain.replace(" ", "").lower()))]


def _with_letters(parts: list[tuple[str, str]]) -> str:
    return "".join(count + _LETTERS.get(word.removesuffix("s"), word) for count, word in parts)
