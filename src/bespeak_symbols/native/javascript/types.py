"""Types as they are written in TypeScript: what a value of one is an instance of, and which names they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.chains import chain_of, first_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.javascript.chains import Chain
    from bespeak_symbols.native.javascript.scopes import Declared, Scope
    from bespeak_symbols.native.javascript.state import Walk


_WRAPPERS = frozenset(
    {"Promise", "PromiseLike", "Awaited", "Readonly", "Partial", "Required", "NonNullable", "Ref", "WeakRef"}
)
_COLLECTIONS = {
    "Array": 0,
    "ReadonlyArray": 0,
    "Set": 0,
    "ReadonlySet": 0,
    "Iterable": 0,
    "AsyncIterable": 0,
    "Iterator": 0,
    "Generator": 0,
    "AsyncGenerator": 0,
    "IterableIterator": 0,
    "AsyncIterableIterator": 0,
    "Map": 1,
    "ReadonlyMap": 1,
    "WeakMap": 1,
    "Record": 1,
}
_AROUND = frozenset({"type_annotation", "parenthesized_type", "readonly_type", "asserts_annotation"})
_MOST_PARTS = 6
_NOTHING = frozenset({"null", "undefined", "void", "never"})


def bind_type(walk: Walk, subject: Declared | str | Chain, written: Node | None, scope: Scope) -> bool:
    """Note what a written type makes of what has it; of a union it may be any part.

    Returns:
        Whether names of the source say what the value is.
    """
    found = False
    for node in _parts(walk, written):
        known = _meaning(walk, node)
        if known is not None:
            walk.bind(subject, known[1], known[0], node, scope)
            found = True
    return found


def _meaning(walk: Walk, written: Node) -> tuple[str, Chain] | None:
    """Return ``type`` or ``items`` and the name of the type, ``alias`` and the name for ``typeof``; None if unknown."""
    node: Node | None = written
    how = "type"
    while node is not None:
        kind = node.type
        if kind in {"type_identifier", "nested_type_identifier", "identifier", "nested_identifier"}:
            return how, chain_of(node, walk.text)
        if kind in _AROUND:
            node = first_of(node)
        elif kind == "array_type":
            if how == "items":
                return None
            node, how = first_of(node), "items"
        elif kind == "union_type":
            node = _only(walk, node)
        elif kind == "type_query":
            queried = first_of(node)
            return ("alias", chain_of(queried, walk.text)) if queried is not None and how == "type" else None
        elif kind == "generic_type":
            known = _generic(walk, node, how)
            if known is None:
                return how, chain_of(node.child_by_field_name("name") or node, walk.text)
            node, how = known
        else:
            return None
    return None


def _generic(walk: Walk, node: Node, how: str) -> tuple[Node | None, str] | None:
    """Return the type that a known generic type is about, and how; None if the generic type stands for itself."""
    name = node.child_by_field_name("name")
    arguments = node.child_by_field_name("type_arguments")
    said = walk.text(name) if name is not None else ""
    given = [child for child in arguments.named_children if child.type != "comment"] if arguments is not None else []
    if said in _WRAPPERS and given:
        return given[0], how
    if said in _COLLECTIONS and how == "type":
        place = _COLLECTIONS[said]
        return (given[place] if place < len(given) else None), "items"
    return None


def _parts(walk: Walk, written: Node | None) -> list[Node]:
    """Return the parts of a union that are not nothing; any other type is its own only part."""
    found: list[Node] = []
    waiting = [] if written is None else [written]
    while waiting and len(found) < _MOST_PARTS:
        node = waiting.pop()
        if node.type in _AROUND or node.type == "union_type":
            waiting += reversed([child for child in node.named_children if child.type != "comment"])
        elif walk.text(node) not in _NOTHING:
            found.append(node)
    return found


def _only(walk: Walk, node: Node) -> Node | None:
    """Return the one part of a union that is not nothing; None if there are more."""
    parts = _parts(walk, node)
    return parts[0] if len(parts) == 1 else None


def use_type(walk: Walk, node: Node, scope: Scope) -> None:
    """A name that stands for a type."""
    walk.mention(walk.chain(node, scope), "use", node, scope)


def function_type(walk: Walk, node: Node, scope: Scope) -> None:
    """The type of a function: its parameters have types, their names are of no matter."""
    inner = scope.block()
    type_parameters(walk, node.child_by_field_name("type_parameters"), inner)
    parameters = node.child_by_field_name("parameters")
    for parameter in parameters.named_children if parameters is not None else ():
        walk.push(inner, parameter.child_by_field_name("type"))
    walk.push(inner, node.child_by_field_name("return_type"), node.child_by_field_name("type"))


def type_parameters(walk: Walk, node: Node | None, scope: Scope) -> None:
    """Declare the parameters of a generic type or function: they hide types of the same name."""
    for parameter in node.named_children if node is not None else ():
        name = parameter.child_by_field_name("name")
        limit = parameter.child_by_field_name("constraint")
        if name is not None:
            declared = walk.local(walk.text(name), scope, name)
            bind_type(walk, declared, first_of(limit) if limit is not None else None, scope)
        walk.push(scope, limit, parameter.child_by_field_name("value"))


def type_variable(walk: Walk, node: Node, scope: Scope) -> None:
    """``infer T`` and ``[K in T]``: a name that is declared inside a type."""
    inside = node.named_children
    if inside:
        walk.local(walk.text(inside[0]), scope, inside[0])
    walk.push(scope, *inside[1:])


def object_type(walk: Walk, node: Node, scope: Scope) -> None:
    """A type written as an object; its members are of no matter here, their types are."""
    walk.inside(node, scope.block())


def type_predicate(walk: Walk, node: Node, scope: Scope) -> None:
    """``x is T``: only ``T`` is a type."""
    walk.push(scope, node.child_by_field_name("type"))
