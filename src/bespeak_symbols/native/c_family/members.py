"""What a name of C or C++ can mean, and what a class or one that it derives from has under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bespeak_symbols.native import inheritance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Binding, Symbol
    from bespeak_symbols.native.c_family.imports import Files
    from bespeak_symbols.native.meaning import Meaning


def with_how(of: Meaning, how: str, sure: float) -> Meaning:
    """Return the same, found so and as sure as both."""
    return of.but(how=how, confidence=of.confidence * sure)


def with_name(of: Meaning, name: str) -> Meaning:
    """Return a value of another type, written in the same place."""
    return of.but(name=name, how="this" if of.how == "this" else "typed", exact=False, via="")


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
    for current in line(view, owner):
        if current.name.rpartition(".")[2] == name:
            return (current,)
        found = own_member(view.at(current.path), current, name)
        if found:
            how = found[0].how if current is owner else "inherited"
            return tuple(with_how(each, how, current.confidence * owner.confidence) for each in found)
    return ()


def line(view: View, owner: Meaning) -> Iterator[Meaning]:
    """Return a class and all that it derives from, the nearest first."""
    return inheritance.nearest_first(owner, lambda one: bases(view, one), lambda one: (one.path, one.name))


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
