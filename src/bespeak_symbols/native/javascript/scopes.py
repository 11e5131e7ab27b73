"""Scopes of a JavaScript file, and what is gathered while its tree is walked.

A scope is filled while the tree is walked and asked only afterwards, so hoisting needs no pass of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bespeak_symbols.model import Import

if TYPE_CHECKING:
    from tree_sitter import Node

LOCALS = "<locals>"
"""Part of the name of a variable inside a function: such a variable is no member of the function."""
_DEEPEST = 200
"""Scopes nested deeper share one: looking a name up stays cheap in sources that were made to hurt."""
_DEEPEST_NAME = 24
"""Parts that the name of a symbol may have; what is nested deeper belongs to the symbol around it."""
_LONGEST_NAME = 120


class Declared:
    """One declaration of a name.

    Args:
        name: as written.
        owner: the symbol it is declared in.
        line: from 1.
        sort: ``symbol``, ``import`` or ``local``.
        key: its name in the facts; those of locals are given when all symbols are known.
        typed: its type is written down, so what is assigned to it later says no more.
    """

    __slots__ = ("key", "line", "name", "owner", "sort", "typed")

    def __init__(self, name: str, owner: str, line: int, sort: str, key: str = "") -> None:
        self.name = name
        self.owner = owner
        self.line = line
        self.sort = sort
        self.key = key
        self.typed = False


class Chain:
    """An expression as names.

    Args:
        parts: first to last; ``()`` for the result of a call, ``[]`` for an item.
        base: the node that the first part stands for, if it is more than a name.
        rest: nodes inside that have to be looked at for themselves.
        declared: what the first part stands for, if no name says so.
    """

    __slots__ = ("base", "declared", "parts", "rest")

    def __init__(self, parts: list[str], declared: Declared | None = None) -> None:
        self.parts = parts
        self.base: Node | None = None
        self.rest: list[Node] = []
        self.declared = declared

    def then(self, *parts: str) -> Chain:
        """Return the chain with more parts."""
        longer = Chain([*self.parts, *parts], self.declared)
        longer.base = self.base
        return longer


class Scope:
    """A part of the source that has names of its own.

    Args:
        parent: the scope around it.
        sort: ``module``, ``namespace``, ``function``, ``class`` or ``block``.
        symbol: the symbol that what stands here belongs to; empty for the top level.
        this: what ``this`` stands for: the name of a class or object, empty if nothing tells.
        later: the symbol that functions without a name belong to, if not ``symbol``.
        result: the name of what the function returns; empty if it has no name.
    """

    __slots__ = ("depth", "later", "names", "parent", "result", "sort", "symbol", "this")

    def __init__(self, parent: Scope | None, sort: str, symbol: str, this: str = "") -> None:
        self.parent = parent
        self.sort = sort
        self.symbol = symbol
        self.this = this
        self.later = ""
        self.result = ""
        self.names: dict[str, Declared] = {}
        self.depth: int = parent.depth + 1 if parent is not None else 0

    def block(self, symbol: str | None = None) -> Scope:
        """Return a scope inside this one that keeps its ``this`` and what it returns."""
        if self.depth >= _DEEPEST and symbol is None:
            return self
        inner = Scope(self, "block", self.symbol if symbol is None else symbol, self.this)
        inner.later = self.later if symbol is None else symbol
        inner.result = self.result
        return inner

    def function(self, symbol: str, this: str) -> Scope:
        """Return the scope of a function inside this one."""
        parent = self if self.depth < _DEEPEST else self.parent or self
        inner = Scope(parent, "function", symbol, this)
        inner.later = symbol
        return inner

    def home(self) -> Scope:
        """Return the scope in which ``var`` declares: that of the function around, or of the file."""
        scope = self
        while scope.sort in {"block", "class"} and scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def top(self) -> bool:
        """What is declared here with ``const`` is a symbol: it is no local of a function."""
        return self.sort in {"module", "namespace"}

    def find(self, name: str) -> Declared | None:
        """Return what a name means here; None if nothing in the file declares it."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None


def join(owner: str, name: str) -> str:
    """Return the name of what is called ``name`` inside ``owner``."""
    return f"{owner}.{name}" if owner else name


@dataclass(frozen=True, slots=True)
class Draft:
    """A symbol as it is found.

    Args:
        name: qualified.
        kind: as in :class:`~bespeak_symbols.model.Symbol`.
        outer: the node with all of it.
        body: what its body digest is about; None for a mere declaration.
        signature: the nodes its signature is made of.
        words: modifiers that come first in the signature.
        bases: what it derives from, as written.
    """

    name: str
    kind: str
    outer: Node
    body: Node | None
    signature: tuple[Node | None, ...] = ()
    words: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()


class Mention:
    """A chain of names that is called, used or derived from, and where; there are many, so it is made by hand."""

    __slots__ = ("arguments", "chain", "kind", "line", "scope", "within")

    def __init__(self, chain: Chain, kind: str, line: int, scope: Scope, within: str, arguments: int) -> None:
        self.chain = chain
        self.kind = kind
        self.line = line
        self.scope = scope
        self.within = within
        self.arguments = arguments


