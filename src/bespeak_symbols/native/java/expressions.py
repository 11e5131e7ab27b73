"""Java expressions as texts with dots between the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.scope_walker import LONGEST_CHAIN, UNKNOWN

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import Local, ScopeWalker

_NAMES = frozenset({"identifier", "type_identifier"})
_WORDS = frozenset({"this", "super"})
_BUILT_IN = {"string_literal": "String", "class_literal": "Class"}


def type_path(walker: ScopeWalker, node: Node | None) -> str:
    """Return the name of a type without its arguments and dimensions: ``Map.Entry``; empty if it has none."""
    while node is not None and node.type in {"generic_type", "annotated_type", "array_type"}:
        inner = [child for child in node.named_children if "annotation" not in child.type]
        node = inner[0] if inner else None
    if node is None:
        return ""
    if node.type == "scoped_type_identifier":
        text = walker.type_text(node)
        return "" if "<" in text or "@" in text else text
    return walker.text(node) if node.type in _NAMES or node.type.endswith("_type") else ""


def chain(walker: ScopeWalker, node: Node | None) -> tuple[str, Local | None]:
    """Return an expression as text, and the local variable with which it begins."""
    parts: list[str] = []
    local = None
    while True:
        if node is None or len(parts) > LONGEST_CHAIN:
            parts.append(UNKNOWN)
            break
        kind = node.type
        if kind in _NAMES:
            name = walker.text(node)
            parts.append(name)
            local = walker.local(name)
            break
        if kind in _WORDS:
            parts.append(kind)
            break
        if kind == "method_invocation":
            parts.append("()")
            more, node = call_parts(walker, node)
            parts += more
            if node is None:
                break
        elif kind == "field_access":
            parts.append(walker.text(node.child_by_field_name("field")))
            node = node.child_by_field_name("object")
        elif kind == "array_access":
            parts.append("[]")
            node = node.child_by_field_name("array")
        elif kind == "parenthesized_expression":
            node = node.named_child(0)
        else:
            parts += _made(walker, node)
            break
    return ".".join(reversed(parts)), local


def call_parts(walker: ScopeWalker, node: Node) -> tuple[list[str], Node | None]:
    """Return the last parts of a call, backwards, and what stands before them."""
    parts = [walker.text(node.child_by_field_name("name"))]
    before = node.child_by_field_name("object")
    if any(child.type == "super" for child in node.children) and before is not None and before.type != "super":
        parts.append("super")
    return parts, before


def _made(walker: ScopeWalker, node: Node) -> list[str]:
    kind = node.type
    path = ""
    if kind in {"object_creation_expression", "cast_expression"}:
        path = type_path(walker, node.child_by_field_name("type"))
    elif kind in _BUILT_IN:
        path = _BUILT_IN[kind]
    return ["()", *reversed(path.split(".")), "new"] if path else [UNKNOWN]
