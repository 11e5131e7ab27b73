"""The names of one file by the scope that binds them, made once a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.model import Binding, Import, Symbol

if TYPE_CHECKING:
    from bespeak_symbols.model import Facts, World


Entry = Symbol | Binding | Import


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
