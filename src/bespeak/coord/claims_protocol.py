"""What of a book of claims is needed by those who watch it from where they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bespeak.coord.model import Event

    class Wakes(Protocol):
        """Wakes whoever sleeps on it."""

        def wait(self, timeout_seconds: float) -> bool:
            """Sleep until woken or until the time is over."""

        def close(self) -> None:
            """Stop listening."""


class WatchedClaims(Protocol):
    """The claims of one repository; see :class:`bespeak.coord.claims_book.ClaimsBook`."""

    def now_us(self) -> int:
        """Return the present instant of the book, µs UTC."""

    def last_change(self) -> tuple[int, int]:
        """Return the number of the latest change, and the present instant, µs UTC."""

    def changes(self, seen: int, since_us: int) -> tuple[list[Event], int | None, int]:
        """Return changes after one; when the next expiry is; the present, µs UTC."""

    def listen(self) -> Wakes:
        """Start listening to changes."""
