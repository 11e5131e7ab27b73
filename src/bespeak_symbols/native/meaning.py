"""What an expression may mean, as far as it can be told without running it: one value for all languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bespeak_symbols.confidence import ONE_OF_SEVERAL

if TYPE_CHECKING:
    from collections.abc import Iterable

FUNCTION, CLASS, MODULE, NAMESPACE, VARIABLE, SYMBOL = "function", "class", "module", "namespace", "variable", "symbol"
"""A thing by its name; ``symbol`` where the language does not tell by the name alone which of these it is."""
INSTANCE, SUPER, VALUE = "instance", "super", "value"
"""Something of a class: of the one that was found, of the bases of that, or of a type that is yet to be read."""
ITEMS, VALUES, GIVER, KEEPER, BOUND = "items", "values", "giver", "keeper", "bound"
"""A collection, also one by keys; a method that gives an item or the collection; a function with arguments bound."""
EXTERNAL, OTHER, UNKNOWN = "external", "other", "unknown"


@dataclass(frozen=True, slots=True)
class Type:
    """A type: one of the snapshot by its address, another by its last name, or ``dyn`` with the traits it has.

    An array of Java and a slice of Rust are ``[]``.
    """

    head: str
    arguments: tuple[Type, ...] = ()
    traits: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """It is a type of the snapshot."""
        return "::" in self.head


class Meaning(NamedTuple):
    """One thing that an expression may mean; a tuple, because so many are made.

    Args:
        kind: one of the constants above.
        path: the file of the symbol; of a value, the file in which its type is written.
        name: the qualified name of the symbol; of a value, its type as written.
        confidence: of 1, a level of :mod:`bespeak_symbols.confidence`.
        how: as in an edge.
        exact: an instance or a member of this very class, not of one derived from it.
        of: what a collection holds.
        via: the address of the variable that holds it.
        key: a collection, as far as what it has at this key is concerned; empty if that is any of its items.
        within: of a value, where its type is written.
        bound: of a value, the place of the binding of the first part of its type; -1 for none.
        type: of a value, where types have arguments of their own; None if it is not known.
    """

    kind: str
    path: str = ""
    name: str = ""
    confidence: float = 1.0
    how: str = ""
    exact: bool = False
    of: tuple[Meaning, ...] = ()
    via: str = ""
    key: str = ""
    within: str = ""
    bound: int = -1
    type: Type | None = None

    @property
    def address(self) -> str:
        """The address of the symbol; the path alone if it is a whole file."""
        return f"{self.path}::{self.name}" if self.name else self.path

    def but(
        self,
        *,
        kind: str = "",
        name: str | None = None,
        confidence: float = -1.0,
        how: str = "",
        exact: bool | None = None,
        via: str | None = None,
    ) -> Meaning:
        """Return the same but for what is given."""
        return Meaning(
            kind or self.kind,
            self.path,
            self.name if name is None else name,
            self.confidence if confidence < 0 else confidence,
            how or self.how,
            self.exact if exact is None else exact,
            self.of,
            self.via if via is None else via,
            self.key,
            self.within,
            self.bound,
            self.type,
        )

    def at_most(self, confidence: float, how: str = "") -> Meaning:
        """Return the same, no surer than this."""
        if self.confidence <= confidence and (not how or how == self.how):
            return self
        return self.but(confidence=min(self.confidence, confidence), how=how)


def symbol(kind: str, address: str, confidence: float = 1.0, how: str = "", *, exact: bool = False) -> Meaning:
    """Return the meaning of something at an address."""
    path, _, name = address.partition("::")
    return Meaning(kind, path, name, confidence, how, exact)


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
    found: dict[tuple[object, ...], Meaning] = {}
    for meaning in several:
        key = meaning.kind, meaning.path, meaning.name, meaning.of, meaning.key
        known = found.get(key)
        if known is None or known.confidence < meaning.confidence:
            found[key] = meaning
    return tuple(found.values())
