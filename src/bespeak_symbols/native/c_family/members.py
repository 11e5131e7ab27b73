"""What a name of C or C++ can mean, and what a class or one that it derives from has under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bespeak_symbols.model import Binding, Symbol
    from bespeak_symbols.native.c_family.imports import Files

FUNCTION, CLASS, NAMESPACE, VALUE, OTHER = "function", "class", "namespace", "value", "other"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What something means.

    Args:
        kind: one of the constants above.
        path: the file that says so.
        name: the qualified name; of a value, its type as written.
        within: of a value, where its type is written.
        bound: of a value, the place of the binding of the first part of its type.
        sure: how sure that is, of 1.
        how: how it was found.
        exact: no subclass can be meant.
        symbol: of a value, the address of the variable, as far as there is one.
    """

    kind: str
    path: str
    name: str
    within: str = ""
    bound: int = -1
    sure: float = 1.0
    how: str = "local"
    exact: bool = False
    symbol: str = ""


def with_how(of: Meaning, how: str, sure: float) -> Meaning:
    """Return the same, found so and as sure as both."""
    return Meaning(of.kind, of.path, of.name, of.within, of.bound, of.sure * sure, how, of.exact, of.symbol)


def as_exact(of: Meaning) -> Meaning:
    """Return the same, named so that no subclass can be meant."""
    return Meaning(of.kind, of.path, of.name, of.within, of.bound, of.sure, of.how, True, of.symbol)


def with_name(of: Meaning, name: str) -> Meaning:
    """Return a value of another type, written in the same place."""
    how = "this" if of.how == "this" else "typed"
    return Meaning(of.kind, of.path, name, of.within, of.bound, of.sure, how)


def argument(arguments: str, place: int = 0) -> str:
    """Return one of the template arguments of a type, given what follows its first ``<``."""
    depth, start, parts = 0, 0, []
    for at, letter in enumerate(arguments):
        if letter == "<":
            depth += 1
        elif letter == ">" and depth:
            depth -= 1
        elif letter in ",>" and not depth:
            parts.append(arguments[start:at])
            start = at + 1
    return parts[place] if place < len(parts) else ""


class View(Protocol):
    """Names as one file sees them."""

    files: Files
    path: str

    def at(self, path: str) -> View:
        """Return the same for another file."""

    def meaning(self, path: str, symbol: Symbol, how: str) -> Meaning:
        """Return what a symbol is."""

    def of_binding(self, path: str, binding: Binding, within: str, how: str) -> Meaning:
        """Return the value that a binding stands for; one without a name if that is not known."""

    def classes(self, text: str, within: str) -> tuple[Meaning, ...]:
        """Return the classes that a type as written means here, seen through other names for it."""


def member(view: View, owner: Meaning, name: str) -> tuple[Meaning, ...]:
    """Return what a class, or one that it derives from, has under a name."""
    seen: set[tuple[str, str]] = set()
    todo = [owner]
    while todo and len(seen) < 64:  # noqa: PLR2004 more bases than anybody writes
        current = todo.pop(0)
        if (current.path, current.name) in seen:
            continue
        seen.add((current.path, current.name))
        if current.name.rpartition(".")[2] == name:
            return (current,)
        found = own_member(view.at(current.path), current, name)
        if found:
            how = "inherited" if len(seen) > 1 else found[0].how
            return tuple(with_how(each, how, current.sure * owner.sure) for each in found)
        todo += bases(view, current)
    return ()


def own_member(view: View, owner: Meaning, name: str) -> tuple[Meaning, ...]:
    """Return what a class of this file has under a name, bases left aside."""
    qualified = f"{owner.name}.{name}"
    found = tuple(view.meaning(view.path, symbol, "member") for symbol in view.files.symbols(view.path, qualified)[:1])
    if found:
        return found
    for binding in view.files.table(view.path).bindings.get(qualified, ()):
        return (view.of_binding(view.path, binding, owner.name, "member"),)
    return ()


def bases(view: View, owner: Meaning) -> list[Meaning]:
    """Return what a class derives from directly, as far as it can be found."""
    found: list[Meaning] = []
    here = view.at(owner.path)
    for symbol in view.files.symbols(owner.path, owner.name):
        for base in symbol.bases:
            found += here.classes(base, owner.name.rpartition(".")[0])
    return found
