"""Which definition of one version is which of another: by name, by content, by what holds it, by likeness.

Pure functions of the files that one side changed. Every step pairs what is certain before what is likely, and takes
candidates in one order, so that the same files always give the same pairs.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge.definitions import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from bespeak.coord.merge.definitions import Node, Version

BY_NAME, BY_FILE, BY_BODY, BY_PARENT, BY_LIKENESS = "name", "file rename", "body", "parent", "similar"
_SURE, _SAME_BODY, _TRIVIAL_BODY = 1.0, 0.95, 0.6
_LIKE = 0.6
"""Share of lines in common from which on two definitions in one file are one, renamed."""
_LIKE_SAME_NAME = 0.5
"""The same, if they have one name and are in two places."""
_TRIVIAL_LINES = 3
_MOST_COMPARED = 20_000


@dataclass(frozen=True, slots=True)
class Pair:
    """One definition before and after; None where it is not.

    Args:
        how: how the two were recognised as one.
        confidence: that they are, of 1.
    """

    before: Node | None
    after: Node | None
    how: str = BY_NAME
    confidence: float = _SURE


class _Work:
    """What is not paired yet.

    Args:
        renamed: the path after of each file that was renamed, by its path before.
    """

    def __init__(self, before: Version, after: Version, renamed: Mapping[str, str]) -> None:
        self.renamed = renamed
        self.gone = [node for path in sorted(before) for node in nodes(before[path])]
        self.fresh = [node for path in sorted(after) for node in nodes(after[path])]
        self.pairs: list[Pair] = []

    def settle(self, pairs: Iterable[tuple[Node, Node]], how: str, sure: Callable[[Node, Node], float]) -> int:
        """Take pairs out of what is left; return how many there were."""
        found = list(pairs)
        gone, fresh = {id(one) for one, _ in found}, {id(two) for _, two in found}
        self.gone = [node for node in self.gone if id(node) not in gone]
        self.fresh = [node for node in self.fresh if id(node) not in fresh]
        for one, two in found:
            by_file = how == BY_NAME and one.path != two.path
            self.pairs.append(Pair(one, two, BY_FILE if by_file else how, sure(one, two)))
        return len(found)

    def by(self, before: Callable[[Node], Hashable], after: Callable[[Node], Hashable]) -> list[tuple[Node, Node]]:
        """Return pairs with equal keys; among several with one key, in the order of the source."""
        waiting: dict[Hashable, list[Node]] = {}
        for node in self.fresh:
            waiting.setdefault(after(node), []).append(node)
        found = []
        for node in self.gone:
            key = before(node)
            if key is not None and waiting.get(key):
                found.append((node, waiting[key].pop(0)))
        return found

    def only(self, before: Callable[[Node], Hashable], after: Callable[[Node], Hashable]) -> list[tuple[Node, Node]]:
        """Return pairs whose key no other definition has, neither before nor after."""
        gone = Counter(before(node) for node in self.gone)
        fresh = Counter(after(node) for node in self.fresh)
        return [(one, two) for one, two in self.by(before, after) if gone[before(one)] == 1 and fresh[after(two)] == 1]


def match(before: Version, after: Version, renamed: Mapping[str, str] | None = None) -> tuple[Pair, ...]:
    """Return every definition of some files before with what became of it, and every new one.

    Args:
        before: the files that a side changed, as they were.
        after: the same, as they are on that side.
        renamed: path after by path before, of files that git sees as renamed.
    """
    work = _Work(before, after, renamed or {})
    _same_names(work)
    for step in (_same_bodies, _alike):
        # What holds others first: they are known by it, and go where it goes.
        for holders in (True, False):
            while step(work, holders=holders):
                _inside(work)
    left = [Pair(node, None) for node in work.gone] + [Pair(None, node) for node in work.fresh]
    return tuple(sorted([*work.pairs, *left], key=_order))


def _order(pair: Pair) -> tuple[str, int, str, int]:
    one, two = pair.before, pair.after
    return (
        one.address if one else two.address if two else "",
        one.symbol.first_line if one else 0,
        two.address if two else "",
        two.symbol.first_line if two else 0,
    )


def _certain(one: Node, two: Node) -> float:
    del one, two
    return _SURE


def _same_names(work: _Work) -> None:
    """Pair what has one name in one file; of several with one name, first those with one signature and content."""

    def place(node: Node) -> str:
        return work.renamed.get(node.path, node.path)

    for facts in (_all_of, _signature, _content, _nothing):
        here, there = _named(place, facts), _named(lambda node: node.path, facts)
        work.settle(work.by(here, there), BY_NAME, _certain)


def _named(place: Callable[[Node], str], facts: Callable[[Node], Hashable]) -> Callable[[Node], Hashable]:
    return lambda node: (place(node), node.symbol.name, node.family, facts(node))


def _all_of(node: Node) -> Hashable:
    return node.signature, node.own, node.symbol.doc


def _signature(node: Node) -> Hashable:
    return node.signature


def _content(node: Node) -> Hashable:
    return node.own


def _nothing(node: Node) -> Hashable:
    del node
    return None


def _same_bodies(work: _Work, *, holders: bool) -> int:
    """Pair what has one content in two places, the closest first."""

    def place(node: Node) -> str:
        return work.renamed.get(node.path, node.path)

    def told(node: Node) -> bool:
        return bool(node.inside) and (bool(node.holds) or not holders)

    def moved(node: Node) -> Hashable:
        if not told(node):
            return None
        return (node.last if _telling(node) else node.symbol.name, node.family, node.inside)

    def renamed(node: Node) -> Hashable:
        facts = (node.parent, node.family, node.inside, node.signature)
        return (place(node), *facts) if told(node) else None

    def renamed_after(node: Node) -> Hashable:
        return node.path, node.parent, node.family, node.inside, node.signature

    def signed(node: Node) -> Hashable:
        return (place(node), node.parent, node.family, node.inside) if told(node) and _telling(node) else None

    def signed_after(node: Node) -> Hashable:
        return node.path, node.parent, node.family, node.inside

    def anywhere(node: Node) -> Hashable:
        return (node.family, node.inside, node.signature) if told(node) and _telling(node) else None

    count = work.settle(work.only(moved, moved), BY_BODY, _same_body)
    count += work.settle(work.only(renamed, renamed_after), BY_BODY, _same_body)
    count += work.settle(work.only(signed, signed_after), BY_BODY, _same_body)
    return count + work.settle(work.only(anywhere, anywhere), BY_BODY, _same_body)


def _telling(node: Node) -> bool:
    """Tell whether the content says enough to know the definition by it alone."""
    return bool(node.inside) and len(node.text) >= _TRIVIAL_LINES


def _same_body(one: Node, two: Node) -> float:
    return _SAME_BODY if _telling(one) or one.last == two.last else _TRIVIAL_BODY


def _inside(work: _Work) -> int:
    """Pair what has one name inside two definitions that are one."""
    whole = {
        (pair.before.path, pair.before.symbol.name): (pair.after.path, pair.after.symbol.name)
        for pair in work.pairs
        if pair.before is not None and pair.after is not None and pair.before.holds
    }

    def carried(node: Node) -> Hashable:
        to = whole.get((node.path, node.parent))
        return None if to is None else (*to, node.last, node.family)

    def here(node: Node) -> Hashable:
        return node.path, node.parent, node.last, node.family

    return work.settle(work.by(carried, here), BY_PARENT, _certain)


def _alike(work: _Work, *, holders: bool) -> int:
    """Pair what has most lines in common: in one file under two names, or under one name in two places."""
    scored = []
    for one, two in _candidates(work, holders=holders):
        likeness = alike(one, two)
        if likeness >= (_LIKE_SAME_NAME if one.last == two.last else _LIKE):
            scored.append((-likeness, one.address, two.address, one, two))
    scored.sort(key=lambda found: found[:3])
    ties = Counter((score, id(node)) for score, _, _, one, two in scored if one.last != two.last for node in (one, two))
    used: set[int] = set()
    pairs = []
    for score, _, _, one, two in scored:
        tied = one.last != two.last and (ties[score, id(one)] > 1 or ties[score, id(two)] > 1)
        if not tied and id(one) not in used and id(two) not in used:
            used |= {id(one), id(two)}
            pairs.append((one, two))
    return work.settle(pairs, BY_LIKENESS, lambda one, two: round(0.5 + alike(one, two) * 0.4, 2))


def _candidates(work: _Work, *, holders: bool) -> Iterable[tuple[Node, Node]]:
    by_name: dict[Hashable, list[Node]] = {}
    by_file: dict[Hashable, list[Node]] = {}
    for node in work.fresh:
        by_name.setdefault((node.last, node.family), []).append(node)
        by_file.setdefault((node.path, node.family), []).append(node)
    left = _MOST_COMPARED
    for one in work.gone:
        if one.family == "value" or (holders and not one.holds) or len(one.text) < _TRIVIAL_LINES - 1:
            continue
        here = by_file.get((work.renamed.get(one.path, one.path), one.family), [])
        there = [two for two in by_name.get((one.last, one.family), []) if two not in here]
        for two in (*here, *there):
            if left:
                left -= 1
                yield one, two


def alike(one: Node, two: Node) -> float:
    """Return the share of lines that two definitions have in common, of 1; their names are the same for this."""
    mine, other = _words(one), _words(two)
    total = sum(mine.values()) + sum(other.values())
    return 2 * sum((mine & other).values()) / total if total else 0.0


def _words(node: Node) -> Counter[bytes]:
    name = re.escape(node.last.encode("utf-8", "surrogateescape"))
    whole = re.compile(rb"(?<!\w)" + name + rb"(?!\w)")
    return Counter(whole.sub(b"\0", line) for line in node.text)
