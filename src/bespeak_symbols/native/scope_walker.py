"""The walk that Java and Rust share: it knows the symbols and blocks it is in, and the local names in them.

Both languages declare a name before or beside its use and let inner blocks hide it, so the walk can say of each name
whether it is a local variable, and of which declaration; what is no local is left to the resolver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, Binding, Facts, Import, Reference, Symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node

UNKNOWN = "()"
"""The first part of an expression that begins with something that has no name."""

FROM = "from"
"""How a local name is bound that is what an expression comes to."""

LONGEST_CHAIN = 24
_LONGEST_TYPE = 300


class Local:
    """A local variable; it is written to the facts when something refers to it."""

    __slots__ = ("base", "how", "line", "name", "place", "target")

    def __init__(self, name: str, target: str, how: str, line: int, base: Local | None) -> None:
        self.name = name
        self.target = target
        self.how = how
        self.line = line
        self.base = base
        self.place = -1


class Open:
    """A symbol that the walk is inside of."""

    __slots__ = ("bases", "body", "doc", "first", "inner", "kind", "name", "node", "place", "signature")

    def __init__(self, name: str, kind: str, node: Node, signature: str, body: tuple[Node | None, ...]) -> None:
        self.name = name
        self.kind = kind
        self.node = node
        self.signature = signature
        self.body = body
        self.bases: tuple[str, ...] = ()
        self.doc = ""
        self.first = syntax.first_line(node)
        self.inner: list[Node] = []
        self.place = 0


class ScopeWalker:
    """Walks the tree of one file and collects what it says.

    Args:
        source: any bytes.
        language: its name, which is also that of its grammar.
    """

    handlers: ClassVar[dict[str, Callable[[Any, Node], None]]] = {}
    transparent: ClassVar[frozenset[str]] = frozenset()
    """Nodes that may stand between a documentation comment and what it is about."""

    def __init__(self, source: bytes, language: str) -> None:
        self.source = source
        self.language = language
        self.root = syntax.parse(source, language).root_node
        self.tokens = syntax.Tokens(source, self.root)
        self.package = ""
        self.imports: list[Import] = []
        self.bindings: list[Binding] = []
        self.scopes: list[dict[str, Local | None]] = [{}]
        self.above: list[Node] = []
        self._symbols: list[Symbol | None] = []
        self._open: list[Open] = []
        self._references: dict[tuple[str, str, str, int, int], Reference] = {}
        self._todo: list[Node | tuple[Callable[..., None], tuple[object, ...]]] = []

    # The walk.

    def facts(self) -> Facts:
        """Walk the tree and return all that was collected."""
        todo = self._todo
        todo.append(self.root)
        while todo:
            item = todo.pop()
            if type(item) is tuple:
                item[0](*item[1])
            else:
                self._visit(item)  # type: ignore[arg-type]
        return Facts(
            language=self.language,
            symbols=tuple(symbol for symbol in self._symbols if symbol is not None),
            imports=tuple(self.imports),
            references=tuple(self._references.values()),
            bindings=tuple(self.bindings),
            unread=syntax.unread(self.root),
            package=self.package,
        )

    def _visit(self, node: Node) -> None:
        kind = node.type
        handler = self.handlers.get(kind)
        above = self.above
        if handler is not None:
            handler(self, node)
        else:
            self._todo.extend(reversed(node.named_children))
        if above and above is self.above and kind not in self.transparent:
            self.above = []

    def then(self, *items: Node | tuple[Callable[..., None], tuple[object, ...]] | None) -> None:
        """Walk these nodes and call these functions next, in this order."""
        self._todo.extend(item for item in reversed(items) if item is not None)

    def text(self, node: Node | None) -> str:
        """Return what a node covers."""
        return "" if node is None else self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def type_text(self, node: Node | None) -> str:
        """Return a type as written, without blanks that mean nothing; empty if it is too long to be of use."""
        if node is None or node.end_byte - node.start_byte > _LONGEST_TYPE:
            return ""
        return self.tokens.line(node)

    # Symbols.

    @property
    def within(self) -> str:
        """The name of the innermost symbol."""
        return self._open[-1].name if self._open else ""

    @property
    def around(self) -> str:
        """The kind of the innermost symbol; empty at the top of the file."""
        return self._open[-1].kind if self._open else ""

    def qualified(self, name: str) -> str:
        """Return the name of something that is defined here."""
        return f"{self._open[-1].name}.{name}" if self._open else name

    def define(
        self,
        node: Node,
        name: str,
        kind: str,
        signature: Iterable[Node | None],
        body: tuple[Node | None, ...],
        inside: Iterable[Node | tuple[Callable[..., None], tuple[object, ...]] | None] = (),
        bases: tuple[str, ...] = (),
    ) -> None:
        """Add a symbol, and walk what is inside it; if its name cannot be read, only that.

        Args:
            node: all of it.
            name: the qualified name.
            kind: see the model.
            signature: the nodes that make up the signature.
            body: the nodes that make up the body.
            inside: what to walk, or call, within it.
            bases: what it derives from, as written.
        """
        if not name.rpartition(".")[2]:
            self.then(*inside)
            return
        symbol = Open(name, kind, node, self.tokens.line(*signature), body)
        symbol.bases = bases
        above, self.above = self.above, []
        if above:
            symbol.first = syntax.first_line(above[0])
            words = [word for part in above for word in self.documentation(part).split()]
            symbol.doc = syntax.digest(word.encode() for word in words) if words else ""
        if self._open:
            self._open[-1].inner.append(node)
        symbol.place = len(self._symbols)
        self._symbols.append(None)
        self._open.append(symbol)
        self.then(*inside, (self._close, ()))

    def _close(self) -> None:
        symbol = self._open.pop()
        short = symbol.name.rpartition(".")[2]
        body = symbol.body if any(symbol.body) else ()
        self._symbols[symbol.place] = Symbol(
            name=symbol.name,
            kind=symbol.kind,
            first_line=symbol.first,
            last_line=syntax.last_line(symbol.node),
            signature=symbol.signature,
            body=self.tokens.digest(*body),
            doc=symbol.doc,
            bases=symbol.bases,
            own=self.tokens.digest(*body, without=symbol.inner, name=short),
        )

    def documentation(self, node: Node) -> str:
        """Return the documentation in a node above a symbol; empty if it is none."""
        return self.text(node) if node.type in syntax.COMMENTS else ""

    # Names.

    def open_scope(self) -> None:
        """Begin a block."""
        self.scopes.append({})

    def close_scope(self) -> None:
        """End a block."""
        self.scopes.pop()

    def scoped(
        self, *items: Node | tuple[Callable[..., None], tuple[object, ...]] | None
    ) -> tuple[Node | tuple[Callable[..., None], tuple[object, ...]] | None, ...]:
        """Return these steps of the walk with a block around them."""
        return ((self.open_scope, ()), *items, (self.close_scope, ()))

    def local(self, name: str) -> Local | None:
        """Return the local variable that a name means here."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def declare(self, name: str, target: str, how: str, line: int, base: Local | None = None) -> None:
        """Bind a local name from here on to the end of its block.

        Args:
            name: of the variable.
            target: a type, or an expression with dots; empty if nothing is known.
            how: ``type``, or :data:`FROM`.
            line: from 1.
            base: the local variable with which ``target`` begins.
        """
        self.scopes[-1][name] = Local(self.qualified(name), target, how if target else "value", line, base)

    def place(self, local: Local | None) -> int:
        """Return where a local variable is in the bindings; -1 for none."""
        waiting = []
        while local is not None and local.place < 0:
            waiting.append(local)
            local = local.base
        for one in reversed(waiting):
            one.place = len(self.bindings)
            bound = -1 if one.base is None else one.base.place
            self.bindings.append(Binding(one.name, one.target, one.how, one.line, bound))
        return waiting[0].place if waiting else -1 if local is None else local.place

    def bind(self, name: str, target: str, how: str, node: Node) -> None:
        """Say what a name of the file stands for."""
        self.bindings.append(Binding(name, target, how, syntax.first_line(node)))

    def refer(self, text: str, kind: str, node: Node, local: Local | None = None, arguments: int = -1) -> None:
        """Say that something is called or used here, once for each symbol in which that is so."""
        within = self.within
        if local is not None and "." not in text and kind != CALL:
            return
        key = (text, kind, within, -1 if local is None else self.place(local), arguments)
        if key not in self._references:
            self._references[key] = Reference(text, kind, syntax.first_line(node), within, arguments, key[3])
