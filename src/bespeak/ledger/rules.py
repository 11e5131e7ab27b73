"""Who may hold what, when: pure functions over the bookings that could be in the way.

Two rules decide everything.

*Seats.* At no moment has a resource more exclusive holders than its capacity, or an exclusive and a shared one.

*Turns.* Nobody is granted a window that starts before the promised start of somebody who already waits for the same
thing, unless both only share it, or the window is over before the waiter could use it. A waiter's promised start can
so only move earlier: what is freed ahead of it helps it, and nobody who comes later may step in.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.ledger.model import Booking, Mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Probe = Callable[[int, int], Iterable[Booking]]


LAST_US = 253_402_300_799_999_999
"""The last instant of the year 9999: what lies beyond has no date, and counts as no end."""


def window_end(starts_us: int, duration_us: int) -> int:
    """Return the end of a window, µs UTC; an open end stays open."""
    ends_us = starts_us + duration_us
    return ends_us if ends_us <= LAST_US else FOREVER_US


def peak(bookings: Iterable[Booking], starts_us: int, ends_us: int) -> int:
    """Return how many of ``bookings`` overlap at one moment of ``[starts_us, ends_us)`` at most."""
    steps: list[tuple[int, int]] = []
    for booking in bookings:
        first, last = max(booking.starts_us, starts_us), min(booking.ends_us, ends_us)
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
    *,
    turns: bool = True,
) -> list[Booking]:
    """Return what keeps ``[starts_us, ends_us)`` from being granted; empty when nothing does.

    Args:
        mode: how the resources are wanted.
        starts_us: the first instant wanted, µs UTC.
        ends_us: the end wanted, µs UTC.
        bookings: everything that overlaps the window on the wanted resources, and everybody in the queue for them.
        capacity: seats by resource name; 1 where it is not named.
        turns: False for somebody who was there before those in the queue: then only time promised to them counts.
    """
    found: list[Booking] = []
    seated: dict[str, list[Booking]] = {}
    for booking in bookings:
        if booking.mode is mode is Mode.SHARED:
            continue
        if turns and booking.waiting and starts_us < booking.starts_us:
            if ends_us > booking.not_before_us:
                found.append(booking)
        elif booking.starts_us < ends_us and booking.ends_us > starts_us:
            if booking.mode is mode:
                seated.setdefault(booking.resource, []).append(booking)
            else:
                found.append(booking)
    for resource, group in seated.items():
        if peak(group, starts_us, ends_us) >= capacity.get(resource, 1):
            found += group
    return found


def not_before(starts_us: int, blocking: Iterable[Booking], capacity: Mapping[str, int]) -> int:
    """Return the earliest start after ``starts_us``, µs UTC, that ``blocking`` does not rule out by itself."""
    earliest = starts_us
    seats_end: dict[str, int] = {}
    for booking in blocking:
        if booking.waiting and starts_us < booking.starts_us:
            earliest = max(earliest, booking.starts_us)
        elif capacity.get(booking.resource, 1) > 1 and booking.mode is Mode.EXCLUSIVE:
            known = seats_end.get(booking.resource, FOREVER_US)
            seats_end[booking.resource] = min(known, booking.ends_us)
        else:
            earliest = max(earliest, booking.ends_us)
    return max(earliest, *seats_end.values()) if seats_end else earliest


def first_fit(mode: Mode, from_us: int, duration_us: int, probe: Probe, capacity: Mapping[str, int]) -> int | None:
    """Return the first start from ``from_us`` on at which everything is free for ``duration_us``, µs UTC, or None.

    Args:
        mode: how the resources are wanted.
        from_us: the earliest start, µs UTC.
        duration_us: how long, µs; ``FOREVER_US`` for an open end.
        probe: returns the bookings that matter for a window, as :func:`blockers` takes them.
        capacity: seats by resource name.
    """
    starts_us = from_us
    while starts_us < FOREVER_US:
        ends_us = window_end(starts_us, duration_us)
        blocking = blockers(mode, starts_us, ends_us, probe(starts_us, ends_us), capacity)
        if not blocking:
            return starts_us
        starts_us = not_before(starts_us, blocking, capacity)
    return None
