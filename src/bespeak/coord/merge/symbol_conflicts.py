"""Symbols that both sides touched: one that both changed, or that both added.

Pure, and the same whichever side is ours. What only git knows (whether lines conflict) comes in as a function.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from bespeak.coord.merge import call_compatibility
from bespeak.coord.merge.advice import advise
from bespeak.coord.merge.definitions import OVERLOADS
from bespeak.coord.merge.model import Half, Item, ItemKind, SideChange
from bespeak.coord.merge.side_changes import words
from bespeak.coord.merge.symbol_matching import BY_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bespeak.coord.merge.definitions import Node
    from bespeak.coord.merge.side_changes import Side
    from bespeak.coord.merge.symbol_matching import Pair

    Places = dict[tuple[str, str], list[Pair]]
    Conflicts = Callable[[Node | None, Node | None, Node | None], str]
    """Return the path at which git reports a conflict in a definition (as it is in the base, on ours, on theirs)."""
    Occurrences = Callable[[Node], int]
    """Return how many definitions of that name the file has that git's merge makes."""

_TEXTUAL, _OTHER_TYPES = 0.95, 0.4
_SIGNIFICANT = (SideChange.SIGNATURE, SideChange.BODY)
_OPEN = frozenset({"space"})
"""Families that may be defined in several pieces."""
_MANY_IN_GO = frozenset({"init", "_"})
_NOT_LINKED = frozenset({"macro", "constant"})
_SYSTEMS = re.compile(
    r"_(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|unix|wasip1|windows"
    r"|386|amd64|arm|arm64|loong64|mips\w*|ppc64\w*|riscv64|s390x|wasm)(_test)?\.go$"
)
"""Ends of the names of Go files that are compiled for some systems only."""


def compare_sides(ours: Side, theirs: Side, textual: Conflicts, merged: Occurrences) -> list[Item]:
    """Return an item for each symbol that a side changed, in order of addresses."""
    found = [*_changed(ours, theirs, textual), *_added(ours, theirs, textual, merged)]
    return sorted(found, key=lambda item: (item.address, item.kind, item.ours_name, item.theirs_name))


def _changed(ours: Side, theirs: Side, textual: Conflicts) -> list[Item]:
    found = []
    for key in sorted(ours.by_key.keys() | theirs.by_key.keys()):
        one, two = ours.by_key.get(key), theirs.by_key.get(key)
        if (one is not None and words(one)) or (two is not None and words(two)):
            found.append(_item(ours, theirs, one, two, textual))
    return found


def _item(ours: Side, theirs: Side, one: Pair | None, two: Pair | None, textual: Conflicts) -> Item:
    base = one.before if one is not None else two.before if two is not None else None
    if base is None:
        raise ValueError("a pair without a definition before")
    mine, other = _half(ours, one, base.address), _half(theirs, two, base.address)
    kind, confidence, how = _judge(one, two)
    here, there = (base if pair is None else pair.after for pair in (one, two))
    at = textual(base, here, there) if kind != ItemKind.NO_CONFLICT else ""
    return Item(
        kind,
        base.address,
        mine.words,
        other.words,
        mine.becomes,
        other.becomes,
        bool(at),
        _TEXTUAL if at else confidence,
        how,
        _advice(kind, base.address, mine, other),
        at or next((node.path for node in (here, there) if node is not None), base.path),
    )


def _advice(kind: ItemKind, address: str, one: Half, two: Half) -> str:
    if kind != ItemKind.NO_CONFLICT:
        return advise(kind, address, one, two)
    who = [half.name for half in (one, two) if half.words]
    return f"Only {who[0]} changed it." if len(who) == 1 else "Nothing to do: the changes go together."


def _half(side: Side, pair: Pair | None, address: str) -> Half:
    if pair is None:
        return Half(side.label, (), address)
    return Half(side.label, words(pair), "" if pair.after is None else pair.after.address)


