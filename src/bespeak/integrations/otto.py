"""bespeak's book as a reservation backend of otto.

otto imports this module because its settings name it, and from then on ``bespeak`` is a backend like its own::

    init = ["bespeak.integrations.otto"]

    [reservations]
    backend = "bespeak"
    url = "postgresql://db.example.com/lab"     # or:

    [reservations.bespeak]
    ledger = "book.sqlite3"                     # relative to the directory that holds .otto

With neither, the book is the one that ``bespeak`` itself uses there.

Two contracts have been published under the package name ``otto-sh``: the documented one (0.5), whose backends are
classes, and a later one, whose backends are built by factories and answer with windows. Which one is running is found
by looking at its registration function, not by its version number. One class answers both.

otto says how to go on (``-R``) only when a backend cannot be *built*; a question that fails later ends without that
hint, in release 0.5 even in a traceback. So the book is asked once while the backend is built.
"""

from __future__ import annotations

import copy
import inspect
import os
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.base.errors import BespeakError, UsageError
from bespeak.base.paths import SHARED_PREFIXES, book_url
from bespeak.reservations.ledger_backend import LedgerReservationBackend
from bespeak.settings import ledger_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.reservations.protocol import ReservationWindow

NAME = "bespeak"
_KEY = "ledger"
T = TypeVar("T")


class BespeakReservations:
    """Who holds what, as otto asks it.

    Args:
        book: where the book is: an absolute path or ``postgresql://...``.
        username: whose reservations otto checks, where it says so beforehand.

    Raises:
        ReservationBackendError: otto's; the book cannot be asked.
    """

    def __init__(self, book: str, username: str | None = None) -> None:
        self.username = username
        self._book = _translated(lambda: _open(book))

    @property
    def reservations(self) -> list[Any]:
        """What the user holds now, one row a resource (later contract)."""
        return self.fetch_reservations(self.username or "")

    def backend_name(self) -> str:
        """Return ``bespeak``."""
        return NAME

    def get_reserved_resources(self, username: str) -> set[str]:
        """Return everything ``username`` holds now (part of otto's `reservations`)."""
        return self._ask(lambda book: book.get_reserved_resources(username))

    def who_reserved(self, resource: str) -> list[str]:
        """Return who holds ``resource`` now, first granted first (part of otto's `reservations`)."""
        return self._ask(lambda book: book.who_reserved(resource))

    def list_usernames(self) -> list[str]:
        """Return everybody who has or had a reservation, sorted."""
        return self._ask(lambda book: book.list_usernames())

    def fetch_reservations(
        self, username: str, start: datetime | None = None, end: datetime | None = None
    ) -> list[Any]:
        """Return the holds of ``username`` that overlap ``[start, end]`` (later contract).

        Args:
            username: whose.
            start: where the window begins, with a zone; None means now.
            end: where it ends, with a zone; None means now.
        """
        if start is None and end is None:
            held = self._ask(lambda book: _held_now(book, username))
        else:
            now = datetime.now(UTC)
            windows = self._ask(lambda book: book.get_reservation_windows(username))
            held = [window for window in windows if _overlaps(window, start or now, end or now)]
        return [_row(username, window) for window in held]

    def holders(self, resource: str) -> list[Any]:
        """Return who holds ``resource`` now and until when (later contract)."""
        rows = [row for user in self.who_reserved(resource) for row in self.fetch_reservations(user)]
        return [row for row in rows if row.resource == resource]

    def _ask(self, question: Callable[[LedgerReservationBackend], T]) -> T:
        return _translated(lambda: question(self._book))


def _open(place: str) -> LedgerReservationBackend:
    if not place.startswith(SHARED_PREFIXES) and not os.path.exists(place):
        raise UsageError(f"there is no book at {escape_unprintable(place)}; `bespeak reserve` makes one")
    book = LedgerReservationBackend(place)
    book.held_among("", ())
    return book


