"""Instants as the documented contract takes them: epoch seconds or ISO 8601, in whole seconds, plus ``+5m``.

This reader differs from :mod:`bespeak.base.timeparse` on purpose: scripts rely on a bare number being epoch seconds,
on a missing offset meaning local time, and on a date alone meaning its local midnight.
"""

from __future__ import annotations

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import UsageError

EARLIEST_S = -62_135_596_800
LATEST_S = 253_402_300_799
"""The instants that a four-digit year can name, in seconds since 1970."""

_LONGEST = 80


def read_instant(text: str, flag: str, now_us: int) -> int:
    """Read an instant; return seconds since 1970, UTC, fractions cut.

    Args:
        text: ``1777831200``, ``2026-05-04T03:00:00+09:00``, ``2026-05-04``, ``+5m`` or ``now+2h``.
        flag: the flag it was given with, for the message.
        now_us: the present, µs UTC.

    Raises:
        UsageError: it is none of these, or no calendar has it.
    """
    plain = text.strip()
    if len(plain) > _LONGEST:
        raise UsageError(f"{flag}: longer than {_LONGEST} characters")
    try:
        seconds = _read(plain, now_us)
    except UsageError as error:
        raise UsageError(f"{flag}: {error}") from error
    except (ValueError, OverflowError, OSError):
        seconds = None
    if seconds is None:
        raise UsageError(
            f"{flag} {text!a}: expected epoch seconds, an ISO 8601 date or time such as "
            "2026-05-04T03:00:00+09:00, or a delay such as +5m"
        )
    if not EARLIEST_S <= seconds <= LATEST_S:
        raise UsageError(f"{flag} {text!a}: outside the years 1 to 9999")
    return seconds


def _read(plain: str, now_us: int) -> int | None:
    digits = plain[1:] if plain[:1] in ("+", "-") else plain
    if digits.isascii() and digits.isdigit():
        return int(plain)
    for start in ("now", "+"):
        if plain.startswith(start):
            return _relative(plain.removeprefix("now"), now_us)
    return _calendar(plain)


def _relative(delay: str, now_us: int) -> int | None:
    if not delay:
        return now_us // SECOND_US
    if not delay.startswith("+"):
        return None
    from bespeak.base.clock import FOREVER_US
    from bespeak.base.durations import duration

    if _is_nothing(delay[1:]):
        return now_us // SECOND_US
    wanted = duration(delay[1:])
    if wanted >= FOREVER_US:
        return None
    # Rounded up: "+1s" must not be over in half a second.
    return -(-(now_us + wanted) // SECOND_US)


def _is_nothing(text: str) -> bool:
    """Tell whether a script that computes its delays wrote one of nothing, such as ``0s``."""
    return text.startswith("0") and text.strip("0") in ("s", "m", "h", "d")


def _calendar(plain: str) -> int:
    from datetime import datetime

    found = datetime.fromisoformat(plain)
    # Cut before asking for the timestamp: a float would round instants near the end of a second up.
    return int(found.replace(microsecond=0).timestamp())


def read_duration(text: str, flag: str, *, smallest_us: int = 0) -> int:
    """Read a duration such as ``30s`` or a bare number of seconds; return µs.

    Raises:
        UsageError: it is neither, or it is shorter than ``smallest_us``.
    """
    plain = text.strip()
    seconds = None
    if plain.isascii() and plain.replace(".", "", 1).isdigit():
        seconds = float(plain)
    elif _is_nothing(plain):
        seconds = 0.0
    from bespeak.base.clock import FOREVER_US, duration_text
    from bespeak.base.durations import LONGEST_US, duration

    try:
        found = int(seconds * SECOND_US) if seconds is not None else duration(plain)
    except UsageError as error:
        raise UsageError(f"{flag}: {error}") from error
    if found < smallest_us:
        raise UsageError(f"{flag} {text!a}: at least {duration_text(smallest_us)}")
    if found > LONGEST_US and found != FOREVER_US:
        raise UsageError(f"{flag} {text!a}: longer than a hundred years")
    return found


def iso_seconds(seconds: int | None) -> str | None:
    """Format seconds since 1970 as ISO 8601 in UTC, None as None; what no calendar has is None too."""
    if seconds is None:
        return None
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


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
