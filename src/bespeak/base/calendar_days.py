"""Whole days as people name them: from which instant until which, by the clocks of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import UsageError
from bespeak.base.timeparse import LONGEST_TEXT
from bespeak.base.timezones import instants_of, local_zone
from bespeak.base.wallclock import DAY_S, UnclearTimeError, day_number, days_until, is_date, today, weekday

if TYPE_CHECKING:
    from bespeak.base.timezones import Zone


def day(name: str, text: str, now_us: int, days: int = 1) -> tuple[int, int]:
    """Read a day; return its first instant and that of the day after, µs UTC, by the clocks of this machine.

    Args:
        name: what the complaint begins with.
        text: ``today``, ``tomorrow``, ``yesterday``, a weekday (the next, or today) or ``2026-11-24``.
        now_us: the present, in µs since 1970, UTC.
        days: how many days, from that one on.

    Raises:
        UsageError: it is no day.
    """
    zone = local_zone()
    present = today(now_us, zone)
    named = weekday(text)
    try:
        if text in ("today", "tomorrow", "yesterday"):
            number = present + {"yesterday": -1, "today": 0, "tomorrow": 1}[text]
        else:
            number = day_number(text) if named is None and is_date(text) else -1
    except UnclearTimeError as doubt:
        raise UsageError(f"{name}: {text[:LONGEST_TEXT]!a} is not read: {doubt}") from None
    if named is not None:
        number = present + days_until(named, present)
    if number < 0:
        manner = "a day is written like today, tomorrow, yesterday, mon or 2026-11-24"
        raise UsageError(f"{name}: {text[:LONGEST_TEXT]!a} is not read: {manner}")
    return _midnight(number, zone), _midnight(number + days, zone)


def _midnight(day_number: int, zone: Zone) -> int:
    """Return the first instant of a day, µs UTC; where the clocks skip midnight, the first that they show."""
    return instants_of(day_number * DAY_S, zone)[1][0] * SECOND_US
