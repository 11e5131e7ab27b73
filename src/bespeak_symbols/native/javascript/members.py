"""What a chain of names can mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bespeak_symbols.model import Symbol


SYMBOL, INSTANCE, ITEMS, MODULE, OUTSIDE = "symbol", "instance", "items", "module", "outside"
TAKES, KEEPS, BOUND = "takes", "keeps", "bound"
"""Methods of collections that give an item or a collection when they are called; a function with ``bind``."""
CLASSES = frozenset({"class", "interface", "type"})
_MOST_FOUND = 6


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
