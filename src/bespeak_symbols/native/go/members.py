"""What a name of Go can mean, and what a type, or one that it embeds, has under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bespeak_symbols.native import inheritance
from bespeak_symbols.native.meaning import FUNCTION, VALUE, Meaning

if TYPE_CHECKING:
    from bespeak_symbols.native.go.imports import Definition, Package, Table


class View(Protocol):
    """Packages as one file sees them."""

    def package_of(self, of: Meaning) -> Package:
        """Return the package in which something is defined."""

    def table_of(self, of: Meaning) -> Table:
        """Return what this file sees of the package in which something is defined."""

    def type_of(self, text: str, path: str, bound: int) -> Meaning | None:
        """Return the named type that a type as written in a file means; None for one of items, or unknown."""


def member(view: View, of: Meaning, name: str) -> list[Meaning]:
    """Return what a type has under a name: its own, or what it embeds, the nearest first."""
    how = "typed"
    for level in inheritance.levels(of, lambda one: embedded(view, one), lambda one: (view.package_of(one), one.name)):
        found = [each for owner in level for each in _own_member(view, owner, name, how)]
        if found:
            return found
        how = "promoted"
    return []


def _own_member(view: View, of: Meaning, name: str, how: str) -> list[Meaning]:
    qualified = f"{of.name}.{name}"
    table = view.table_of(of)
    if qualified in table.symbols:
        return [Meaning(FUNCTION, table.symbols[qualified][0].path, qualified, of.confidence, how)]
    for path, binding in table.bindings.get(qualified, ()):
        text = binding.target if binding.how == "type" else ""
        return [Meaning(VALUE, path, text, of.confidence, how, bound=binding.bound)]
    return []


def embedded(view: View, of: Meaning) -> list[Meaning]:
    """Return the types that a type embeds, or whose fields it has because it is made of them."""
    found = []
    for place in view.table_of(of).symbols.get(of.name, ()):
        for base in place.symbol.bases:
            known = view.type_of(base, place.path, -1)
            if known is not None:
                found.append(known)
    return found


def methods(view: View, of: Meaning) -> frozenset[str]:
    """Return the names of all methods of a type, embedded ones included."""
    line = inheritance.nearest_first(of, lambda one: embedded(view, one), lambda one: (view.package_of(one), one.name))
    return frozenset().union(*(view.table_of(one).methods.get(one.name, ()) for one in line))


def definitions(view: View, of: Meaning) -> list[Definition]:
    """Return where a function or a type is defined."""
    return view.table_of(of).symbols.get(of.name, [])
