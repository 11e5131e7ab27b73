"""Expressions as dotted text: ``make(x)[0].run`` is ``make.().[].run``; what is no name has a part of its own.

``()`` is the result of a call, ``[]`` an item, ``[*]`` what a loop over it yields. A text that begins with ``[]`` is
of something that nobody can know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node


UNKNOWN = "[]"
_MOST_PARTS = 40
_MOST_ALTERNATIVES = 8
_LITERALS = {
    "string": "str",
    "concatenated_string": "str",
    "integer": "int",
    "float": "float",
    "true": "bool",
    "false": "bool",
    "none": "None",
    "list": "list",
    "list_comprehension": "list",
    "dictionary": "dict",
    "dictionary_comprehension": "dict",
    "set": "set",
    "set_comprehension": "set",
    "tuple": "tuple",
    "generator_expression": "iter",
    "comparison_operator": "bool",
    "not_operator": "bool",
}
_INNER = frozenset({"parenthesized_expression", "await"})
_SAME_ITEMS = frozenset({"list", "sorted", "reversed", "set", "tuple", "iter", "frozenset"})


def name_of(node: Node) -> str:
    """Return the text of a name."""
    return (node.text or b"").decode("utf-8", "replace")


def text_of(node: Node | None, known: Mapping[str, str]) -> str:
    """Return an expression as dotted text.

    Args:
        node: the expression.
        known: names of comprehensions and lambdas around it, and what they stand for.
    """
    parts: list[str] = []
    while node is not None and len(parts) < _MOST_PARTS:
        kind = node.type
        if kind == "identifier":
            name = name_of(node)
            return ".".join((known.get(name, name), *reversed(parts)))
        if kind == "attribute":
            attribute = node.child_by_field_name("attribute")
            parts.append(UNKNOWN if attribute is None else name_of(attribute))
            node = node.child_by_field_name("object")
        elif kind == "call":
            parts.append("()")
            node = node.child_by_field_name("function")
        elif kind == "subscript":
            parts.append("[]")
            node = node.child_by_field_name("value")
        elif kind in _INNER:
            node = next(iter(node.named_children), None)
        elif kind == "named_expression":
            node = node.child_by_field_name("value")
        elif kind in _LITERALS:
            return ".".join((_LITERALS[kind], "()", *reversed(parts)))
        else:
            break
    return ".".join((UNKNOWN, *reversed(parts)))


def alternatives(node: Node | None, known: Mapping[str, str]) -> list[str]:
    """Return what an expression may be: each side of ``a or b`` and of ``a if c else b``, as dotted text."""
    found: list[str] = []
    stack = [node]
    while stack and len(found) < _MOST_ALTERNATIVES:
        node = stack.pop()
        if node is None:
            continue
        inner = node.named_children
        if node.type == "conditional_expression" and len(inner) == 3:  # noqa: PLR2004 this, condition, that
            stack += [inner[2], inner[0]]
        elif node.type == "boolean_operator" and len(inner) == 2:  # noqa: PLR2004 both sides
            stack += [inner[1], inner[0]]
        elif node.type == "parenthesized_expression" and inner:
            stack.append(inner[0])
        else:
            found.append(text_of(node, known))
    return found


def yielded(node: Node | None, known: Mapping[str, str]) -> str:
    """Return what a loop over an expression yields, as dotted text."""
    while node is not None and node.type == "call":
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        given = [] if arguments is None else arguments.named_children
        if function is None or function.type != "identifier" or name_of(function) not in _SAME_ITEMS or not given:
            break
        node = given[0]
    return text_of(node, known) + ".[*]"


def pairs(node: Node | None, known: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what both names of ``for a, b in ...`` are, where the loop is over ``enumerate`` or ``items``."""
    function = None if node is None or node.type != "call" else node.child_by_field_name("function")
    arguments = None if node is None or function is None else node.child_by_field_name("arguments")
    if function is None or arguments is None:
        return None
    given = arguments.named_children
    if function.type == "identifier" and name_of(function) == "enumerate" and given:
        return "int.()", yielded(given[0], known)
    attribute = function.child_by_field_name("attribute") if function.type == "attribute" else None
    if attribute is not None and name_of(attribute) == "items" and not given:
        mapping = text_of(function.child_by_field_name("object"), known)
        return f"{mapping}.[*]", f"{mapping}.[]"
    return None