def _judge(one: Pair | None, two: Pair | None) -> tuple[ItemKind, float, str]:
    """Return the kind of what two sides did to one symbol, how sure it is a conflict, and how that was found."""
    if one is None or two is None:
        return ItemKind.NO_CONFLICT, 1.0, "only one side changed it"
    if _same(one, two):
        return ItemKind.NO_CONFLICT, 1.0, "both sides made the same change"
    mine, other = _counted(one, two), _counted(two, one)
    if not mine or not other:
        return ItemKind.NO_CONFLICT, 1.0, _why_none(one, two)
    kind, confidence = _grade(mine, other)
    if SideChange.SIGNATURE in mine and SideChange.SIGNATURE in other and not (_other_calls(one) and _other_calls(two)):
        confidence = min(confidence, _OTHER_TYPES)
    ways = sorted({pair.how for pair in (one, two)})
    return kind, round(confidence * min(one.confidence, two.confidence), 2), f"same symbol by {' and '.join(ways)}"


def _why_none(one: Pair, two: Pair) -> str:
    """Return why what two sides did to one symbol is no conflict."""
    if not (words(one) and words(two)):
        return "only one side changed it"
    moved = any(pair.how == BY_FILE and SideChange.MOVED in words(pair) for pair in (one, two))
    return "git carries the move of a file" if moved else "one side did all that the other did"


def _other_calls(pair: Pair) -> bool:
    """Tell whether a side changed how a definition has to be called, and not only types."""
    if pair.before is None or pair.after is None:
        return True
    one, two = (
        call_compatibility.parameters(node.signature, node.language, method=bool(node.parent))
        for node in (pair.before, pair.after)
    )
    if one is None or two is None:
        return True
    return (one.names, one.required, one.most, one.manners) != (two.names, two.required, two.most, two.manners)


def _same(one: Pair, two: Pair) -> bool:
    mine, other = one.after, two.after
    if mine is None or other is None:
        return mine is other
    same = mine.address == other.address and mine.own == other.own
    return same and (mine.signature, mine.symbol.doc) == (other.signature, other.symbol.doc)


def _counted(pair: Pair, other: Pair) -> frozenset[SideChange]:
    """Return what a side did, without what git carries along and without what both sides did."""
    found = set(words(pair))
    if pair.how == BY_FILE and SideChange.DELETED not in words(other):
        found -= {SideChange.MOVED}
    mine, peer = pair.after, other.after
    if mine is not None and peer is not None:
        alike = {
            SideChange.MOVED: mine.address == peer.address,
            SideChange.RENAMED: mine.address == peer.address,
            SideChange.SIGNATURE: mine.signature == peer.signature,
            SideChange.BODY: mine.own == peer.own,
            SideChange.DOCSTRING: mine.symbol.doc == peer.symbol.doc,
        }
        found -= {word for word, same in alike.items() if same}
    return frozenset(found)


def _grade(mine: frozenset[SideChange], other: frozenset[SideChange]) -> tuple[ItemKind, float]:
    """Return the kind, and how likely it is a conflict if the lines are merged without one."""
    both = mine | other
    if SideChange.DELETED in both:
        edit = other if SideChange.DELETED in mine else mine
        return ItemKind.DELETE_USE, 0.3 if edit <= {SideChange.DOCSTRING} else 0.8
    for word, kind in ((SideChange.RENAMED, ItemKind.RENAME_EDIT), (SideChange.MOVED, ItemKind.MOVE_EDIT)):
        if word in both:
            return kind, _place_confidence(mine, other)
    if SideChange.SIGNATURE in mine and SideChange.SIGNATURE in other:
        return ItemKind.OVERLAP, 0.6
    weak = mine <= {SideChange.DOCSTRING} or other <= {SideChange.DOCSTRING}
    return ItemKind.OVERLAP, 0.15 if weak else 0.4 if SideChange.SIGNATURE in both else 0.35


def _place_confidence(mine: frozenset[SideChange], other: frozenset[SideChange]) -> float:
    places = {SideChange.RENAMED, SideChange.MOVED}
    if mine & places and other & places:
        return 0.9
    placed, edit = (mine, other) if mine & places else (other, mine)
    if edit <= {SideChange.DOCSTRING}:
        return 0.15
    if SideChange.MOVED in placed:
        return 0.8
    return 0.5 if SideChange.SIGNATURE in edit else 0.25


