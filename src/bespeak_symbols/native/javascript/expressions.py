"""Expressions as chains of names: ``a.b().c`` is ``a``, ``b``, ``()``, ``c``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.scopes import Chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

_LONGEST = 12
"""Parts of a chain that are looked at; in longer ones only the last are known."""
_NAMES = frozenset({"identifier", "this", "super", "type_identifier", "shorthand_property_identifier"})
_SAME = frozenset(
    {
        "parenthesized_expression",
        "non_null_expression",
        "await_expression",
        "satisfies_expression",
        "instantiation_expression",
    }
)
_MEMBER = {
    "member_expression": ("object", "property"),
    "nested_identifier": ("object", "property"),
    "nested_type_identifier": ("module", "name"),
}
_MADE = {"call_expression": "function", "new_expression": "constructor"}


def unwrapped(node: Node) -> Node:
    """Return an expression without parentheses, casts and assertions around it."""
    while node.type in _SAME or node.type == "as_expression":
        inner = first_of(node)
        if inner is None or node.type == "await_expression":
            break
        node = inner
    return node


def first_of(node: Node) -> Node | None:
    """Return the first part of a node that is no comment."""
    for child in node.named_children:
        if child.type != "comment":
            return child
    return None


def chain_of(node: Node, text: Callable[[Node], str]) -> Chain:
    """Return an expression as a chain; its ``base`` is set if it begins with something that has no name."""
    chain = Chain([])
    parts: list[str] = []
    owned = False
    while True:
        kind = node.type
        if kind in _NAMES:
            parts.append(text(node))
            break
        inner = _inside(node, kind, parts, chain.rest, owned, text)
        if inner is None or len(parts) > _LONGEST:
            chain.base = node
            if not owned:
                chain.rest.append(node)
            parts.append("()")
            break
        if kind in _MADE and not owned:
            owned = True
            chain.rest.append(node)
        node = inner
    parts.reverse()
    chain.parts = parts
    return chain


def _inside(
    node: Node, kind: str, parts: list[str], rest: list[Node], owned: bool, text: Callable[[Node], str]
) -> Node | None:
    """Return the node that a part of a chain hangs on, and note the part; None at its beginning."""
    if kind in _MEMBER:
        left, right = _MEMBER[kind]
        name = node.child_by_field_name(right)
        if name is not None:
            parts.append(text(name))
        return node.child_by_field_name(left)
    if kind in _MADE:
        made = node.child_by_field_name(_MADE[kind])
        if made is None or made.type == "import" or loads(node, text):
            return None
        parts.append("()")
        return made
    if kind == "subscript_expression":
        return _item(node, parts, [] if owned else rest, text)
    if kind == "sequence_expression" and node.named_children:
        rest.extend([] if owned else node.named_children[:-1])
        return node.named_children[-1]
    return first_of(node) if kind in _SAME else None


def _item(node: Node, parts: list[str], rest: list[Node], text: Callable[[Node], str]) -> Node | None:
    """``x["name"]`` is a member like any other, ``x[i]`` is an item."""
    index = node.child_by_field_name("index")
    said = plain(index, text) if index is not None else ""
    parts.append(said or "[]")
    if index is not None and not said:
        rest.append(index)
    return node.child_by_field_name("object")


def loads(node: Node, text: Callable[[Node], str]) -> str:
    """Return the module that a call of ``require`` or ``import`` names; empty if the node is no such call."""
    if node.type != "call_expression":
        return ""
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or arguments is None or arguments.type != "arguments":
        return ""
    if function.type != "import" and (function.type != "identifier" or text(function) != "require"):
        return ""
    given = first_of(arguments)
    return string_in(given, text) if given is not None else ""


def string_in(node: Node, text: Callable[[Node], str]) -> str:
    """Return what a string says; empty if the node is no string, or one with parts to be worked out."""
    if node.type == "string" or (node.type == "template_string" and not node.named_child_count):
        return text(node)[1:-1]
    if node.type == "template_string" and node.named_child_count == 1:
        only = node.named_children[0]
        return text(only) if only.type == "string_fragment" else ""
    return ""


def plain(node: Node, text: Callable[[Node], str]) -> str:
    """Return a string that could be a name; empty if it could not."""
    said = string_in(node, text)
    return said if said.isidentifier() else ""
