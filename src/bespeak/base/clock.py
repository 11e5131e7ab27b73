"""Time comes from here: instants are integer microseconds since 1970 in UTC, durations are microseconds.

Integers compare and store exactly on both engines, and a test can replace the clock by any function that
returns one. What people type is read in :mod:`bespeak.base.timeparse`; here are only the units and the machine formats.
"""

from __future__ import annotations

import time
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

Clock = Callable[[], int]
"""A function that returns the present instant in µs since 1970, UTC."""

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

UNITS = (("w", 7 * DAY_US), ("d", DAY_US), ("h", HOUR_US), ("m", MINUTE_US), ("s", SECOND_US))
"""The letters of durations with their lengths in µs, from large to small."""
_LONGEST_NUMBER = 12

FOREVER_US = 2**62
"""The end of an open-ended window, in µs. Larger than any date a calendar can name, and small enough that a
duration added to it still fits the 64-bit integers of both engines."""


def now() -> int:
    """Return the present instant in µs since 1970, UTC."""
    return time.time_ns() // 1000


_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_us() -> int:
    """Return the time since the machine was started, µs: never set, and going on while the machine is suspended."""
    return time.clock_gettime_ns(_BOOT_CLOCK) // 1000


def as_datetime(instant_us: int) -> datetime:
    """Return an instant (µs since 1970, UTC) as a ``datetime`` in UTC, exactly."""
    from datetime import UTC, datetime, timedelta

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant_us)


def of_datetime(instant: datetime) -> int:
    """Return the µs since 1970 of a ``datetime`` that has a zone, exactly.

    Raises:
        TypeError: it has none.
    """
    from datetime import UTC, datetime, timedelta

    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def iso(instant_us: int | None) -> str | None:
    """Format an instant for machines: ISO 8601 in UTC with offset; None for "no end".

    Args:
        instant_us: µs since 1970, UTC, or None; :data:`FOREVER_US` and beyond count as None.
    """
    return None if instant_us is None or instant_us >= FOREVER_US else as_datetime(instant_us).isoformat()


def from_iso(text: str) -> int:
    """Return the instant that an ISO 8601 text names, in µs UTC; local where it has no offset, 00:00 without a time.

    Raises:
        ValueError: it is no such text.
        OverflowError: no calendar has it.
    """
    from datetime import UTC, datetime

    return of_datetime(datetime.fromisoformat(text).astimezone(UTC))


def duration_text(duration_us: int, *, units: int = 2) -> str:
    """Format a duration the way it is typed: ``1h30m``, ``2d``, ``45s``; below a second ``0.25s``.

    Args:
        duration_us: a duration in µs; negative ones get a leading minus.
        units: how many units to show at most, from the largest on; with 4, no second is lost.
    """
    if duration_us < 0:
        return "-" + duration_text(-duration_us, units=units)
    if duration_us < SECOND_US:
        return f"{duration_us / SECOND_US:g}s"
    parts = []
    for unit, size in UNITS[1:]:
        count, duration_us = divmod(duration_us, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:units])


def number_word_pairs(text: str) -> list[tuple[str, str]]:
    """Split ``1h30m`` into numbers and the words that follow them; empty if it is not made like that."""
    parts: list[tuple[str, str]] = []
    rest = text
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        after = rest[len(number) :]
        word = after[: len(after) - len(after.lstrip("abcdefghijklmnopqrstuvwxyz"))]
        if not number or not word or len(number) > _LONGEST_NUMBER:
            return []
        parts.append((number, word))
        rest = after[len(word) :]
    return parts
