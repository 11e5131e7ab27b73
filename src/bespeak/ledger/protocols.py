"""What of an open book is needed by those who run where they are called, beside the book or far from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.model import Holder, QueueLook, Request, Reservation
    from bespeak.storage.interface import Listener


class Listening(Protocol):
    """Can be listened to."""

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening; changes committed after this call wake the listener."""


class QueueSteps(Listening, Protocol):
    """The steps of waiting in the queue; see :mod:`bespeak.ledger.queue`."""

    def now_us(self) -> int:
        """Return the book's present instant, µs UTC."""

    def queue_join(self, request: Request, identifier: str, priority: int = 0) -> Reservation:
        """Take a place at the end of the queue."""

    def queue_look(self, identifier: str, *, with_held: bool = False) -> QueueLook:
        """Look at a place, and move it where something is due."""

    def queue_lapsed(self, identifier: str) -> bool:
        """Tell whether a place is gone because its signs of life failed to come."""

    def queue_leave(self, identifier: str, by: Holder) -> None:
        """Give up a place, or the hold that was just granted."""


class LogReader(Listening, Protocol):
    """Gives the log in pieces; see :mod:`bespeak.ledger.audit_log`."""

    def log_start(self) -> tuple[int, list[tuple[int, int]]]:
        """Return where to begin so that nothing is missed from now on."""

    def log_rows(self, after_seq: int, limit: int) -> tuple[list[LogEntry], int]:
        """Return rows of the log as they stand, and the present instant, µs UTC."""
