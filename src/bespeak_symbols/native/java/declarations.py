"""What a Java file declares: classes, fields, methods, parameters, enumeration constants and annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, INHERIT, USE
from bespeak_symbols.native.java.expressions import type_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import ScopeWalker

_KINDS = {
    "class_declaration": "class",
    "record_declaration": "class",
    "enum_declaration": "enum",
    "interface_declaration": "interface",
    "annotation_type_declaration": "interface",
}
_PARAMETERS = frozenset({"formal_parameter", "spread_parameter"})


def _modifiers(node: Node) -> Node | None:
    return next((child for child in node.named_children if child.type == "modifiers"), None)


def _bases(walker: ScopeWalker, node: Node) -> list[tuple[Node, str, str]]:
    found = []
    for part in node.named_children:
        if part.type not in {"superclass", "super_interfaces", "extends_interfaces"}:
            continue
        lists = [child for child in part.named_children if child.type == "type_list"]
        for one in lists[0].named_children if lists else part.named_children:
            path = type_path(walker, one)
            if path:
                found.append((one, path, "base" if part.type == "superclass" else "interface"))
    return found


def _class(walker: ScopeWalker, node: Node) -> None:
    name = walker.text(node.child_by_field_name("name"))
    body = node.child_by_field_name("body")
    parameters = node.child_by_field_name("parameters")
    bases = _bases(walker, node)
    modifiers = _modifiers(node)
    clauses = [
        child
        for child in node.named_children
        if child.type in {"type_parameters", "superclass", "super_interfaces", "extends_interfaces"}
    ]
    walker.define(
        node,
        walker.qualified(name),
        _KINDS[node.type],
        (modifiers, *clauses, parameters),
        (body,),
        [
            (_derive, (walker, node, bases)),
            modifiers,
            *clauses,
            *_components(walker, parameters),
            *walker.scoped((hide_fields, (walker, body)), body),
        ],
        tuple(walker.type_text(base) for base, _, _ in bases),
    )


def _derive(walker: ScopeWalker, node: Node, bases: list[tuple[Node, str, str]]) -> None:
    for base, path, how in bases:
        walker.refer(path, INHERIT, base)
        walker.bind(walker.within, walker.type_text(base), how, base)
    _type_parameters(walker, node)


def _type_parameters(walker: ScopeWalker, node: Node) -> None:
    for holder in node.named_children:
        if holder.type != "type_parameters":
            continue
        for one in holder.named_children:
            named = [child for child in one.named_children if child.type in {"type_identifier", "identifier"}]
            bounds = [child for child in one.named_children if child.type == "type_bound"]
            bound = bounds[0].named_child(0) if bounds else None
            if named:
                name = walker.qualified(walker.text(named[0]))
                walker.bind(name, walker.type_text(bound) or "Object", "parameter", one)


def _components(walker: ScopeWalker, parameters: Node | None) -> list[tuple[Callable[..., None], tuple[object, ...]]]:
    """Return the steps that declare what a record consists of."""
    found = parameters.named_children if parameters is not None else ()
    return [(_component, (walker, one)) for one in found if one.type in _PARAMETERS]


def _component(walker: ScopeWalker, one: Node) -> None:
    """Declare a part of a record; it is read by a method of its name."""
    kind, named = _parameter(one)
    name = walker.qualified(walker.text(named))
    if named is not None and kind is not None:
        walker.bind(name, walker.type_text(kind), "type", one)
        walker.bind(name, walker.type_text(kind), "result", one)
        walker.bind(name, "", "takes", one)
        walker.define(one, name, "variable", (kind,), (None,), (kind,))


def hide_fields(walker: ScopeWalker, body: Node | None) -> None:
    """In a class, its fields hide the local variables around it."""
    for member in body.named_children if body is not None else ():
        if member.type == "field_declaration":
            for one in member.children_by_field_name("declarator"):
                walker.scopes[-1][walker.text(one.child_by_field_name("name"))] = None


def _field(walker: ScopeWalker, node: Node) -> None:
    kind = node.child_by_field_name("type")
    modifiers = _modifiers(node)
    words = walker.text(modifiers).split() if modifiers is not None else []
    constant = node.type == "constant_declaration" or ("static" in words and "final" in words)
    declarators = node.children_by_field_name("declarator")
    above = walker.above
    walker.then(*((_one_field, (walker, node, one, modifiers, kind, constant, above)) for one in declarators))


def _one_field(
    walker: ScopeWalker,
    node: Node,
    one: Node,
    modifiers: Node | None,
    kind: Node | None,
    constant: bool,
    above: list[Node],
) -> None:
    name = walker.qualified(walker.text(one.child_by_field_name("name")))
    dimensions = one.child_by_field_name("dimensions")
    value = one.child_by_field_name("value")
    walker.above = above
    walker.bind(name, walker.type_text(kind) + walker.text(dimensions), "type", one)
    alone = len(node.children_by_field_name("declarator")) == 1
    signature = (modifiers, kind, dimensions)
    kinds = "constant" if constant else "variable"
    walker.define(node if alone else one, name, kinds, signature, (value,), (modifiers, kind, value))


def _parameter(node: Node) -> tuple[Node | None, Node | None]:
    """Return the type and the name of a parameter."""
    if node.type == "spread_parameter":
        kinds = [child for child in node.named_children if child.type not in {"modifiers", "variable_declarator"}]
        declarators = [child for child in node.named_children if child.type == "variable_declarator"]
        name = declarators[0].child_by_field_name("name") if declarators else None
        return (kinds[0] if kinds else None), name
    if node.type != "formal_parameter":
        return None, None
    return node.child_by_field_name("type"), node.child_by_field_name("name")


def _parameter_types(walker: ScopeWalker, parameters: Node | None) -> str:
    types = []
    for one in parameters.named_children if parameters is not None else ():
        if one.type in _PARAMETERS:
            kind, _ = _parameter(one)
            dots = "..." if one.type == "spread_parameter" else walker.text(one.child_by_field_name("dimensions"))
            types.append(type_path(walker, kind) + dots)
    return ",".join(types)


def declare_parameters(walker: ScopeWalker, parameters: Node | None) -> None:
    """Declare the parameters of a method or a lambda."""
    for one in parameters.named_children if parameters is not None else ():
        kind, name = _parameter(one)
        if name is not None:
            dots = "[]" if one.type == "spread_parameter" else walker.text(one.child_by_field_name("dimensions"))
            text = walker.type_text(kind)
            target = "" if text in {"", "var"} else text + dots
            walker.declare(walker.text(name), target, "type", syntax.first_line(one))


def _method(walker: ScopeWalker, node: Node) -> None:
    short = walker.text(node.child_by_field_name("name"))
    name = walker.qualified(short)
    parameters = node.child_by_field_name("parameters")
    result = node.child_by_field_name("type")
    body = node.child_by_field_name("body") or node.child_by_field_name("value")
    modifiers = _modifiers(node)
    generic = next((child for child in node.named_children if child.type == "type_parameters"), None)
    throws = next((child for child in node.named_children if child.type == "throws"), None)
    dimensions = node.child_by_field_name("dimensions")
    made = node.type == "constructor_declaration"
    if result is not None:
        walker.bind(name, walker.type_text(result) + walker.text(dimensions), "result", node)
    if node.type != "compact_constructor_declaration":
        walker.bind(name, _parameter_types(walker, parameters), "takes", node)
    steps = (
        (_type_parameters, (walker, node)),
        modifiers,
        generic,
        result,
        parameters,
        throws,
        *walker.scoped((declare_parameters, (walker, parameters)), body),
        (_begin, (walker, node, body)) if made else None,
    )
    walker.define(node, name, "method", (modifiers, generic, result, parameters, throws), (body,), steps)


def _begin(walker: ScopeWalker, node: Node, body: Node | None) -> None:
    """A constructor that does not say which other it begins with begins with the one of its base."""
    first = (
        next((child for child in body.named_children if child.type not in walker.transparent), None) if body else None
    )
    if first is None or first.type != "explicit_constructor_invocation":
        walker.refer("super", CALL, node, arguments=0)


def _enum_constant(walker: ScopeWalker, node: Node) -> None:
    short = walker.text(node.child_by_field_name("name"))
    name = walker.qualified(short)
    owner = walker.within.rpartition(".")[2]
    arguments = node.child_by_field_name("arguments")
    body = node.child_by_field_name("body")
    walker.bind(name, owner, "type", node)
    given = arguments.named_child_count if arguments is not None else 0
    steps = (
        (walker.bind, (name, owner, "base", node)) if body is not None else None,
        (walker.refer, ("new." + owner, CALL, node, None, given)),
        _modifiers(node),
        arguments,
        *walker.scoped((hide_fields, (walker, body)), body),
    )
    walker.define(node, name, "constant", (_modifiers(node),), (arguments, body), steps)


def _annotation(walker: ScopeWalker, node: Node) -> None:
    named = node.child_by_field_name("name")
    path = walker.type_text(named)
    if path:
        walker.refer(path, USE, node)
    walker.then(node.child_by_field_name("arguments"))


DECLARATION_HANDLERS: dict[str, Callable[[ScopeWalker, Node], None]] = {
    "field_declaration": _field,
    "constant_declaration": _field,
    "method_declaration": _method,
    "constructor_declaration": _method,
    "compact_constructor_declaration": _method,
    "annotation_type_element_declaration": _method,
    "enum_constant": _enum_constant,
    "annotation": _annotation,
    "marker_annotation": _annotation,
    **dict.fromkeys(_KINDS, _class),
}
