"""When a resource may be held: ``mon-fri 08:00-18:00, sat 10:00-14:00 Europe/Berlin``.

Days come before times, spans are separated by commas, a span that ends before it begins runs over midnight, and the
zone stands last and must be named: a book is read on many machines. Where the clocks are changed, a time that does
not exist opens later and closes earlier, and one that exists twice opens at the first and closes at the second.
"""

from __future__ import annotations

import re

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.errors import UsageError
from bespeak.base.frozen import frozen
from bespeak.base.timezones import FixedZone, NamedZone, instants_of
from bespeak.base.wallclock import DAY_S, days_until, today, weekday

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.base.timezones import Zone

_DAYS = 7
_EVERY_DAY = ("daily", "always", "every-day")
_TIMES = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)")
_LAST_MINUTE = 24 * 60
_EXAMPLE = "write it like mon-fri 08:00-18:00 Europe/Berlin"


@frozen
class OpeningHours:
    """Spans of the week during which a resource may be held.

    Args:
        text: as it is written.
        spans: (weekday from 0 for Monday, first second of that day, last second counted from its midnight).
        zone: whose clocks.
    """

    text: str
    spans: tuple[tuple[int, int, int], ...]
    zone: Zone


def parse(text: str) -> OpeningHours:
    """Read opening hours.

    Raises:
        UsageError: they cannot be read, or name no zone.
    """
    words = text.replace(",", " , ").split()
    if not words:
        raise UsageError(f"the hours are empty; {_EXAMPLE}")
    *spans, zone = words
    if weekday(zone) is not None or _TIMES.fullmatch(zone) or zone == "," or not spans:
        raise UsageError(f"{text!a} names no zone; {_EXAMPLE}")
    return OpeningHours(" ".join(text.split()), _spans(spans, text), _zone(zone))


def _zone(name: str) -> Zone:
    return FixedZone(0, "UTC") if name.upper() in ("UTC", "GMT") else NamedZone(name)


def _spans(words: list[str], text: str) -> tuple[tuple[int, int, int], ...]:
    found: list[tuple[int, int, int]] = []
    days: list[int] = []
    timed = False
    for word in words:
        if word == ",":
            continue
        times = _TIMES.fullmatch(word)
        if times is None:
            days = [*([] if timed else days), *_weekdays(word, text)]
            timed = False
            continue
        if not days:
            raise UsageError(f"{text!a}: {word} stands behind no day; {_EXAMPLE}")
        timed = True
        found += [(day, *_seconds(times, text)) for day in days]
    if not timed:
        raise UsageError(f"{text!a}: no times are given for the last day; {_EXAMPLE}")
    return tuple(sorted(set(found)))


def _weekdays(word: str, text: str) -> list[int]:
    if word.lower() in _EVERY_DAY:
        return list(range(_DAYS))
    first_word, dash, last_word = word.partition("-")
    first, last = weekday(first_word), weekday(last_word if dash else first_word)
    if first is None or last is None:
        raise UsageError(f"{text!a}: {word!a} is no day and no time; {_EXAMPLE}")
    return [(first + step) % _DAYS for step in range((last - first) % _DAYS + 1)]


def _seconds(times: re.Match[str], text: str) -> tuple[int, int]:
    numbers = [int(part) for part in times.groups()]
    first, last = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if max(numbers[1], numbers[3]) > 59 or first >= _LAST_MINUTE or last > _LAST_MINUTE:  # noqa: PLR2004 of a clock
        raise UsageError(f"{text!a}: {times.group()} is no time of day")
    if last <= first:
        last += _LAST_MINUTE
    return first * 60, last * 60


def open_windows(hours: OpeningHours, from_us: int) -> Iterator[tuple[int, int]]:
    """Yield the windows, µs UTC, during which it is open from ``from_us`` on, without end, in order and apart."""
    day = today(from_us, hours.zone) - 2
    current: tuple[int, int] | None = None
    while True:
        for starts_us, ends_us in sorted(_of_day(hours, day)):
            if ends_us <= from_us or starts_us >= ends_us:
                continue
            if current is None:
                current = (max(starts_us, from_us), ends_us)
            elif starts_us <= current[1]:
                current = (current[0], max(current[1], ends_us))
            else:
                yield current
                current = (starts_us, ends_us)
        day += 1
        if current is not None and current[1] - current[0] > 2 * _DAYS * DAY_S * SECOND_US:
            yield current[0], FOREVER_US  # it never closes
            return


def closed_windows(hours: OpeningHours, from_us: int, to_us: int) -> list[tuple[int, int]]:
    """Return the windows within ``[from_us, to_us)``, µs UTC, during which it is closed."""
    found = []
    at_us = from_us
    for starts_us, ends_us in open_windows(hours, from_us):
        if at_us >= to_us:
            break
        if starts_us > at_us:
            found.append((at_us, min(starts_us, to_us)))
        at_us = ends_us
    return found


def _of_day(hours: OpeningHours, day: int) -> list[tuple[int, int]]:
    """Return the windows that begin on a day that is counted from 1970."""
    return [
        (
            _instant_us(day * DAY_S + first, hours.zone, opens=True),
            _instant_us(day * DAY_S + last, hours.zone, opens=False),
        )
        for number, first, last in hours.spans
        if days_until(number, day) == 0
    ]


def _instant_us(wall_seconds: int, zone: Zone, *, opens: bool) -> int:
    instants, readings = instants_of(wall_seconds, zone)
    if not instants:
        return (readings[-1] if opens else readings[0]) * SECOND_US
    return (instants[0] if opens else instants[-1]) * SECOND_US
