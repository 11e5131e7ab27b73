"""Which file a module's name means, and which names each file has by scope.

Both are worked out once a snapshot.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols import confidence
from bespeak_symbols.model import Binding, Import, Symbol

if TYPE_CHECKING:
    from bespeak_symbols.model import Facts, World

_INIT = "/__init__"
_USUAL = ("", "src", "lib", "python")
Entry = Symbol | Binding | Import


@dataclass(frozen=True, slots=True)
class Found:
    """A module: its file, or the folder of a package without one (with a slash at its end); and how surely."""

    path: str
    confidence: float


class Modules:
    """The modules of a snapshot."""

    def __init__(self, world: World) -> None:
        self.files: dict[str, str] = {}
        self._by_last: dict[str, list[str]] = {}
        self._packages: set[str] = set()
        folders: set[str] = set()
        for path, language in world.paths.items():
            if language == "python":
                self._enter(path)
                folders.add(path.rpartition("/")[0])
        for innermost in sorted(folders):
            folder = innermost
            while folder and folder not in self.files:
                self.files[folder] = folder + "/"
                self._by_last.setdefault(folder.rpartition("/")[2], []).append(folder)
                folder = folder.rpartition("/")[0]
        tops = {package.rpartition("/")[0] for package in self._packages}
        self._roots = {*_USUAL, *(top for top in tops if top not in self._packages)}

    def _enter(self, path: str) -> None:
        plain = path.rpartition(".")[0]
        if path == "__init__.py":
            return
        if plain.endswith(_INIT):
            plain = plain.removesuffix(_INIT)
            self._packages.add(plain)
        known = self.files.get(plain)
        if known is None:
            self._by_last.setdefault(plain.rpartition("/")[2], []).append(plain)
        if (
            known is None
            or (path.endswith("/__init__.py") and not known.endswith("/__init__.py"))
            or known.endswith(".pyi")
        ):
            self.files[plain] = path

    def find(self, module: str, importer: str) -> Found | None:
        """Return the module that a file means by a dotted name, which may begin with dots; None: of another project."""
        if module.startswith("."):
            return self._relative(module, importer)
        tail = module.replace(".", "/")
        top = tail.partition("/")[0]
        if top in sys.stdlib_module_names and f"/{top}/" not in f"/{importer}":
            return None
        near = [
            (self._nearness(plain.removesuffix(tail).rstrip("/"), importer), plain)
            for plain in self._by_last.get(tail.rpartition("/")[2], ())
            if plain == tail or plain.endswith("/" + tail)
        ]
        ranked = sorted((rank, plain) for rank, plain in near if rank is not None)
        if not ranked:
            return None
        rank, plain = ranked[0]
        return Found(
            self.files[plain], confidence.IMPORTED if rank[0] == 0 or len(ranked) == 1 else confidence.REPLACEABLE
        )

    def _nearness(self, root: str, importer: str) -> tuple[int, int, int] | None:
        """Return how near a folder to look in is to a file, smaller is nearer; None if it is none to look in."""
        if root in self._packages:
            return None
        if not root or importer.startswith(root + "/"):
            return 0, -len(root), 0
        if root not in self._roots:
            return None
        common = len(_common(root, importer))
        return 1, -common, len(root)

    def _relative(self, module: str, importer: str) -> Found | None:
        tail = module.lstrip(".")
        folder = importer.rpartition("/")[0]
        for _ in range(len(module) - len(tail) - 1):
            if not folder:
                return None
            folder = folder.rpartition("/")[0]
        plain = "/".join(part for part in (folder, tail.replace(".", "/")) if part)
        path = self.files.get(plain)
        return None if path is None else Found(path, confidence.IMPORTED)

    def inside(self, path: str, name: str) -> str | None:
        """Return the module ``name`` of a package, given by its file or folder; None if it has no such module."""
        if path.endswith("/"):
            return self.files.get(path + name)
        plain = path.rpartition(".")[0]
        return self.files.get(plain.removesuffix("__init__") + name) if plain.endswith(_INIT) else None


def _common(one: str, two: str) -> list[str]:
    found = []
    for mine, other in zip(one.split("/"), two.split("/"), strict=False):
        if mine != other:
            break
        found.append(mine)
    return found


def modules(world: World) -> Modules:
    """Return the modules of a snapshot, worked out once."""
    found: Modules | None = world.memo.get("python modules")
    if found is None:
        found = world.memo["python modules"] = Modules(world)
    return found


class Table:
    """The names of one file.

    ``entries`` has what binds a name in a scope (the qualified name of a symbol; empty for the file), ``stars`` the
    imports of everything, by scope, ``kinds`` the kind of each symbol and ``symbols`` the first of each name.
    """

    __slots__ = ("entries", "exports", "kinds", "stars", "symbols")

    def __init__(self, facts: Facts) -> None:
        self.entries: dict[tuple[str, str], list[Entry]] = {}
        self.stars: dict[str, list[Import]] = {}
        self.symbols: dict[str, Symbol] = {}
        self.exports = facts.exports
        for symbol in facts.symbols:
            self.symbols.setdefault(symbol.name, symbol)
            self._enter(symbol.name, symbol)
        for bound in facts.bindings:
            self._enter(bound.name, bound)
        for taken in facts.imports:
            if taken.local == "*":
                self.stars.setdefault(taken.within, []).append(taken)
            else:
                key = taken.within, taken.local.partition(".")[0]
                self.entries.setdefault(key, []).append(taken)
        self.kinds = {name: symbol.kind for name, symbol in self.symbols.items()}

    def _enter(self, name: str, entry: Entry) -> None:
        scope, _, last = name.rpartition(".")
        self.entries.setdefault((scope, last), []).append(entry)

    def scopes(self, scope: str) -> list[str]:
        """Return the scopes in which a name is looked up, innermost first; those of classes only from inside."""
        found = [scope]
        above = scope
        while above:
            above = above.rpartition(".")[0]
            if self.kinds.get(above) != "class":
                found.append(above)
        return found

    def class_around(self, scope: str) -> str:
        """Return the class whose method (or part of one) a scope is; empty if there is none."""
        while scope and self.kinds.get(scope) != "class":
            scope = scope.rpartition(".")[0]
        return scope


def table(world: World, path: str) -> Table | None:
    """Return the names of a file; None if it is not there."""
    key = "python table", path
    if key not in world.memo:
        facts = world.facts(path)
        world.memo[key] = None if facts is None or facts.language != "python" else Table(facts)
    found: Table | None = world.memo[key]
    return found
