"""Which resource is a part of which: pure functions over pairs of a whole and one of its parts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Pairs = Iterable[tuple[str, str]]


def related(pairs: Pairs) -> dict[str, frozenset[str]]:
    """Return, for each resource that has any, its wholes and parts, also those of its wholes and parts."""
    downwards: dict[str, set[str]] = {}
    upwards: dict[str, set[str]] = {}
    for whole, part in pairs:
        downwards.setdefault(whole, set()).add(part)
        upwards.setdefault(part, set()).add(whole)
    names = downwards.keys() | upwards.keys()
    return {name: frozenset((_reach(name, downwards) | _reach(name, upwards)) - {name}) for name in names}


def circle(pairs: Pairs) -> list[str]:
    """Return a chain of resources each of which is a part of the one before, and the first of the last; or nothing."""
    parts: dict[str, list[str]] = {}
    for whole, part in sorted(pairs):
        parts.setdefault(whole, []).append(part)
    done: set[str] = set()
    for first in parts:
        found = _circle_from(first, parts, done)
        if found:
            return found
    return []


def _circle_from(first: str, parts: Mapping[str, list[str]], done: set[str]) -> list[str]:
    """Walk down from ``first`` without recursion; a chain of parts may be long."""
    chain: list[str] = []
    steps = [iter([first])]
    while steps:
        name = next(steps[-1], None)
        if name is None:
            steps.pop()
            if chain:
                done.add(chain.pop())
        elif name in chain:
            return [*chain[chain.index(name) :], name]
        elif name not in done:
            chain.append(name)
            steps.append(iter(parts.get(name, [])))
    return []


def _reach(name: str, steps: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [name]
    while ahead:
        for other in steps.get(ahead.pop(), ()):
            if other not in found:
                found.add(other)
                ahead.append(other)
    return found
