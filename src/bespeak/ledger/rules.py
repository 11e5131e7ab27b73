"""Who may hold what, when: pure functions over the bookings that could be in the way.

At no moment has a resource more exclusive holders than its capacity, or an exclusive and a shared one. Time that is
promised to somebody who waits counts like time that is held. What follows from that for those who wait is decided in
:mod:`bespeak.ledger.backfill`.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.ledger.model import Booking, Mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


LEASE_US = 30 * SECOND_US
"""A waiter without a sign of life for this long has lost its place in the queue."""

LAST_US = 253_402_300_799_999_999
"""The last instant of the year 9999: what lies beyond has no date, and counts as no end."""


def window_end(starts_us: int, duration_us: int) -> int:
    """Return the end of a window, µs UTC; an open end stays open."""
    ends_us = starts_us + duration_us
    return ends_us if ends_us <= LAST_US else FOREVER_US


def peak(bookings: Iterable[Booking], starts_us: int, ends_us: int, gap_us: int = 0) -> int:
    """Return how many of ``bookings`` overlap at one moment of ``[starts_us, ends_us)`` at most.

    Each of them, and the window, counts as longer by ``gap_us``.
    """
    ends_us += gap_us
    steps: list[tuple[int, int]] = []
    for booking in bookings:
        first, last = max(booking.starts_us, starts_us), min(booking.ends_us + gap_us, ends_us)
        if first < last:
            steps += [(first, 1), (last, -1)]
    most = now = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


def blockers(
    mode: Mode,
    starts_us: int,
    ends_us: int,
    bookings: Iterable[Booking],
    capacity: Mapping[str, int],
    cooldown_us: Mapping[str, int] | None = None,
) -> list[Booking]:
    """Return what keeps ``[starts_us, ends_us)`` from being granted; empty when nothing does.

    Args:
        mode: how the resources are wanted.
        starts_us: the first instant wanted, µs UTC.
        ends_us: the end wanted, µs UTC.
        bookings: everything that overlaps the window on the wanted resources, promised time included.
        capacity: seats by resource name; 1 where it is not named.
        cooldown_us: how long a resource stays free between two holds, µs; not at all where it is not named.
    """
    found: list[Booking] = []
    seated: dict[str, list[Booking]] = {}
    for booking in bookings:
        if booking.mode is mode is Mode.SHARED:
            continue
        gap_us = cooldown_us.get(booking.resource, 0) if cooldown_us and not booking.closed else 0
        if booking.starts_us < ends_us + gap_us and booking.ends_us + gap_us > starts_us:
            if booking.mode is mode and not booking.closed:
                seated.setdefault(booking.resource, []).append(booking)
            else:
                found.append(booking)
    for resource, group in seated.items():
        gap_us = cooldown_us.get(resource, 0) if cooldown_us else 0
        if peak(group, starts_us, ends_us, gap_us) >= capacity.get(resource, 1):
            found += group
    return found
