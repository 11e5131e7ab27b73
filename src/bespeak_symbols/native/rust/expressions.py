"""Rust expressions, paths and the arguments of macros as dotted text.

Beyond names there are: ``()`` for the result of a call, ``[]`` for an item, ``@`` for each of the items in turn, ``?``
for what an option or a result holds, ``{}`` for an instance of the type before it, and ``&`` for a pointer that owns
it. What has no such form begins with ``()``.

To the parser the arguments of a macro are only tokens. Those of the standard library's macros are read as the
expressions they are; those of other macros may be anything, so names in them are used at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.model import CALL, USE
from bespeak_symbols.native.scope_walker import LONGEST_CHAIN, UNKNOWN

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import Local, ScopeWalker

_NAMES = frozenset({"identifier", "type_identifier", "field_identifier", "metavariable", "primitive_type"})
_WORDS = frozenset({"self", "super", "crate"})
_FIRST_INSIDE = frozenset(
    {"parenthesized_expression", "await_expression", "bracketed_type", "qualified_type", "mut_pattern"}
)
_BY_FIELD = {
    "generic_function": "function",
    "generic_type": "type",
    "generic_type_with_turbofish": "type",
    "reference_expression": "value",
    "reference_type": "type",
    "pointer_type": "type",
}
_POINTERS = frozenset({"Box::new", "Rc::new", "Arc::new"})
_MARKED = {
    "try_expression": ("", "?"),
    "index_expression": ("", "[]"),
    "struct_expression": ("name", "{}"),
    "type_cast_expression": ("type", "{}"),
}
_OF_TEXT = frozenset({"string_literal", "raw_string_literal"})
_OF_EXPRESSIONS = frozenset(
    {"assert", "assert_eq", "assert_ne", "bail", "dbg", "debug", "debug_assert", "debug_assert_eq", "debug_assert_ne"}
    | {"ensure", "eprint", "eprintln", "error", "format", "format_args", "info", "panic", "print", "println", "todo"}
    | {"trace", "unimplemented", "unreachable", "vec", "warn", "write", "writeln", "anyhow"}
)
_OF_FIRST = frozenset({"matches", "assert_matches", "debug_assert_matches"})
_NAME_TOKENS = frozenset({"identifier", "self", "super", "crate", "type_identifier", "primitive_type", "metavariable"})
_MARKS = frozenset({"()", "[]", "?"})


def chain(walker: ScopeWalker, node: Node | None) -> tuple[str, Local | None]:
    """Return an expression or a path as text, and the local variable with which it begins."""
    parts: list[str] = []
    local = None
    path = False
    while True:
        if node is None or len(parts) > LONGEST_CHAIN:
            parts.append(UNKNOWN)
            break
        kind = node.type
        if kind in _NAMES or kind in _WORDS:
            name = walker.text(node)
            if path and kind == "self":
                break
            parts.append(name)
            local = walker.local(name) if kind == "identifier" and not path else None
            break
        if kind in {"scoped_identifier", "scoped_type_identifier"}:
            path = True
            parts.append(walker.text(node.child_by_field_name("name")))
            node = node.child_by_field_name("path")
            if node is None:
                break
            continue
        following = _inner(walker, node, parts)
        if following is None:
            break
        node = following
    return ".".join(reversed(parts)), local


def _inner(walker: ScopeWalker, node: Node, parts: list[str]) -> Node | None:
    """Note what an expression adds, and return what it is about; None if the text ends here."""
    kind = node.type
    first = node.named_children[0] if node.named_children else None
    following: Node | None = None
    if kind in _BY_FIELD:
        following = node.child_by_field_name(_BY_FIELD[kind])
    elif kind in _FIRST_INSIDE or (kind == "unary_expression" and node.children[0].type == "*"):
        following = first
    elif kind == "field_expression":
        parts.append(walker.text(node.child_by_field_name("field")))
        following = node.child_by_field_name("value")
    elif kind == "call_expression":
        function = node.child_by_field_name("function")
        held = _held(walker, node, function)
        parts.append("()" if held is None else "&")
        following = held or function
    elif kind in _MARKED:
        field, mark = _MARKED[kind]
        parts.append(mark)
        following = node.child_by_field_name(field) if field else first
    if following is None:
        parts += ["{}", "str"] if kind in _OF_TEXT else [UNKNOWN]
    return following


def _held(walker: ScopeWalker, node: Node, function: Node | None) -> Node | None:
    """Return what ``Box::new(...)`` and its like hold; None for any other call."""
    if function is None or function.type != "scoped_identifier" or walker.text(function) not in _POINTERS:
        return None
    arguments = node.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    return given[0] if len(given) == 1 else None


def path_of(walker: ScopeWalker, node: Node | None) -> str:
    """Return a path as text; empty if it is none."""
    text, _ = chain(walker, node)
    return "" if UNKNOWN in text.split(".") else text


def invoked(walker: ScopeWalker, node: Node) -> None:
    """Read the use of a macro."""
    named = node.child_by_field_name("macro")
    path = path_of(walker, named)
    if path:
        walker.refer(path + ".!", CALL, node)
    tree = next((child for child in node.children if child.type == "token_tree"), None)
    if tree is not None:
        name = path.rpartition(".")[2]
        kind = CALL if name in _OF_EXPRESSIONS or name in _OF_FIRST else USE
        walker.then((scan, (walker, tree, kind, name in _OF_FIRST)))


def scan(walker: ScopeWalker, tree: Node, kind: str, first: bool = False) -> None:
    """Read the tokens between two brackets.

    Args:
        walker: to which it belongs.
        tree: the brackets and what is in them.
        kind: of the references to what has arguments.
        first: only the first argument is an expression.
    """
    _Scan(walker, kind, first=first).run(tree)


class _Scan:
    def __init__(self, walker: ScopeWalker, kind: str, *, first: bool = False) -> None:
        self.first = first
        self.walker = walker
        self.kind = kind
        self.parts: list[str] = []
        self.local: Local | None = None
        self.joined = ""
        self.bang = False
        self.at: Node | None = None

    def run(self, tree: Node) -> None:
        for token in tree.children:
            kind = token.type
            if kind == "token_tree":
                self._tree(token)
            elif kind in _NAME_TOKENS:
                self._name(token)
            elif kind in {".", "::"} and self.parts:
                self.joined = kind
            elif kind == "?" and self.parts:
                self.parts.append("?")
            elif kind == "!" and self.parts and not self.joined:
                self.bang = True
            elif kind == "integer_literal" and self.joined == ".":
                self.parts.append(self.walker.text(token))
                self.joined = ""
            else:
                self._end()
                if kind == "," and self.first:
                    self.kind = USE
        self._end()

    def _name(self, token: Node) -> None:
        name = self.walker.text(token)
        if self.joined and self.parts:
            if self.joined == "::" and len(self.parts) == 1:
                self.local = None
            self.parts.append(name)
        else:
            self._end()
            self.parts = [name]
            self.at = token
            self.local = self.walker.local(name) if token.type == "identifier" else None
        self.joined = ""

    def _tree(self, token: Node) -> None:
        opening = token.children[0].type if token.children else ""
        inside, first = self.kind, False
        if self.bang and self.at is not None:
            name = self.parts[-1]
            self.walker.refer(".".join(self.parts) + ".!", CALL, self.at)
            inside = CALL if self.kind == CALL and (name in _OF_EXPRESSIONS or name in _OF_FIRST) else USE
            first = name in _OF_FIRST
            self.parts, self.bang = [], False
        elif self.parts and opening == "(" and not self.joined and self.parts[-1] not in _MARKS and self.at is not None:
            self.walker.refer(".".join(self.parts), self.kind, self.at, self.local)
            self.parts.append("()")
        elif self.parts and opening == "[" and not self.joined:
            self.parts.append("[]")
        else:
            self._end()
        self.walker.then((scan, (self.walker, token, inside, first)))

    def _end(self) -> None:
        if self.parts and self.at is not None and self.parts[-1] not in _MARKS:
            text = ".".join(self.parts)
            if "." not in text or self.local is None:
                self.walker.refer(text, USE, self.at, self.local)
        self.parts, self.local, self.joined, self.bang = [], None, "", False
