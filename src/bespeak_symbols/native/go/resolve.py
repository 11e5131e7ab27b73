"""The edges that start in a Go file: each reference, joined to the definitions it can mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import OVERRIDE, UNSURE, by_name, of_way
from bespeak_symbols.model import CALL, IMPORT, INHERIT, USE, Edge
from bespeak_symbols.native import inheritance
from bespeak_symbols.native.go.evaluate import Evaluator, is_composite
from bespeak_symbols.native.go.members import definitions, methods
from bespeak_symbols.native.meaning import CLASS, FUNCTION, UNKNOWN, VALUE, Meaning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak_symbols.model import Reference, World
    from bespeak_symbols.native.go.imports import Packages

_MOST_BY_NAME = 3
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
                    yield Edge(self.path, path, IMPORT, "import", of_way("import"), taken.line)

    def edges(self, reference: Reference) -> Iterator[Edge]:
        """Yield the edges of one reference."""
        caller = f"{self.path}::{reference.within}" if reference.within else self.path
        for callee, kind, how, sure in dict.fromkeys(self._targets(reference)):
            if callee != caller or kind == CALL:
                yield Edge(caller, callee, kind, how, round(min(sure, of_way(how)), 2), reference.line)

    def _targets(self, reference: Reference) -> Iterator[tuple[str, str, str, float]]:
        meaning = self.evaluator.expression(reference.text, reference.bound)
        if meaning is None:
            if reference.kind == CALL and "." in reference.text:
                yield from self._by_name(reference)
            return
        sure = meaning.confidence
        if meaning.kind == FUNCTION:
            held = meaning.how == "alias"
            yield from self._function(meaning, reference.kind, min(sure, UNSURE) if held else sure)
        elif meaning.kind == CLASS and not is_composite(meaning):
            kind = INHERIT if reference.kind == INHERIT else USE
            for callee, rate in self._places(meaning):
                yield callee, kind, meaning.how, min(sure, rate)
        elif meaning.kind == VALUE and meaning.via:
            yield from self._variable(meaning, reference)

    def _variable(self, meaning: Meaning, reference: Reference) -> Iterator[tuple[str, str, str, float]]:
        """Yield a variable of a package; a call of one may be a call of the function it was made with."""
        path, _, name = meaning.via.partition("::")
        table = self.evaluator.table(self.packages.holding(path))
        for definition in table.symbols.get(name, ()):
            yield f"{definition.path}::{definition.symbol.name}", USE, meaning.how, meaning.confidence
        if reference.kind == CALL:
            for path, binding in table.bindings.get(name, ()):
                held = self.evaluator.at(path).of_binding(binding)
                if held is not None and held.kind == FUNCTION:
                    yield from self._function(held, CALL, UNSURE)

    def _places(self, meaning: Meaning) -> list[tuple[str, float]]:
        """Return the definitions of something, with how sure each is: build tags choose among several files."""
        found = definitions(self.evaluator, meaning)
        sure = 1.0 if len({definition.path for definition in found}) == 1 else UNSURE
        return [(f"{definition.path}::{definition.symbol.name}", sure) for definition in found]

    def _function(self, meaning: Meaning, kind: str, sure: float) -> Iterator[tuple[str, str, str, float]]:
        for callee, rate in self._places(meaning):
            yield callee, kind, meaning.how, min(sure, rate)
        if kind == CALL and any(not definition.symbol.body for definition in definitions(self.evaluator, meaning)):
            for callee in self._implementers(meaning):
                yield callee, kind, "override", OVERRIDE

    # Interfaces.

    def _implementers(self, meaning: Meaning) -> Iterator[str]:
        """Yield the methods of types that have all methods of an interface: any of them may be what is called."""
        owner, _, last = meaning.name.rpartition(".")
        wanted = methods(self.evaluator, Meaning(CLASS, meaning.path, owner))

        def replaces(place: tuple[str, str]) -> bool:
            path, name = place
            other = name.rpartition(".")[0]
            package = self.packages.holding(path)
            if not other or (package == self.evaluator.package_of(meaning) and other == owner):
                return False
            if path.endswith("_test.go") and not self.path.endswith("_test.go"):
                return False
            here = self.evaluator.at(path)
            defined = any(definition.symbol.body for definition in here.table(package).symbols.get(name, ()))
            return defined and wanted <= methods(here, Meaning(CLASS, path, other))

        places = self.packages.named(last) if owner and wanted else ()
        for path, name in inheritance.overriding((meaning.path, meaning.name), places, replaces):
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
                yield f"{path}::{name}", CALL, "name", by_name(len(places))
