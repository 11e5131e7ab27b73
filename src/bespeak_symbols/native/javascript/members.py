"""What a chain of names can mean, and which members a class, an object or an instance has or inherits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bespeak_symbols.confidence import UNSURE
from bespeak_symbols.native import inheritance
from bespeak_symbols.native.meaning import EXTERNAL, MODULE, SYMBOL, Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Symbol
    from bespeak_symbols.native.javascript.imports import Tables

CLASSES = frozenset({"class", "interface", "type"})
_MOST_FOUND = 6


def is_getter(symbol: Symbol) -> bool:
    """Tell whether to name a member is to call it."""
    return symbol.kind == "method" and "get" in symbol.signature.partition("(")[0].split()


def distinct(found: list[Meaning]) -> list[Meaning]:
    """Return the first of those that are the same thing, and no more than can be followed."""
    kept: dict[tuple[str, str, str], Meaning] = {}
    for one in found:
        kept.setdefault((one.kind, one.path, one.name), one)
    return list(kept.values())[:_MOST_FOUND]


class View(Protocol):
    """What follows chains of names."""

    tables: Tables

    def step(self, found: Meaning, part: str) -> list[Meaning]:
        """Return what a part of something is."""

    def bound(self, path: str, name: str) -> list[Meaning]:
        """Return what a name is bound to."""

    def means(self, path: str, root: str, parts: list[str]) -> list[Meaning]:
        """Return what a chain means."""

    def held(self, found: Meaning) -> list[Meaning]:
        """Return what a constant holds, if that is known; anything else is itself."""

    def inside(self, found: Meaning) -> list[Meaning]:
        """Return what a constant holds, but never the constant itself."""


def member(view: View, found: Meaning, part: str) -> list[Meaning]:
    """Return a member of an object, a class or an instance, its own or one it inherits."""
    unknown: list[Meaning] = []
    for owner in line(view, found):
        if owner.kind == EXTERNAL:
            unknown = [owner]
            continue
        own = view.step(owner, part) if owner.kind == MODULE else _own(view, owner, part)
        if own:
            return [_as_member(view, one, owner, found) for one in own]
    return unknown


def line(view: View, found: Meaning) -> Iterator[Meaning]:
    """Return something and all that it has members of, the nearest first."""

    def next_ones(owner: Meaning) -> list[Meaning]:
        return [*bases(view, owner.path, owner.name), *_spread(view, owner)] if owner.kind != EXTERNAL else []

    return inheritance.nearest_first(found, next_ones, lambda one: (one.path, one.name))


def _as_member(view: View, one: Meaning, owner: Meaning, found: Meaning) -> Meaning:
    """Say how a member was come by: of ``found`` itself, or of ``owner``, from which it is derived."""
    table = view.tables.of(owner.path)
    doubled = table is not None and owner.name in table.doubled
    one = one.at_most(UNSURE if doubled else found.confidence)
    if one.kind != SYMBOL or one.how != "local":
        return one
    inherited = (owner.path, owner.name) != (found.path, found.name)
    how = "inherited" if inherited and found.how in {"self", "typed", "inherited"} else found.how
    return one.but(how=how)


def _own(view: View, owner: Meaning, part: str) -> list[Meaning]:
    table = view.tables.of(owner.path)
    if table is None:
        return []
    name = f"{owner.name}.{part}"
    if name in table.symbols:
        return [Meaning(SYMBOL, owner.path, name, how="local")]
    if name in table.bindings:
        return view.bound(owner.path, name)
    if name in table.holders:
        return [Meaning(SYMBOL, owner.path, name, how="local")]
    return [after for one in view.inside(owner) for after in view.step(one, part)] if owner.kind == SYMBOL else []


def _spread(view: View, owner: Meaning) -> list[Meaning]:
    """Return what an object or a type takes all members of: ``{...x}``, ``type A = B``."""
    table = view.tables.of(owner.path)
    if table is None:
        return []
    known = table.symbols.get(owner.name)
    same = view.bound(owner.path, owner.name) if known is not None and known.kind == "type" else []
    return [*same, *(view.bound(owner.path, owner.name + ".*") if owner.name + ".*" in table.bindings else ())]


def above(view: View, path: str, name: str) -> list[Meaning]:
    """Return what ``super`` means in a class: what it extends, and not what it implements."""
    return bases(view, path, name, 1)


def bases(view: View, path: str, name: str, most: int | None = None) -> list[Meaning]:
    """Return what a class is derived from, as far as it says at the ``most`` first places."""
    table = view.tables.of(path)
    found: list[Meaning] = []
    for reference in table.inherits.get(name, [])[:most] if table is not None else ():
        for base in view.means(path, reference.root, reference.text.split(".")):
            found += [one.but(how="inherited") for one in view.held(base)]
        if not reference.root:
            found.append(Meaning(EXTERNAL))
    return distinct(found)
