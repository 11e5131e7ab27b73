"""bespeak's own book as a backend: who holds what is one indexed query away.

The book is opened at the first question, and stays open as long as the backend, so a process that asks again pays
for the query alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import FOREVER_US, MINUTE_US, as_datetime, boot_us
from bespeak.base.errors import BespeakError, BusyError
from bespeak.ledger.current_hold import current_hold
from bespeak.ledger.gate import Gate
from bespeak.ledger.open_gate import open_gate
from bespeak.reservations.errors import ReservationBackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from bespeak.reservations.protocol import ReservationWindow
    from bespeak.storage.interface import Engine, Listener, T


class LedgerReservationBackend:
    """Answers from bespeak's book.

    Args:
        url: where the book is: a path, ``sqlite:///PATH``, ``postgresql://...`` or ``https://...``.
        path: the same for a file, as a path object.
        engine: an open book, which stays the caller's to close.

    With none of them, the book is the one that the settings name. Inside ``bespeak run`` only the hold of that run
    counts as held, and nothing else of the user (see :mod:`bespeak.ledger.current_hold`).
    """

    def __init__(self, url: str | None = None, *, path: Path | str | None = None, engine: Engine | None = None) -> None:
        self._url = url if url is not None or path is None else str(path)
        self._gate = None if engine is None else Gate(engine)
        self._mine = engine is None
        self._within = current_hold()
        self._seen_us = -MINUTE_US

    @property
    def within(self) -> str | None:
        """The id of the only reservation that counts; None outside of ``bespeak run``."""
        return None if self._within is None else self._within.reservation_id

    @property
    def url(self) -> str | None:
        """Where the book is; None for an open book that was handed over, or for that of the settings."""
        return self._url

    def backend_name(self) -> str:
        """Return ``ledger``."""
        return "ledger"

    def own_username(self) -> str | None:
        """Return who the book says we are: its server does; None where the account of this process says it."""
        return self._ask(lambda book: book.user)

    def get_reserved_resources(self, username: str) -> set[str]:
        """Return everything ``username`` holds now."""
        return self._ask_about(username, lambda book, name: book.held_by(name, self._within))

    def who_reserved(self, resource: str) -> list[str]:
        """Return who holds ``resource`` now, in the order in which it was granted."""
        return [username for username, _ in self.holder_ends(resource)]

    def list_usernames(self) -> list[str]:
        """Return everybody who has or had a reservation, sorted."""
        return self._ask(lambda book: book.all_holders())

    def held_among(self, username: str, resources: Collection[str]) -> set[str]:
        """Return those of ``resources`` that ``username`` holds now."""
        names = sorted(resources)
        return self._ask_about(username, lambda book, name: book.held_among(name, names, self._within))

    def holdings(
        self, username: str, resources: Collection[str]
    ) -> tuple[set[str], dict[str, list[tuple[str, int | None]]]]:
        """Return what ``username`` holds of ``resources``, and who holds the others, in one transaction."""
        names = sorted(resources)
        return self._ask_about(username, lambda book, name: book.holdings(name, names, self._within))

    def users_of(self, resources: Collection[str]) -> dict[str, list[tuple[str, str, int]]]:
        """Return for each of ``resources`` that is held: by whom, what uses it where, the last sign of life (µs UTC).

        An older server cannot say it, and then nothing is known.
        """
        try:
            return self._ask(lambda book: book.users_of(sorted(resources)))
        except ReservationBackendError:
            return {}

    def next_free(self, resources: Collection[str]) -> dict[str, int]:
        """Return from when on each of ``resources`` that is taken is free, µs UTC, unless it never is."""
        return self._ask(lambda book: book.next_free(sorted(resources)))

    def fences(self, username: str, resources: Collection[str]) -> list[tuple[str, str, int]]:
        """Return what ``username`` holds now among ``resources``: resource, reservation id, fencing number."""
        names = sorted(resources)
        return self._ask_about(username, lambda book, name: book.fences(name, names, self._within))

    def sign_of_life(self, username: str, resources: Collection[str]) -> None:
        """Note in the book that what ``username`` holds among ``resources`` is used; at most once a minute.

        Who cannot write the book need not: nothing rests on it, so no failure is told.
        """
        now_us = boot_us()
        if self._gate is None or now_us - self._seen_us < MINUTE_US:
            return
        self._seen_us = now_us
        try:
            self._gate.sign_of_life([identifier for _, identifier, _ in self.fences(username, resources)])
        except BespeakError:
            return

    def listen(self, username: str, resources: Collection[str]) -> Listener:
        """Listen for changes of what ``username`` holds now among ``resources``."""
        from bespeak.ledger.write_operations import reservation_topic

        topics = [reservation_topic(identifier) for _, identifier, _ in self.fences(username, resources)]
        return self._ask(lambda book: book.listen(topics))

    def holder_ends(self, resource: str) -> list[tuple[str, int | None]]:
        """Return who holds ``resource`` now and until when, µs UTC, ``FOREVER_US`` for no end."""
        return list(self._ask(lambda book: book.holders_of(resource)))

    def get_reservation_windows(self, username: str) -> list[ReservationWindow]:
        """Return what ``username`` holds now or later, in order of start."""
        from bespeak.reservations.protocol import ReservationWindow

        rows = self._ask_about(username, lambda book, name: book.windows_of(name, self._within))
        return [
            ReservationWindow(resource, as_datetime(starts_us), None if ends_us >= FOREVER_US else as_datetime(ends_us))
            for resource, starts_us, ends_us in rows
        ]

    def present_us(self) -> int:
        """Return the present instant of the book, µs UTC: that of its server, which may not be ours."""
        return self._ask(lambda book: book.present_us())

    def close(self) -> None:
        """Close the book, if this backend opened it."""
        if self._mine and self._gate is not None:
            self._gate.close()
            self._gate = None

    def _ask_about(self, username: str, question: Callable[[Gate, str], T]) -> T:
        """Ask what somebody holds: a user by the plain name, a team only for who is in it."""
        name = username.removeprefix("user:")
        kind, _, team = name.partition(":")
        if kind != "team":
            return self._ask(lambda book: question(book, name))
        from bespeak.reservations.identity import resolve_username

        def of_team(book: Gate) -> T:
            asks = book.user or resolve_username(None).username
            if asks not in book.team_members(team):
                raise BusyError(f"{asks} may not act for {name} (policy of the book: teams)")
            return question(book, name)

        return self._ask(of_team)

    def _ask(self, question: Callable[[Gate], T]) -> T:
        try:
            if self._gate is None:
                self._gate = self._open()
            return question(self._gate)
        except BespeakError as error:
            raise ReservationBackendError(str(error)) from error
        except (UnicodeError, ValueError) as error:
            raise ReservationBackendError("a name that no book can hold was asked for") from error

    def _open(self) -> Gate:
        from bespeak.settings import ledger_url

        return open_gate(self._url if self._url is not None else ledger_url())
