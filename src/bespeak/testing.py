"""Help for those who write a backend: every violation of the contract in one run.

Imported by test suites only; nothing of bespeak depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from bespeak.reservations.protocol import (
    ReservationWindow,
    SupportsHeldAmong,
    SupportsHolderEnds,
    SupportsHoldings,
    SupportsReservationWindows,
    SupportsUsernameCompletion,
)

NOBODY = "bespeak-conformance-nobody"
NOTHING = "bespeak-conformance-nothing"


def assert_reservation_backend_conforms(backend: Any, *, known_user: str, known_resources: Collection[str]) -> None:
    """Fail unless ``backend`` keeps the contract of a reservation backend; the message lists every violation.

    Args:
        backend: the backend, over data in which somebody holds something.
        known_user: a user who holds ``known_resources`` and nothing else.
        known_resources: what that user holds; empty for a backend that knows of no reservations.

    Raises:
        AssertionError: something is not as the contract asks.
    """
    found = _Violations(backend)
    known = set(known_resources)
    found.check_name()
    found.check_held(known_user, known)
    found.check_holders(known_user, known)
    found.check_usernames(known_user, known)
    found.check_windows(known_user, known)
    found.check_shortcuts(known_user, known)
    if found.texts:
        raise AssertionError("\n".join([f"{type(backend).__name__} breaks the contract:", *found.texts]))


class _Violations:
    """Collects what is wrong with a backend."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.texts: list[str] = []

    def expect(self, question: str, holds: bool, demand: str, answer: object) -> bool:
        """Note a violation unless ``holds``."""
        if not holds:
            self.texts.append(f"  - {question}: {demand}; it was {answer!r}")
        return holds

    def ask(self, name: str, *arguments: object) -> tuple[str, Any]:
        """Ask the backend; an exception is a violation and answers None."""
        question = f"{name}({', '.join(map(repr, arguments))})"
        method: Callable[..., Any] | None = getattr(self.backend, name, None)
        if not self.expect(name, callable(method), "must be a method", method) or method is None:
            return question, None
        try:
            return question, method(*arguments)
        except Exception as error:  # noqa: BLE001 - reported with all the others
            self.texts.append(f"  - {question}: must answer, but raised {type(error).__name__}: {error}")
            return question, None

    def check_name(self) -> None:
        """A short text, always the same."""
        question, name = self.ask("backend_name")
        if name is None:
            return
        if self.expect(question, isinstance(name, str) and bool(name), "must be a non-empty text", name):
            self.expect(question, name.isprintable(), "must be printable", name)
            self.expect(question, self.ask("backend_name")[1] == name, "must be the same every time", name)

    def check_held(self, user: str, known: set[str]) -> None:
        """A fresh set of texts, empty for who holds nothing."""
        question, held = self.ask("get_reserved_resources", user)
        if held is not None and self.is_set(question, held):
            self.expect(question, held == known, f"must be {sorted(known)!r}", held)
            self.expect(question, self.ask("get_reserved_resources", user)[1] == held, "must not change", held)
            if isinstance(held, set):
                held.add(NOTHING)
                again = self.ask("get_reserved_resources", user)[1]
                self.expect(question, again == known, "must not be the backend's own set", again)
        question, none = self.ask("get_reserved_resources", NOBODY)
        if none is not None and self.is_set(question, none):
            self.expect(question, not none, "must be empty for somebody without reservations", none)

    def is_set(self, question: str, answer: Any) -> bool:
        """Tell whether an answer is a set of texts."""
        if not self.expect(question, isinstance(answer, set), "must be a set", answer):
            return False
        return self.expect(question, all(isinstance(each, str) for each in answer), "must hold texts only", answer)

    def check_holders(self, user: str, known: set[str]) -> None:
        """A list of users without repetition, in an order that stays, empty where nobody holds."""
        for resource in sorted(known):
            question, holders = self.ask("who_reserved", resource)
            if holders is None or not self.expect(question, isinstance(holders, list), "must be a list", holders):
                continue
            self.expect(question, all(isinstance(each, str) for each in holders), "must hold texts only", holders)
            self.expect(question, user in holders, f"must name {user!r}", holders)
            self.expect(question, len(holders) == len(set(holders)), "must name nobody twice", holders)
            self.expect(question, self.ask("who_reserved", resource)[1] == holders, "must keep its order", holders)
        question, holders = self.ask("who_reserved", NOTHING)
        if not (holders is None and self.texts and question in self.texts[-1]):
            self.expect(question, holders == [], "must be an empty list where nobody holds", holders)

    def check_usernames(self, user: str, known: set[str]) -> None:
        """Optional: a list of texts with everybody who holds something."""
        if not isinstance(self.backend, SupportsUsernameCompletion):
            return
        question, names = self.ask("list_usernames")
        if names is None or not self.expect(question, isinstance(names, list), "must be a list", names):
            return
        self.expect(question, all(isinstance(each, str) for each in names), "must hold texts only", names)
        if known:
            self.expect(question, user in names, f"must contain {user!r}", names)

    def check_windows(self, user: str, known: set[str]) -> None:
        """Optional: windows with zones that cover what is held."""
        if not isinstance(self.backend, SupportsReservationWindows):
            return
        question, windows = self.ask("get_reservation_windows", user)
        if windows is None or not self.expect(question, isinstance(windows, list), "must be a list", windows):
            return
        if not self.expect(question, all(map(_is_window, windows)), "must hold windows with zones", windows):
            return
        covered = {window.resource for window in windows}
        self.expect(question, known <= covered, f"must cover {sorted(known)!r}", windows)

    def check_shortcuts(self, user: str, known: set[str]) -> None:
        """Optional: the quick answers equal the documented ones."""
        if isinstance(self.backend, SupportsHeldAmong):
            question, held = self.ask("held_among", user, sorted({*known, NOTHING}))
            self.expect(question, held == known, f"must be {sorted(known)!r}", held)
        if isinstance(self.backend, SupportsHoldings):
            question, answer = self.ask("holdings", user, sorted({*known, NOTHING}))
            self.expect(question, answer == (known, {NOTHING: []}), f"must be ({sorted(known)!r}, others)", answer)
        if isinstance(self.backend, SupportsHolderEnds):
            for resource in [*sorted(known), NOTHING]:
                question, pairs = self.ask("holder_ends", resource)
                names = [pair[0] for pair in pairs] if isinstance(pairs, list) else pairs
                holders = self.ask("who_reserved", resource)[1]
                self.expect(question, names == holders, "must name those that who_reserved names", pairs)


def _is_window(value: object) -> bool:
    if not isinstance(value, ReservationWindow) or not isinstance(value.resource, str):
        return False
    return all(_has_zone(each) for each in (value.start, value.end))


def _has_zone(instant: datetime | None) -> bool:
    return instant is None or instant.tzinfo is not None


def assert_power_controller_conforms(controller: Any, host: Any = None, *, within_seconds: float = 60.0) -> None:
    """Fail unless ``controller`` keeps the contract of a power controller; the message lists every violation.

    The device behind it is switched on, off, and through a cycle.

    Args:
        controller: over a device that works and may be switched.
        host: the host to hand over; one without an address if none is given.
        within_seconds: how long each call may take.

    Raises:
        AssertionError: something is not as the contract asks.
    """
    import asyncio

    from bespeak.host.power.conformance import violations

    found = asyncio.run(violations(controller, host, within_seconds=within_seconds))
    if found:
        lines = [f"{type(controller).__name__} breaks the contract:", *(f"  - {text}" for text in found)]
        raise AssertionError("\n".join(lines))
