"""Scopes of a JavaScript file: which declaration a name means at a place.

A scope is filled while the tree is walked and asked only afterwards, so hoisting needs no pass of its own.
"""

from __future__ import annotations

LOCALS = "<locals>"
"""Part of the name of a variable inside a function: such a variable is no member of the function."""
_DEEPEST = 200
"""Scopes nested deeper share one: looking a name up stays cheap in sources that were made to hurt."""


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
