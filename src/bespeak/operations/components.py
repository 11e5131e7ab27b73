"""All components that a book can have: who copies a book must know each of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bespeak.base.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.storage.migrations import Component

_HOMES = {
    "ledger": "bespeak.ledger.schema:LEDGER",
    "access": "bespeak.access.schema:ACCESS",
    "notices": "bespeak.notices.schema:NOTICES",
    "calendars": "bespeak.integrations.calendar_links:CALENDARS",
    "coord": "bespeak.coord.schema:COORD",
    "dispatch": "bespeak.jobs.schema:COMPONENT",
}
_OF_ENGINES = frozenset({"clock", "commits"})


def components_of(names: Iterable[str], book: str) -> list[Component]:
    """Return the components with these names, which a book has.

    Raises:
        UnavailableError: the book was written by a bespeak that knows more.
    """
    found = []
    for name in sorted({"ledger", *names} - _OF_ENGINES):
        if name not in _HOMES:
            raise UnavailableError(f"book {book}: this bespeak does not know its component {name!a}; upgrade bespeak")
        module, _, attribute = _HOMES[name].partition(":")
        component: Component = getattr(import_module(module), attribute)
        found.append(component)
    return found


def known() -> frozenset[str]:
    """Return where every component is declared."""
    return frozenset(_HOMES.values())
