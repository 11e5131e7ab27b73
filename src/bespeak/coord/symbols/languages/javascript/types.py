"""Types as they are written in TypeScript: what a value of one is an instance of, and which names they use."""

from __future__ import annotations

from bespeak.coord.symbols.languages.javascript.chains import Chain, chain_of, first_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak.coord.symbols.languages.javascript.scopes import Scope
    from bespeak.coord.symbols.languages.javascript.state import Walk

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
_NOTHING = frozenset({"null", "undefined", "void", "never"})


def meaning(walk: Walk, node: Node | None, how: str = "type") -> tuple[str, Chain] | None:
    """Return what a written type makes of a value.

    Returns:
        ``type`` or ``items`` and the name of the type, ``alias`` and the name for ``typeof``; None if no name of the
        source says what the value is.
    """
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


def _only(walk: Walk, node: Node) -> Node | None:
    """Return the one type of a union that is not nothing; None if there are more."""
    left: list[Node] = []
    stack = [node]
    while stack:
        for child in stack.pop().named_children:
            if child.type == "union_type":
                stack.append(child)
            elif child.type != "comment" and walk.text(child) not in _NOTHING:
                left.append(child)
    return left[0] if len(left) == 1 else None


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
        if name is not None:
            walk.local(walk.text(name), scope, name)
        walk.push(scope, parameter.child_by_field_name("constraint"), parameter.child_by_field_name("value"))


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
