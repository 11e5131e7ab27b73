"""Until when a user holds everything: for a command that runs behind the gate and outlives its reservation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bespeak.base.clock import FOREVER_US
from bespeak.base.display import short_repr
from bespeak.reservations.errors import ReservationBackendError
from bespeak.reservations.evaluation import ask, name_of

if TYPE_CHECKING:
    from bespeak.reservations.protocol import ReservationBackend

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def held_until(backend: ReservationBackend | None, username: str, required: Collection[str], now_us: int) -> int | None:
    """Return the first instant at which one of ``required`` is no longer held, in µs UTC.

    Windows that follow each other without a gap count as one, so a reservation renewed in time ends nothing.

    Args:
        backend: who answers.
        username: whose reservations count.
        required: what the lab requires.
        now_us: the present, µs UTC.

    Returns:
        ``FOREVER_US`` if there is no end in sight, ``now_us`` if something is not held now, None if the backend
        cannot say.

    Raises:
        ReservationBackendError: the backend could say, but failed.
    """
    if not callable(getattr(backend, "get_reservation_windows", None)):
        return None
    name = name_of(backend)
    windows = ask(backend, name, "get_reservation_windows", username)
    spans: dict[str, list[tuple[int, int]]] = {resource: [] for resource in required}
    try:
        for window in windows:
            if window.resource in spans:
                start = 0 if window.start is None else _instant_us(window.start)
                end = FOREVER_US if window.end is None else _instant_us(window.end)
                spans[window.resource].append((start, end))
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise ReservationBackendError(
            f"the {name!r} backend answered get_reservation_windows with {short_repr(type(error).__name__)}"
        ) from error
    return min((_covered_until(each, now_us) for each in spans.values()), default=FOREVER_US)


def _covered_until(spans: list[tuple[int, int]], now_us: int) -> int:
    covered = now_us
    for start, end in sorted(spans):
        if start > covered:
            break
        covered = max(covered, end)
    return covered


def _instant_us(instant: Any) -> int:
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    return int((instant - _EPOCH) // _MICROSECOND)
