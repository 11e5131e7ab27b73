"""The edges that start in a Go file: each reference, joined to the definitions it can mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.model import CALL, IMPORT, INHERIT, USE, Edge
from bespeak_symbols.native.go.evaluate import Evaluator
from bespeak_symbols.native.go.members import (
    FUNCTION,
    PACKAGE,
    TYPE,
    UNKNOWN,
    VALUE,
    Meaning,
    definitions,
    embedded,
    methods,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak_symbols.model import Reference, World
    from bespeak_symbols.native.go.imports import Packages

_SEVERAL, _OVERRIDE, _HELD, _BY_NAME = 0.6, 0.6, 0.6, 0.4
_MOST_OVERRIDES, _MOST_BY_NAME = 60, 3
_COMMON = frozenset({"Close", "String", "Error", "Get", "Set", "Run", "Write", "Read", "Len", "Add", "Do", "Name"})


def resolve(path: str, world: World) -> Iterable[Edge]:
    """Return the edges that start in a file."""
    facts = world.facts(path)
    if facts is None:
        return
    joiner = _Resolver(Evaluator(world, path))
    yield from joiner.imports()
    for reference in facts.references:
        yield from joiner.edges(reference)


class _Resolver:
    """Joins the references of one file."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.path = evaluator.path
        self.packages: Packages = evaluator.packages

    def imports(self) -> Iterator[Edge]:
        """Yield an edge to each file of each package that is imported."""
        facts = self.evaluator.world.facts(self.path)
        for taken in facts.imports if facts is not None else ():
            package = self.packages.imported(self.path, taken)
            if package is not None:
                for path in self.packages.files(package):
                    yield Edge(self.path, path, IMPORT, "import", 1.0, taken.line)

    def edges(self, reference: Reference) -> Iterator[Edge]:
        """Yield the edges of one reference."""
        caller = f"{self.path}::{reference.within}" if reference.within else self.path
        for callee, kind, how, sure in dict.fromkeys(self._targets(reference)):
            if callee != caller or kind == CALL:
                yield Edge(caller, callee, kind, how, round(sure, 2), reference.line)

    def _targets(self, reference: Reference) -> Iterator[tuple[str, str, str, float]]:
        meaning = self.evaluator.expression(reference.text, reference.bound)
        if meaning is None:
            if reference.kind == CALL and "." in reference.text:
                yield from self._by_name(reference)
            return
        sure = meaning.sure
        if meaning.kind == FUNCTION:
            held = meaning.how == "alias"
            yield from self._function(meaning, reference.kind, min(sure, _HELD) if held else sure)
        elif meaning.kind == TYPE and not meaning.path:
            kind = INHERIT if reference.kind == INHERIT else USE
            for callee, rate in self._places(meaning):
                yield callee, kind, meaning.how, min(sure, rate)
        elif meaning.kind == VALUE and meaning.symbol:
            yield from self._variable(meaning, reference)

    def _variable(self, meaning: Meaning, reference: Reference) -> Iterator[tuple[str, str, str, float]]:
        """Yield a variable of a package; a call of one may be a call of the function it was made with."""
        parts = reference.text.split(".")
        owner = self.evaluator.expression(parts[0], reference.bound) if len(parts) > 1 else None
        package = owner.package if owner is not None and owner.kind == PACKAGE else self.evaluator.package
        for definition in self.evaluator.table(package).symbols.get(meaning.symbol, ()):
            yield f"{definition.path}::{definition.symbol.name}", USE, meaning.how, meaning.sure
        if reference.kind == CALL:
            for path, binding in self.evaluator.table(package).bindings.get(meaning.symbol, ()):
                held = self.evaluator.at(path).of_binding(binding)
                if held is not None and held.kind == FUNCTION:
                    yield from self._function(held, CALL, _HELD)

    def _places(self, meaning: Meaning) -> list[tuple[str, float]]:
        """Return the definitions of something, with how sure each is: build tags choose among several files."""
        found = definitions(self.evaluator, meaning)
        sure = 1.0 if len({definition.path for definition in found}) == 1 else _SEVERAL
        return [(f"{definition.path}::{definition.symbol.name}", sure) for definition in found]

    def _function(self, meaning: Meaning, kind: str, sure: float) -> Iterator[tuple[str, str, str, float]]:
        for callee, rate in self._places(meaning):
            yield callee, kind, meaning.how, min(sure, rate)
        if kind == CALL and any(not definition.symbol.body for definition in definitions(self.evaluator, meaning)):
            for callee in self._implementers(meaning):
                yield callee, kind, "override", _OVERRIDE

    # Interfaces.

    def _implementers(self, meaning: Meaning) -> Iterator[str]:
        """Yield the methods of types that have all methods of an interface: any of them may be what is called."""
        owner, _, last = meaning.name.rpartition(".")
        wanted = method_names(self.evaluator, Meaning(TYPE, meaning.package, owner))
        places = self.packages.named(last)
        if not owner or not wanted or len(places) > _MOST_OVERRIDES:
            return
        for path, name in places:
            other = name.rpartition(".")[0]
            package = self.packages.holding(path)
            if not other or (package == meaning.package and other == owner):
                continue
            if path.endswith("_test.go") and not self.path.endswith("_test.go"):
                continue
            here = self.evaluator.at(path)
            defined = [definition for definition in here.table(package).symbols.get(name, ()) if definition.symbol.body]
            if defined and wanted <= method_names(here, Meaning(TYPE, package, other)):
                yield f"{path}::{name}"

    def _by_name(self, reference: Reference) -> Iterator[tuple[str, str, str, float]]:
        """Yield the few methods that fit by name alone, where nothing tells the type of the value."""
        root, *_, last = reference.text.split(".")
        if last in _COMMON or (reference.bound < 0 and root in self.evaluator.imported):
            return
        held = self.evaluator.expression(reference.text.rpartition(".")[0], reference.bound)
        if held is not None and held.kind != UNKNOWN and held.name:
            return
        places = [(path, name) for path, name in self.packages.named(last) if "." in name]
        if len(places) <= _MOST_BY_NAME:
            for path, name in places:
                yield f"{path}::{name}", CALL, "name", _BY_NAME


def method_names(evaluator: Evaluator, of: Meaning) -> frozenset[str]:
    """Return the names of all methods of a type, embedded ones included."""
    names: set[str] = set()
    todo, seen = [of], {(of.package, of.name)}
    while todo:
        current = todo.pop()
        names |= methods(evaluator, current)
        for base in embedded(evaluator, current):
            if (base.package, base.name) not in seen:
                seen.add((base.package, base.name))
                todo.append(base)
    return frozenset(names)
