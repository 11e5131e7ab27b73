"""What has been found of a Python file so far, and the scope in which the walk stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import Binding, Import, Reference
from bespeak_symbols.native.python.expressions import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node

    from bespeak_symbols.model import Symbol

MODULE, CLASS, FUNCTION = "module", "class", "function"


class Scope:
    """Where a name is looked up first.

    Args:
        name: the symbol whose scope it is; empty for the file.
        kind: module, class or function.
        above: the scope around it.
        known: names of comprehensions and lambdas, and what they stand for.

    ``elsewhere`` has the names that are bound in another scope (``global``), ``receiver`` the qualified name of the
    first parameter of a method.
    """

    __slots__ = ("above", "elsewhere", "kind", "known", "name", "receiver")

    def __init__(self, name: str, kind: str, above: Scope | None, known: Mapping[str, str]) -> None:
        self.name = name
        self.kind = kind
        self.above = above
        self.known = known
        self.elsewhere: dict[str, str] = {}
        self.receiver = ""

    def inside(self, name: str) -> str:
        """Return the qualified name of something bound here."""
        where = self.elsewhere.get(name, self.name)
        return f"{where}.{name}" if where else name

    def knowing(self, names: Mapping[str, str]) -> Scope:
        """Return the same scope, inside a comprehension or a lambda."""
        scope = Scope(self.name, self.kind, self.above, {**self.known, **names})
        scope.elsewhere = self.elsewhere
        scope.receiver = self.receiver
        return scope

    @property
    def owner(self) -> str:
        """The class around a function; empty if there is none."""
        return self.above.name if self.above is not None and self.above.kind == CLASS else ""


class State:
    """Collects facts."""

    def __init__(self, source: bytes, root: Node) -> None:
        self.tokens = syntax.Tokens(source, root)
        self.symbols: list[Symbol] = []
        self.imports: list[Import] = []
        self.references: list[Reference] = []
        self.bindings: list[Binding] = []
        self.exports: list[str] | None = None
        self.defined: set[int] = set()
        self.annotated: set[str] = set()
        self.decorated: dict[int, Node] = {}
        self.held: list[tuple[str, Binding]] = []

    def refer(self, text: str, kind: str, node: Node, scope: Scope, arguments: int = -1) -> None:
        """Note that a name is called or used."""
        if text != UNKNOWN and not text.startswith(("str.()", "int.()", "None")):
            self.references.append(Reference(text, kind, syntax.first_line(node), scope.name, arguments))

    def bind(self, name: str, target: str, how: str, node: Node, within: str) -> None:
        """Note what a name stands for; ``within`` is where the target is to be read."""
        if target.startswith(UNKNOWN) and how != "value":
            target, how = "", "value"
        self.bindings.append(Binding(name, target, how, syntax.first_line(node), within=within))

    def hold(self, name: str, target: str, how: str, node: Node, scope: Scope) -> None:
        """Note what is put into a collection; whose variable that is turns out when all names are known."""
        if not target.startswith((UNKNOWN, "str.()", "int.()", "bool.()", "None.()")):
            self.held.append((scope.name, Binding(name, target, how, syntax.first_line(node), within=scope.name)))

    def settle(self) -> None:
        """Give what was put into collections to the innermost variable of that name."""
        known = {bound.name for bound in self.bindings} | {symbol.name for symbol in self.symbols}
        for scope, put in self.held:
            places = (f"{scope}.{put.name}", put.name) if "." not in put.name else (put.name,)
            name = next((place for place in places if place in known), "")
            if name:
                self.bindings.append(replace(put, name=name))

    def take(self, local: str, module: str, name: str, node: Node, scope: Scope) -> None:
        """Note an import."""
        self.imports.append(Import(local, module, name, syntax.first_line(node), scope.name, exported=not scope.name))
