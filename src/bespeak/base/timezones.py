"""Time zones as one question: how far is the wall clock from UTC at this instant?

The zone of the machine is asked of the C library, which is already loaded; ``zoneinfo`` costs start-up time and is
imported only when somebody names a zone. Whether a wall-clock time exists once, twice or never is then decided by
one rule for every kind of zone, so the answer cannot depend on where the zone came from.
"""

from __future__ import annotations

import os
import time

from bespeak.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Zone(Protocol):
        """A time zone.

        Attributes:
            suffix: how the zone is written after a wall-clock time, with a leading blank; empty for the machine's.
        """

        suffix: str

        def at(self, seconds: int) -> tuple[int, str]:
            """Return (seconds east of UTC, abbreviation) at an instant in seconds since 1970, UTC."""


_DAY_S = 86_400
_ZONE_FILES = "/usr/share/zoneinfo"
_SHORTEST_ABBREVIATION = 3
_ABBREVIATIONS = {
    "BST": ("Europe/London", "Asia/Dhaka"),
    "CET": ("Europe/Berlin", "Europe/Paris"),
    "CEST": ("Europe/Berlin", "Europe/Paris"),
    "CST": ("America/Chicago", "Asia/Shanghai", "America/Havana"),
    "CDT": ("America/Chicago", "America/Havana"),
    "EST": ("America/New_York", "America/Panama"),
    "EDT": ("America/New_York", "America/Toronto"),
    "IST": ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
    "JST": ("Asia/Tokyo",),
    "MST": ("America/Denver", "America/Phoenix"),
    "MDT": ("America/Denver",),
    "PST": ("America/Los_Angeles", "Asia/Manila"),
    "PDT": ("America/Los_Angeles",),
}


class LocalZone:
    """The machine's zone, as the C library knows it."""

    suffix = ""

    def at(self, seconds: int) -> tuple[int, str]:
        """Return (seconds east of UTC, abbreviation) at an instant in seconds since 1970, UTC."""
        there = time.localtime(seconds)
        return there.tm_gmtoff, there.tm_zone


class FixedZone:
    """A constant distance from UTC.

    Args:
        offset_seconds: seconds east of UTC.
        name: how it is shown; by default the offset itself.
    """

    def __init__(self, offset_seconds: int, name: str = "") -> None:
        self._offset_seconds = offset_seconds
        self._name = name or offset_text(offset_seconds)
        self.suffix = f" {self._name}"

    def at(self, seconds: int) -> tuple[int, str]:  # noqa: ARG002 the same at every instant
        """Return (seconds east of UTC, name)."""
        return self._offset_seconds, self._name


class NamedZone:
    """A zone of the IANA database.

    Args:
        name: such as ``Europe/Berlin``.

    Raises:
        UsageError: there is no such zone.
    """

    def __init__(self, name: str) -> None:
        from zoneinfo import ZoneInfo

        try:
            self._zone = ZoneInfo(name)
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"there is no time zone {name[:60]!r}; zones are named like Europe/Berlin") from error
        self.suffix = f" {name}"

    def at(self, seconds: int) -> tuple[int, str]:
        """Return (seconds east of UTC, abbreviation) at an instant in seconds since 1970, UTC."""
        from datetime import UTC, datetime

        there = datetime.fromtimestamp(seconds, UTC).astimezone(self._zone)
        offset = there.utcoffset()
        return (int(offset.total_seconds()) if offset is not None else 0), there.tzname() or ""


def _is_rule(name: str) -> bool:
    """Tell whether a value of ``TZ`` is no name but a rule that stands for itself, as in ``CET-1CEST``."""
    if name.startswith("<"):
        rest = name.partition(">")[2]
    else:
        rest = name.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        if len(name) - len(rest) < _SHORTEST_ABBREVIATION:
            return False
    return rest.lstrip("+-")[:1].isdigit()


def local_zone() -> Zone:
    """Return the zone in which people on this machine read times.

    A container without zone files makes the C library answer UTC for every ``TZ``; then the named zone is read
    from the ``tzdata`` package instead.

    Raises:
        UsageError: ``TZ`` names no zone; the C library would take it for UTC and show it under the wrong name.
    """
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name or os.path.exists(os.path.join(_ZONE_FILES, name)) or _is_rule(name):
        return LocalZone()
    try:
        zone: Zone = NamedZone(name)
    except UsageError:
        raise UsageError(f"TZ is {name[:60]!r}, and there is no such time zone") from None
    zone.suffix = ""
    return zone


def offset_text(offset_seconds: int) -> str:
    """Format a distance from UTC: ``+01:00``, with seconds only where a zone has them."""
    sign = "-" if offset_seconds < 0 else "+"
    hours, rest = divmod(abs(offset_seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")


def instants_of(wall_seconds: int, zone: Zone) -> tuple[list[int], list[int]]:
    """Return the instants at which the clocks of a zone show a wall-clock time, and the nearest ones if none do.

    Args:
        wall_seconds: the wall-clock time, counted as if it were UTC.
        zone: whose clocks.

    Returns:
        (instants in seconds: one, or two when the clocks were put back over it, or none when they were put forward
        over it; what the time would mean with the offset before and after the change).
    """
    offsets = {zone.at(wall_seconds - _DAY_S)[0], zone.at(wall_seconds + _DAY_S)[0]}
    readings = sorted(wall_seconds - offset for offset in offsets)
    return [instant for instant in readings if instant + zone.at(instant)[0] == wall_seconds], readings


def abbreviation_zones(word: str) -> tuple[str, ...]:
    """Return the zones that an abbreviation such as ``CST`` may stand for; empty if it is not a known one."""
    return _ABBREVIATIONS.get(word.upper(), ())
