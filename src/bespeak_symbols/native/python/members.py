"""Classes: in which order bases are searched, what a class has under a name, and which classes change that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bespeak_symbols import confidence
from bespeak_symbols.model import Binding, Symbol
from bespeak_symbols.native import inheritance, meaning
from bespeak_symbols.native.meaning import Meaning, merged
from bespeak_symbols.native.python import values
from bespeak_symbols.native.python.values import NOBODY_KNOWS

if TYPE_CHECKING:
    from bespeak_symbols.model import World
    from bespeak_symbols.native.python.imports import Table

    Meanings = tuple[Meaning, ...]

_PROPERTIES = ("@property", "@cached_property", "@functools.cached_property", "@abc.abstractproperty")
_EMPTY_BASES = frozenset({"object", "ABC", "Protocol", "Generic", "NamedTuple", "Enum", "IntEnum", "StrEnum"})
_MOST_BASES = 200
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Order:
    """The classes in which a name is searched, in order.

    Args:
        known: addresses of classes.
        unknown_from: before which of them a base of another project may come; their number if none does.
    """

    known: tuple[str, ...]
    unknown_from: int


class Evaluating(Protocol):
    """What says what the names and expressions of a file mean."""

    world: World

    def table(self, path: str) -> Table | None:
        """Return the names of a file."""

    def text(self, path: str, scope: str, text: str) -> Meanings:
        """Return what a dotted text means in a scope of a file."""

    def binding(self, path: str, bound: Binding) -> Meanings:
        """Return what a binding makes a name mean."""

    def called(self, function: Meaning) -> Meanings:
        """Return what calling something gives."""


class ClassHierarchy:
    """The classes of a snapshot, as one evaluator sees them."""

    def __init__(self, evaluator: Evaluating) -> None:
        self._of = evaluator
        self._orders: dict[str, Order] = {}
        self._derived_elsewhere: set[str] = set()
        self._depth = 0

    def symbol(self, address: str) -> Symbol | None:
        """Return the symbol at an address."""
        path, _, name = address.partition("::")
        names = self._of.table(path)
        return None if names is None else names.symbols.get(name)

    def order(self, address: str) -> Order:
        """Return in which order a class and its bases are searched."""
        known = self._orders.get(address)
        if known is not None:
            return known
        self._orders[address] = Order((address,), 1)  # what derives from itself has no other bases
        if self._depth >= _DEEPEST:
            return self._orders[address]
        self._depth += 1
        bases = self._bases(address)
        below = inheritance.merged_orders([*([*self.order(base).known] for base in bases), bases])
        whole = (address, *below)[:_MOST_BASES]
        self._depth -= 1
        unknown = (number for number, each in enumerate(whole, 1) if each in self._derived_elsewhere)
        found = self._orders[address] = Order(whole, next(unknown, len(whole)))
        return found

    def _bases(self, address: str) -> list[str]:
        """Return the bases of a class that are known; note if there are others."""
        symbol = self.symbol(address)
        path, _, name = address.partition("::")
        found: list[str] = []
        for text in () if symbol is None else symbol.bases:
            meant = self._of.text(path, name.rpartition(".")[0], text)
            classes = [each.address for each in meant if each.kind == meaning.CLASS and each.address != address]
            if not classes and text.rpartition(".")[2] not in _EMPTY_BASES:
                self._derived_elsewhere.add(address)
            found += [each for each in classes if each not in found]
        return found

    def member(self, owner: Meaning, name: str) -> Meanings:
        """Return what a class or an instance has under a name."""
        order = self.order(owner.address)
        start = 1 if owner.kind == meaning.SUPER else 0
        for number, address in enumerate(order.known[start:], start):
            found = self._own(address, name)
            if found:
                how = owner.how if owner.kind != meaning.CLASS or owner.how == "self" else "class"
                how = "inherited" if number and how == "self" else how
                most = min(
                    owner.confidence, confidence.MEMBER if number < order.unknown_from else confidence.REPLACEABLE
                )
                exact = owner.kind == meaning.INSTANCE and owner.exact
                return tuple(_of_exact(each.at_most(most, how)) if exact else each.at_most(most, how) for each in found)
        return (NOBODY_KNOWS,)

    def _own(self, address: str, name: str) -> Meanings:
        """Return what a class itself has under a name; attributes of ``self`` count."""
        path, _, owner = address.partition("::")
        names = self._of.table(path)
        entries = [] if names is None else names.entries.get((owner, name), [])
        found: list[Meaning] = []
        for entry in entries:
            if isinstance(entry, Symbol) and entry.kind in {"function", "method"}:
                found.append(Meaning(meaning.FUNCTION, path, entry.name, confidence.DEFINED))
            elif isinstance(entry, Symbol) and entry.kind == "class":
                found.append(Meaning(meaning.CLASS, path, entry.name, confidence.DEFINED))
            elif isinstance(entry, Binding):
                found += self._of.binding(path, entry)
        if not found and any(isinstance(entry, Symbol) for entry in entries):
            return (Meaning(meaning.VARIABLE, path, f"{owner}.{name}", confidence.DEFINED),)
        if len(found) > 1:
            found = values.telling(found)
        variable = next((e for e in entries if isinstance(e, Symbol) and e.kind in {"variable", "constant"}), None)
        if variable is not None:
            found = [each.but(via=f"{path}::{variable.name}") for each in found]
        # An attribute can be set from anywhere: what the class itself stores there is certain if it does so once.
        once = len(entries) == 1
        return tuple(
            each if not each.how or (once and _is_made(each)) else each.at_most(confidence.DECLARED)
            for each in merged(found)
        )

    def is_property(self, function: Meaning) -> bool:
        """Return whether a function is called by merely naming it."""
        if function.kind != meaning.FUNCTION:
            return False
        symbol = self.symbol(function.address)
        return symbol is not None and any(text in symbol.signature for text in _PROPERTIES)

    def read(self, member: Meaning, owner: Meaning) -> Meanings:
        """Return what naming a member gives: of a property of an instance, what it returns."""
        if owner.kind != meaning.CLASS and self.is_property(member):
            return self._of.called(member)
        return (member,)

    def is_overridden(self, address: str) -> bool:
        """Return whether a derived class may have another method of the same name."""
        owner, _, name = address.rpartition(".")
        if len(self._of.world.defining(name)) > inheritance.MOST_ALIKE:
            return True
        return bool(self.overriding(meaning.symbol(meaning.INSTANCE, owner), name))

    def overriding(self, owner: Meaning, name: str) -> list[str]:
        """Return the methods of derived classes that may be what is called instead."""
        if owner.exact or owner.kind == meaning.SUPER:
            return []

        def replaces(address: str) -> bool:
            holder = address.rpartition(".")[0]
            symbol = self.symbol(address) if "::" in holder and holder != owner.address else None
            return symbol is not None and symbol.kind == "method" and owner.address in self.order(holder).known[1:]

        return inheritance.overriding(f"{owner.address}.{name}", self._of.world.defining(name), replaces)


def _is_made(each: Meaning) -> bool:
    """Return whether something is a function, a class, or an instance that was made in sight."""
    return each.exact or each.kind in {meaning.FUNCTION, meaning.CLASS}


def _of_exact(member: Meaning) -> Meaning:
    """Return a member of an instance whose class is known: no derived class has another one."""
    return member.but(exact=True) if member.kind == meaning.FUNCTION else member
