"""Which class a Java name means: type parameters, nested and inherited classes, imports, packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native import inheritance
from bespeak_symbols.native.java.types import Written, read_type
from bespeak_symbols.native.meaning import Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bespeak_symbols.model import Binding, Facts, Import, Symbol, World

_CLASSES = frozenset({"class", "enum", "interface"})
_DEEPEST = 2


class Table:
    """The facts of one file, by name."""

    __slots__ = ("bindings", "facts", "imports", "many", "path", "symbols", "wildcards")

    def __init__(self, path: str, facts: Facts) -> None:
        self.path = path
        self.facts = facts
        self.symbols: dict[str, Symbol] = {}
        self.many: set[str] = set()
        self.bindings: dict[str, list[Binding]] = {}
        self.imports: dict[str, list[Import]] = {}
        self.wildcards: list[Import] = []
        for symbol in facts.symbols:
            if self.symbols.setdefault(symbol.name, symbol) is not symbol:
                self.many.add(symbol.name)
        for binding in facts.bindings:
            self.bindings.setdefault(binding.name, []).append(binding)
        for one in facts.imports:
            if one.local == "*":
                self.wildcards.append(one)
            else:
                self.imports.setdefault(one.local, []).append(one)

    def bound(self, name: str, how: str) -> list[str]:
        """Return what a name is bound to in one way, in the order of the source."""
        return [binding.target for binding in self.bindings.get(name, ()) if binding.how == how]

    def private(self, name: str) -> bool:
        """Return whether a member is not handed down, in none of its overloads."""
        found = [symbol for symbol in self.facts.symbols if symbol.name == name] if name in self.many else []
        one = self.symbols.get(name)
        return one is not None and all(_is_private(symbol) for symbol in found or (one,))

    def is_class(self, name: str) -> bool:
        """Return whether a symbol has members: a class, or an enum's constant with a body."""
        symbol = self.symbols.get(name)
        return symbol is not None and (symbol.kind in _CLASSES or bool(self.bound(name, "base")))


def _is_private(symbol: Symbol) -> bool:
    return "private" in symbol.signature.partition("(")[0].replace("<", " ").split()


def outward(within: str) -> Iterator[str]:
    """Yield a qualified name and all around it, innermost first."""
    while within:
        yield within
        within = within.rpartition(".")[0]


