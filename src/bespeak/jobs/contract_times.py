"""What the contract of orchesjob-reserver narrows of times and durations: whole seconds, and years of four digits.

Both are read by :mod:`bespeak.base.timeparse`, as scripts write them.
"""

from __future__ import annotations

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import UsageError

EARLIEST_S = -62_135_596_800
LATEST_S = 253_402_300_799
"""The instants that a four-digit year can name, in seconds since 1970."""

_DAY_S = 86_400
_MOST_DATES = 10_000
_DATES: dict[int, str | None] = {}
"""Days since 1970 as they were formatted before: in a list, most rows share theirs with another one."""


def start_us(not_before: int | None) -> int:
    """Return when a dispatcher is to look at a reservation with this start, µs UTC; 0 is at once, whatever the clock.

    Args:
        not_before: its start, seconds since 1970; None for at once.
    """
    return max(not_before or 0, 0) * SECOND_US


def read_instant(text: str, flag: str, now_us: int) -> int:
    """Read an instant; return seconds since 1970, UTC.

    Args:
        text: ``1777831200``, ``2026-05-04T03:00:00+09:00``, ``2026-05-04``, ``+5m``, ``tomorrow 02:00 Asia/Tokyo``.
        flag: the flag it was given with, for the message.
        now_us: the present, µs UTC.

    Raises:
        UsageError: it is none of these, or no calendar has it.
    """
    from bespeak.base import timeparse

    found = timeparse.optional(flag, text, lambda given: timeparse.script_instant(given, now_us=now_us)) or 0
    # A delay is rounded up: "+1s" must not be over in half a second. A fraction of what was written out is cut.
    seconds = (
        -(-found // SECOND_US) if text.lstrip().startswith(("+", "now+")) and found > now_us else found // SECOND_US
    )
    if not EARLIEST_S <= seconds <= LATEST_S:
        raise UsageError(f"{flag}: {text!a} is outside the years 1 to 9999", option=flag)
    return seconds


def read_duration(text: str, flag: str, *, smallest_us: int = 0) -> int:
    """Read a duration such as ``30s`` or a bare number of seconds; return µs.

    Raises:
        UsageError: it is neither, or it is shorter than ``smallest_us``.
    """
    from bespeak.base import timeparse
    from bespeak.base.clock import duration_text

    found = timeparse.optional(flag, text, timeparse.script_duration) or 0
    if found < smallest_us:
        raise UsageError(f"{flag}: {text!a} is too short: at least {duration_text(smallest_us)}", option=flag)
    return found


def iso_seconds(seconds: int | None) -> str | None:
    """Format seconds since 1970 as ISO 8601 in UTC, None as None; what no calendar has is None too."""
    if seconds is None:
        return None
    day, second = divmod(seconds, _DAY_S)
    date = _DATES[day] if day in _DATES else _date(day)
    if date is None:
        return None
    return f"{date}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+00:00"


def _date(day: int) -> str | None:
    """Format a day, counted from 1970, and keep its text."""
    from datetime import UTC, datetime

    if len(_DATES) >= _MOST_DATES:
        _DATES.clear()
    try:
        _DATES[day] = datetime.fromtimestamp(day * _DAY_S, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        _DATES[day] = None
    return _DATES[day]


def read_number(text: str, flag: str, least: int, most: int) -> int:
    """Read a whole number in plain digits.

    Raises:
        UsageError: it is none, or out of bounds.
    """
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:  # noqa: PLR2004 -- what 64 bits hold
        raise UsageError(f"{flag} {text!a}: expected a whole number")
    found = int(text)
    if not least <= found <= most:
        raise UsageError(f"{flag} {text!a}: from {least} to {most}")
    return found
