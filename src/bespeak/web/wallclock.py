"""Instants as a page shows them: in the viewer's time zone, and no longer than is needed to tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bespeak.base.clock import FOREVER_US, MINUTE_US, as_datetime, duration_text, iso, of_datetime

_LONGEST_ZONE = 64
NO_END = "no end"


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant for people and for programs.

    Attributes:
        text: as it is shown.
        iso: ISO 8601 in UTC; empty where there is no end.
        us: µs UTC; None where there is no end.
    """

    text: str
    iso: str
    us: int | None


@dataclass(frozen=True, slots=True)
class WallClock:
    """A time zone and the present instant.

    Args:
        zone: the viewer's zone.
        now_us: the book's present instant, µs UTC.
    """

    zone: tzinfo
    now_us: int

    def local(self, instant_us: int) -> datetime:
        """Return an instant (µs UTC) on the viewer's wall clock."""
        return as_datetime(instant_us).astimezone(self.zone)

    def today(self) -> date:
        """Return the viewer's present day."""
        return self.local(self.now_us).date()

    def moment(self, instant_us: int | None) -> Moment:
        """Return an instant, µs UTC: the clock alone for today, with the day otherwise."""
        if instant_us is None or instant_us >= FOREVER_US:
            return Moment(NO_END, "", None)
        local = self.local(instant_us)
        clock = f"{local:%H:%M}"
        if local.date() != self.today():
            year = "" if local.year == self.today().year else f" {local.year}"
            clock = f"{local:%a} {local.day} {local:%b}{year} {clock}"
        return Moment(clock, iso(instant_us) or "", instant_us)

    def field(self, instant_us: int) -> str:
        """Return an instant, µs UTC, as a field of a form has it; empty where there is no end."""
        return "" if instant_us >= FOREVER_US else f"{self.local(instant_us):%Y-%m-%dT%H:%M}"

    def distance(self, instant_us: int) -> str:
        """Return how far an instant (µs UTC) is from now, in whole minutes: ``1h30m``, ``under 1m``."""
        away_us = abs(instant_us - self.now_us) // MINUTE_US * MINUTE_US
        return duration_text(away_us) if away_us else "under 1m"

    def midnight(self, day: date) -> int:
        """Return the first instant of a day in the viewer's zone, µs UTC."""
        return of_datetime(datetime(day.year, day.month, day.day, tzinfo=self.zone))

    def days(self, first: date, count: int) -> list[tuple[date, int]]:
        """Return days with their first instants, µs UTC; a day of a clock change has 23 or 25 hours."""
        return [(day, self.midnight(day)) for day in (first + timedelta(days=index) for index in range(count))]


def zone_named(name: str | None, default: tzinfo) -> tzinfo:
    """Return the zone with this IANA name; the default where there is none or it is unknown."""
    if not name or len(name) > _LONGEST_ZONE:
        return default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return default


def zone_name(zone: tzinfo) -> str:
    """Return how a zone is named to the viewer."""
    return getattr(zone, "key", None) or str(zone)
