"""What a name is bound to, as far as a written type or the expression that is assigned to it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.expressions import chain_of, first_of, loads, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.javascript.scopes import Chain, Declared, Scope, Walk

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
LITERALS = frozenset({"string", "template_string", "number", "regex", "true", "false", "null", "undefined", "array"})
FUNCTIONS = frozenset({"function_expression", "arrow_function", "generator_function", "function_declaration"})
CASTS = frozenset({"as_expression", "type_assertion"})
_EITHER = frozenset({"||", "??", "&&"})
_CHAINED = frozenset({"identifier", "this", "member_expression", "subscript_expression", "await_expression"})
_MOST_ALTERNATIVES = 8


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
    walk.mention(walked_chain(walk, node, scope), "use", node, scope)


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


def bind_value(walk: Walk, subject: Declared | str | Chain, node: Node | None, scope: Scope) -> None:
    """Note what an expression makes of a name that it is assigned to."""
    waiting = [] if node is None else [node]
    seen = 0
    while waiting and seen < _MOST_ALTERNATIVES:
        seen += 1
        value = waiting.pop()
        if value.type != "as_expression":
            value = unwrapped(value)
        if value.type in CASTS:
            _bind_cast(walk, subject, value, scope)
        elif value.type == "ternary_expression":
            waiting += _fields(value, "consequence", "alternative")
        elif value.type == "binary_expression" and _operator(walk, value) in _EITHER:
            waiting += _fields(value, "left", "right") if _operator(walk, value) != "&&" else _fields(value, "right")
        elif value.type == "assignment_expression":
            waiting += _fields(value, "right")
        else:
            _bind_one(walk, subject, value, scope)


def _bind_one(walk: Walk, subject: Declared | str | Chain, value: Node, scope: Scope) -> None:
    kind = value.type
    if kind == "new_expression":
        made = value.child_by_field_name("constructor")
        if made is not None:
            walk.bind(subject, rooted(walk, chain_of(made, walk.text), scope), "type", value, scope)
    elif kind == "call_expression" and not loads(value, walk.text):
        called = value.child_by_field_name("function")
        if called is not None:
            walk.bind(subject, rooted(walk, chain_of(called, walk.text), scope), "result", value, scope)
    elif kind in _CHAINED or kind == "call_expression":
        chain = rooted(walk, chain_of(value, walk.text), scope)
        walk.bind(subject, chain, "alias", value, scope)
    elif kind not in {"null", "undefined"}:
        walk.bind(subject, None, "alias", value, scope)


def _bind_cast(walk: Walk, subject: Declared | str | Chain, node: Node, scope: Scope) -> None:
    """Bind a name to what the source says that a value is."""
    written = cast_type(node)
    if written is None and node.named_children:
        bind_value(walk, subject, node.named_children[0], scope)
    elif not bind_type(walk, subject, written, scope):
        walk.bind(subject, None, "alias", node, scope)


def cast_type(node: Node) -> Node | None:
    """Return the type of ``x as T`` and ``<T>x``; None for ``x as const``."""
    named = [child for child in node.named_children if child.type != "comment"]
    if node.type == "type_assertion":
        return first_of(named[0]) if named else None
    return named[1] if len(named) > 1 else None


def rooted(walk: Walk, chain: Chain, scope: Scope) -> Chain:
    """Say what the first part of a chain stands for, if it is no name but something that is known."""
    base = chain.base
    if base is None:
        return chain
    if base.id in walk.bases:
        chain.declared = walk.bases[base.id]
    elif loads(base, walk.text):
        chain.declared = loaded(walk, base, scope)
    elif base.type in CASTS:
        declared = walk.unnamed(scope, base)
        if bind_type(walk, declared, cast_type(base), scope):
            walk.bases[base.id] = chain.declared = declared
    return chain


def walked_chain(walk: Walk, node: Node, scope: Scope) -> Chain:
    """Return an expression as a chain, and have what is in it looked at."""
    chain = chain_of(node, walk.text)
    walk.push(scope, *chain.rest)
    return rooted(walk, chain, scope)


def loaded(walk: Walk, call: Node, scope: Scope) -> Declared:
    """Return what a call of ``require`` or ``import`` declares: the module, without a name."""
    known = walk.bases.get(call.id)
    if known is None:
        function = call.child_by_field_name("function")
        whole = "" if function is not None and function.type == "import" else "module.exports"
        module = loads(call, walk.text)
        known = walk.import_((f"load:{module}", module, whole), call, scope)
        walk.bases[call.id] = known
    return known


def _fields(node: Node, *names: str) -> list[Node]:
    found = [node.child_by_field_name(name) for name in names]
    return [child for child in found if child is not None]


def _operator(walk: Walk, node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return walk.text(operator) if operator is not None else ""


def bases_of_prototype(walk: Walk, value: Node, scope: Scope, owner: str) -> None:
    """``X.prototype = Object.create(Y.prototype)``, ``new Y()``, ``Y.prototype``: X is derived from Y."""
    if value.type == "call_expression":
        arguments = value.child_by_field_name("arguments")
        value = (first_of(arguments) if arguments is not None else None) or value
    if value.type == "new_expression":
        value = value.child_by_field_name("constructor") or value
    chain = chain_of(value, walk.text)
    if chain.base is None:
        if chain.parts[-1] == "prototype":
            chain.parts.pop()
        if chain.parts:
            walk.mention(chain, "inherit", value, scope, within=owner)
