"""What an expression may mean, as far as it can be told without running it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols.native.python.scopes import APPENDED

if TYPE_CHECKING:
    from collections.abc import Iterable

FUNCTION, CLASS, MODULE, INSTANCE = "function", "class", "module", "instance"
ITEMS, VALUES, GIVER, SUPER = "items", "values", "giver", "super"
VARIABLE, EXTERNAL, UNKNOWN = "variable", "external", "unknown"
DEFINED, IMPORTED, FOUND, TYPED = 0.98, 0.97, 0.93, 0.85
"""How sure one is of a definition in sight, of one that was imported, of a method of an own object, of a type."""
ONE_OF_SEVERAL, OVERRIDDEN, OVERRIDE, BY_NAME = 0.75, 0.8, 0.6, 0.5
_assign = object.__setattr__


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that an expression may mean.

    Args:
        kind: ``function``, ``class``, ``module``, ``instance`` (of the class at the address), ``items`` or ``values``
            (a collection), ``giver`` (a method that gives one of those), ``super`` (of the class at the address),
            ``variable``, ``external`` (of another project) or ``unknown``.
        address: of the symbol; the path of a module.
        confidence: of 1.
        how: as in an edge.
        exact: an instance of this very class, not of one derived from it.
        of: what a collection holds.
        via: the variable that holds it.
        key: a collection, as far as what it has at this key is concerned; empty if that is any of its items.
    """

    kind: str
    address: str = ""
    confidence: float = 1.0
    how: str = ""
    exact: bool = False
    of: tuple[Meaning, ...] = ()
    via: str = ""
    key: str = ""

    def __init__(
        self,
        kind: str,
        address: str = "",
        confidence: float = 1.0,
        how: str = "",
        exact: bool = False,
        of: tuple[Meaning, ...] = (),
        via: str = "",
        key: str = "",
    ) -> None:
        # Written out because so many are made.
        _assign(self, "kind", kind)
        _assign(self, "address", address)
        _assign(self, "confidence", confidence)
        _assign(self, "how", how)
        _assign(self, "exact", exact)
        _assign(self, "of", of)
        _assign(self, "via", via)
        _assign(self, "key", key)

    @property
    def path(self) -> str:
        """The file of the symbol."""
        return self.address.partition("::")[0]

    @property
    def symbol(self) -> str:
        """The qualified name of the symbol."""
        return self.address.partition("::")[2]

    def at_most(self, confidence: float, how: str = "") -> Meaning:
        """Return the same, no surer than this."""
        if self.confidence <= confidence and (not how or how == self.how):
            return self
        sure = min(self.confidence, confidence)
        return Meaning(self.kind, self.address, sure, how or self.how, self.exact, self.of, self.via, self.key)

    def held_by(self, variable: str) -> Meaning:
        """Return the same, as what a variable holds."""
        return Meaning(self.kind, self.address, self.confidence, self.how, self.exact, self.of, variable, self.key)


NOBODY_KNOWS = Meaning(UNKNOWN, confidence=0.0)


ELSEWHERE = Meaning(EXTERNAL)


def merged(several: Iterable[Meaning]) -> tuple[Meaning, ...]:
    """Return different things that one name may mean, each once; none of them is certain then."""
    listed = several if isinstance(several, tuple) else tuple(several)
    if len(listed) < 2:  # noqa: PLR2004 one is not several
        return listed
    found = each_once(listed)
    parts = sum(1 for each in found if each.key)
    return found if len(found) <= max(parts, 1) else tuple(meaning.at_most(ONE_OF_SEVERAL) for meaning in found)


def each_once(several: Iterable[Meaning]) -> tuple[Meaning, ...]:
    """Return different things each once, as sure as the surest of them."""
    found: dict[tuple[str, str, tuple[Meaning, ...], str], Meaning] = {}
    for meaning in several:
        key = meaning.kind, meaning.address, meaning.of, meaning.key
        known = found.get(key)
        if known is None or known.confidence < meaning.confidence:
            found[key] = meaning
    return tuple(found.values())


def holding(several: tuple[Meaning, ...], part: str) -> tuple[Meaning, ...]:
    """Return those of several things that may have an item at a key; all if the key is not told."""
    if part in {"[]", "[*]", "[:]"} or not any(each.key for each in several):
        return several
    same = tuple(each for each in several if each.key == part)
    return same + tuple(each for each in several if not each.key or (each.key == APPENDED and not same))


def telling(several: list[Meaning]) -> list[Meaning]:
    """Return the meanings that say something beside the others.

    ``x = None`` says that there may be nothing yet, not what there will be; what a collection holds says more than
    that it is a list.
    """
    if len(several) > 1:
        several = [each for each in several if each.kind != EXTERNAL or each.how != "None"] or several
        if any(each.kind in {ITEMS, VALUES} for each in several):
            return [each for each in several if each.kind != EXTERNAL]
    return several
