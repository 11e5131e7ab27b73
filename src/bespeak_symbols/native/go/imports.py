"""Go's packages: which files make one up, and which package an import path names."""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bespeak_symbols.model import Binding, Import, Symbol, World

_MODULE = re.compile(r'^\s*module\s+"?([^\s"]+)', re.MULTILINE)
_REPLACE = re.compile(r'^\s*(?:replace\s+)?"?([^\s"]+)"?(?:\s+v\S+)?\s*=>\s*"?(\.{1,2}/[^\s"]*)', re.MULTILINE)
_USE = re.compile(r"^\s*(?:use\s+)?\"?(\.{1,2}(?:/[^\s\")]*)?)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Package:
    """One package: its folder and its name; a folder may hold ``store`` and ``store_test``."""

    folder: str
    name: str


@dataclass(frozen=True, slots=True)
class Definition:
    """Something that one file says."""

    path: str
    symbol: Symbol


class Table:
    """What all files of a package say, by name."""

    __slots__ = ("bindings", "methods", "symbols")

    def __init__(self) -> None:
        self.methods: dict[str, set[str]] = {}
        self.symbols: dict[str, list[Definition]] = {}
        self.bindings: dict[str, list[tuple[str, Binding]]] = {}

    def add(self, path: str, world: World) -> None:
        """Add what one file says; what blocks bind is left out."""
        facts = world.facts(path)
        if facts is None:
            return
        functions = {symbol.name for symbol in facts.symbols if symbol.kind in {"function", "method"}}
        for symbol in facts.symbols:
            self.symbols.setdefault(symbol.name, []).append(Definition(path, symbol))
            if symbol.kind == "method":
                owner, _, last = symbol.name.rpartition(".")
                self.methods.setdefault(owner, set()).add(last)
        for binding in facts.bindings:
            if binding.how == "result" or binding.name.rpartition(".")[0] not in functions:
                self.bindings.setdefault(binding.name, []).append((path, binding))


class Packages:
    """The Go packages of one snapshot; made once and kept with it.

    Args:
        world: the snapshot.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables: dict[tuple[Package, bool], Table] = {}
        self._modules: dict[str, tuple[tuple[str, str], ...]] = {}
        self._holding: dict[str, Package] = {}
        self._folders: dict[str, list[str]] = {}
        for path in world.paths:
            if path.endswith(".go"):
                self._folders.setdefault(os.path.dirname(path), []).append(path)

    def holding(self, path: str) -> Package:
        """Return the package of a file."""
        known = self._holding.get(path)
        if known is None:
            facts = self._world.facts(path)
            known = Package(os.path.dirname(path), facts.package if facts is not None else "")
            self._holding[path] = known
        return known

    def table(self, package: Package, *, tests: bool = False) -> Table:
        """Return what a package says; what its tests say only if they are asked for."""
        key = (package, tests)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = Table()
            for path in self._folders.get(package.folder, ()):
                if (tests or not path.endswith("_test.go")) and self.holding(path).name == package.name:
                    table.add(path, self._world)
        return table

    def files(self, package: Package) -> list[str]:
        """Return the files of a package without its tests."""
        inside = self._folders.get(package.folder, ())
        return [path for path in inside if not path.endswith("_test.go") and self.holding(path).name == package.name]

    def named(self, name: str) -> list[tuple[str, str]]:
        """Return file and qualified name of every symbol of Go with this last name."""
        pairs = (address.partition("::")[::2] for address in self._world.defining(name))
        return sorted((path, found) for path, found in pairs if path.endswith(".go"))

    def imports(self, path: str) -> dict[str, Package | None]:
        """Return what packages a file imports, by the name each has there; None for one that is not here."""
        facts = self._world.facts(path)
        found: dict[str, Package | None] = {}
        for taken in facts.imports if facts is not None else ():
            if taken.local in {"_", "*"}:
                continue
            package = self.imported(path, taken)
            written = taken.local in taken.module.split("/")
            found[package.name if package is not None and written else taken.local] = package
        return found

    def dotted(self, path: str) -> list[Package]:
        """Return the packages whose names a file takes as its own."""
        facts = self._world.facts(path)
        taken = [each for each in facts.imports if each.local == "*"] if facts is not None else []
        return [package for each in taken if (package := self.imported(path, each)) is not None]

    def imported(self, path: str, taken: Import) -> Package | None:
        """Return the package that an import names."""
        for folder in self._candidates(os.path.dirname(path), taken.module):
            for inside in self._folders.get(folder, ()):
                package = self.holding(inside)
                if not inside.endswith("_test.go") and package.name not in {"", "main"}:
                    return package
        return None

    def _candidates(self, folder: str, module: str) -> list[str]:
        found = []
        for root, name in self._known_modules(folder):
            if module == name or module.startswith(name + "/"):
                found.append(os.path.normpath(os.path.join(root, module[len(name) + 1 :])).removeprefix("./"))
        above = folder
        while True:
            found.append(os.path.join(above, "vendor", module))
            found += [os.path.join(above, "src", module)]
            if not above:
                break
            above = os.path.dirname(above)
        return ["" if each == "." else each for each in found]

    def _known_modules(self, folder: str) -> tuple[tuple[str, str], ...]:
        """Return folder and path of the modules that imports in a folder can mean, the nearest first."""
        known = self._modules.get(folder)
        if known is None:
            found = self._modules_at(folder)
            if folder:
                found += self._known_modules(os.path.dirname(folder))
            known = self._modules[folder] = tuple(dict.fromkeys(found))
        return known

    def _modules_at(self, folder: str) -> list[tuple[str, str]]:
        text = self._text(os.path.join(folder, "go.mod"))
        found = [(folder, name) for name in _MODULE.findall(text)[:1]]
        found += [(_joined(folder, where), name) for name, where in _REPLACE.findall(text)]
        for where in _USE.findall(self._text(os.path.join(folder, "go.work"))):
            inside = _joined(folder, where)
            found += [(inside, name) for name in _MODULE.findall(self._text(os.path.join(inside, "go.mod")))[:1]]
        return found

    def _text(self, path: str) -> str:
        return (self._world.text(path) or b"").decode("utf-8", "replace")


def _joined(folder: str, inside: str) -> str:
    path = os.path.normpath(os.path.join(folder, inside))
    return "" if path == "." else path
