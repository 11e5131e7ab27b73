"""What a server's caller may see of the book: its own reservations, and what concerns resources it may look at.

A command on the machine of the book sees everything: it could read the file itself.
"""

from __future__ import annotations

from bespeak.base.errors import NotAllowedError
from bespeak.base.frozen import replace
from bespeak.ledger import rights, row_mapping
from bespeak.ledger.model import Reservation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeVar

    from bespeak.access.model import Caller
    from bespeak.ledger.actions import LogEntry
    from bespeak.ledger.context import LedgerContext
    from bespeak.storage.interface import Transaction

    Seen = TypeVar("Seen", LogEntry, Reservation)

HIDDEN = "(hidden)"
"""Stands for who did what in a row of the log that a caller may not see."""


class Visibility:
    """What one caller may see, as the rules stand in one transaction.

    Args:
        book: the book as the caller sees it.
        tx: the transaction.
        caller: who calls.
    """

    def __init__(self, book: LedgerContext, tx: Transaction, caller: Caller) -> None:
        self._book = book
        self._tx = tx
        self._caller = caller
        self._known: dict[str, bool] = {}

    def of(self, names: Iterable[str]) -> set[str]:
        """Return those of ``names`` that the caller may look at."""
        names = list(names)
        unknown = [name for name in dict.fromkeys(names) if name not in self._known]
        if unknown:
            answers = rights.decisions(self._book, self._tx, self._caller, "look", unknown)
            self._known |= {name: answer.allowed for name, answer in zip(unknown, answers, strict=True)}
        return {name for name in names if self._known[name]}

    def is_own(self, one: LogEntry | Reservation) -> bool:
        """Tell whether a reservation, or a row of the log, is of the caller's own doing."""
        who = one.holder if isinstance(one, Reservation) else one.who
        return self._caller.holder in (who, one.requested_by)

    def keep(self, found: Sequence[Seen]) -> list[Seen]:
        """Return those that the caller may see."""
        self.of(name for one in found for name in one.resources)
        return [one for one in found if self.is_own(one) or any(self._known[name] for name in one.resources)]

    def blanked(self, found: Sequence[LogEntry]) -> list[LogEntry]:
        """Return all rows of a log, with nothing in those that the caller may not see: their numbers stay."""
        seen = {entry.seq for entry in self.keep(found)}
        return [entry if entry.seq in seen else _blank(entry) for entry in found]


def _blank(entry: LogEntry) -> LogEntry:
    return replace(entry, who=HIDDEN, requested_by=None, reservation_id=None, resources=(), before={}, after={})


def sight_of(book: LedgerContext, tx: Transaction) -> Visibility | None:
    """Return what the caller of a server may see; None where that is everything."""
    if book.caller is None or rights.decisions(book, tx, book.caller, "look", [None])[0].allowed:
        return None
    return Visibility(book, tx, book.caller)


def checked(book: LedgerContext, tx: Transaction, found: Reservation) -> Reservation:
    """Return a reservation that the caller may see.

    Raises:
        NotAllowedError: it may not.
    """
    sight = sight_of(book, tx)
    if sight is not None and not sight.keep([found]):
        raise NotAllowedError(f"you may not look at reservation {found.id}: it is of resources that no rule shows you")
    return found


def kept(book: LedgerContext, tx: Transaction, found: list[Seen]) -> list[Seen]:
    """Return what of ``found`` the caller may see."""
    sight = sight_of(book, tx)
    return found if sight is None else sight.keep(found)


def names(book: LedgerContext, tx: Transaction, found: Iterable[str], *, asked: bool = False) -> list[str]:
    """Return the names of resources that the caller may look at.

    Args:
        book: the open book.
        tx: the transaction.
        found: the names.
        asked: the caller named them itself, and is told where it may not look.

    Raises:
        NotAllowedError: it named one that it may not look at.
    """
    found = list(found)
    sight = sight_of(book, tx)
    if sight is None:
        return found
    seen = sight.of(found)
    if asked and (hidden := [name for name in found if name not in seen]):
        raise NotAllowedError(f"you may not look at {hidden[0]}: no rule shows it to you")
    return [name for name in found if name in seen]


def check_topics(book: LedgerContext, tx: Transaction, topics: Iterable[str]) -> None:
    """Refuse wake-ups for what the caller may neither look at nor reserve; those for everything name nothing.

    Raises:
        NotAllowedError: a topic is about such a resource, or about a reservation that the caller may not see; or about
            claims on code, and its token is not for those.
    """
    topics = list(topics)
    if book.caller is not None and any(topic.startswith("coord:") for topic in topics):
        book.caller.require_scope("coord")
    sight = sight_of(book, tx)
    if sight is None or book.caller is None:
        return
    wanted = {topic.removeprefix("resource:") for topic in topics if topic.startswith("resource:")}
    unseen = sorted(wanted - sight.of(wanted))
    answers = rights.decisions(book, tx, book.caller, "reserve", unseen)
    for name, answer in zip(unseen, answers, strict=True):
        if not answer.allowed:
            raise NotAllowedError(f"you may not look at {name}: no rule shows it to you")
    for topic in topics:
        identifier = topic.removeprefix("reservation:")
        if identifier != topic and (found := row_mapping.by_id(tx, identifier)):
            checked(book, tx, found)
