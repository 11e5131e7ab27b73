"""What one side changed in a base class or interface, against classes that the other newly derives from it.

An override of a method that has another name or other parameters now is called by nobody, or does not compile; a class
that lacks what its interface newly asks for does not compile; a member that came from a base class is gone with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge import call_compatibility
from bespeak.coord.merge.advice import advise_heir
from bespeak.coord.merge.broken_uses import KnownUses, count_uses, is_fresh, is_new, survives
from bespeak.coord.merge.model import Half, Item, ItemKind, SideChange
from bespeak.coord.merge.side_changes import words
from bespeak_symbols.model import CERTAIN, INHERIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak.coord.merge.broken_uses import Changer, User
    from bespeak.coord.merge.definitions import Node
    from bespeak.coord.merge.resolved_trees import ResolvedTrees
    from bespeak.coord.merge.symbol_matching import Pair
    from bespeak_symbols.model import Edge

_OVERRIDE, _UNMET, _BASE_GONE = 0.8, 0.85, 0.85
_HEIRS = frozenset({"class", "struct", "enum"})
"""Kinds of what has to define all that an interface asks for."""
_ASKING = frozenset({"interface", "trait"})
_OPTIONAL = re.compile(rb"\w\s*\?\s*[(:<]")
_CONSTRUCTORS = frozenset({"__init__", "__new__", "constructor", "<init>"})
_BOUND = re.compile(rb"@Override\b|\boverride\b")
_ABSTRACT = re.compile(rb"\babstract\b|abstractmethod")
_PURE = re.compile(rb"=\s*0\s*;\s*$")


@dataclass(frozen=True, slots=True)
class _Heir:
    """A class of the side that uses, and a base of it.

    Args:
        address: of the class.
        base: the address of its base in the merge base.
        new: it derives from that base on this side only.
        line: where it says so.
    """

    address: str
    base: str
    new: bool
    line: int


def broken_heirs(user: User, changer: Changer, trees: ResolvedTrees) -> list[Item]:
    """Return an item for each new override, heir or inherited member that does not go with its changed base."""
    members = _changed_members(changer)
    shrunk = _lost_bases(changer)
    if not members and not shrunk:
        return []
    found = []
    for heir in _heirs(user, trees, members.keys()):
        for pair in members[heir.base]:
            item = _override(user, changer, heir, pair) or _unmet(user, changer, trees, heir, pair)
            if item is not None:
                found.append(item)
    found += _orphans(user, changer, trees, shrunk)
    return sorted(found, key=lambda item: (item.address, item.user, item.line))


def _changed_members(changer: Changer) -> dict[str, list[Pair]]:
    """Return the methods that were changed or added, by the address that their class had in the merge base."""
    found: dict[str, list[Pair]] = {}
    for pair in changer.side.pairs:
        node = pair.before or pair.after
        if node is None or not node.parent or node.family != "callable":
            continue
        if pair.before is None and not _asks(changer, node):
            continue
        if set(words(pair)) & {SideChange.ADDED, SideChange.RENAMED, SideChange.SIGNATURE, SideChange.DELETED}:
            owner = f"{node.path}::{node.parent}"
            found.setdefault(changer.side.before(owner) if pair.before is None else owner, []).append(pair)
    found.pop("", None)
    return found


def _asks(changer: Changer, node: Node) -> bool:
    """Tell whether a new member has to be defined by whoever derives from its class."""
    text = b"\n".join(node.text)
    if node.language == "cpp":
        return bool(_PURE.search(text))
    if node.language == "python" or _ABSTRACT.search(node.signature.encode()):
        return bool(_ABSTRACT.search(text))
    owners = changer.side.now.get(f"{node.path}::{node.parent}", ())
    asking = any(one.after is not None and one.after.symbol.kind in _ASKING for one in owners)
    return asking and not node.symbol.body and b"{" not in text and not _OPTIONAL.search(text)


def _heirs(user: User, trees: ResolvedTrees, bases: Iterable[str]) -> Iterator[_Heir]:
    """Return the classes in changed files that derive from some bases, in order."""
    now = {user.side.after(base) for base in bases} - {""}
    for path in sorted(user.files.keys() & trees.may_name(user.side.name, now)) if now else ():
        for edge in trees.edges(user.side.name, path):
            if edge.kind == INHERIT and edge.callee in now and edge.confidence >= CERTAIN:
                new = is_fresh(user, path, edge.line) and not _derived_before(user, edge)
                yield _Heir(edge.caller, user.side.before(edge.callee), new, edge.line)


def _derived_before(user: User, edge: Edge) -> bool:
    """Tell whether a class named that base in the merge base already."""
    last = edge.callee.rpartition("::")[2].rpartition(".")[2]
    pairs = user.side.now.get(edge.caller, ())
    return any(
        base.rpartition(".")[2].rpartition("::")[2].split("<")[0] == last
        for pair in pairs
        if pair.before is not None
        for base in pair.before.symbol.bases
    )


def _override(user: User, changer: Changer, heir: _Heir, pair: Pair) -> Item | None:
    """Return an item for a new override of a method that is called otherwise now."""
    before = pair.before
    if before is None or _of_one_class(before):
        return None
    own = next(iter(user.side.now.get(f"{heir.address}.{before.last}", ())), None)
    node = own.after if own is not None else None
    if own is None or node is None or (own.before is not None and not heir.new):
        return None
    if any(one.after is None or words(one) for one in user.side.by_address.get(before.address, ())):
        return None  # this side changed the method itself, and wrote the override for that
    kind = _clash(changer, before, node, pair)
    return None if kind is None else _item(user, changer, pair, node, kind, _OVERRIDE)


def _of_one_class(method: Node) -> bool:
    """Tell whether a method is none that heirs override: a constructor, or a private one."""
    return method.last in _CONSTRUCTORS or method.signature.startswith("private ")


def _clash(changer: Changer, before: Node, override: Node, pair: Pair) -> ItemKind | None:
    """Return how an override that was written for a method does not go with what this has become; None if it does."""
    left = [one.after for one in changer.side.now.get(before.address, ()) if one.after is not None]
    if left:
        fits = not _fits(override, before) or any(_fits(override, one) for one in left)
        return None if fits else ItemKind.DEPENDENCY
    if pair.after is None:
        bound = override.language == "rust" or any(_BOUND.search(line) for line in override.text)
        return ItemKind.DELETE_USE if bound else None
    return ItemKind.RENAME_EDIT if pair.after.last != before.last else None


def _fits(one: Node, base: Node) -> bool:
    """Tell whether an override takes as many parameters as what it overrides; True if that cannot be read."""
    mine, other = (call_compatibility.parameters(node.signature, node.language, method=True) for node in (one, base))
    if mine is None or other is None:
        return True
    least = mine.required <= other.required
    return least and (mine.most is None or (other.most is not None and mine.most >= other.most))


def _unmet(user: User, changer: Changer, trees: ResolvedTrees, heir: _Heir, pair: Pair) -> Item | None:
    """Return an item for a new heir that lacks what its base newly asks for."""
    wanted = pair.after
    found = [one.after for one in user.side.now.get(heir.address, ()) if one.after is not None]
    if pair.before is not None or wanted is None or not heir.new or not found or wanted.address in user.side.now:
        return None
    node = found[0]
    head = b" ".join(node.text[:3]).partition(b"{")[0]
    if node.symbol.kind not in _HEIRS or _ABSTRACT.search(head) or _has(user, heir.address, wanted.last):
        return None
    path = heir.address.partition("::")[0]
    bases = [edge for edge in trees.edges(user.side.name, path) if (edge.caller, edge.kind) == (heir.address, INHERIT)]
    if len({edge.callee for edge in bases}) > 1 or len(node.symbol.bases) > 1:
        return None  # another base may have it
    return _item(user, changer, pair, node, ItemKind.DEPENDENCY, _UNMET, line=heir.line)


def _has(user: User, address: str, member: str) -> bool:
    path, _, name = address.partition("::")
    return any(symbol.name == f"{name}.{member}" for symbol in user.files[path].facts.symbols)


def _lost_bases(changer: Changer) -> dict[str, Pair]:
    """Return the classes that do not derive any more from all they did, by address in the merge base."""
    return {
        pair.before.address: pair
        for pair in changer.side.pairs
        if pair.before is not None
        and pair.after is not None
        and set(pair.before.symbol.bases) - set(pair.after.symbol.bases)
    }


def _orphans(user: User, changer: Changer, trees: ResolvedTrees, shrunk: dict[str, Pair]) -> Iterator[Item]:
    """Return an item for each new use of a member that came from a base class that is none any more."""
    known = KnownUses(user.before)
    for address in sorted(shrunk):
        now = user.side.after(address)
        members = tuple(f"{base}." for base in _ancestors(user, trees, now)) if now else ()
        for path in sorted(user.files.keys() & trees.may_name(user.side.name, {now})) if members else ():
            counted = count_uses(user.files[path])
            for edge in trees.edges(user.side.name, path):
                new = edge.callee.startswith(members) and is_fresh(user, path, edge.line)
                if new and is_new(user, edge, counted, known) and not survives(user, changer, trees, edge, path):
                    yield _orphan(user, changer, shrunk[address], edge)


def _ancestors(user: User, trees: ResolvedTrees, address: str) -> set[str]:
    """Return what a class derives from, over however many classes."""
    found: set[str] = set()
    left = [address]
    while left:
        one = left.pop()
        edges = trees.edges(user.side.name, one.partition("::")[0])
        more = {edge.callee for edge in edges if edge.kind == INHERIT and edge.caller == one} - found
        found |= more
        left += sorted(more)
    return found


def _orphan(user: User, changer: Changer, pair: Pair, edge: Edge) -> Item:
    return _built(user, changer, pair, edge.caller, ItemKind.DEPENDENCY, _BASE_GONE, edge.line, edge.callee)


def _item(
    user: User, changer: Changer, pair: Pair, node: Node, kind: ItemKind, confidence: float, line: int = 0
) -> Item:
    at = line or node.symbol.first_line
    return _built(user, changer, pair, node.address, kind, confidence, at, node.address)


def _built(
    user: User, changer: Changer, pair: Pair, who: str, kind: ItemKind, confidence: float, line: int, used: str
) -> Item:
    node = pair.before or pair.after
    if node is None:
        raise ValueError("a pair without a definition")
    becomes = "" if pair.after is None else pair.after.address
    first, second = Half(changer.side.label, words(pair), becomes), Half(user.side.label, (SideChange.USED,), used)
    halves = changer.ours_first(first, second)
    return Item.of_halves(
        kind,
        node.address,
        halves,
        confidence=confidence,
        how="inherited from what the other side changed",
        recommendation=advise_heir(node.address, first, second, who),
        path=who.partition("::")[0],
        user=who,
        line=line,
    )
