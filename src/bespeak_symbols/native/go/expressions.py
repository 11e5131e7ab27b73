"""Names of Go expressions and types as text with dots.

A type loses its pointers and type arguments: ``store.Item``. What is made of items is written ``[]store.Item``
(slices, arrays, maps and channels), what can be called ``()store.Item`` by its first result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.block_extractor import fields

if TYPE_CHECKING:
    from tree_sitter import Node

_LONGEST_CHAIN = 24
_ITEMS = {"slice_type": "element", "array_type": "element", "map_type": "value", "channel_type": "value"}
_PLAIN = frozenset({"slice_expression", "parenthesized_expression", "type_instantiation_expression"})
_MADE = frozenset({"composite_literal", "type_assertion_expression", "type_conversion_expression"})
_ITEMS["implicit_length_array_type"] = "element"


def plain(node: Node) -> str:
    """Return the text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def type_name(node: Node | None) -> str:
    """Return a type as text; empty for what has no name."""
    before = ""
    for _ in range(_LONGEST_CHAIN):
        if node is None:
            break
        kind = node.type
        if kind in {"type_identifier", "identifier"}:
            return before + plain(node)
        if kind in {"qualified_type", "selector_expression"}:
            return before + "".join(plain(node).split())
        if kind in {"pointer_type", "parenthesized_type"}:
            node = node.named_child(0)
        elif kind == "generic_type":
            node = node.child_by_field_name("type")
        elif kind in _ITEMS:
            before += "[]"
            node = node.child_by_field_name(_ITEMS[kind])
        elif kind == "function_type":
            before += "()"
            node = first_result(node)
        elif kind in {"type_constraint", "type_elem"} and node.named_child_count == 1:
            node = node.named_child(0)
        else:
            break
    return ""


def results(node: Node) -> list[Node | None]:
    """Return the types of what a function returns."""
    result = node.child_by_field_name("result")
    if result is None:
        return []
    if result.type != "parameter_list":
        return [result]
    found: list[Node | None] = []
    for child in result.named_children:
        if child.type == "parameter_declaration":
            many = max(1, len(fields(child, "name")))
            found += [child.child_by_field_name("type")] * many
    return found


def first_result(node: Node) -> Node | None:
    """Return the type of the first result of a function."""
    types = results(node)
    return types[0] if types else None


def chain(node: Node | None) -> str:
    """Return an expression as its parts with dots: ``s.items.[].Do.()``; ``()`` alone for what has no name."""
    parts: list[str] = []
    for _ in range(_LONGEST_CHAIN):
        if node is None:
            parts.append("()")
            break
        if node.type in {"identifier", "type_identifier", "package_identifier"}:
            parts.append(plain(node))
            break
        node, part = _step(node)
        if part:
            parts.append(part)
        if part.startswith(("\0", "()\0")):
            parts[-1:] = ["()", part.partition("\0")[2]]
            break
    else:
        parts.append("()")
    return ".".join(part for part in reversed(parts) if part)


def _step(node: Node) -> tuple[Node | None, str]:
    """Return what is left of an expression without its last part, and that part; a zero byte and a type ends it."""
    kind = node.type
    left, part = None, ""
    if kind in _PLAIN:
        left = node.child_by_field_name("operand") or (node.named_child(0) if node.named_child_count else None)
    elif kind == "selector_expression":
        field = node.child_by_field_name("field")
        left, part = node.child_by_field_name("operand"), plain(field) if field is not None else ""
    elif kind == "call_expression":
        left, part = _called(node)
    elif kind == "index_expression":
        left, part = node.child_by_field_name("operand"), "[]"
    elif kind == "unary_expression":
        left = node.child_by_field_name("operand")
        part = "[]" if node.children and node.children[0].type == "<-" else ""
    elif kind in _MADE:
        part = "\0" + type_name(node.child_by_field_name("type"))
    elif kind == "func_literal":
        part = "\0()" + type_name(first_result(node))
    return left, part


def _called(node: Node) -> tuple[Node | None, str]:
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is not None and function.text in {b"new", b"make"} and arguments is not None:
        return None, "\0" + type_name(arguments.named_child(0) if arguments.named_child_count else None)
    return function, "()"


def argument_count(arguments: Node | None) -> int:
    """Return how many arguments are given, -1 if that is not known."""
    if arguments is None:
        return -1
    return sum(1 for child in arguments.named_children if child.type != "comment")
