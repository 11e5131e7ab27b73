"""What a chain of names can mean, and which members a class, an object or an instance has or inherits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bespeak_symbols.model import Symbol
    from bespeak_symbols.native.javascript.imports import Tables

SYMBOL, INSTANCE, ITEMS, MODULE, OUTSIDE = "symbol", "instance", "items", "module", "outside"
TAKES, KEEPS, BOUND = "takes", "keeps", "bound"
"""Methods of collections that give an item or a collection when they are called; a function with ``bind``."""
CLASSES = frozenset({"class", "interface", "type"})
_MOST_FOUND = 6
_MOST_OWNERS = 600


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a chain can mean.

    Args:
        sort: a symbol, an instance of it, a collection of those, a module, or something outside the repository.
        path: the file.
        name: of the symbol.
        how: how it was found, as in an edge.
        sure: it can be nothing else.
    """

    sort: str
    path: str = ""
    name: str = ""
    how: str = "local"
    sure: bool = True


def is_getter(symbol: Symbol) -> bool:
    """Tell whether to name a member is to call it."""
    return symbol.kind == "method" and "get" in symbol.signature.partition("(")[0].split()


def distinct(found: list[Found]) -> list[Found]:
    """Return the first of those that are the same thing, and no more than can be followed."""
    kept: dict[tuple[str, str, str], Found] = {}
    for one in found:
        kept.setdefault((one.sort, one.path, one.name), one)
    return list(kept.values())[:_MOST_FOUND]


class View(Protocol):
    """What follows chains of names."""

    tables: Tables

    def step(self, found: Found, part: str) -> list[Found]:
        """Return what a part of something is."""

    def bound(self, path: str, name: str) -> list[Found]:
        """Return what a name is bound to."""

    def means(self, path: str, root: str, parts: list[str]) -> list[Found]:
        """Return what a chain means."""

    def held(self, found: Found) -> list[Found]:
        """Return what a constant holds, if that is known; anything else is itself."""

    def inside(self, found: Found) -> list[Found]:
        """Return what a constant holds, but never the constant itself."""


def member(view: View, found: Found, part: str) -> list[Found]:
    """Return a member of an object, a class or an instance, its own or one it inherits."""
    waiting, seen = [found], {(found.path, found.name)}
    unknown: list[Found] = []
    while waiting and len(seen) < _MOST_OWNERS:
        owner = waiting.pop(0)
        if owner.sort == OUTSIDE:
            unknown = [owner]
            continue
        own = view.step(owner, part) if owner.sort == MODULE else _own(view, owner, part)
        if own:
            return [_as_member(view, one, owner, found) for one in own]
        for base in [*bases(view, owner.path, owner.name), *_spread(view, owner)]:
            if base.sort == OUTSIDE or (base.path, base.name) not in seen:
                seen.add((base.path, base.name))
                waiting.append(base)
    return unknown


def _as_member(view: View, one: Found, owner: Found, found: Found) -> Found:
    """Say how a member was come by: of ``found`` itself, or of ``owner``, from which it is derived."""
    table = view.tables.of(owner.path)
    sure = one.sure and found.sure and (table is None or owner.name not in table.doubled)
    if one.sort != SYMBOL or one.how != "local":
        return replace(one, sure=sure)
    inherited = (owner.path, owner.name) != (found.path, found.name)
    how = "inherited" if inherited and found.how in {"self", "typed", "inherited"} else found.how
    return replace(one, how=how, sure=sure)


def _own(view: View, owner: Found, part: str) -> list[Found]:
    table = view.tables.of(owner.path)
    if table is None:
        return []
    name = f"{owner.name}.{part}"
    if name in table.symbols:
        return [Found(SYMBOL, owner.path, name)]
    if name in table.bindings:
        return view.bound(owner.path, name)
    if name in table.holders:
        return [Found(SYMBOL, owner.path, name)]
    return [after for one in view.inside(owner) for after in view.step(one, part)] if owner.sort == SYMBOL else []


def _spread(view: View, owner: Found) -> list[Found]:
    """Return what an object or a type takes all members of: ``{...x}``, ``type A = B``."""
    table = view.tables.of(owner.path)
    if table is None:
        return []
    known = table.symbols.get(owner.name)
    same = view.bound(owner.path, owner.name) if known is not None and known.kind == "type" else []
    return [*same, *(view.bound(owner.path, owner.name + ".*") if owner.name + ".*" in table.bindings else ())]


def above(view: View, path: str, name: str) -> list[Found]:
    """Return what ``super`` means in a class: what it extends, and not what it implements."""
    return bases(view, path, name, 1)


def bases(view: View, path: str, name: str, most: int | None = None) -> list[Found]:
    """Return what a class is derived from, as far as it says at the ``most`` first places."""
    table = view.tables.of(path)
    found: list[Found] = []
    for reference in table.inherits.get(name, [])[:most] if table is not None else ():
        for base in view.means(path, reference.root, reference.text.split(".")):
            found += [replace(one, how="inherited") for one in view.held(base)]
        if not reference.root:
            found.append(Found(OUTSIDE))
    return distinct(found)
