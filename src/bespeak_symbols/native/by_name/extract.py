"""What a file says, for languages that are read by name: one walk over its tree, after a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, INHERIT, USE, Facts, Reference, Symbol
from bespeak_symbols.native import registry
from bespeak_symbols.native.by_name.tables import ALL, FIRST, LAST, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from bespeak_symbols.native.by_name.tables import Table

_CALLABLE = frozenset({"function", "method"})
_VALUES = frozenset({"variable", "constant"})
_COMMENTS = syntax.COMMENTS | {"multiline_comment", "marginalia"}
_ANY = "()"
"""Stands for what is before a dot and is no name."""
_OWN = "self"
_NAME_FIRST = frozenset({"generic_name", "generic_type", "generic_function", "user_type", "constructor_invocation"})
"""Nodes with a name and what it is made with."""
_LONGEST = 200
"""Of what stands before a dot, in bytes."""


def extract(source: bytes, path: str) -> Facts:
    """Return what a file says. Its language is that of its suffix."""
    language = registry.language_of(path) or ""
    return _Walk(source, language, TABLES[language]).facts()


@dataclass(slots=True)
class _Scope:
    """A definition that is being walked.

    Args:
        name: qualified.
        kind: of the symbol.
        local: names that it binds for itself.
        inner: the definitions inside it.
        bases: what it derives from.
    """

    name: str = ""
    kind: str = ""
    node: Node | None = None
    above: _Scope | None = None
    local: set[str] = field(default_factory=set)
    inner: list[Node] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)

    def hides(self, name: str) -> bool:
        """Tell whether a name is bound in a function around."""
        scope: _Scope | None = self
        while scope is not None and scope.kind in _CALLABLE:
            if name in scope.local:
                return True
            scope = scope.above
        return False


class _Walk:
    """Walks one file."""

    def __init__(self, source: bytes, language: str, table: Table) -> None:
        self.source, self.language, self.table = source, language, table
        self.root = syntax.parse(source, table.grammar).root_node
        self.tokens = syntax.Tokens(source, self.root, _COMMENTS)
        self.scopes: list[_Scope] = []
        self.found: list[tuple[_Scope, Reference]] = []
        self.values: set[str] = set()
        self.done: set[int] = set()
        self.called: set[int] = set()

    def facts(self) -> Facts:
        """Return what the file says."""
        self._walk()
        symbols = tuple(self._symbol(scope) for scope in self.scopes)
        uses = tuple(
            use for scope, use in self.found if use.kind == CALL or "." in use.text or not scope.hides(use.text)
        )
        return Facts(self.language, symbols, references=uses, unread=syntax.unread(self.root))

    def _walk(self) -> None:
        stack: list[tuple[Node, _Scope, bool]] = [(self.root, _Scope(), False)]
        while stack:
            node, scope, derives = stack.pop()
            kind = node.type
            if kind in self.table.skipped:
                continue
            inside = self._definition(node, scope) or scope
            self._bind(node, inside)
            if kind in self.table.calls:
                self._note_call(node, inside)
            if kind in self.table.members:
                self._member(node, inside, derives=derives)
            if kind in self.table.names and not node.named_child_count:
                self._use(node, inside, self._text(node), derives=derives)
            derives = derives or kind in self.table.heirs
            stack.extend((child, inside, derives) for child in reversed(node.named_children))

    def _text(self, node: Node) -> str:
        return syntax.text_of(self.source, node).replace("::", ".").replace(":", ".").strip(".")

    def _fields(self, node: Node, of: str) -> list[Node]:
        """Return the children that a table means by a field."""
        if of == ALL:
            return [child for child in node.named_children if child.type in self.table.names]
        if of in {FIRST, LAST}:
            return node.named_children[:1] if of == FIRST else node.named_children[-1:]
        found = node.children_by_field_name(of) if of else []
        return found or [child for child in node.named_children if child.type == of]

    def _leaf(self, node: Node | None) -> Node | None:
        """Return the first name in a node."""
        if node is None:
            return None
        return next((one for one in syntax.walk(node) if one.type in self.table.names or one.type == "word"), None)

    def _callee(self, node: Node) -> Node | None:
        """Return the name of what is called, from the expression before the arguments."""
        while node.type not in self.table.members and node.named_child_count:
            node = node.named_children[0 if node.type in _NAME_FIRST else -1]
        if node.type in self.table.members:
            return self._leaf(next(iter(self._fields(node, self.table.members[node.type][1])), None))
        return self._leaf(node)

    def _definition(self, node: Node, above: _Scope) -> _Scope | None:
        kind = self.table.definitions.get(node.type)
        if kind is None or (kind in _VALUES and above.kind in _CALLABLE):
            return None
        if self.table.held.get(node.type, above.kind) != above.kind:
            return None
        named = next(iter(self._fields(node, self.table.named.get(node.type, "name"))), None)
        fixed = self.table.fixed.get(node.type, "")
        if named is None:
            if not fixed:
                return None
        elif self.table.only.get(node.type, named.type) != named.type:
            return None
        name = _joined(above.name, fixed if fixed or named is None else self._text(named).replace("$", ""))
        if kind in _VALUES and name in self.values:
            return None  # given another value
        if kind in _VALUES:
            self.values.add(name)
        if named is not None and not fixed:
            self.done.update(leaf.start_byte for leaf in syntax.walk(named))
            kind = "namespace" if named.type == "user_type" else kind  # an extension of Swift: there may be many
        if kind == "function" and above.kind and above.kind not in _CALLABLE:
            kind = "method"
        scope = _Scope(name, kind, node, above)
        above.inner.append(node)
        self.scopes.append(scope)
        return scope

    def _bind(self, node: Node, scope: _Scope) -> None:
        of = self.table.binds.get(node.type)
        for child in self._fields(node, of) if of is not None else ():
            leaf = self._leaf(child)
            if leaf is not None and leaf.end_byte == child.end_byte:
                scope.local.add(self._text(leaf))
                self.done.add(leaf.start_byte)

    def _note_call(self, node: Node, scope: _Scope) -> None:
        for function in self._fields(node, self.table.calls[node.type]):
            leaf = self._callee(function)
            if leaf is not None:
                self.called.add(leaf.start_byte)
                if leaf.type == "word":  # of a shell: a name only here
                    self._use(leaf, scope, self._text(leaf), derives=False)

    def _member(self, node: Node, scope: _Scope, *, derives: bool) -> None:
        before, after = self.table.members[node.type]
        last = next(iter(self._fields(node, after)), None)
        leaf = self._leaf(last)
        first = next(iter(self._fields(node, before)), None)
        if leaf is None or first is None or first == last or leaf.start_byte in self.done:
            return
        short = first.end_byte - first.start_byte <= _LONGEST
        receiver = self._text(first) if short else _ANY
        if receiver in self.table.itself:
            receiver = _OWN
        elif not all(part.isidentifier() for part in receiver.split(".")):
            receiver = _ANY
        self._use(leaf, scope, f"{receiver}.{self._text(leaf)}", derives=derives)

    def _use(self, leaf: Node, scope: _Scope, text: str, *, derives: bool) -> None:
        if leaf.start_byte in self.done or text in self.table.itself or text.isdigit():
            return
        self.done.add(leaf.start_byte)
        kind = INHERIT if derives else CALL if leaf.start_byte in self.called else USE
        if derives:
            scope.bases.append(text)
        self.found.append((scope, self._reference(leaf, text, kind, scope.name)))

    @staticmethod
    def _reference(leaf: Node, text: str, kind: str, within: str) -> Reference:
        return Reference(text, kind, syntax.first_line(leaf), within)

    def _symbol(self, scope: _Scope) -> Symbol:
        node = scope.node or self.root
        comments = list(_comments_above(node))
        body = node.child_by_field_name("body")
        bodies = [child for child in node.named_children if child.type in self.table.bodies or child == body]
        last = scope.name.rpartition(".")[2]
        signature = [child for child in node.children if child not in bodies]
        return Symbol(
            scope.name,
            scope.kind,
            syntax.first_line(comments[-1] if comments else node),
            syntax.last_line(node),
            self.tokens.line(*signature) if scope.kind not in _VALUES else "",
            self.tokens.digest(*(bodies if scope.kind not in _VALUES else [node])),
            syntax.digest(syntax.text_of(self.source, one).encode() for one in comments) if comments else "",
            tuple(scope.bases),
            self.tokens.digest(*(bodies if scope.kind not in _VALUES else [node]), without=scope.inner, name=last),
        )


def _joined(above: str, name: str) -> str:
    return f"{above}.{name}" if above else name


def _comments_above(node: Node) -> Iterator[Node]:
    """Yield the comments that stand directly above a definition, from the nearest one on."""
    line, before = node.start_point[0], node.prev_named_sibling
    while before is not None and before.type in _COMMENTS and before.end_point[0] in {line - 1, line}:
        above = before.prev_named_sibling
        if above is not None and above.end_point[0] == before.start_point[0] and above.type not in _COMMENTS:
            return  # behind something else on its line
        yield before
        line, before = before.start_point[0], above
