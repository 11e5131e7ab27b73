"""Types of Go that one side newly writes for an interface, to which the other side adds a method.

In Go nothing says that a type implements an interface: it does if it has the methods. A type counts as written for an
interface if it has all methods of it, and is made where the interface, or a function that takes it, is named.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bespeak.coord.merge.advice import advise_heir
from bespeak.coord.merge.model import Half, Item, ItemKind, SideChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.broken_uses import Changer, User
    from bespeak.coord.merge.definitions import ChangedFiles, Node

_CONFIDENCE = 0.75


def unmet_interfaces(user: User, changer: Changer, read: ChangedFiles) -> list[Item]:
    """Return an item for each new type of Go that lacks a method of an interface it was written for, in order.

    Args:
        user: the side that writes types.
        changer: the side that adds to interfaces.
        read: what the changer changed.
    """
    added = dict(_added(changer))
    if not added:
        return []
    types = _new_types(user)
    found = []
    for address, method in sorted(added.items()):
        path, _, name = address.partition("::")
        wanted = _methods(read, path, name)
        for owner, methods in types.items():
            missing = method.last not in methods
            if wanted and missing and wanted <= methods and _is_used_as(user, read, path, name, owner):
                found.append(_item(user, changer, method, owner))
    return sorted(found, key=lambda item: (item.address, item.user))


def _added(changer: Changer) -> Iterator[tuple[str, Node]]:
    """Yield the interfaces of the merge base that gained a method, each with one that it gained."""
    for pair in changer.side.pairs:
        node = pair.after
        if pair.before is None and node is not None and node.language == "go" and node.parent:
            owner = f"{node.path}::{node.parent}"
            for one in changer.side.by_address.get(changer.side.before(owner), ()):
                if one.before is not None and one.before.symbol.kind == "interface":
                    yield one.before.address, node


def _methods(read: ChangedFiles, path: str, name: str) -> set[str]:
    """Return the methods that an interface had in the merge base; none if it takes in others besides."""
    symbols = read.before[path].facts.symbols if path in read.before else ()
    if any(symbol.name == name and symbol.bases for symbol in symbols):
        return set()
    return {symbol.name.rpartition(".")[2] for symbol in symbols if symbol.name.startswith(f"{name}.")}


def _new_types(user: User) -> dict[str, set[str]]:
    """Return the methods of each type to which a side has added some, by the address of the type."""
    found: dict[str, set[str]] = {}
    old = {symbol.name for source in user.before.values() for symbol in source.facts.symbols}
    for path, source in user.files.items():
        if source.facts.language == "go":
            for symbol in source.facts.symbols:
                owner, _, last = symbol.name.rpartition(".")
                if owner and symbol.kind == "method" and symbol.name not in old:
                    found.setdefault(f"{path}::{owner}", set()).add(last)
    return dict(sorted(found.items()))


def _is_used_as(user: User, read: ChangedFiles, path: str, interface: str, owner: str) -> bool:
    """Tell whether a file that makes a type also names an interface, or a function that takes it."""
    word = re.compile(rf"\b{re.escape(interface)}\b")
    symbols = read.before[path].facts.symbols
    takers = {one.name.rpartition(".")[2] for one in symbols if word.search(one.signature)} | {interface}
    last = owner.rpartition("::")[2]
    for source in user.files.values():
        named = {part for ref in source.facts.references for part in ref.text.split(".")}
        if last in named and takers & named:
            return True
    return False


def _item(user: User, changer: Changer, method: Node, owner: str) -> Item:
    first = Half(changer.side.label, (SideChange.ADDED,), method.address)
    second = Half(user.side.label, (SideChange.USED,), owner)
    halves = changer.ours_first(first, second)
    path, _, name = owner.partition("::")
    symbols = (symbol for symbol in user.files[path].facts.symbols if symbol.name.startswith(name))
    return Item.of_halves(
        ItemKind.DEPENDENCY,
        method.address,
        halves,
        confidence=_CONFIDENCE,
        how="it has all methods that the interface had",
        recommendation=advise_heir(method.address, first, second, owner),
        path=path,
        user=owner,
        line=min(symbol.first_line for symbol in symbols),
    )
