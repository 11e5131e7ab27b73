"""What a list of reservations is asked for: one value for all doors and for the way to a server."""

from __future__ import annotations

from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.model import State


@frozen
class ListingFilter:
    """Which reservations a list has, and how many.

    Args:
        holder: only this user's; None for everybody's.
        resources: only those that have one of these; empty for all.
        states: only those in one of these states; empty for all that have not ended.
        include_ended: ended ones too.
        limit: at most so many.
        from_us: only those that end after this instant, µs UTC.
        to_us: only those that begin before this instant, µs UTC.
    """

    holder: str | None = None
    resources: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    include_ended: bool = False
    limit: int | None = None
    from_us: int | None = None
    to_us: int | None = None
