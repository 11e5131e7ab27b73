"""What a Java file declares: classes, fields, methods, parameters, enumeration constants and annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, INHERIT, USE
from bespeak_symbols.native.java.expressions import type_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import Scoping


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


def _bases(reading: Scoping, node: Node) -> list[tuple[Node, str, str]]:
    found = []
    for part in node.named_children:
        if part.type not in {"superclass", "super_interfaces", "extends_interfaces"}:
            continue
        lists = [child for child in part.named_children if child.type == "type_list"]
        for one in lists[0].named_children if lists else part.named_children:
            path = type_path(reading, one)
            if path:
                found.append((one, path, "base" if part.type == "superclass" else "interface"))
    return found


def _class(reading: Scoping, node: Node) -> None:
    name = reading.text(node.child_by_field_name("name"))
    body = node.child_by_field_name("body")
    parameters = node.child_by_field_name("parameters")
    bases = _bases(reading, node)
    modifiers = _modifiers(node)
    clauses = [
        child
        for child in node.named_children
        if child.type in {"type_parameters", "superclass", "super_interfaces", "extends_interfaces"}
    ]
    reading.define(
        node,
        reading.qualified(name),
        _KINDS[node.type],
        (modifiers, *clauses, parameters),
        (body,),
        [
            (_derive, (reading, node, bases)),
            modifiers,
            *clauses,
            *_components(reading, parameters),
            *reading.scoped((hide_fields, (reading, body)), body),
        ],
        tuple(reading.type_text(base) for base, _, _ in bases),
    )


def _derive(reading: Scoping, node: Node, bases: list[tuple[Node, str, str]]) -> None:
    for base, path, how in bases:
        reading.refer(path, INHERIT, base)
        reading.bind(reading.within, reading.type_text(base), how, base)
    _type_parameters(reading, node)


def _type_parameters(reading: Scoping, node: Node) -> None:
    for holder in node.named_children:
        if holder.type != "type_parameters":
            continue
        for one in holder.named_children:
            named = [child for child in one.named_children if child.type in {"type_identifier", "identifier"}]
            bounds = [child for child in one.named_children if child.type == "type_bound"]
            bound = bounds[0].named_child(0) if bounds else None
            if named:
                name = reading.qualified(reading.text(named[0]))
                reading.bind(name, reading.type_text(bound) or "Object", "parameter", one)


def _components(reading: Scoping, parameters: Node | None) -> list[tuple[Callable[..., None], tuple[object, ...]]]:
    """Return the steps that declare what a record consists of."""
    found = parameters.named_children if parameters is not None else ()
    return [(_component, (reading, one)) for one in found if one.type in _PARAMETERS]


def _component(reading: Scoping, one: Node) -> None:
    """Declare a part of a record; it is read by a method of its name."""
    kind, named = _parameter(one)
    name = reading.qualified(reading.text(named))
    if named is not None and kind is not None:
        reading.bind(name, reading.type_text(kind), "type", one)
        reading.bind(name, reading.type_text(kind), "result", one)
        reading.bind(name, "", "takes", one)
        reading.define(one, name, "variable", (kind,), (None,), (kind,))


def hide_fields(reading: Scoping, body: Node | None) -> None:
    """In a class, its fields hide the local variables around it."""
    for member in body.named_children if body is not None else ():
        if member.type == "field_declaration":
            for one in member.children_by_field_name("declarator"):
                reading.scopes[-1][reading.text(one.child_by_field_name("name"))] = None


def _field(reading: Scoping, node: Node) -> None:
    kind = node.child_by_field_name("type")
    modifiers = _modifiers(node)
    words = reading.text(modifiers).split() if modifiers is not None else []
    constant = node.type == "constant_declaration" or ("static" in words and "final" in words)
    declarators = node.children_by_field_name("declarator")
    above = reading.above
    reading.then(*((_one_field, (reading, node, one, modifiers, kind, constant, above)) for one in declarators))


def _one_field(
    reading: Scoping,
    node: Node,
    one: Node,
    modifiers: Node | None,
    kind: Node | None,
    constant: bool,
    above: list[Node],
) -> None:
    name = reading.qualified(reading.text(one.child_by_field_name("name")))
    dimensions = one.child_by_field_name("dimensions")
    value = one.child_by_field_name("value")
    reading.above = above
    reading.bind(name, reading.type_text(kind) + reading.text(dimensions), "type", one)
    alone = len(node.children_by_field_name("declarator")) == 1
    signature = (modifiers, kind, dimensions)
    kinds = "constant" if constant else "variable"
    reading.define(node if alone else one, name, kinds, signature, (value,), (modifiers, kind, value))


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


def _parameter_types(reading: Scoping, parameters: Node | None) -> str:
    types = []
    for one in parameters.named_children if parameters is not None else ():
        if one.type in _PARAMETERS:
            kind, _ = _parameter(one)
            dots = "..." if one.type == "spread_parameter" else reading.text(one.child_by_field_name("dimensions"))
            types.append(type_path(reading, kind) + dots)
    return ",".join(types)


def declare_parameters(reading: Scoping, parameters: Node | None) -> None:
    """Declare the parameters of a method or a lambda."""
    for one in parameters.named_children if parameters is not None else ():
        kind, name = _parameter(one)
        if name is not None:
            dots = "[]" if one.type == "spread_parameter" else reading.text(one.child_by_field_name("dimensions"))
            text = reading.type_text(kind)
            target = "" if text in {"", "var"} else text + dots
            reading.declare(reading.text(name), target, "type", syntax.first_line(one))


def _method(reading: Scoping, node: Node) -> None:
    short = reading.text(node.child_by_field_name("name"))
    name = reading.qualified(short)
    parameters = node.child_by_field_name("parameters")
    result = node.child_by_field_name("type")
    body = node.child_by_field_name("body") or node.child_by_field_name("value")
    modifiers = _modifiers(node)
    generic = next((child for child in node.named_children if child.type == "type_parameters"), None)
    throws = next((child for child in node.named_children if child.type == "throws"), None)
    dimensions = node.child_by_field_name("dimensions")
    made = node.type == "constructor_declaration"
    if result is not None:
        reading.bind(name, reading.type_text(result) + reading.text(dimensions), "result", node)
    if node.type != "compact_constructor_declaration":
        reading.bind(name, _parameter_types(reading, parameters), "takes", node)
    steps = (
        (_type_parameters, (reading, node)),
        modifiers,
        generic,
        result,
        parameters,
        throws,
        *reading.scoped((declare_parameters, (reading, parameters)), body),
        (_begin, (reading, node, body)) if made else None,
    )
    reading.define(node, name, "method", (modifiers, generic, result, parameters, throws), (body,), steps)


def _begin(reading: Scoping, node: Node, body: Node | None) -> None:
    """A constructor that does not say which other it begins with begins with the one of its base."""
    first = (
        next((child for child in body.named_children if child.type not in reading.transparent), None) if body else None
    )
    if first is None or first.type != "explicit_constructor_invocation":
        reading.refer("super", CALL, node, arguments=0)


def _enum_constant(reading: Scoping, node: Node) -> None:
    short = reading.text(node.child_by_field_name("name"))
    name = reading.qualified(short)
    owner = reading.within.rpartition(".")[2]
    arguments = node.child_by_field_name("arguments")
    body = node.child_by_field_name("body")
    reading.bind(name, owner, "type", node)
    given = arguments.named_child_count if arguments is not None else 0
    steps = (
        (reading.bind, (name, owner, "base", node)) if body is not None else None,
        (reading.refer, ("new." + owner, CALL, node, None, given)),
        _modifiers(node),
        arguments,
        *reading.scoped((hide_fields, (reading, body)), body),
    )
    reading.define(node, name, "constant", (_modifiers(node),), (arguments, body), steps)


def _annotation(reading: Scoping, node: Node) -> None:
    named = node.child_by_field_name("name")
    path = reading.type_text(named)
    if path:
        reading.refer(path, USE, node)
    reading.then(node.child_by_field_name("arguments"))


DECLARATION_HANDLERS: dict[str, Callable[[Scoping, Node], None]] = {
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
