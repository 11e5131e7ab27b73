"""What has been found of a Python file so far, and the scope in which the walk stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, Binding, Import, Reference
from bespeak_symbols.native.python.expressions import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node

    from bespeak_symbols.model import Symbol

MODULE, CLASS, FUNCTION = "module", "class", "function"
GIVEN = "given"
"""How a parameter is bound to what a call gives it."""
APPENDED = "[+]"
"""The key of what is put behind the items that a list was made with."""


@dataclass(slots=True)
class Parameters:
    """The parameters of one function.

    Args:
        receiver: ``self`` or ``class`` if the first is that; empty if it is none.
        positional: the names of those that can be given by position, in order, the receiver too.
        open: those about which nothing is declared, with their lines.
    """

    receiver: str
    positional: list[str]
    open: dict[str, int]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that gives names to what it calls.

    Args:
        function: what is called, as dotted text.
        given: the arguments; what a decorator is given is no expression of the file, but a text.
        scope: where the call stands.
    """

    function: str
    given: tuple[Node | str, ...]
    scope: Scope


class Scope:
    """Where a name is looked up first.

    Args:
        name: the symbol whose scope it is; empty for the file.
        kind: module, class or function.
        above: the scope around it.
        known: names of comprehensions and lambdas, and what they stand for.

    ``elsewhere`` has the names that are bound in another scope (``global``), ``receiver`` the qualified name of the
    first parameter of a method. What stands in a lambda is done ``later``.
    """

    __slots__ = ("above", "elsewhere", "kind", "known", "later", "name", "receiver")

    def __init__(self, name: str, kind: str, above: Scope | None, known: Mapping[str, str]) -> None:
        self.name = name
        self.kind = kind
        self.above = above
        self.known = known
        self.elsewhere: dict[str, str] = {}
        self.receiver = ""
        self.later = False

    def inside(self, name: str) -> str:
        """Return the qualified name of something bound here."""
        where = self.elsewhere.get(name, self.name)
        return f"{where}.{name}" if where else name

    def knowing(self, names: Mapping[str, str]) -> Scope:
        """Return the same scope, inside a comprehension or a lambda."""
        scope = Scope(self.name, self.kind, self.above, {**self.known, **names})
        scope.elsewhere = self.elsewhere
        scope.receiver = self.receiver
        scope.later = self.later
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
        self.held: list[tuple[str, Binding, Node]] = []
        self.raised: list[tuple[str, Node, Scope]] = []
        self.calls: list[Call] = []
        self.places: list[Node] = []
        self.later: set[int] = set()
        self.scopes: dict[str, str] = {"": MODULE}
        self.parameters: dict[str, Parameters] = {}

    def refer(self, text: str, kind: str, node: Node, scope: Scope, arguments: int = -1) -> None:
        """Note that a name is called or used."""
        if text != UNKNOWN and not text.startswith(("str.()", "int.()", "None")):
            if scope.later:
                self.later.add(len(self.references))
            self.references.append(Reference(text, kind, syntax.first_line(node), scope.name, arguments))

    def bind(self, name: str, target: str, how: str, node: Node, within: str, key: str = "") -> None:
        """Note what a name stands for; ``within`` is where the target is to be read."""
        if target.startswith(UNKNOWN) and how != "value":
            target, how = "", "value"
        self.bindings.append(Binding(name, target, how, syntax.first_line(node), within=within, key=key))
        self.places.append(node)

    def hold(self, name: str, target: str, how: str, node: Node, scope: Scope, key: str = "") -> None:
        """Note what is put into a collection; whose variable that is turns out when all names are known."""
        if not target.startswith((UNKNOWN, "str.()", "int.()", "bool.()", "None.()")):
            put = Binding(name, target, how, syntax.first_line(node), within=scope.name, key=key)
            self.held.append((scope.name, put, node))

    def settle(self) -> None:
        """Give what was put into collections to the innermost variable of that name."""
        known = {bound.name for bound in self.bindings} | {symbol.name for symbol in self.symbols}
        for scope, put, node in self.held:
            places = (f"{scope}.{put.name}", put.name) if "." not in put.name else (put.name,)
            name = next((place for place in places if place in known), "")
            if name:
                self.bindings.append(replace(put, name=name))
                self.places.append(node)
        for text, node, place in self.raised:
            if f"{place.name}.{text.partition('.')[0]}" not in known:
                self.refer(f"{text}.__init__", CALL, node, place)

    def take(self, local: str, module: str, name: str, node: Node, scope: Scope) -> None:
        """Note an import."""
        self.imports.append(Import(local, module, name, syntax.first_line(node), scope.name, exported=not scope.name))