def _held_now(book: LedgerReservationBackend, username: str) -> list[ReservationWindow]:
    """Return the windows of what is held now by the clock of the book, which may not be this machine's."""
    left = book.get_reserved_resources(username)
    held = []
    for window in book.get_reservation_windows(username):  # in order of start: the first of a resource is the present
        if window.resource in left:
            left.discard(window.resource)
            held.append(window)
    return held


def _overlaps(window: ReservationWindow, start: datetime, end: datetime) -> bool:
    return (window.start is None or window.start <= end) and (window.end is None or window.end > start)


def _row(user: str, window: ReservationWindow) -> Any:
    start = window.start
    if start is not None and start > datetime.now(UTC):
        start = None  # held by the book's clock, and not yet by this machine's
    return _otto().Reservation(user=user, resource=window.resource, start=start, end=window.end)


def _translated(work: Callable[[], T]) -> T:
    """Do ``work``; a failure becomes otto's own error for "could not be asked"."""
    try:
        return work()
    except BespeakError as error:
        raise _otto().ReservationBackendError(_literal(str(error))) from None


def _literal(text: str) -> str:
    """Return ``text`` so that otto prints it as it is: release 0.5 takes brackets in it for markup."""
    if _is_later():
        return text
    return str(import_module("rich.markup").escape(text))


def _otto() -> Any:
    return import_module("otto.reservations")


def _is_later() -> bool:
    return "factory" in inspect.signature(_otto().register_reservation_backend).parameters


def _place(table: dict[str, Any], url: str | None, root: Callable[[], str]) -> str:
    """Return where the book is.

    Args:
        table: ``[reservations.bespeak]``.
        url: the ``url`` of ``[reservations]``.
        root: returns the directory that relative paths start from.

    Raises:
        UsageError: the settings name no place, or two.
    """
    for key, value in table.items():
        if key != _KEY:
            raise UsageError(f"[reservations.{NAME}] has no setting {short_repr(key)}; known: {_KEY}")
        if not isinstance(value, str) or not value:
            raise UsageError(f"[reservations.{NAME}] {key} must be a text, not {short_repr(value)}")
    named = table.get(_KEY)
    if named is not None and url is not None:
        raise UsageError(f"[reservations] url and [reservations.{NAME}] {_KEY} both say where the book is; keep one")
    text = url if named is None else named
    return ledger_url() if text is None else book_url(text, f"[reservations.{NAME}]", root())


def _root_of_project() -> str:
    """Return the directory whose settings select the backend: the first with a ``[reservations]`` table."""
    for repo in import_module("otto.configmodule").get_repos():
        if repo.reservation_settings:
            return str(repo.sut_dir)
    return os.getcwd()


def documented_backend(url: str | None = None, **table: Any) -> BespeakReservations:
    """Build the backend as otto's `reservations` does: by the url and the keys of its own table."""
    return BespeakReservations(_translated(lambda: _place(table, url, _root_of_project)))


class Table:
    """``[reservations.bespeak]`` as it was written; the later contract has a model read it first.

    Args:
        keys: the keys and values of the table.
    """

    def __init__(self, keys: dict[str, Any]) -> None:
        self.keys = keys

    @classmethod
    def model_validate(cls, table: dict[str, Any], *, context: object = None) -> Table:  # noqa: ARG003 - a shape
        """Take the table as it is; what is wrong with it is said when the backend is built."""
        return cls(copy.deepcopy(table))

    def model_dump(self, *, mode: str = "python") -> dict[str, Any]:  # noqa: ARG002 - a shape
        """Return the table."""
        return copy.deepcopy(self.keys)


def later_backend(configured: Any) -> BespeakReservations:
    """Build the backend as the later contract does: from a read table and an environment."""
    env = configured.env
    book = _translated(lambda: _place(configured.config.keys, env.url, lambda: str(env.project_root)))
    return BespeakReservations(book, env.username)


def register() -> None:
    """Make ``bespeak`` selectable in the otto that imports this module."""
    if _is_later():
        _otto().register_reservation_backend(NAME, config=Table, factory=later_backend)
    else:
        _otto().register_reservation_backend(NAME, documented_backend)


register()
