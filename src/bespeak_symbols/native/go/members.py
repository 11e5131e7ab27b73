"""What a name of Go can mean, and what a type, or one that it embeds, has under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bespeak_symbols.native.go.imports import Definition, Package, Table

FUNCTION, TYPE, PACKAGE, VALUE, UNKNOWN = "function", "type", "package", "value", "unknown"
_MOST_EMBEDDED = 64


@dataclass(frozen=True, slots=True)
class Meaning:
    """What something means, and where that is said.

    Args:
        kind: ``function``, ``type``, ``package``, ``frozen`` or ``unknown``.
        package: where it is defined.
        name: what it is called there; for a value, the text of its type.
        path: the file which holds that text.
        bound: for a value, the binding that its type begins with; -1 for none.
        how: the word for edges to it.
        sure: from 0 to 1.
        symbol: for a value, the variable or constant that it is.
    """

    kind: str
    package: Package
    name: str
    path: str = ""
    bound: int = -1
    how: str = "local"
    sure: float = 1.0
    symbol: str = ""


class View(Protocol):
    """Packages as one file sees them."""

    def table(self, package: Package) -> Table:
        """Return what this file sees of a package."""

    def type_of(self, text: str, path: str, bound: int) -> Meaning | None:
        """Return the named type that a type as written in a file means; None for one of items, or unknown."""


def member(view: View, of: Meaning, name: str) -> list[Meaning]:
    """Return what a type has under a name: its own, or what it embeds, the nearest first."""
    level, seen, how = [of], {(of.package, of.name)}, "typed"
    while level and len(seen) < _MOST_EMBEDDED:
        found = [each for owner in level for each in _own_member(view, owner, name, how)]
        if found:
            return found
        deeper = []
        for owner in level:
            for base in embedded(view, owner):
                if (base.package, base.name) not in seen:
                    seen.add((base.package, base.name))
                    deeper.append(base)
        level, how = deeper, "promoted"
    return []


def _own_member(view: View, of: Meaning, name: str, how: str) -> list[Meaning]:
    qualified = f"{of.name}.{name}"
    table = view.table(of.package)
    if qualified in table.symbols:
        return [Meaning(FUNCTION, of.package, qualified, how=how, sure=of.sure)]
    for path, binding in table.bindings.get(qualified, ()):
        known = binding.how == "type"
        return [Meaning(VALUE, of.package, binding.target if known else "", path, binding.bound, how, of.sure)]
    return []


def embedded(view: View, of: Meaning) -> list[Meaning]:
    """Return the types that a type embeds, or whose fields it has because it is made of them."""
    found = []
    for place in view.table(of.package).symbols.get(of.name, ()):
        for base in place.symbol.bases:
            known = view.type_of(base, place.path, -1)
            if known is not None:
                found.append(known)
    return found


def methods(view: View, of: Meaning) -> set[str]:
    """Return the names of a type's own methods."""
    return view.table(of.package).methods.get(of.name, set())


def definitions(view: View, of: Meaning) -> list[Definition]:
    """Return where a function or a type is defined."""
    return view.table(of.package).symbols.get(of.name, [])
