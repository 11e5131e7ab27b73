"""What one invocation knows about reservations; it travels in ``ctx.meta["otto_reservation"]``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bespeak.reservations.identity import ResolvedIdentity
    from bespeak.reservations.protocol import ReservationBackend

META_KEY = "otto_reservation"


@dataclass(frozen=True)
class ReservationState:
    """The reservation side of one invocation.

    Attributes:
        backend: answers who holds what; None when the check is skipped.
        identity: whose reservations count.
        skip_check: ``-R`` was given.
        backend_factory: builds the backend on demand, for the one command that checks even under ``-R``.
    """

    backend: ReservationBackend | None = None
    identity: ResolvedIdentity | None = None
    skip_check: bool = False
    backend_factory: Callable[[], ReservationBackend] | None = None
