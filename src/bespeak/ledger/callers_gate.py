"""The gate's questions of a server's caller: what it holds itself, and of others what it may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.errors import NotAllowedError
from bespeak.ledger.gate import Gate, GateAnswer
from bespeak.ledger.visibility import Visibility, sight_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.access.model import Caller
    from bespeak.ledger.context import LedgerContext
    from bespeak.ledger.current_hold import CurrentHold
    from bespeak.storage.interface import Transaction

_TEAM = "team:"


class CallersGate(Gate):
    """The gate's questions to one open book, answered as far as the caller may look.

    What somebody holds is told to that somebody without any right. Who else holds a resource, until when, and when it
    is free is told to those who may look at it.

    Args:
        book: the book, as the caller sees it.
        caller: who calls.
    """

    def __init__(self, book: LedgerContext, caller: Caller) -> None:
        super().__init__(book.engine, caller.holder)
        self._book = book
        self._caller = caller

    def ask(self, username: str | None, resources: Sequence[str], within: CurrentHold | None) -> GateAnswer:
        """Return what somebody holds of ``resources``, and who holds the others.

        Raises:
            NotAllowedError: the caller may not look at one that it does not hold.
        """
        found = super().ask(username, resources, within)
        self._check_held(found.username, found.held, resources)
        return found

    def held_by(self, username: str, within: CurrentHold | None) -> set[str]:
        """Return every resource that somebody holds now, and that the caller may know of."""
        return self._known(username, super().held_by(username, within))

    def held_among(self, username: str, resources: Sequence[str], within: CurrentHold | None) -> set[str]:
        """Return those of ``resources`` that somebody holds now.

        Raises:
            NotAllowedError: it is somebody else, and the caller may not look at one of them.
        """
        self._check_asked(username, resources)
        return super().held_among(username, resources, within)

    def holdings(
        self, username: str, resources: Sequence[str], within: CurrentHold | None
    ) -> tuple[set[str], dict[str, list[tuple[str, int | None]]]]:
        """Return what somebody holds of ``resources``, and who holds the others until when (µs UTC).

        Raises:
            NotAllowedError: the caller may not look at one that it does not hold.
        """
        held, others = super().holdings(username, resources, within)
        self._check_held(username, held, resources)
        return held, others

    def next_free(self, resources: Sequence[str]) -> dict[str, int]:
        """Return from when on each of ``resources`` that is taken is free, µs UTC, unless it never is.

        Raises:
            NotAllowedError: the caller may not look at one of them.
        """
        self._check_seen(resources)
        return super().next_free(resources)

    def fences(self, username: str, resources: Sequence[str], within: CurrentHold | None) -> list[tuple[str, str, int]]:
        """Return what somebody holds now among ``resources``: resource, reservation id, fencing number.

        Raises:
            NotAllowedError: it is somebody else, and the caller may not look at one of them.
        """
        self._check_asked(username, resources)
        return super().fences(username, resources, within)

    def team_members(self, team: str) -> list[str]:
        """Return who may act for a team; the caller alone, or nobody, to whom may not look at the book."""
        found = super().team_members(team)
        return found if self._sight() is None else [name for name in found if name == self._caller.holder]

    def holders_of(self, resource: str) -> list[tuple[str, int]]:
        """Return who holds a resource now and until when, µs UTC.

        Raises:
            NotAllowedError: the caller may not look at it.
        """
        self._check_seen([resource])
        return super().holders_of(resource)

    def users_of(self, resources: Sequence[str]) -> dict[str, list[tuple[str, str, int]]]:
        """Return for each resource that is held: by whom, what uses it where, the last sign of life (µs UTC).

        Raises:
            NotAllowedError: the caller may not look at one of them.
        """
        self._check_seen(resources)
        return super().users_of(resources)

    def windows_of(self, username: str, within: CurrentHold | None) -> list[tuple[str, int, int]]:
        """Return what somebody holds now or later, and the caller may know of: resource, start and end (µs UTC)."""
        found = super().windows_of(username, within)
        known = self._known(username, {name for name, _, _ in found})
        return [one for one in found if one[0] in known]

    def all_holders(self) -> list[str]:
        """Return every user who has or had a reservation; the caller alone to whom may not look at the book."""
        found = super().all_holders()
        return found if self._sight() is None else [name for name in found if name == self._caller.holder]

    def _sight(self) -> Visibility | None:
        return self._engine.read(lambda tx: sight_of(self._book, tx))

    def _is_own(self, username: str) -> bool:
        if username == self._caller.holder:
            return True
        team = username.removeprefix(_TEAM)
        return team != username and self._caller.holder in super().team_members(team)

    def _seen(self, names: Iterable[str]) -> set[str]:
        wanted = set(names)

        def look(tx: Transaction) -> set[str]:
            sight = sight_of(self._book, tx)
            return wanted if sight is None else sight.of(wanted)

        return self._engine.read(look)

    def _known(self, username: str, names: set[str]) -> set[str]:
        return names if self._is_own(username) else self._seen(names)

    def _check_held(self, username: str, held: Iterable[str], asked: Sequence[str]) -> None:
        own = set(held) if self._is_own(username) else set()
        self._check_seen([name for name in asked if name not in own])

    def _check_asked(self, username: str, asked: Sequence[str]) -> None:
        if not self._is_own(username):
            self._check_seen(asked)

    def _check_seen(self, names: Sequence[str]) -> None:
        seen = self._seen(names)
        for name in names:
            if name not in seen:
                raise NotAllowedError(f"you may not look at {name}: no rule shows it to you")
