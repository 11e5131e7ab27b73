"""The facts of one file, laid out to be looked up by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.imports import LANGUAGES, Project
from bespeak_symbols.native.javascript.scopes import LOCALS, join

if TYPE_CHECKING:
    from bespeak_symbols.model import Binding, Facts, Import, Reference, Symbol, World


_KEPT = "javascript"
VALUES = frozenset({"constant", "variable"})
"""Kinds of symbols that hold something else."""
_APART = frozenset({"class", "function", "constant"})


class Table:
    """What one file says, by name."""

    __slots__ = (
        "bindings",
        "doubled",
        "exports",
        "holders",
        "imports",
        "inherits",
        "passed",
        "script",
        "stars",
        "symbols",
    )

    def __init__(self, facts: Facts) -> None:
        self.symbols: dict[str, Symbol] = {}
        self.holders: set[str] = set()
        """Names that have members."""
        self.doubled: set[str] = set()
        """Names that more than one class, function or object has, so that their members cannot be told apart."""
        for symbol in facts.symbols:
            known = self.symbols.get(symbol.name)
            if known is None or (known.kind in VALUES and symbol.kind not in VALUES):
                self.symbols[symbol.name] = symbol
            elif symbol.kind in _APART and known.kind in _APART:
                self.doubled.add(symbol.name)
            self._hold(symbol.name)
        self.bindings: dict[str, list[Binding]] = {}
        for binding in facts.bindings:
            self.bindings.setdefault(binding.name, []).append(binding)
            self._hold(binding.name)
        self.imports: dict[str, Import] = {}
        self.passed: dict[str, Import] = {}
        self.stars: list[Import] = []
        for one in facts.imports:
            if not one.exported:
                self.imports[join(one.within, one.local)] = one
            elif one.local == "*":
                self.stars.append(one)
            else:
                self.passed[one.local] = one
        self.inherits: dict[str, list[Reference]] = {}
        for reference in facts.references:
            if reference.kind == "inherit":
                self.inherits.setdefault(reference.within, []).append(reference)
        self.exports = frozenset(facts.exports or ())
        self.script = facts.exports is None and not facts.imports and "exports" not in self.holders

    def _hold(self, name: str) -> None:
        owner = name.rpartition(".")[0]
        while owner and owner not in self.holders and not owner.endswith(LOCALS):
            self.holders.add(owner)
            owner = owner.rpartition(".")[0]


class Tables:
    """The tables of all files of one snapshot, made when they are asked for.

    Args:
        world: the snapshot.
    """

    __slots__ = ("_tables", "project", "taken", "world")

    def __init__(self, world: World) -> None:
        self.world = world
        self.project = Project(world)
        self._tables: dict[str, Table | None] = {}
        self.taken: dict[tuple[str, str], object] = {}
        """What others can take from a file, once it was worked out; kept by what works it out."""

    def of(self, path: str) -> Table | None:
        """Return the table of a file; None if it is none of these languages."""
        if path not in self._tables:
            facts = self.world.facts(path) if self.world.paths.get(path) in LANGUAGES else None
            self._tables[path] = Table(facts) if facts is not None else None
        return self._tables[path]


def tables_of(world: World) -> Tables:
    """Return the tables of a snapshot, the same ones each time."""
    kept = world.memo.get(_KEPT)
    if not isinstance(kept, Tables) or kept.world is not world:
        kept = world.memo[_KEPT] = Tables(world)
    return kept