@dataclass(frozen=True, slots=True)
class Bound:
    """A name that is bound; ``chain`` is None if to something that has no name.

    The subject is what is declared, a qualified name, or a chain whose meaning the scope tells.
    """

    subject: Declared | str | Chain
    chain: Chain | None
    how: str
    line: int
    scope: Scope


@dataclass(frozen=True, slots=True)
class Taken:
    """An import, and what it declares."""

    imported: Import
    declared: Declared | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk over one tree.

    Args:
        source: the bytes of the file.
        stack: nodes still to be looked at, each with its scope, the last one first.
        outers: the node around a declaration that belongs to it (``export``), by the id of the declaration.
        items: what the first parameter of a function is an item of, by the id of the function.
        objects: objects that functions return, each with its scope and the name that its members go by.
        bases: what expressions without a name stand for (``require("x")``, ``x as T``), by the id of the node.
        classlike: functions that are used as classes.
        exports: what others can take by name.
        modern: the kinds of statements that make the file a module.
    """

    source: bytes
    stack: list[tuple[Node, Scope]] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    locals: list[Declared] = field(default_factory=list)
    outers: dict[int, Node] = field(default_factory=dict)
    items: dict[int, Chain] = field(default_factory=dict)
    objects: list[tuple[Node, Scope, str]] = field(default_factory=list)
    bases: dict[int, Declared] = field(default_factory=dict)
    classlike: set[str] = field(default_factory=set)
    exports: list[str] = field(default_factory=list)
    modern: list[str] = field(default_factory=list)

    def text(self, node: Node) -> str:
        """Return what a node covers; bytes that are no text are replaced."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def push(self, scope: Scope, *nodes: Node | None) -> None:
        """Have nodes looked at later."""
        self.stack.extend((node, scope) for node in reversed(nodes) if node is not None)

    def inside(self, node: Node | None, scope: Scope) -> None:
        """Have all that is in a node looked at later."""
        if node is not None:
            self.stack.extend([(child, scope) for child in reversed(node.named_children)])

    def mention(
        self, chain: Chain, kind: str, at: Node, scope: Scope, *, within: str | None = None, arguments: int = -1
    ) -> None:
        """Note that something is called, used or derived from."""
        place = scope.symbol if within is None else within
        self.mentions.append(Mention(chain, kind, line_of(at), scope, place, arguments))

    def bind(self, subject: Declared | str | Chain, chain: Chain | None, how: str, at: Node, scope: Scope) -> None:
        """Note what a name is bound to."""
        if not isinstance(subject, Declared) or not subject.typed:
            self.bounds.append(Bound(subject, chain, how, line_of(at), scope))

    def local(self, name: str, scope: Scope, at: Node) -> Declared:
        """Declare a name that is no symbol."""
        declared = Declared(name, scope.symbol, line_of(at), "local")
        self.locals.append(declared)
        scope.names[name] = declared
        return declared

    def unnamed(self, scope: Scope, at: Node) -> Declared:
        """Return a declaration that no name of the source finds."""
        declared = Declared("(value)", scope.symbol, line_of(at), "local")
        self.locals.append(declared)
        return declared

    def symbol(self, draft: Draft) -> str:
        """Note a symbol and return its name; the name is empty if it is none that could be spoken of."""
        last = draft.name.rpartition(".")[2]
        if not named(last) or len(draft.name) > _DEEPEST_NAME * 20 or draft.name.count(".") >= _DEEPEST_NAME:
            return ""
        self.drafts.append(draft)
        return draft.name

    def import_(
        self, taken: tuple[str, str, str], at: Node, scope: Scope | None, *, exported: bool = False
    ) -> Declared:
        """Note an import.

        Args:
            taken: what it is called here, the module, what it is called there.
            at: where.
            scope: in which it is declared; None if its name is none of this file's.
            exported: others can take it from here.
        """
        local, module, name = taken
        within = scope.symbol if scope is not None and not scope.top else ""
        declared = Declared(local, within, line_of(at), "import")
        if scope is not None:
            if local:
                scope.names[local] = declared
            self.locals.append(declared)
        made = Import(local, module, name, line_of(at), within, exported)
        self.taken.append(Taken(made, declared if scope is not None else None))
        return declared


def line_of(node: Node) -> int:
    """Return the line a node begins in, from 1."""
    return int(node.start_point[0]) + 1


def named(name: str) -> bool:
    """Tell whether a name can be part of an address."""
    return (
        0 < len(name) <= _LONGEST_NAME
        and name.replace("#", "").replace("$", "").replace("-", "").replace("@", "").replace("_", "a").isalnum()
    )


def declare_symbol(scope: Scope, name: str, qualified: str, at: Node) -> Declared:
    """Declare a name that is a symbol; one that was declared before stays what it is."""
    known = scope.names.get(name)
    if known is not None and known.sort == "symbol":
        return known
    declared = Declared(name, scope.symbol, line_of(at), "symbol", qualified)
    scope.names[name] = declared
    return declared


def qualify(scope: Scope, name: str) -> str:
    """Return the qualified name of a symbol that is declared in a scope."""
    return join(scope.later or scope.symbol, name)
