"""When something that is asked for begins and how long it lasts, as the options or fields of one request say it."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.errors import UsageError
from bespeak.base.timeparse import FOREVER, duration, instant, optional
from bespeak.base.timezones import FixedZone, NamedZone, local_zone
from bespeak.base.wallclock import wall_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from bespeak.base.timezones import Zone

    class BookClock(Protocol):
        """The clock of a book, which may be another machine's."""

        @property
        def clock_is_ours(self) -> bool:
            """Whether the book takes its time from this machine."""

        def now_us(self) -> int:
            """Return its present, µs UTC."""


def start(name: str, text: str | None, now_us: int) -> int | None:
    """Read when something begins, µs UTC; None if it was not given or is ``now``, which only the book's clock knows."""
    return None if text == "now" else optional(name, text, lambda given: instant(given, now_us=now_us))


def end_after(text: str, begins: str | None, now_us: int) -> int:
    """Read when something ends that begins at a time of its own.

    A time of day alone is that of the day on which it begins, or of the next, in the zone in which the beginning was
    given: from ``tomorrow 9:00 Europe/Berlin`` until ``10:00`` is one hour.

    Args:
        text: the end.
        begins: the beginning as it was given; None for now.
        now_us: the present, in µs since 1970, UTC.

    Raises:
        UsageError: one of them is not a time, or not a clear one.
    """
    if begins in (None, "now") or not _is_time_of_day(text):
        return instant(text, now_us=now_us)
    starts_us = instant(begins, now_us=now_us)
    zone, shown = _zone_of(begins)
    wall = wall_text((starts_us // SECOND_US) + shown.at(starts_us // SECOND_US)[0])
    same_day = instant(f"{wall[:10]} {text} {zone}".rstrip(), now_us=now_us)
    return (
        same_day if same_day > starts_us else instant(f"{_day_after(wall[:10])} {text} {zone}".rstrip(), now_us=now_us)
    )


def by_the_book(book: BookClock, text: str | None, instant_us: int | None, begins: str | None = None) -> int | None:
    """Return a time that was said from now on (``+2h``, ``tomorrow 9:00``) as the clock of the book counts it.

    Args:
        book: whose clock it is.
        text: as it was said; None for nothing.
        instant_us: as this machine's clock counts it, in µs since 1970, UTC; None for nothing.
        begins: for an end, the beginning as it was said.
    """
    if text is None or instant_us is None or instant_us >= FOREVER_US or book.clock_is_ours:
        return instant_us
    return end_after(text, begins, book.now_us())


def _zone_of(begins: str) -> tuple[str, Zone]:
    """Return the zone in which a beginning was given, as it is typed behind a time, and the zone itself."""
    last = begins.rsplit(maxsplit=1)[-1]
    if "/" in last:
        return last, NamedZone(last)
    if last in ("UTC", "GMT") or last.endswith(("Z", "z")):
        return "UTC", FixedZone(0, "UTC")
    sign, offset = begins[-6:-5], begins[-5:]
    if ":" not in offset:
        sign, offset = begins[-5:-4], begins[-4:]
    digits = offset.replace(":", "")
    if sign in ("+", "-") and len(digits) == 4 and digits.isdigit():  # noqa: PLR2004 +hhmm
        seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        return sign + offset, FixedZone(-seconds if sign == "-" else seconds)
    return "", local_zone()


def _is_time_of_day(text: str) -> bool:
    return ":" in text and text.replace(":", "").isdigit()


def _day_after(day: str) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def ending(
    length: str | None, end: str | None, names: tuple[str, str], now_us: int, begins: str | None = None
) -> tuple[int | None, int | None]:
    """Read how long something lasts, or until when: (duration in µs, end in µs UTC), at most one of them not None.

    Args:
        length: a duration, or ``forever``.
        end: a time, or ``forever``.
        names: what the two are called where they were given.
        now_us: the present, in µs since 1970, UTC.
        begins: when it begins, as it was given; None for now.

    Raises:
        UsageError: both were given, or one cannot be read.
    """
    if length is not None and end is not None:
        raise UsageError(f"{names[0]} and {names[1]} say the same thing; give one of them")
    if FOREVER in (length, end):
        return None, FOREVER_US
    return optional(names[0], length, duration), optional(names[1], end, lambda text: end_after(text, begins, now_us))
