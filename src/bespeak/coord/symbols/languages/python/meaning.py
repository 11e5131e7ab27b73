"""What an expression may mean, as far as it can be told without running it."""

from __future__ import annotations

from bespeak.values import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FUNCTION, CLASS, MODULE, INSTANCE = "function", "class", "module", "instance"
ITEMS, VALUES, GIVER, SUPER = "items", "values", "giver", "super"
VARIABLE, EXTERNAL, UNKNOWN = "variable", "external", "unknown"

DEFINED, IMPORTED, FOUND, TYPED = 0.98, 0.97, 0.93, 0.85
"""How sure one is of a definition in sight, of one that was imported, of a method of an own object, of a type."""
ONE_OF_SEVERAL, OVERRIDDEN, OVERRIDE, BY_NAME = 0.75, 0.8, 0.6, 0.5


@value
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
    """

    kind: str
    address: str = ""
    confidence: float = 1.0
    how: str = ""
    exact: bool = False
    of: tuple[Meaning, ...] = ()
    via: str = ""

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
        return replace(self, confidence=min(self.confidence, confidence), how=how or self.how)


NOBODY_KNOWS = Meaning(UNKNOWN, confidence=0.0)
ELSEWHERE = Meaning(EXTERNAL)


def merged(several: Iterable[Meaning]) -> tuple[Meaning, ...]:
    """Return different things that one name may mean, each once; none of them is certain then."""
    found: dict[tuple[str, str, tuple[Meaning, ...]], Meaning] = {}
    for meaning in several:
        key = meaning.kind, meaning.address, meaning.of
        known = found.get(key)
        if known is None or known.confidence < meaning.confidence:
            found[key] = meaning
    alone = len(found) <= 1
    return tuple(meaning if alone else meaning.at_most(ONE_OF_SEVERAL) for meaning in found.values())