def _added(ours: Side, theirs: Side, textual: Conflicts, merged: Occurrences) -> list[Item]:
    mine, other = _new(ours), _new(theirs)
    found: dict[tuple[str, str], Item] = {}
    for place in sorted(mine.keys() & other.keys()):
        one, two = mine[place][0], other[place][0]
        if one.before is not None and two.before is not None and one.before.key == two.before.key:
            continue
        node, peer = one.after, two.after
        if node is None or peer is None or _may_both_be(node, peer) or (place[0], node.parent) in found:
            continue
        same = _same(one, two)
        if same and merged(node) <= max(len(side.now[node.address]) for side in (ours, theirs)):
            continue
        half, rest = _half(ours, one, node.address), _half(theirs, two, node.address)
        at = textual(None, node, peer)
        found[place] = Item(
            ItemKind.ADD_ADD,
            node.address,
            half.words,
            rest.words,
            node.address,
            peer.address,
            bool(at),
            _TEXTUAL if at else 0.6 if node.family == "value" else 0.9,
            "git keeps the same definition twice" if same else "one name, two definitions",
            advise(ItemKind.ADD_ADD, node.address, half, rest),
            at or node.path,
        )
    return [*found.values(), *_undisputed(ours, theirs, mine, other, found.keys())]


def _undisputed(
    ours: Side, theirs: Side, mine: Places, other: Places, disputed: Collection[tuple[str, str]]
) -> list[Item]:
    """Return an item for each new definition that is not in dispute."""
    found = []
    for place in sorted((mine.keys() | other.keys()) - set(disputed)):
        one, two = (next((pair for pair in new.get(place, ()) if pair.before is None), None) for new in (mine, other))
        node = one.after if one is not None else two.after if two is not None else None
        if node is None:
            continue
        halves = [
            Half(side.label, (), "") if pair is None else _half(side, pair, node.address)
            for side, pair in ((ours, one), (theirs, two))
        ]
        how = "only one side changed it" if one is None or two is None else "the two go together"
        found.append(
            Item.of_halves(
                ItemKind.NO_CONFLICT,
                node.address,
                halves,
                confidence=1.0,
                how=how,
                recommendation=_advice(ItemKind.NO_CONFLICT, node.address, halves[0], halves[1]),
                path=node.path,
            )
        )
    return found


def _new(side: Side) -> Places:
    """Return what has an address on a side that it had not in the base, by the place in which names must differ."""
    found: Places = {}
    for address, pairs in side.now.items():
        if address in side.by_address:
            continue
        for pair in pairs:
            if pair.after is not None:
                found.setdefault(_place(pair.after), []).append(pair)
    return found


def _place(node: Node) -> tuple[str, str]:
    if node.language == "go" and node.symbol.name not in _MANY_IN_GO:
        tested = "_test" if node.path.endswith("_test.go") else ""
        return f"{os.path.dirname(node.path)}/{node.language}{tested}", node.symbol.name
    if _is_linked(node):
        return f"{os.path.dirname(node.path)}/{node.language}", node.symbol.name
    return node.path, node.symbol.name


def _is_linked(node: Node) -> bool:
    """Tell whether a definition of C is one for all files that are linked together."""
    unit = node.language == "c" and node.path.endswith(".c") and node.family in {"callable", "value"}
    linked = not {"static", "extern"} & set(node.signature.split()) and node.symbol.kind not in _NOT_LINKED
    return unit and linked and not node.parent and node.last != "main" and not node.signature.endswith(";")


def _only_inside(node: Node) -> bool:
    """Tell whether a function is known by its name only inside itself: an expression, given to a call, say."""
    if node.language not in {"javascript", "typescript"} or node.family != "callable" or not node.text:
        return False
    before, found, after = node.text[0].partition(b"function")
    name = after.strip(b"* ").partition(b"(")[0].strip().decode("utf-8", "replace")
    return bool(found) and name == node.last and before.strip().endswith((b"(", b",", b"=>", b"return"))


def _may_both_be(one: Node, two: Node) -> bool:
    """Tell whether one file may have both definitions under one name."""
    if one.family in _OPEN or two.family in _OPEN or _only_inside(one) or _only_inside(two):
        return True
    if one.path != two.path and (_SYSTEMS.search(one.path) or _SYSTEMS.search(two.path)):
        return True
    return one.language in OVERLOADS and one.signature != two.signature and one.family == "callable"
