"""Declarations that only TypeScript has: interfaces, types, enums, namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.declarations import derive, members
from bespeak_symbols.native.javascript.scopes import Scope, join
from bespeak_symbols.native.javascript.state import Draft, declare_symbol, qualify
from bespeak_symbols.native.javascript.types import bind_type, type_parameters

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.javascript.state import Walk


def _open(walk: Walk, node: Node, scope: Scope, draft: Draft, sort: str) -> tuple[Scope, str]:
    """Note a symbol that has names inside, and return the scope inside it and the name it is known by."""
    symbol = walk.symbol(draft)
    inner = Scope(scope, sort, symbol or scope.symbol, symbol)
    inner.later = inner.symbol
    name = node.child_by_field_name("name")
    if symbol and name is not None:
        declare_symbol(scope, walk.text(name), symbol, name)
    return inner, symbol


def interface(walk: Walk, node: Node, scope: Scope) -> None:
    """``interface Name extends Other {}``."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    clause = next((child for child in node.named_children if child.type == "extends_type_clause"), None)
    generic = node.child_by_field_name("type_parameters")
    found = clause.children_by_field_name("type") if clause is not None else []
    draft = Draft(
        qualify(scope, walk.text(name)),
        "interface",
        walk.outers.get(node.id, node),
        body,
        (generic, clause),
        (),
        tuple(walk.text(base)[:200] for base in found),
    )
    inner, symbol = _open(walk, node, scope, draft, "class")
    type_parameters(walk, generic, inner)
    for base in found:
        derive(walk, base, scope.block(symbol or scope.symbol), inner)
    members(walk, body, inner, symbol)


def alias(walk: Walk, node: Node, scope: Scope) -> None:
    """``type Name = ...``: the members of a type that is written as an object are symbols too."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None:
        return
    generic = node.child_by_field_name("type_parameters")
    draft = Draft(qualify(scope, walk.text(name)), "type", walk.outers.get(node.id, node), value, (generic, value))
    inner, symbol = _open(walk, node, scope, draft, "class")
    type_parameters(walk, generic, inner)
    if value is None:
        return
    if value.type == "object_type":
        members(walk, value, inner, symbol)
        return
    if symbol:
        bind_type(walk, symbol, value, inner)
    walk.push(inner, value)


def enum(walk: Walk, node: Node, scope: Scope) -> None:
    """``enum Name {}``."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    draft = Draft(qualify(scope, walk.text(name)), "enum", walk.outers.get(node.id, node), body)
    inner, _ = _open(walk, node, scope, draft, "class")
    for child in body.named_children if body is not None else ():
        if child.type == "enum_assignment":
            walk.push(inner, child.child_by_field_name("value"))


def namespace(walk: Walk, node: Node, scope: Scope) -> None:
    """``namespace A.B {}``, ``declare module "m" {}``."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or name.type == "string":
        inner = Scope(scope, "namespace", scope.symbol)
        walk.inside(body, inner)
        return
    inner, last = scope, node
    for part in walk.text(name).split("."):
        full = join(inner.symbol, part.strip())
        symbol = walk.symbol(Draft(full, "namespace", walk.outers.get(node.id, last), body))
        if not symbol:
            break
        declare_symbol(inner, part.strip(), symbol, name)
        inner = Scope(inner, "namespace", symbol)
        inner.later = symbol
    walk.inside(body, inner)


def ambient(walk: Walk, node: Node, scope: Scope) -> None:
    """``declare ...``: what is declared, and the whole belongs to it."""
    for child in node.named_children:
        if child.type == "statement_block":
            walk.inside(child, scope)
        else:
            walk.outers.setdefault(child.id, walk.outers.get(node.id, node))
            walk.push(scope, child)
