"""From who calls the server to who looks at a page, with the rights that the rules of the book give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.access.model import Caller, Right
from bespeak.access.schema import ANY_RULE
from bespeak.ledger import rights
from bespeak.web.viewer import OpenRights, Viewer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bespeak.ledger.service import Ledger
    from bespeak.storage.interface import Transaction


class BookRights:
    """What a caller may do, as the rules and the policy of the book say at this moment.

    Answers are remembered, so a page that has asked for all its resources at once pays for one question.

    Args:
        book: the open book, as this caller sees it.
        caller: who calls.
    """

    def __init__(self, book: Ledger, caller: Caller) -> None:
        self._book = book
        self._caller = caller
        self._known: dict[tuple[Right, str | None], bool] = {}
        ruled = book.engine.read(lambda tx: tx.fetch_one(ANY_RULE)) is not None
        self._alike = not (ruled or caller.selectors or caller.grants)
        """Nothing tells one resource from another: there is no rule, and the credential names none."""

    def allows(self, user: str | None, right: Right, resource: str | None) -> bool:
        """Tell whether the caller has a right to a resource (None: to the whole book)."""
        if user != self._caller.holder:
            return False
        whole = self._ask(right, [None])
        return whole or (resource is not None and not self._alike and self._ask(right, [resource]))

    def allowed(self, user: str | None, right: Right, resources: Collection[str]) -> Collection[str]:
        """Return those of ``resources`` to which the caller has a right."""
        if user != self._caller.holder:
            return ()
        if self._ask(right, [None]):
            return frozenset(resources)
        if self._alike:
            return frozenset()
        self._ask(right, resources)
        return frozenset(name for name in resources if self._known[right, name])

    def _ask(self, right: Right, names: Iterable[str | None]) -> bool:
        """Find the answers that are not known yet; return whether all of ``names`` are allowed."""
        names = list(names)
        unknown = [name for name in names if (right, name) not in self._known]
        if unknown:
            answers = self._book.engine.read(lambda tx: self._decide(tx, right, unknown))
            self._known.update({(right, name): answer for name, answer in zip(unknown, answers, strict=True)})
        return all(self._known[right, name] for name in names)

    def _decide(self, tx: Transaction, right: Right, names: list[str | None]) -> list[bool]:
        if right is Right.KICK and tx.fetch_one(ANY_RULE) is None:
            kickers = self._book.policy_in(tx).kickers
            if kickers is not None:
                return [self._caller.holder in kickers] * len(names)
        found = rights.decisions(self._book, tx, self._caller, right.value, names)
        return [one.allowed for one in found]


def as_seen_by(book: Ledger, caller: Caller | None) -> Ledger:
    """Return the book in which each call is checked for this caller's rights."""
    return book if caller is None else book.as_caller(caller)


def viewer_of(book: Ledger, caller: Caller | None, csrf: str, *, public: bool, names_hidden: bool = False) -> Viewer:
    """Return who looks at a page.

    Args:
        book: the open book.
        caller: who calls, verified; None where nobody is signed in.
        csrf: the token for the forms of this answer.
        public: the page may be seen by everybody.
        names_hidden: those who are not signed in see no names.
    """
    if caller is None:
        return Viewer(None, OpenRights(public=public), names_hidden=names_hidden)
    return Viewer(caller.holder, BookRights(book, caller), csrf)
