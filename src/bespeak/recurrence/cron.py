"""Cron expressions, and at which instants the clocks of a zone mean them.

The expressions are cronsim's, on wall-clock times without a zone. A time that the clocks skip is the instant at which
they have gone on by as much (02:30 becomes 03:30); a time that they show twice is the first of the two.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bespeak.base.errors import UsageError, needs_extra
from bespeak.base.timezones import NamedZone, local_zone
from bespeak.recurrence import occurrence, wall_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.base.timezones import Zone

_BACK = timedelta(hours=3)
"""Clocks are set back by less."""


def zone_named(name: str) -> Zone:
    """Return a zone by its name; the machine's for an empty one.

    Raises:
        UsageError: there is no such zone.
    """
    return NamedZone(name) if name else local_zone()


def check(expression: str) -> None:
    """Insist that an expression can be read, and that it ever comes.

    Raises:
        UsageError: it cannot, or it never does.
    """
    next(_walls(expression, datetime(2024, 1, 1)))  # noqa: DTZ001 only to see whether there is one


def explained(expression: str) -> str:
    """Return an expression in words."""
    from cronsim import CronSim

    return str(CronSim(expression, datetime(2024, 1, 1)).explain())  # noqa: DTZ001 of no consequence


def instants(expression: str, zone: Zone, after_us: int) -> Iterator[int]:
    """Yield the instants, µs UTC, that an expression means after another one, in order.

    Args:
        expression: five fields, such as ``0 2 * * mon-fri``.
        zone: whose clocks.
        after_us: later than this, µs UTC.

    Raises:
        UsageError: the expression cannot be read.
    """
    last_us = after_us
    for wall in _walls(expression, wall_time(after_us, zone) - _BACK):
        found = occurrence(wall, zone)
        is_skipped = not found.instants_us
        at_us = found.readings_us[-1] if is_skipped else found.instants_us[0]
        if at_us > last_us:
            last_us = at_us
            yield at_us


def _walls(expression: str, after: datetime) -> Iterator[datetime]:
    try:
        from cronsim import CronSim, CronSimError
    except ImportError as missing:
        raise UsageError(needs_extra("a schedule", "schedule")) from missing
    try:
        yield from CronSim(expression, after)
    except CronSimError as error:
        raise UsageError(f"{expression[:80]!r} is no cron expression: {str(error).lower()}") from None
    raise UsageError(f"{expression[:80]!r} never comes")
