"""The values that looking up a name of C or C++ gives."""

from __future__ import annotations

from dataclasses import dataclass

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
