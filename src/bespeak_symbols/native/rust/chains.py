"""Rust expressions and paths as texts with dots between the parts.

Beyond names there are: ``()`` for the result of a call, ``[]`` for an item, ``@`` for each of the items in turn, ``?``
for what an option or a result holds, ``{}`` for an instance of the type before it, and ``&`` for a pointer that owns
it. What has no such form begins with ``()``.
"""

from __future__ import annotations

from bespeak_symbols.native.scope_walker import LONGEST_CHAIN, UNKNOWN, Local, Scoping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

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


def chain(reading: Scoping, node: Node | None) -> tuple[str, Local | None]:
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
            name = reading.text(node)
            if path and kind == "self":
                break
            parts.append(name)
            local = reading.local(name) if kind == "identifier" and not path else None
            break
        if kind in {"scoped_identifier", "scoped_type_identifier"}:
            path = True
            parts.append(reading.text(node.child_by_field_name("name")))
            node = node.child_by_field_name("path")
            if node is None:
                break
            continue
        following = _inner(reading, node, parts)
        if following is None:
            break
        node = following
    return ".".join(reversed(parts)), local


def _inner(reading: Scoping, node: Node, parts: list[str]) -> Node | None:
    """Note what an expression adds, and return what it is about; None if the text ends here."""
    kind = node.type
    first = node.named_children[0] if node.named_children else None
    following: Node | None = None
    if kind in _BY_FIELD:
        following = node.child_by_field_name(_BY_FIELD[kind])
    elif kind in _FIRST_INSIDE or (kind == "unary_expression" and node.children[0].type == "*"):
        following = first
    elif kind == "field_expression":
        parts.append(reading.text(node.child_by_field_name("field")))
        following = node.child_by_field_name("value")
    elif kind == "call_expression":
        function = node.child_by_field_name("function")
        held = _held(reading, node, function)
        parts.append("()" if held is None else "&")
        following = held or function
    elif kind in _MARKED:
        field, mark = _MARKED[kind]
        parts.append(mark)
        following = node.child_by_field_name(field) if field else first
    if following is None:
        parts += ["{}", "str"] if kind in _OF_TEXT else [UNKNOWN]
    return following


def _held(reading: Scoping, node: Node, function: Node | None) -> Node | None:
    """Return what ``Box::new(...)`` and its like hold; None for any other call."""
    if function is None or function.type != "scoped_identifier" or reading.text(function) not in _POINTERS:
        return None
    arguments = node.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    return given[0] if len(given) == 1 else None


def path_of(reading: Scoping, node: Node | None) -> str:
    """Return a path as text; empty if it is none."""
    text, _ = chain(reading, node)
    return "" if UNKNOWN in text.split(".") else text
