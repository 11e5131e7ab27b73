"""In which order branches go in: what they depend on first, then the least trouble. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def cycles_in(needs: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of names that wait for each other, each in order; who waits for itself alone is none."""
    known = {name: sorted({other for other in found if other in needs}) for name, found in needs.items()}
    finished = _finished(known)
    turned: dict[str, list[str]] = {name: [] for name in known}
    for name, found in known.items():
        for other in found:
            turned[other].append(name)
    groups: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for name in reversed(finished):
        if name not in seen:
            group = _reached(name, turned, seen)
            if len(group) > 1:
                groups.append(tuple(sorted(group)))
    return tuple(sorted(groups))


def _finished(known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return all names, each after what can be reached from it alone (depth first, without recursion)."""
    seen: set[str] = set()
    finished: list[str] = []
    for start in sorted(known):
        stack = [] if start in seen else [(start, iter(known[start]))]
        seen.add(start)
        while stack:
            name, rest = stack[-1]
            following = next((other for other in rest if other not in seen), None)
            if following is None:
                finished.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(known[following])))
    return finished


def _reached(start: str, edges: Mapping[str, Sequence[str]], seen: set[str]) -> list[str]:
    group, waiting = [], [start]
    seen.add(start)
    while waiting:
        name = waiting.pop()
        group.append(name)
        for other in edges[name]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return group


def arrange(
    names: Iterable[str], needs: Mapping[str, Iterable[str]], trouble: Mapping[tuple[str, str], int]
) -> list[str]:
    """Return names in the order in which to merge.

    A branch that needs no other goes first; of several, the one with the fewest conflicts with those still to come,
    then by name. Of a cycle, the one with the fewest conflicts goes first.

    Args:
        names: of the branches.
        needs: for each name those that have to go before it.
        trouble: how many conflicts two names (in order) have with each other.
    """
    left = sorted(set(names))
    waits = {name: {other for other in needs.get(name, ()) if other in left and other != name} for name in left}
    with_: dict[str, dict[str, int]] = {name: {} for name in left}
    for (one, two), count in trouble.items():
        if one in with_ and two in with_:
            with_[one][two] = with_[two][one] = count
    found: list[str] = []
    while left:
        rest = set(left)
        free = [name for name in left if not waits[name] & rest] or _inner(left, waits)
        chosen = min(free, key=lambda name: (sum(c for other, c in with_[name].items() if other in rest), name))
        left.remove(chosen)
        found.append(chosen)
    return found


def _inner(left: Sequence[str], waits: Mapping[str, set[str]]) -> list[str]:
    """Return the names in cycles that need nothing outside of their cycle."""
    rest = set(left)
    groups = cycles_in({name: waits[name] & rest for name in left})
    inner = [group for group in groups if all((waits[name] & rest) <= set(group) for name in group)]
    return sorted(name for group in inner for name in group)
