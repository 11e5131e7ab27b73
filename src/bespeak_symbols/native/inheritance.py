"""What derives from what, for all languages: in which order bases are searched, and which methods run instead of one.

A language says by a hook what something derives from directly; how that is found is its own. Something may be an
address, or a value with one; ``key`` then tells which values are the same class.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator

    One = TypeVar("One")
    Name = TypeVar("Name", bound=Hashable)

_MOST_BASES = 200
"""More than anybody writes; what is derived from more is not searched further."""
MOST_ALIKE = 60
"""Of a method whose name more things have, nobody asks what runs instead."""


def _itself(one: Any) -> Any:
    return one


def levels(
    first: One, bases: Callable[[One], Iterable[One]], key: Callable[[One], Hashable] = _itself
) -> Iterator[list[One]]:
    """Yield something, then what it derives from directly, then what that derives from, each once."""
    level, seen = [first], {key(first)}
    while level and len(seen) < _MOST_BASES:
        yield level
        above = []
        for one in chain.from_iterable(map(bases, level)):
            name = key(one)
            if name not in seen:
                seen.add(name)
                above.append(one)
        level = above


def nearest_first(
    first: One, bases: Callable[[One], Iterable[One]], key: Callable[[One], Hashable] = _itself
) -> Iterator[One]:
    """Yield something and all that it derives from, the nearest first."""
    return chain.from_iterable(levels(first, bases, key))


def base_first(
    first: One, bases: Callable[[One], Iterable[One]], key: Callable[[One], Hashable] = _itself
) -> Iterator[One]:
    """Yield something and all that it derives from: its first base with all of that one's, then its second."""
    waiting: list[One] = [first]
    seen: set[Hashable] = set()
    while waiting and len(seen) < _MOST_BASES:
        one = waiting.pop()
        name = key(one)
        if name not in seen:
            seen.add(name)
            yield one
            waiting.extend(reversed(list(bases(one))))


def merged_orders(orders: Iterable[Iterable[Name]]) -> list[Name]:
    """Return the order of several bases by the rule C3; where that has no answer, that in which they are met.

    Args:
        orders: in which each base is searched, and last the bases themselves.
    """
    found: list[Name] = []
    left = [listed for order in orders if (listed := list(order))]
    while left:
        heads = [each[0] for each in left]
        good = next((head for head in heads if not any(head in each[1:] for each in left)), heads[0])
        found.append(good)
        left = [[name for name in each if name != good] for each in left]
        left = [each for each in left if each]
    return found


def overriding(method: One, alike: Collection[One], replaces: Callable[[One], bool]) -> list[One]:
    """Return the methods that may run in place of one.

    Args:
        method: the one that was found.
        alike: all things that have its name, as the snapshot knows them.
        replaces: tells whether another of them is a method of something derived.
    """
    return [] if len(alike) > MOST_ALIKE else [one for one in alike if one != method and replaces(one)]
