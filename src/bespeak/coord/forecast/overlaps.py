"""Conflicts on one place: two runs claim it, or declare operations on it that do not go together.

Overlapping addresses are found in the tree of keys, never by comparing each with each.

What holds a plain address is one of the beginnings of its key. A pattern is compared with the files below the folder
that it starts from, each file once, however many of its symbols are claimed; and with patterns whose literal beginning
agrees with its own. What that takes is counted, and bounded: beyond, the forecast says that it is partial.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from bespeak.coord import address as addresses
from bespeak.coord import globs
from bespeak.coord.address import CONTAINS, INSIDE, OVERLAPS, SAME
from bespeak.coord.forecast.model import CONFIDENCE, ForecastKind
from bespeak.coord.forecast.operation_conflicts import why
from bespeak.coord.forecast.results import Hit, first, predicted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bespeak.coord.forecast.address_groups import ClaimCount, Group
    from bespeak.coord.forecast.model import Predicted

    Pair = tuple[Group, Group, str]
    """Two addresses and how the first stands to the second: the same, inside, or overlapping."""

STEPS = 10_000_000
"""About a second's worth."""
_TRIED, _COMPARED, _FOUND, _COUNTED = 3, 800, 80, 5
"""What it costs to try an expression on a path, to compare a pattern with an address, to find a pair, and to count
each of its claims."""
_WHY = {SAME: "both claim it", INSIDE: "one claims what holds the other", OVERLAPS: "they have files in common"}


class Budget:
    """How many steps may still be taken."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self, steps: int) -> bool:
        """Take some steps; False when there are none left."""
        self.left -= steps
        return self.left >= 0

    @property
    def over(self) -> bool:
        """It did not suffice."""
        return self.left < 0


class _Plain:
    """Addresses that are no patterns: by key, by file, in order."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self.by_key: dict[str, list[Group]] = {}
        self.by_path: dict[str, list[Group]] = {}
        self.folders: list[Group] = []
        for group in groups:
            self.by_key.setdefault(group.key, []).append(group)
            if group.text.endswith("/"):
                self.folders.append(group)
            else:
                self.by_path.setdefault(group.text.partition(addresses.SEPARATOR)[0], []).append(group)
        self.keys = sorted(self.by_key)
        self.paths = sorted(self.by_path)
        self.folder_keys = [group.key for group in self.folders]

    def holding(self, key: str) -> Iterator[Group]:
        """Return what holds ``key``, innermost first, without what stands at it."""
        by_key, end = self.by_key, len(key)
        while (end := key.rfind("/", 0, end)) >= 0:
            found = by_key.get(key[:end])
            if found:
                yield from found
        if key:
            yield from by_key.get("", ())

    def inside(self, group: Group) -> Iterator[Group]:
        """Return what a plain address holds, without what stands at its own key."""
        for key in _between(self.keys, *addresses.range_inside(group.address)):
            yield from self.by_key[key]


def _between(names: Sequence[str], low: str, high: str) -> Sequence[str]:
    return names[bisect_left(names, low) : bisect_left(names, high)]


def pairs(groups: Sequence[Group], budget: Budget) -> Iterator[Pair]:
    """Return the pairs of addresses that overlap and have a claim that was asked for, each once.

    Args:
        groups: in order.
        budget: what may be spent on it; what it does not suffice for is missing.
    """
    plain = [group for group in groups if not group.glob]
    wanted = [group for group in plain if group.wanted]
    everything = _Plain(plain)
    mine = everything if len(wanted) == len(plain) else _Plain(wanted)
    yield from _counted(_in_tree(everything, wanted, partly=mine is not everything), budget)
    patterns = [group for group in groups if group.glob]
    for pattern in patterns:
        if budget.over:
            return
        yield from _counted(_of_pattern(pattern, everything if pattern.wanted else mine, budget), budget)
    yield from _counted(_of_patterns(patterns, budget), budget)


def _counted(found: Iterator[Pair], budget: Budget) -> Iterator[Pair]:
    for pair in found:
        if not budget.spend(_FOUND + _COUNTED * min(len(pair[0].claims), len(pair[1].claims))):
            return
        yield pair


def _in_tree(everything: _Plain, wanted: Sequence[Group], *, partly: bool) -> Iterator[Pair]:
    for group in wanted:
        for other in everything.by_key[group.key]:
            if other is not group and (group.text < other.text or not other.wanted):
                yield *_in_order(group, other), SAME
        for holder in everything.holding(group.key):
            yield group, holder, INSIDE
        if partly:
            for held in everything.inside(group):
                if not held.wanted:
                    yield held, group, INSIDE


def _in_order(one: Group, two: Group) -> tuple[Group, Group]:
    return (one, two) if (one.text, one.glob) <= (two.text, two.glob) else (two, one)


