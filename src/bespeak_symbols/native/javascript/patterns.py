"""What patterns declare: ``const {a, b: [c]} = x``, parameters, the variables of loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.chains import string_in
from bespeak_symbols.native.javascript.values import bind_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.javascript.chains import Chain
    from bespeak_symbols.native.javascript.scopes import Declared, Scope
    from bespeak_symbols.native.javascript.state import Walk


_NAMES = frozenset({"identifier", "shorthand_property_identifier_pattern", "shorthand_property_identifier"})
_LONGEST = 6


def declare(
    walk: Walk, pattern: Node, scope: Scope, source: Chain | None, make: Callable[[str, Node], Declared | None]
) -> None:
    """Declare the names of a pattern.

    Args:
        walk: the walk.
        pattern: a name, or a pattern of names.
        scope: of the expressions in it.
        source: what the whole is taken from, if that has a name.
        make: declares one name; None if nothing is to be known about it.
    """
    waiting: list[tuple[Node, Chain | None, Node | None]] = [(pattern, source, None)]
    while waiting:
        node, taken, otherwise = waiting.pop()
        if node.type in _NAMES:
            declared = make(walk.text(node), node)
            if declared is not None:
                _bind(walk, declared, node, scope, (taken, otherwise))
        elif node.type in {"member_expression", "subscript_expression"}:
            walk.push(scope, node)
        else:
            waiting += _parts(walk, node, taken, scope)


def _bind(walk: Walk, declared: Declared, node: Node, scope: Scope, to: tuple[Chain | None, Node | None]) -> None:
    """Note what a name of a pattern is: a part of the whole, or what stands there if that is missing."""
    taken, otherwise = to
    if taken is not None:
        walk.bind(declared, taken, "alias", node, scope)
    if otherwise is not None:
        walk.bind(declared, None, "alias", node, scope)
        bind_value(walk, declared, otherwise, scope)


def _parts(walk: Walk, node: Node, taken: Chain | None, scope: Scope) -> list[tuple[Node, Chain | None, Node | None]]:
    """Return the parts of a pattern, what each is taken from, and what stands for it if it is missing."""
    kind = node.type
    if kind in {"assignment_pattern", "object_assignment_pattern"}:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        walk.push(scope, right)
        return [(left, taken, right)] if left is not None else []
    if kind == "pair_pattern":
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        walk.push(scope, key if key is not None and key.type == "computed_property_name" else None)
        return [(value, _member(walk, taken, key), None)] if key is not None and value is not None else []
    if kind == "object_pattern":
        return [(child, _inner(walk, taken, child), None) for child in node.named_children]
    if kind == "array_pattern":
        item = taken.then("[]") if taken is not None and len(taken.parts) < _LONGEST else None
        return [(child, item, None) for child in node.named_children]
    return [(child, None, None) for child in node.named_children] if kind == "rest_pattern" else []


def _inner(walk: Walk, taken: Chain | None, child: Node) -> Chain | None:
    """Return what a part of an object pattern is taken from; pairs and defaults go on from the object."""
    if child.type in _NAMES:
        return _member(walk, taken, child)
    if child.type in {"object_assignment_pattern", "assignment_pattern"}:
        left = child.child_by_field_name("left")
        return _member(walk, taken, left) if left is not None and left.type in _NAMES else None
    return taken if child.type == "pair_pattern" else None


def _member(walk: Walk, taken: Chain | None, key: Node) -> Chain | None:
    if taken is None or len(taken.parts) >= _LONGEST:
        return None
    name = string_in(key, walk.text) if key.type == "string" else walk.text(key)
    return taken.then(name) if key.type not in {"computed_property_name", "number"} and name else None