class Names:
    """Answers which class a name means, for one snapshot."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._tables: dict[str, Table | None] = {}
        self._found: dict[tuple[str, str, str], str | None] = {}
        self._bases: dict[str, list[tuple[str, str]]] = {}

    def table(self, path: str) -> Table | None:
        """Return the facts of a Java file by name; None if it is none."""
        if path not in self._tables:
            facts = self.world.facts(path)
            self._tables[path] = Table(path, facts) if facts is not None and facts.language == "java" else None
        return self._tables[path]

    def at(self, address: str) -> tuple[Table | None, str]:
        """Return the table of an address, and the name in it."""
        path, _, name = address.partition("::")
        return self.table(path), name

    # From a name to a class.

    def find(self, name: str, path: str, within: str) -> str | None:
        """Return the address of the class that a name, with or without dots, means at some place."""
        key = (name, path, within)
        if key not in self._found:
            self._found[key] = None
            self._found[key] = self._find(name, path, within)
        return self._found[key]

    def _find(self, name: str, path: str, within: str) -> str | None:
        first, *rest = name.split(".")
        found = self._simple(first, path, within)
        if found is None and rest:
            return self.in_package(name, path)
        for part in rest:
            found = self.nested(found, part) if found is not None else None
        return found

    def _simple(self, name: str, path: str, within: str) -> str | None:
        table = self.table(path)
        if table is None:
            return None
        for around in outward(within):
            if table.is_class(f"{around}.{name}"):
                return f"{path}::{around}.{name}"
            if table.is_class(around):
                if around.rpartition(".")[2] == name:
                    return f"{path}::{around}"
                found = self.nested(f"{path}::{around}", name)
                if found is not None:
                    return found
        if table.is_class(name):
            return f"{path}::{name}"
        return self._imported(name, table) or self._beside(name, table) or self._wildcard(name, table)

    def _imported(self, name: str, table: Table) -> str | None:
        for one in table.imports.get(name, ()):
            found = self.in_package(f"{one.module.removeprefix('static ')}.{one.name}", table.path)
            if found is not None:
                return found
        return None

    def _beside(self, name: str, table: Table) -> str | None:
        return None if name in table.imports else self._top(table.facts.package, name, table.path)

    def _wildcard(self, name: str, table: Table) -> str | None:
        if name in table.imports:
            return None
        found = (self.in_package(f"{one.module}.{name}", table.path) for one in table.wildcards)
        return next((one for one in found if one is not None), None)

    def in_package(self, name: str, path: str) -> str | None:
        """Return the class of a full name, ``package.Outer.Inner``."""
        parts = name.split(".")
        for place in range(1, len(parts)):
            found = self._top(".".join(parts[:place]), parts[place], path)
            for part in parts[place + 1 :]:
                found = self.nested(found, part) if found is not None else None
            if found is not None:
                return found
        return None

    def _top(self, package: str, name: str, path: str) -> str | None:
        """Return the class of a package; if several files have one of that name, the one that is nearest."""
        found = []
        for address in self.world.defining(name):
            other, _, defined = address.partition("::")
            table = self.table(other) if defined == name else None
            if table is not None and table.facts.package == package and table.is_class(name):
                found.append(address)
        if not package:
            folder = path.rpartition("/")[0]
            found = [address for address in found if address.partition("::")[0].rpartition("/")[0] == folder]
        found.sort(key=lambda address: (-_common(address, path), address))
        tie = len(found) > 1 and _common(found[0], path) == _common(found[1], path)
        return found[0] if found and not tie else None

    def nested(self, address: str, name: str) -> str | None:
        """Return a class inside another, or inside what that is derived from."""
        for one in self.hierarchy(address):
            table, owner = self.at(one)
            if table is not None and table.is_class(f"{owner}.{name}"):
                return f"{one}.{name}"
        return None

    def hierarchy(self, address: str) -> Iterator[str]:
        """Return a class and all it is derived from that are in the snapshot, the nearest first."""
        return inheritance.nearest_first(address, lambda one: [base for base, _ in self.bases(one) if "::" in base])

    def bases(self, address: str) -> list[tuple[str, str]]:
        """Return what a class is directly derived from: an address or an outside name, and its text."""
        if address not in self._bases:
            self._bases[address] = []
            table, name = self.at(address)
            texts = [*table.bound(name, "base"), *table.bound(name, "interface")] if table is not None else []
            around = name.rpartition(".")[0]
            path = address.partition("::")[0]
            self._bases[address] = [
                (self.find(written, path, around) or written.rpartition(".")[2], text)
                for text in texts
                for written in (read_type(text).name,)
            ]
        return self._bases[address]

    # From a written type to a type.

    def type_of(self, text: str, path: str, within: str, given: Mapping[str, Type]) -> Type | None:
        """Return the type that a text means at some place.

        Args:
            text: as written.
            path: of the file.
            within: the symbol in which it is written.
            given: the types that stand for type parameters, by the parameter's address.
        """
        return self._known(read_type(text), path, within, given, 0) if text else None

    def _known(self, written: Written, path: str, within: str, given: Mapping[str, Type], depth: int) -> Type | None:
        if written.dimensions:
            inner = self._known(Written(written.name, written.arguments), path, within, given, depth)
            for _ in range(written.dimensions):
                inner = Type("[]", (inner,)) if inner is not None else None
            return inner
        table = self.table(path)
        for around in outward(within):
            bounds = table.bound(f"{around}.{written.name}", "parameter") if table is not None else []
            if bounds:
                return self._parameter(f"{path}::{around}.{written.name}", bounds[0], path, around, given, depth)
        if written.name in {"?", "Object", ""}:
            return None
        arguments = tuple(self._known(one, path, within, given, depth + 1) for one in written.arguments)
        head = self.find(written.name, path, within) or written.name.rpartition(".")[2]
        return Type(head, tuple(one or Type("?") for one in arguments))

    def _parameter(
        self, address: str, bound: str, path: str, within: str, given: Mapping[str, Type], depth: int
    ) -> Type | None:
        if address in given:
            return given[address] if given[address].head != "?" else None
        if bound == "Object" or depth > _DEEPEST:
            return None
        return self._known(read_type(bound), path, within, given, depth + 1)

    def given(self, kind: Type) -> dict[str, Type]:
        """Return what stands for the type parameters of a class."""
        table, name = self.at(kind.head)
        if table is None or not kind.arguments:
            return {}
        parameters = [
            f"{table.path}::{symbol}"
            for symbol, bindings in table.bindings.items()
            if symbol.rpartition(".")[0] == name and bindings[0].how == "parameter"
        ]
        return dict(zip(parameters, kind.arguments, strict=False))


def _common(one: str, other: str) -> int:
    """Return how many folders two paths have in common."""
    count = 0
    for mine, its in zip(one.split("/"), other.split("/"), strict=False):
        if mine != its:
            break
        count += 1
    return count
