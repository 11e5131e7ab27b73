"""The hold that a process works under: the one of the ``bespeak run`` around it.

Jobs and agents share accounts, so the account alone does not say whose hold it is. Inside a run, what is asked or given
back is the hold of that run, and nothing else of the account. ``run`` names it in the environment; that is a pointer
and no identity, so it narrows what may be done and never widens it: the hold must still be the user's own, in force,
under the same fencing token.

The gate asks at every turn, so this module imports next to nothing.
"""

from __future__ import annotations

import os

from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.storage.interface import Transaction

RESERVATION_VARIABLE = "BESPEAK_RESERVATION"
BOOK_VARIABLE = "BESPEAK_BOOK"
TOKEN_VARIABLE = "BESPEAK_NUMBER"  # noqa: S105 -- the name of a variable

_NO_TOKEN = -1
"""No grant has it, so a variable that cannot be read narrows to nothing."""

_NOTHING = -1
_MOST_DIGITS = 18
"""Of a number that both engines can hold."""


@frozen
class CurrentHold:
    """What the environment says the process works under.

    Attributes:
        reservation_id: the full id.
        fencing_token: the token it was granted with.
        book: the identity of the book that it is in; empty where nobody says.
    """

    reservation_id: str
    fencing_token: int
    book: str = ""


def current_hold(environ: Mapping[str, str] | None = None) -> CurrentHold | None:
    """Return the hold of the run around this process; None outside of any run.

    Args:
        environ: the environment; by default the process's.
    """
    env = os.environ if environ is None else environ
    identifier = env.get(RESERVATION_VARIABLE, "")
    if not identifier:
        return None
    token = env.get(TOKEN_VARIABLE, "")
    is_token = token.isascii() and token.isdigit() and len(token) <= _MOST_DIGITS
    number = int(token) if is_token else _NO_TOKEN
    return CurrentHold(identifier if identifier.isascii() else "", number, env.get(BOOK_VARIABLE, ""))


def book_identity(tx: Transaction) -> str:
    """Return what tells this book from every other, wherever it lies; a copy of it has the same."""
    row = tx.fetch_one("SELECT id FROM ledger_identity")
    return "" if row is None else str(row[0])


def only_seq(tx: Transaction, within: CurrentHold | None) -> int | None:
    """Return the row number of the only reservation that counts; None where all of the user do.

    All do outside of a run, and in a book that is not the one of the run. Under a stale token, and where the run's own
    book does not know the hold any more, none does: the number is that of no reservation.
    """
    if within is None:
        return None
    row = tx.fetch_one(
        "SELECT seq, fencing_token FROM ledger_reservations WHERE id = :id", {"id": within.reservation_id}
    )
    if row is None:
        return _NOTHING if within.book and within.book == book_identity(tx) else None
    return int(row[0]) if row[1] == within.fencing_token else _NOTHING
