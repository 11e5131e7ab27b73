"""What a name or an expression of Go means in some file: a function, a type, a package or a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import UNSURE
from bespeak_symbols.native.block_extractor import kept
from bespeak_symbols.native.go.imports import Package, Packages
from bespeak_symbols.native.go.members import definitions, member
from bespeak_symbols.native.meaning import CLASS, FUNCTION, MODULE, UNKNOWN, VALUE, Meaning

if TYPE_CHECKING:
    from bespeak_symbols.model import Binding, World
    from bespeak_symbols.native.go.imports import Table

_DEEPEST = 12


class Evaluator:
    """Finds meanings as seen from one file.

    Args:
        world: the snapshot.
        path: the file.
        others: the same of other files, to be shared and added to.
    """

    def __init__(self, world: World, path: str, others: dict[str, Evaluator] | None = None) -> None:
        self.world = world
        self.path = path
        self.packages = kept(world, Packages)
        self.package = self.packages.holding(path)
        self._tests = path.endswith("_test.go")
        facts = world.facts(path)
        self._places: tuple[Binding, ...] = facts.bindings if facts is not None else ()
        self.imported = self.packages.imports(path)
        self._dotted = self.packages.dotted(path)
        self._known: dict[tuple[str, int], Meaning | None] = {}
        self._others: dict[str, Evaluator] = {} if others is None else others
        self._others[path] = self

    def at(self, path: str) -> Evaluator:
        """Return the same for another file."""
        other = self._others.get(path)
        if other is None:
            other = Evaluator(self.world, path, self._others)
        return other

    def table(self, package: Package) -> Table:
        """Return what this file sees of a package: tests see those of their own folder."""
        return self.packages.table(package, tests=self._tests and package.folder == self.package.folder)

    def package_of(self, of: Meaning) -> Package:
        """Return the package in which something is defined."""
        return self.packages.holding(of.path)

    def table_of(self, of: Meaning) -> Table:
        """Return what this file sees of the package in which something is defined."""
        return self.table(self.packages.holding(of.path))

    # Names.

    def name(self, name: str) -> Meaning | None:
        """Return what a name means at the top level of this file."""
        own = self.of_package(self.package, name, "local")
        if own is not None:
            return own
        if name in self.imported:
            package = self.imported[name]
            return None if package is None else Meaning(MODULE, self.packages.files(package)[0], name)
        for package in self._dotted:
            found = self.of_package(package, name, "import")
            if found is not None and name[:1].isupper():
                return found
        return None

    def of_package(self, package: Package, name: str, how: str) -> Meaning | None:
        """Return what a package has under a name."""
        defined = self.table(package).symbols.get(name)
        if not defined:
            return None
        kind = defined[0].symbol.kind
        if how == "local":
            how = "local" if any(one.path == self.path for one in defined) else "package"
        if kind in {"variable", "constant"}:
            return self._variable(package, defined[0].path, name, how)
        return Meaning(FUNCTION if kind in {"function", "method"} else CLASS, defined[0].path, name, how=how)

    def _variable(self, package: Package, place: str, name: str, how: str) -> Meaning:
        via = f"{place}::{name}"
        for path, binding in self.table(package).bindings.get(name, ()):
            found = self.at(path).of_binding(binding)
            if found is not None and found.kind == VALUE:
                return found.but(confidence=1.0, how=how, via=via)
            if found is not None and found.kind == FUNCTION:
                return Meaning(VALUE, path, how=how, via=via)
        return Meaning(VALUE, place, how=how, via=via)

    def of_binding(self, binding: Binding) -> Meaning | None:
        """Return what a binding of this file stands for; None if that is not known."""
        if binding.how == "type":
            return Meaning(VALUE, self.path, binding.target, how="typed", bound=binding.bound)
        if binding.how == "alias":
            return self.expression(binding.target, binding.bound)
        return None

    # Types.

    def type_of(self, text: str, path: str, bound: int, depth: int = 0) -> Meaning | None:
        """Return the named type that a type as written in a file means; None for one of items, or unknown."""
        if not text or text.startswith(("[]", "()")) or depth > _DEEPEST:
            return None
        here = self.at(path)
        found = here.expression(text, bound)
        if found is None or found.kind != CLASS:
            return None
        for where, binding in self.table_of(found).bindings.get(found.name, ()):
            if binding.how == "alias" and (binding.target, where) != (text, path):
                return self.type_of(binding.target, where, binding.bound, depth + 1) or found
        return found

    def underlying(self, of: Meaning) -> Meaning | None:
        """Return a value of what a type is made of: ``type Items []Item``."""
        for path, binding in self.table_of(of).bindings.get(of.name, ()):
            if binding.how in {"type", "alias"} and binding.target != of.name:
                return Meaning(VALUE, path, binding.target, of.confidence, "typed", bound=binding.bound)
        return None

    # Expressions.

    def expression(self, text: str, bound: int = -1) -> Meaning | None:
        """Return what an expression of this file means."""
        key = (text, bound)
        if key not in self._known:
            self._known[key] = None
            self._known[key] = self._expression(text, bound)
        return self._known[key]

    def _expression(self, text: str, bound: int) -> Meaning | None:
        first, *rest = text.split(".")
        found = self._root(first, bound)
        for part in rest:
            if found is None:
                return None
            found = self.part(found, part)
        return found

    def _root(self, first: str, bound: int) -> Meaning | None:
        if first.startswith(("[]", "()")) and len(first) > 2:  # noqa: PLR2004 the mark and a name
            return Meaning(CLASS, self.path, first, bound=bound)
        if bound < 0:
            return self.name(first)
        binding = self._places[bound] if bound < len(self._places) else None
        if binding is None or binding.how == "value":
            return Meaning(UNKNOWN, self.path)
        found = self.of_binding(binding)
        if found is None:
            return Meaning(UNKNOWN, self.path)
        return _found(found, "alias" if found.kind != VALUE else "typed")

    def part(self, of: Meaning, part: str) -> Meaning | None:
        """Return what a further part of an expression means."""
        if part.startswith("()"):
            return self._called(of, part)
        if part == "[]":
            return self._item(of)
        if of.kind == MODULE:
            return self.of_package(self.package_of(of), part, "import") if part[:1].isupper() else None
        owner = of
        if of.kind == VALUE:
            known = self.type_of(of.name, of.path, of.bound)
            if known is None:
                return None
            owner = _sure(known, of.confidence)
        elif of.kind != CLASS or is_composite(of):
            return None
        found = member(self, owner, part)
        if not found:
            below = self.underlying(owner)
            inner = self.type_of(below.name, below.path, below.bound) if below is not None else None
            found = (
                [each for each in member(self, inner, part) if each.kind == VALUE or self._is_interface(inner)]
                if inner
                else []
            )
        return None if not found else found[0] if len(found) == 1 else _sure(found[0], UNSURE)

    def _is_interface(self, of: Meaning) -> bool:
        return any(one.symbol.kind == "interface" for one in definitions(self, of))

    def _called(self, of: Meaning, part: str) -> Meaning | None:
        """Return the value that calling something gives; ``()1`` is the second of several."""
        place = part[2:]
        if of.kind == CLASS:
            return of.but(kind=VALUE, how="typed")
        if of.kind == FUNCTION:
            wanted = f"{of.name}.(){place}" if place else of.name
            results = [each for each in self.table_of(of).bindings.get(wanted, ()) if each[1].how == "result"]
            if len({binding.target for _, binding in results}) != 1:
                return None
            path, binding = results[0]
            return Meaning(VALUE, path, binding.target, of.confidence, "typed", bound=binding.bound)
        return self._opened(of, "()") if not place else None

    def _item(self, of: Meaning) -> Meaning | None:
        if of.kind in {FUNCTION, CLASS}:
            return of
        return self._opened(of, "[]")

    def _opened(self, of: Meaning, mark: str) -> Meaning | None:
        """Return what is behind the mark of a value's type, seen through a name for it."""
        for _ in range(_DEEPEST):
            if of.kind != VALUE or of.name.startswith(mark):
                break
            known = self.type_of(of.name, of.path, of.bound)
            below = self.underlying(known) if known is not None else None
            if below is None:
                return None
            of = below
        if of.kind != VALUE or not of.name.startswith(mark) or len(of.name) == len(mark):
            return None
        return of.but(name=of.name[len(mark) :], how="typed", via="")


def is_composite(of: Meaning) -> bool:
    """Return whether a type is written with brackets and has no name: ``[]Item``."""
    return of.name.startswith(("[]", "()"))


def _found(of: Meaning, how: str) -> Meaning:
    return of.but(how=how, via="")


def _sure(of: Meaning, sure: float) -> Meaning:
    return of.but(confidence=of.confidence * sure)
