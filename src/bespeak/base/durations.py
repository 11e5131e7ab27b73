"""Reading durations, and the manner in which everything unclear is refused.

Kept apart from :mod:`bespeak.base.timeparse`, which is the door: this half knows nothing of calendars or zones.
"""

from __future__ import annotations

from itertools import pairwise

from bespeak.base.clock import DAY_US, FOREVER_US, HOUR_US, MINUTE_US, SECOND_US
from bespeak.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FOREVER = "forever"
LONGEST_US = 36_525 * DAY_US
"""The longest duration that is read, in µs: a hundred years. Longer ones are typing errors."""

LONGEST_TEXT = 80
_LONGEST_NUMBER = 12
_UNITS = (("w", 7 * DAY_US), ("d", DAY_US), ("h", HOUR_US), ("m", MINUTE_US), ("s", SECOND_US))
_SIZES = dict(_UNITS)
_WORDS = {
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


class Unclear(Exception):  # noqa: N818 never leaves the two modules
    """What was typed has no single reading.

    Args:
        why: the reason, as the end of a sentence.
        readings: what it could mean, as one would type it.
    """

    def __init__(self, why: str, readings: Iterable[str] = ()) -> None:
        super().__init__(why)
        self.readings = tuple(readings)


def duration(text: str) -> int:
    """Read a duration such as ``90s``, ``15m``, ``2h``, ``1d``, ``1h30m`` or ``forever``; return µs.

    ``forever`` is :data:`~bespeak.base.clock.FOREVER_US`.

    Raises:
        UsageError: it is not a duration, or not a clear one; ``details["readings"]`` has what it could mean.
    """
    if text == FOREVER:
        return FOREVER_US
    return told(text, read_duration, "a duration is written like 90s, 15m, 2h, 1d, 1h30m or forever")


def told(text: str, read: Callable[[str], int], manner: str) -> int:
    """Call ``read`` and turn its doubt into one line that names the readings that can be typed instead."""
    try:
        return read(_plain(text))
    except Unclear as doubt:
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
        raise Unclear("")
    return text


def _typable(read: Callable[[str], int], reading: str) -> Iterable[str]:
    """Yield a suggestion if it would itself be accepted, else the clear ones among its own readings."""
    try:
        read(reading)
    except Unclear as doubt:
        for finer in doubt.readings:
            try:
                read(finer)
            except Unclear:
                continue
            yield finer
    else:
        yield reading


def read_duration(text: str) -> int:
    """Read a duration other than ``forever``; return µs, or raise :class:`Unclear`."""
    parts = _parts(text)
    if not parts or any(unit not in _SIZES for _, unit in parts):
        raise Unclear("", _duration_readings(text, parts))
    sizes = [_SIZES[unit] for _, unit in parts]
    total = sum(int(count) * size for (count, _), size in zip(parts, sizes, strict=True))
    if total == 0:
        raise Unclear("it must be longer than nothing")
    if total > LONGEST_US:
        raise Unclear("more than a hundred years")
    falling = all(left > right for left, right in pairwise(sizes))
    carried = any(
        int(count) * size >= left for (count, _), size, left in zip(parts[1:], sizes[1:], sizes, strict=False)
    )
    if not falling or carried:
        raise Unclear("units go from large to small, each less than one of the unit before", [exact(total)])
    return total


def _parts(text: str) -> list[tuple[str, str]]:
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


def _duration_readings(text: str, parts: list[tuple[str, str]]) -> list[str]:
    """Guess what an unclear duration was meant to be."""
    plain = text.strip()
    if plain.isdigit():
        return [plain + unit for unit in ("s", "m", "h")]
    if parts:
        return ["".join(count + _WORDS.get(word.removesuffix("s"), word) for count, word in parts)]
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
        return [] if rest or total % SECOND_US else [exact(total)]
    return []


def _squeezed_reading(plain: str) -> list[str]:
    """Write ``1 Hour 30`` the way it is read: without blanks, in small letters."""
    parts = _parts(plain.replace(" ", "").lower())
    return ["".join(count + _WORDS.get(word.removesuffix("s"), word) for count, word in parts)]


def exact(duration_us: int) -> str:
    """Format a whole number of seconds as it is typed, losing nothing."""
    text = ""
    for unit, size in _UNITS[1:]:
        count, duration_us = divmod(duration_us, size)
        text += f"{count}{unit}" if count else ""
    return text
