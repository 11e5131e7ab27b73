"""Moving a book to another place or engine: ids, numbers and the log stay, and the old book refuses every write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.errors import UnavailableError, WrongStateError
from bespeak.ledger import write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.context import LedgerContext
from bespeak.operations.backup import CONTENT, open_book, open_like
from bespeak.operations.owners import check_may
from bespeak.storage import relocation, table_copy

if TYPE_CHECKING:
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Engine, Transaction

_JOBS = ("reservations",)


def relocate(url: str, to: str, by: Holder) -> tuple[str, dict[str, int]]:
    """Move a book.

    While it is copied nobody writes to it. What was copied is compared row by row before the old book is closed.

    Args:
        url: the book.
        to: where it goes: a path or ``postgresql://...``, where there is no book or an empty one.
        by: who asks.

    Returns:
        The new place without secrets, and how many rows each table has.

    Raises:
        WrongStateError: there is something in the new place, or the old book has moved already.
        BusyError: who asks may not move the book.
    """
    with LedgerContext(open_book(url)) as source:
        if source.moved_to is not None:
            raise WrongStateError(f"book {source.name}: it has moved to {source.moved_to} already")
        target = open_like(source.engine, to)
        try:
            if target.name == source.name:
                raise WrongStateError(f"book {source.name}: it is there already")
            return target.name, source.engine.transact([], lambda old: _move(source, old, target, by))
        finally:
            target.close()


def _move(source: LedgerContext, old: Transaction, target: Engine, by: Holder) -> dict[str, int]:
    check_may("move the book", source, old, by)
    table_copy.lock_all(old)
    if target.dialect == "sqlite" and table_copy.has_rows(old, _JOBS):
        raise WrongStateError(
            f"book {source.name}: it keeps jobs, which a file book does not; only reservations can move"
        )
    rows = target.transact([], lambda new: _copy(source.name, old, new, target.name, by))
    relocation.close_for_good(old, table_copy.tables(old), target.name)
    return rows


def _copy(name: str, old: Transaction, new: Transaction, new_name: str, by: Holder) -> dict[str, int]:
    if table_copy.has_rows(new, CONTENT):
        raise WrongStateError(
            f"book {new_name} is not empty; if a move into it was interrupted, and nobody has used it, remove it first"
        )
    rows = table_copy.copy(old, new)
    if not table_copy.same(old, new):
        raise UnavailableError(f"book {new_name}: the copy differs from {name}; nothing was moved")
    write_operations.log(new, Action.RELOCATED, by.user, by.requested_by, None, (), {"book": name}, {"book": new_name})
    return rows