def _of_pattern(pattern: Group, among: _Plain, budget: Budget) -> Iterator[Pair]:
    """Return the plain addresses that a pattern overlaps: folders above it and below it, files and their symbols."""
    low, high = addresses.range_inside(pattern.address)
    above = (group for key in addresses.beginnings(pattern.key) for group in among.by_key.get(key, ()))
    first, beyond = bisect_left(among.folder_keys, low), bisect_left(among.folder_keys, high)
    below = among.folders[first:beyond]
    for folder in [*(group for group in above if group.text.endswith("/")), *below]:
        if not budget.spend(_COMPARED):
            return
        yield from _compared(pattern, folder)
    matches = globs.compiled(pattern.path).fullmatch
    paths = _between(among.paths, low, high)
    if not budget.spend(_TRIED * len(paths)):
        return
    for path in paths:
        if matches(path) or path == pattern.path:
            for group in among.by_path[path]:
                yield from _in_file(pattern, group, budget)


def _in_file(pattern: Group, group: Group, budget: Budget) -> Iterator[Pair]:
    """Return whether a pattern overlaps an address in a file that it matches."""
    if pattern.address.symbol or addresses.is_wild(group.text):
        if budget.spend(_COMPARED):
            yield from _compared(pattern, group)
    else:
        yield group, pattern, INSIDE


def _compared(one: Group, two: Group) -> Iterator[Pair]:
    relation = globs.relation(one.address, two.address)
    if relation == CONTAINS:
        yield two, one, INSIDE
    elif relation == INSIDE:
        yield one, two, INSIDE
    elif relation is not None:
        yield *_in_order(one, two), relation


def _of_patterns(patterns: Sequence[Group], budget: Budget) -> Iterator[Pair]:
    """Return the patterns that overlap each other: those with like beginnings, sorted by them, are compared."""
    begun = sorted(((_literal_start(group), group) for group in patterns), key=lambda item: (item[0], item[1].text))
    starts = [start for start, _ in begun]
    ends = [_literal_end(group) for _, group in begun]
    for number, (start, one) in enumerate(begun):
        end = bisect_left(starts, addresses.after(start)) if start else len(starts)
        if not budget.spend(_TRIED * (end - number)):
            return
        for other in range(number + 1, end):
            two = begun[other][1]
            alike = ends[number].endswith(ends[other]) or ends[other].endswith(ends[number])
            if not alike or not (one.wanted or two.wanted):
                continue
            if not budget.spend(_COMPARED):
                return
            yield from _compared(one, two)


def _literal_start(pattern: Group) -> str:
    folder, begun = addresses.literal_prefix(pattern.path)
    return f"{folder}/{begun}" if folder else begun


def _literal_end(pattern: Group) -> str:
    """Return the characters with which everything ends that a pattern matches, within the last name."""
    last = pattern.path.rpartition("/")[2]
    if "[" in last:
        return last[last.rfind("]") + 1 :] if "]" in last and not addresses.is_wild(last[last.rfind("]") :]) else ""
    return last[max(last.rfind("*"), last.rfind("?")) + 1 :]


class Overlaps:
    """Everything that is found where claims overlap.

    Args:
        groups: the claims by address, in order.
        budget: what may be spent on finding pairs.
    """

    def __init__(self, groups: Sequence[Group], budget: Budget) -> None:
        self.held: list[Hit] = []
        self.operations: list[Hit] = []
        for group in groups:
            if len(group.claims) > 1:
                self._look(group, group, SAME)
        for one, two, relation in pairs(groups, budget):
            self._look(one, two, relation)

    def _look(self, one: Group, two: Group, relation: str) -> None:
        count = one.held.within() if one is two else one.held.between(two.held)
        if count:
            self.held.append(Hit(one, two, relation, count, CONFIDENCE[ForecastKind.OVERLAP]))
        for mine, other, met in _operations(one, two):
            confidence = CONFIDENCE[ForecastKind.OPERATION]
            self.operations.append(Hit(one, two, relation, met, confidence, operations=(mine, other)))

    def shown(self, limit: int) -> Iterator[Predicted]:
        """Return the first conflicts of each kind."""
        for hit in first(self.held, limit):
            yield predicted(ForecastKind.OVERLAP, hit, _WHY[hit.relation], hit.one.held, hit.two.held)
        for hit in first(self.operations, limit):
            mine, other = hit.operations or (None, None)
            one, two = hit.one.operations[mine], hit.two.operations[other]
            yield predicted(ForecastKind.OPERATION, hit, why(mine, other), one, two)


def _operations(one: Group, two: Group) -> Iterator[tuple[str | None, str | None, int]]:
    """Return the operations on two addresses that do not go together, and of how many pairs of claims."""
    for mine, tally in _sorted(one):
        for other, met in _sorted(two):
            if not why(mine, other) or (one is two and (mine or "") > (other or "")):
                continue
            count = tally.within() if tally is met else tally.between(met)
            if count:
                yield mine, other, count


def _sorted(group: Group) -> list[tuple[str | None, ClaimCount]]:
    operations = group.operations
    if len(operations) == 1:
        return list(operations.items())
    return sorted(operations.items(), key=lambda item: item[0] or "")
