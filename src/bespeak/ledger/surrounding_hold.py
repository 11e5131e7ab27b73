"""The hold of a ``bespeak run`` around this one: a ``run`` inside it uses that hold and waits not for its own parent.

The variables that ``run`` sets for its command are a pointer, not an identity. What they name counts only if the book
says that it is held now, under the same fencing token, by whoever asks.
"""

from __future__ import annotations

from bespeak.base.errors import BusyError, NotFoundError, WrongStateError
from bespeak.ledger.current_hold import current_hold
from bespeak.ledger.model import Mode, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.ledger.current_hold import CurrentHold
    from bespeak.ledger.model import Request, Reservation
    from bespeak.ledger.service import Ledger


def is_of(book: Ledger, hold: CurrentHold) -> bool:
    """Tell whether the hold of a run is, or was, one of this book."""
    if hold.book:
        return hold.book == book.identity()
    try:
        book.get(hold.reservation_id)
    except NotFoundError:
        return False
    return True


def surrounding_hold(book: Ledger, request: Request) -> Reservation | None:
    """Return the hold of the ``run`` around this process if it has all of ``request.resources``; else None.

    Raises:
        WrongStateError: this is its book, and does not know it.
        BusyError: it has some of them, or only shares them: waiting for it would be waiting for our own parent.
    """
    around = current_hold()
    if around is None:
        return None
    try:
        found = book.get(around.reservation_id)
    except NotFoundError:
        if is_of(book, around):
            raise WrongStateError(
                f"the hold of the bespeak run around this command, {around.reservation_id}, is in this book no more"
            ) from None
        return None  # of another book
    ours = found.holder == request.holder.name and found.fencing_token == around.fencing_token
    common = [name for name in request.resources if name in found.resources]
    if not ours or not common or found.state(book.now_us()) is not State.ACTIVE:
        return None
    if others := [name for name in request.resources if name not in found.resources]:
        raise BusyError(
            f"{', '.join(common)} belongs to the bespeak run around this one; ask there for {', '.join(others)} too, "
            "or here for that alone"
        )
    if found.mode is Mode.SHARED and request.mode is Mode.EXCLUSIVE:
        raise BusyError(f"{', '.join(common)} is only shared by the bespeak run around this one")
    return found
