"""Which files an ``#include`` brings in, and what symbols of which name there are to choose from."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bespeak_symbols.model import Binding, Import, Symbol, World

SUFFIXES = (".c", ".h", ".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp", ".tpp", ".tcc")
DECLARED = "declared"
"""How a type is bound that a file only says to exist: ``struct node;``."""

_FOLDERS = ("", "include", "src", "inc", "lib")
_OF_BLOCKS = frozenset({"function", "method", "macro"})
_MOST_INCLUDED = 2000
_MOST_CLOSURES = 2000
_STANDARD = frozenset(
    {
        "assert",
        "ctype",
        "errno",
        "fenv",
        "float",
        "inttypes",
        "limits",
        "locale",
        "math",
        "setjmp",
        "signal",
        "stdalign",
        "stdarg",
        "stdatomic",
        "stdbool",
        "stddef",
        "stdint",
        "stdio",
        "stdlib",
        "string",
        "strings",
        "tgmath",
        "threads",
        "time",
        "uchar",
        "wchar",
        "wctype",
        "unistd",
        "fcntl",
        "pthread",
        "dirent",
        "poll",
    }
)


class Table:
    """What one file says, by name; what blocks bind is left to those who know its place."""

    __slots__ = ("bindings", "declared", "imports", "language", "path", "places", "symbols")

    def __init__(self, path: str, world: World) -> None:
        facts = world.facts(path)
        self.path = path
        self.language = facts.language if facts is not None else ""
        self.symbols: dict[str, list[Symbol]] = {}
        self.bindings: dict[str, list[Binding]] = {}
        self.places: tuple[Binding, ...] = facts.bindings if facts is not None else ()
        self.declared: set[str] = set()
        self.imports: tuple[Import, ...] = facts.imports if facts is not None else ()
        for symbol in facts.symbols if facts is not None else ():
            self.symbols.setdefault(symbol.name, []).append(symbol)
        for binding in self.places:
            if binding.how == DECLARED:
                self.declared.add(binding.name)
                continue
            owners = self.symbols.get(binding.name.rpartition(".")[0], ())
            if binding.how == "result" or not any(owner.kind in _OF_BLOCKS for owner in owners):
                self.bindings.setdefault(binding.name, []).append(binding)


class Files:
    """The C and C++ files of one snapshot; made once and kept with it.

    Args:
        world: the snapshot.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables: dict[str, Table] = {}
        self._closures: dict[str, frozenset[str]] = {}
        self._named: dict[str, tuple[tuple[str, str], ...]] = {}
        self._by_base: dict[str, list[str]] | None = None

    def table(self, path: str) -> Table:
        """Return what a file says."""
        table = self._tables.get(path)
        if table is None:
            table = self._tables[path] = Table(path, self._world)
        return table

    def named(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return file and qualified name of every symbol with this last name."""
        found = self._named.get(name)
        if found is None:
            pairs = (address.partition("::")[::2] for address in self._world.defining(name))
            found = tuple(sorted(pair for pair in pairs if pair[0].lower().endswith(SUFFIXES)))
            self._named[name] = found
        return found

    def symbols(self, path: str, qualified: str) -> list[Symbol]:
        """Return the symbols of a file with a qualified name."""
        return self.table(path).symbols.get(qualified, [])

    def closure(self, path: str) -> frozenset[str]:
        """Return a file and all it includes, directly or not."""
        known = self._closures.get(path)
        if known is None:
            seen = {path}
            todo = [path]
            while todo and len(seen) < _MOST_INCLUDED:
                current = todo.pop()
                for taken in self.table(current).imports:
                    target = self.include(current, taken.module) if taken.module[:1] in {'"', "<"} else None
                    if target is not None and target not in seen:
                        seen.add(target)
                        todo.append(target)
            if len(self._closures) >= _MOST_CLOSURES:
                self._closures.clear()
            known = self._closures[path] = frozenset(seen)
        return known

    def include(self, path: str, written: str) -> str | None:
        """Return the file that ``"x.h"`` or ``<x.h>`` names in a file; None if it is not of this repository."""
        name = written[1:-1]
        paths = self._world.paths
        here = os.path.dirname(path)
        if not name or name.startswith("/"):
            return None
        if written[0] == '"':
            beside = os.path.normpath(os.path.join(here, name))
            if beside in paths:
                return beside
        elif name.removesuffix(".h") in _STANDARD:
            return None
        while True:
            for folder in _FOLDERS:
                wanted = os.path.normpath(os.path.join(here, folder, name))
                if wanted in paths:
                    return wanted
            if not here:
                return self._by_suffix(os.path.normpath(name))
            here = os.path.dirname(here)

    def _by_suffix(self, name: str) -> str | None:
        """Return the only file whose path ends so."""
        if self._by_base is None:
            self._by_base = {}
            for path in self._world.paths:
                if path.lower().endswith(SUFFIXES):
                    self._by_base.setdefault(os.path.basename(path), []).append(path)
        found = [path for path in self._by_base.get(os.path.basename(name), ()) if path.endswith("/" + name)]
        return found[0] if len(found) == 1 else None
