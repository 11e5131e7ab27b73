"""Which method or field of a class a Java name means, over inheritance and overloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import ONE_OF_SEVERAL
from bespeak_symbols.native import inheritance
from bespeak_symbols.native.meaning import FUNCTION, Meaning, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.native.java.imports import Names, Table

OBJECT_METHODS = frozenset(
    {"toString", "hashCode", "equals", "getClass", "notify", "notifyAll", "wait", "clone", "finalize"}
)
_SMALL = frozenset(
    {"Runnable", "Callable", "Comparator", "Comparable", "Supplier", "Consumer", "BiConsumer", "Function"}
    | {"BiFunction", "Predicate", "BiPredicate", "Iterator", "Iterable", "Object", "AutoCloseable", "Closeable"}
)
_OF_SMALL = frozenset(
    {"accept", "and", "andThen", "apply", "call", "close", "compare", "compareTo", "compose", "forEach", "get"}
    | {"forEachRemaining", "hasNext", "iterator", "negate", "next", "or", "remove", "reversed", "run", "spliterator"}
    | {"test", "thenComparing", "thenComparingInt", "thenComparingLong", "thenComparingDouble"}
)


class Members:
    """Answers what the members of classes are, for one snapshot."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._subtypes: dict[tuple[str, str], bool] = {}

    def line(self, kind: Type) -> Iterator[Type]:
        """Return a class and all it is derived from, its base class first; what is no own type is outside."""
        return inheritance.base_first(kind, self._bases, lambda one: one.head)

    def _bases(self, kind: Type) -> list[Type]:
        if not kind.own:
            return []
        path, _, name = kind.head.partition("::")
        given = self.names.given(kind)
        within = name if given else name.rpartition(".")[0]
        return [
            self.names.type_of(text, path, within, given) or Type(head) for head, text in self.names.bases(kind.head)
        ]

    def is_interface(self, address: str) -> bool:
        """Return whether an address is that of an interface: nothing is made by calling it."""
        return _interface(*self.names.at(address))

    def has_method(self, address: str, name: str) -> bool:
        """Return whether a class of the snapshot has a method of a name, its own or a base's."""
        for one in self.names.hierarchy(address):
            table, owner = self.names.at(one)
            full = f"{owner}.{name}"
            if table is not None and table.bound(full, "takes") and (one == address or not table.private(full)):
                return True
        return False

    def open_ended(self, address: str, method: str = "") -> bool:
        """Return whether a class has a base class outside the snapshot: it may have members that nobody knows.

        Args:
            address: of the class.
            method: the name that matters; some interfaces of the JDK are known not to have it.
        """
        for one in self.names.hierarchy(address):
            table, owner = self.names.at(one)
            bases = self.names.bases(one)
            if table is None or not table.bound(owner, "base") or not bases or "::" in bases[0][0]:
                continue
            if bases[0][0] not in _SMALL or method in _OF_SMALL:
                return True
        return False

    def method(self, kind: Type, name: str, arguments: int) -> Meaning | None:
        """Return the method that a call means.

        Args:
            kind: the type of what it is called on.
            name: of the method.
            arguments: how many are given; -1 if that is not known.
        """
        found: Meaning | None = None
        taken = ""
        for one in self.line(kind):
            if not one.own:
                continue
            table, owner = self.names.at(one.head)
            full = f"{owner}.{name}"
            if table is None or (one.head != kind.head and table.private(full)):
                continue
            fitting = _fitting(table, full, arguments)
            if not fitting:
                continue
            takes = "|".join(sorted(fitting))
            if found is None:
                inherited = one.head != kind.head
                doubt = inherited and _interface(table, owner) and self.open_ended(kind.head)
                found, taken = _found(one, kind, name, ONE_OF_SEVERAL if doubt else 1.0), takes
            elif arguments > 0 and not set(fitting) <= set(taken.split("|")):
                return found.at_most(ONE_OF_SEVERAL)
        return found

    def result(self, member: Meaning, arguments: int) -> Type | None:
        """Return the type of what a method gives back; None if it is not known or depends on the overload."""
        table, name = self.names.at(member.address)
        if table is None:
            return None
        takes = table.bound(name, "takes")
        results = table.bound(name, "result")
        texts = {result for result, taken in zip(results, takes, strict=False) if fits(taken, arguments)}
        if len(texts) != 1:
            return None
        path = member.address.partition("::")[0]
        return self.names.type_of(texts.pop(), path, name, self._given(member))

    def _given(self, member: Meaning) -> dict[str, Type]:
        return {} if member.type is None else self.names.given(member.type)

    def field(self, kind: Type, name: str) -> Meaning | None:
        """Return a field of a class, its own or a base's."""
        for one in self.line(kind):
            table, owner = self.names.at(one.head) if one.own else (None, "")
            symbol = table.symbols.get(f"{owner}.{name}") if table is not None else None
            hidden = table is None or (one.head != kind.head and table.private(f"{owner}.{name}"))
            if not hidden and symbol is not None and symbol.kind in {"variable", "constant"}:
                return _found(one, kind, name)
        return None

    def field_type(self, member: Meaning) -> Type | None:
        """Return the type of a field."""
        table, name = self.names.at(member.address)
        types = table.bound(name, "type") if table is not None else []
        if not types:
            return None
        path = member.address.partition("::")[0]
        return self.names.type_of(types[0], path, name.rpartition(".")[0], self._given(member))

    def constructor(self, address: str, arguments: int) -> str | None:
        """Return the constructor of a class that takes so many arguments, if it is written down."""
        table, name = self.names.at(address)
        full = f"{name}.{name.rpartition('.')[2]}"
        if table is None or full not in table.symbols:
            return None
        takes = table.bound(full, "takes")
        return f"{table.path}::{full}" if not takes or any(fits(one, arguments) for one in takes) else None

    def overriding(self, member: Meaning, arguments: int) -> list[str]:
        """Return the methods that may be run instead of one: those of classes that are derived from its own."""
        table, name = self.names.at(member.address)
        alike = self.names.world.defining(name.rpartition(".")[2])
        symbol = table.symbols.get(name) if table is not None else None
        words = set(symbol.signature.partition("(")[0].split()) if symbol is not None else {"static"}
        if words & {"static", "private", "final"}:
            return []

        def replaces(address: str) -> bool:
            other, inside = self.names.at(address)
            if other is None or not _fitting(other, inside, arguments):
                return False
            return self._derived(address.rpartition(".")[0], member.address.rpartition(".")[0])

        return inheritance.overriding(member.address, alike, replaces)

    def _derived(self, address: str, base: str) -> bool:
        key = (address, base)
        if key not in self._subtypes:
            self._subtypes[key] = address != base and base in self.names.hierarchy(address)
        return self._subtypes[key]


def _found(owner: Type, kind: Type, name: str, confidence: float = 1.0) -> Meaning:
    """Return a member of a class, as it was found in a type that is the class or derived from it."""
    path, _, inside = owner.head.partition("::")
    how = "inherited" if owner.head != kind.head else ""
    return Meaning(FUNCTION, path, f"{inside}.{name}", confidence, how, type=owner)


def fits(takes: str, arguments: int) -> bool:
    """Return whether so many arguments can be given to a method that takes these."""
    count = takes.count(",") + 1 if takes else 0
    if arguments < 0 or count == arguments:
        return True
    return takes.endswith("...") and arguments >= count - 1


def _fitting(table: Table, name: str, arguments: int) -> list[str]:
    return [takes for takes in table.bound(name, "takes") if fits(takes, arguments)]


def _interface(table: Table | None, name: str) -> bool:
    symbol = table.symbols.get(name) if table is not None else None
    return symbol is not None and symbol.kind == "interface"
