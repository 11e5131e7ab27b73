"""Calls inside Rust macros, whose arguments are only tokens to the parser.

The arguments of the macros of the standard library are expressions, and are read as such; those of other macros may
be anything, so names in them are used at most.
"""

from __future__ import annotations

from bespeak_symbols.model import CALL, USE
from bespeak_symbols.native.rust.chains import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import Local, Scoping

_OF_EXPRESSIONS = frozenset(
    {"assert", "assert_eq", "assert_ne", "bail", "dbg", "debug", "debug_assert", "debug_assert_eq", "debug_assert_ne"}
    | {"ensure", "eprint", "eprintln", "error", "format", "format_args", "info", "panic", "print", "println", "todo"}
    | {"trace", "unimplemented", "unreachable", "vec", "warn", "write", "writeln", "anyhow"}
)
_OF_FIRST = frozenset({"matches", "assert_matches", "debug_assert_matches"})
_NAMES = frozenset({"identifier", "self", "super", "crate", "type_identifier", "primitive_type", "metavariable"})
_MARKS = frozenset({"()", "[]", "?"})


def invoked(reading: Scoping, node: Node) -> None:
    """Read the use of a macro."""
    named = node.child_by_field_name("macro")
    path = path_of(reading, named)
    if path:
        reading.refer(path + ".!", CALL, node)
    tree = next((child for child in node.children if child.type == "token_tree"), None)
    if tree is not None:
        name = path.rpartition(".")[2]
        kind = CALL if name in _OF_EXPRESSIONS or name in _OF_FIRST else USE
        reading.then((scan, (reading, tree, kind, name in _OF_FIRST)))


def scan(reading: Scoping, tree: Node, kind: str, first: bool = False) -> None:
    """Read the tokens between two brackets.

    Args:
        reading: to which it belongs.
        tree: the brackets and what is in them.
        kind: of the references to what has arguments.
        first: only the first argument is an expression.
    """
    _Scan(reading, kind, first=first).run(tree)


class _Scan:
    def __init__(self, reading: Scoping, kind: str, *, first: bool = False) -> None:
        self.first = first
        self.reading = reading
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
            elif kind in _NAMES:
                self._name(token)
            elif kind in {".", "::"} and self.parts:
                self.joined = kind
            elif kind == "?" and self.parts:
                self.parts.append("?")
            elif kind == "!" and self.parts and not self.joined:
                self.bang = True
            elif kind == "integer_literal" and self.joined == ".":
                self.parts.append(self.reading.text(token))
                self.joined = ""
            else:
                self._end()
                if kind == "," and self.first:
                    self.kind = USE
        self._end()

    def _name(self, token: Node) -> None:
        name = self.reading.text(token)
        if self.joined and self.parts:
            if self.joined == "::" and len(self.parts) == 1:
                self.local = None
            self.parts.append(name)
        else:
            self._end()
            self.parts = [name]
            self.at = token
            self.local = self.reading.local(name) if token.type == "identifier" else None
        self.joined = ""

    def _tree(self, token: Node) -> None:
        opening = token.children[0].type if token.children else ""
        inside, first = self.kind, False
        if self.bang and self.at is not None:
            name = self.parts[-1]
            self.reading.refer(".".join(self.parts) + ".!", CALL, self.at)
            inside = CALL if self.kind == CALL and (name in _OF_EXPRESSIONS or name in _OF_FIRST) else USE
            first = name in _OF_FIRST
            self.parts, self.bang = [], False
        elif self.parts and opening == "(" and not self.joined and self.parts[-1] not in _MARKS and self.at is not None:
            self.reading.refer(".".join(self.parts), self.kind, self.at, self.local)
            self.parts.append("()")
        elif self.parts and opening == "[" and not self.joined:
            self.parts.append("[]")
        else:
            self._end()
        self.reading.then((scan, (self.reading, token, inside, first)))

    def _end(self) -> None:
        if self.parts and self.at is not None and self.parts[-1] not in _MARKS:
            text = ".".join(self.parts)
            if "." not in text or self.local is None:
                self.reading.refer(text, USE, self.at, self.local)
        self.parts, self.local, self.joined, self.bang = [], None, "", False
