"""Giving resources to needs: pure, and exact. If there is a way to fill every need, one is found.

Which resources suit which need is a bipartite graph. The sets of resources that can be matched all at once form a
matroid, so taking resources in order of preference, and re-seating earlier ones along augmenting paths where that is
needed to fit the next, yields the most preferred set of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence


def assign(
    counts: Sequence[int], suits: Mapping[str, Sequence[int]], order: Iterable[str]
) -> tuple[tuple[str, ...], ...] | None:
    """Return the resources for each need, or None where they cannot all be filled.

    Args:
        counts: how many resources each need wants.
        suits: the numbers of the needs that a resource suits, by resource.
        order: the resources that may be taken, best first.
    """
    given: list[list[str]] = [[] for _ in counts]

    def seat(name: str, tried: set[int]) -> bool:
        for need in suits[name]:
            if need in tried:
                continue
            tried.add(need)
            if len(given[need]) < counts[need]:
                given[need].append(name)
                return True
            for index, other in enumerate(given[need]):
                if seat(other, tried):
                    given[need][index] = name
                    return True
        return False

    missing = sum(counts)
    for name in order:
        if missing == 0:
            break
        missing -= seat(name, set())
    return None if missing else tuple(map(tuple, given))


def assign_alike(
    counts: Sequence[int],
    suits: Mapping[str, Sequence[int]],
    order: Sequence[str],
    preferred: frozenset[str],
    alike: Mapping[str, Hashable],
) -> tuple[tuple[str, ...], ...] | None:
    """Return the resources for each need, all of one kind, with as many preferred ones as there can be.

    Args:
        counts: how many resources each need wants.
        suits: the numbers of the needs that a resource suits, by resource.
        order: the resources that may be taken, in the order in which they are taken where nothing else decides.
        preferred: those to be taken rather than others.
        alike: what has to be the same of all, by resource; those that are not in it have none, and are not taken.
    """
    place = {name: index for index, name in enumerate(order)}
    kinds: dict[Hashable, list[str]] = {}
    for name in sorted(order, key=lambda name: name not in preferred):
        if name in alike:
            kinds.setdefault(alike[name], []).append(name)
    best, most = None, -1
    for kind in sorted(kinds.values(), key=lambda names: min(place[name] for name in names)):
        found = assign(counts, suits, kind)
        score = -1 if found is None else sum(name in preferred for names in found for name in names)
        if score > most:
            best, most = found, score
    return best
