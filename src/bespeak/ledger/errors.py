"""Refusals of the ledger that carry facts beside their text."""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import BespeakError, BusyError, NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.ledger.model import Booking, Refusal, Request


CLOSED = {
    "maintenance": "is in maintenance",
    "cooldown": "cools down",
    "hours": "is closed",
    "sick": "is sick",
    "offline": "is offline",
}
"""Why nobody has a resource, by :attr:`bespeak.ledger.model.Booking.closed`, as a part of a sentence."""


class RefusedError(BusyError):
    """A request that cannot be granted, with who is in the way and when it could be.

    Args:
        refusal: the facts.
        request: what was asked.
    """

    def __init__(self, refusal: Refusal, request: Request) -> None:
        self.refusal = refusal
        self.request = request
        super().__init__("; ".join(_in_the_way(booking) for booking in refusal.conflicts))


class Lost(BespeakError):  # noqa: N818 the name that callers write
    """A hold that its holder relied on was taken away, ended, or could not be kept alive."""

    exit_code = 11


class UndeclaredError(NotFoundError):
    """A resource that nobody declared, in a book that is strict.

    Args:
        name: the resource.
        near: declared names that are like it, best first.
    """

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        self.name = name
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        super().__init__(f"resource {name!r} is not declared, and this book is strict{hint}", nearest=list(near))


class HostBusyError(BespeakError):
    """Another action switches the host at this moment."""


def _in_the_way(booking: Booking) -> str:
    who = f"{booking.holder} [{booking.origin.text}]" if booking.origin.text else booking.holder
    what = f"{'is promised to' if booking.waiting else 'is held by'} {who}"
    if booking.awaiting:
        what = f"is kept, until somebody approves it, for {who}"
    if booking.closed:
        what = CLOSED[booking.closed]
    from bespeak.base.timeparse import show

    until = "without an end" if booking.ends_us >= FOREVER_US else f"until {show(booking.ends_us)}"
    purpose = f" ({booking.purpose})" if booking.purpose else ""
    if booking.closed and booking.ends_us >= FOREVER_US:
        return f"{booking.resource} {what}{purpose}"
    return f"{booking.resource} {what} {until}{purpose}"
