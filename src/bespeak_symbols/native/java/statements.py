"""Java statements and expressions: what is called and used in them, and which names they declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, INHERIT, USE
from bespeak_symbols.native.java.declarations import declare_parameters, hide_fields
from bespeak_symbols.native.java.expressions import call_parts, chain, type_path
from bespeak_symbols.native.scope_walker import FROM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import Local, Scoping


_OF_ELEMENTS = frozenset(
    [
        "forEach",
        "filter",
        "map",
        "mapToInt",
        "mapToLong",
        "mapToDouble",
        "flatMap",
        "anyMatch",
        "allMatch",
        "noneMatch",
        "removeIf",
        "sort",
        "sorted",
        "max",
        "min",
        "ifPresent",
        "ifPresentOrElse",
        "peek",
        "takeWhile",
        "dropWhile",
        "forEachOrdered",
    ]
)


def _block(reading: Scoping, node: Node) -> None:
    reading.then(*reading.scoped(*node.named_children))


def _call(reading: Scoping, node: Node) -> None:
    backwards, before = call_parts(reading, node)
    arguments = node.child_by_field_name("arguments")
    given = _count(arguments)
    if before is None:
        reading.refer(backwards[0], CALL, node, None, given)
    else:
        text, local = chain(reading, before)
        reading.refer(f"{text}.{'.'.join(reversed(backwards))}", CALL, node, local, given)
        if backwards[0] in _OF_ELEMENTS and arguments is not None:
            _remember_elements(reading, text, arguments)
    reading.then(before, node.child_by_field_name("type_arguments"), arguments)


def _remember_elements(reading: Scoping, text: str, arguments: Node) -> None:
    elements: dict[int, str] = reading.elements  # type: ignore[attr-defined]
    for one in arguments.named_children:
        if one.type == "lambda_expression":
            elements[one.id] = text + ".[]"


def _count(arguments: Node | None) -> int:
    if arguments is None:
        return -1
    return sum(1 for child in arguments.named_children if "comment" not in child.type)


def _creation(reading: Scoping, node: Node) -> None:
    named = node.child_by_field_name("type")
    path = type_path(reading, named)
    arguments = node.child_by_field_name("arguments")
    given = _count(arguments)
    if path:
        reading.refer("new." + path, CALL, node, None, given)
    outer = node.named_children[0] if node.named_children else None
    body = next((child for child in node.named_children if child.type == "class_body"), None)
    reading.then(
        outer if outer is not None and outer.type == "identifier" else None,
        (_type_arguments, (reading, named)),
        arguments,
        (_nameless, (reading, node, body, named, path)) if body is not None else None,
    )


def _type_arguments(reading: Scoping, named: Node | None) -> None:
    if named is not None and named.type == "generic_type":
        reading.then(*(child for child in named.named_children if child.type == "type_arguments"))


def _nameless(reading: Scoping, node: Node, body: Node, named: Node | None, path: str) -> None:
    counts: dict[str, int] = reading.nameless  # type: ignore[attr-defined]
    name = reading.qualified((path.rpartition(".")[2] or "class") + "$")
    counts[name] = counts.get(name, 0) + 1
    name += str(counts[name])
    steps = (
        (reading.refer, (path, INHERIT, node)),
        (reading.bind, (name, reading.type_text(named), "base", node)),
        *reading.scoped((hide_fields, (reading, body)), body),
    )
    reading.define(body, name, "class", (named,), (body,), steps, (reading.type_text(named),))


def _constructor(reading: Scoping, node: Node) -> None:
    word = reading.text(node.child_by_field_name("constructor"))
    arguments = node.child_by_field_name("arguments")
    if word in {"this", "super"}:
        reading.refer(word, CALL, node, None, _count(arguments))
    reading.then(arguments)


def _field_access(reading: Scoping, node: Node) -> None:
    text, local = chain(reading, node)
    reading.refer(text, USE, node, local)
    reading.then(node.child_by_field_name("object"))


def _identifier(reading: Scoping, node: Node) -> None:
    name = reading.text(node)
    reading.refer(name, USE, node, reading.local(name))


def _type(reading: Scoping, node: Node) -> None:
    name = reading.text(node)
    if name != "var":
        reading.refer(name, USE, node)


def _scoped_type(reading: Scoping, node: Node) -> None:
    path = type_path(reading, node)
    if path:
        reading.refer(path, USE, node)
    else:
        reading.then(*node.named_children)


def _method_reference(reading: Scoping, node: Node) -> None:
    parts = node.children
    what = parts[0]
    made = parts[-1].type == "new"
    if what.type in {"generic_type", "array_type", "scoped_type_identifier", "type_identifier"} or made:
        path = type_path(reading, what) or chain(reading, what)[0]
        text = f"new.{path}" if made else f"{path}.{reading.text(parts[-1])}"
        if path:
            reading.refer(text, USE, node)
    else:
        before, local = chain(reading, what)
        reading.refer(f"{before}.{reading.text(parts[-1])}", USE, node, local)
    if not made:
        reading.then(what)


def _variable(reading: Scoping, node: Node) -> None:
    kind = node.child_by_field_name("type")
    steps: list[Node | tuple[Callable[..., None], tuple[object, ...]] | None] = [_modifiers(node), kind]
    for one in node.children_by_field_name("declarator"):
        steps += [one.child_by_field_name("value"), (_bind, (reading, one, kind))]
    reading.then(*steps)


def _modifiers(node: Node) -> Node | None:
    return next((child for child in node.named_children if child.type == "modifiers"), None)


def _bind(reading: Scoping, one: Node, kind: Node | None, item: str = "") -> None:
    name = one.child_by_field_name("name")
    text = reading.type_text(kind)
    line = syntax.first_line(one)
    if name is None:
        return
    if text in {"var", ""}:
        target, base = chain(reading, one.child_by_field_name("value"))
        reading.declare(reading.text(name), target + item, FROM, line, base)
    else:
        dimensions = reading.text(one.child_by_field_name("dimensions"))
        reading.declare(reading.text(name), text + dimensions, "type", line)


def _each(reading: Scoping, node: Node) -> None:
    kind = node.child_by_field_name("type")
    reading.then(
        *reading.scoped(
            kind,
            node.child_by_field_name("value"),
            (_bind, (reading, node, kind, ".[]")),
            node.child_by_field_name("body"),
        )
    )


def _resource(reading: Scoping, node: Node) -> None:
    kind = node.child_by_field_name("type")
    if kind is None:
        reading.then(*node.named_children)
    else:
        reading.then(
            kind, node.child_by_field_name("value"), (_bind, (reading, node, kind)), (_closed, (reading, node))
        )


def _closed(reading: Scoping, node: Node) -> None:
    """What a ``try`` opens it closes at its end."""
    name = reading.text(node.child_by_field_name("name"))
    reading.refer(name + ".close", CALL, node, reading.local(name), 0)


def _caught(reading: Scoping, node: Node) -> None:
    name = node.child_by_field_name("name")
    kinds = next((child for child in node.named_children if child.type == "catch_type"), None)
    only = kinds.named_child(0) if kinds is not None and kinds.named_child_count == 1 else None
    reading.then(kinds)
    if name is not None:
        reading.declare(reading.text(name), reading.type_text(only), "type", syntax.first_line(node))


def _instance_of(reading: Scoping, node: Node) -> None:
    name = node.child_by_field_name("name")
    kind = node.child_by_field_name("right")
    if name is not None:
        reading.declare(reading.text(name), reading.type_text(kind), "type", syntax.first_line(node))
    reading.then(*(child for child in node.named_children if child != name))


def _pattern(reading: Scoping, node: Node) -> None:
    """A type and a name: ``case Circle c``, and the parts of a record's pattern."""
    named = [child for child in node.named_children if child.type != "modifiers"]
    if named and named[-1].type == "identifier":
        text = reading.type_text(named[0]) if len(named) > 1 else ""
        target = "" if text == "var" else text
        reading.declare(reading.text(named[-1]), target, "type", syntax.first_line(node))
        named.pop()
    reading.then(*named)


def _lambda(reading: Scoping, node: Node) -> None:
    parameters = node.child_by_field_name("parameters")
    body = node.child_by_field_name("body")
    elements: dict[int, str] = reading.elements  # type: ignore[attr-defined]
    element = elements.get(node.id, "")
    first = reading.local(element.partition(".")[0]) if element else None
    typed = parameters is not None and parameters.type == "formal_parameters"
    infer = (_infer, (reading, parameters, element, first))
    declared = (declare_parameters, (reading, parameters)) if typed else infer
    reading.then(*reading.scoped(parameters if typed else None, declared, body))


def _infer(reading: Scoping, parameters: Node | None, element: str, first: Local | None) -> None:
    if parameters is None:
        return
    names = [parameters] if parameters.type == "identifier" else parameters.named_children
    for name in names:
        reading.declare(reading.text(name), element, FROM, syntax.first_line(name), first)


def _parameter_use(reading: Scoping, node: Node) -> None:
    """Of a parameter the type and the annotations are used; its name is declared elsewhere."""
    reading.then(*(child for child in node.named_children if child.type not in {"identifier", "variable_declarator"}))


def _nothing(reading: Scoping, node: Node) -> None:
    """A label is no name that something else could mean."""


def _labelled(reading: Scoping, node: Node) -> None:
    reading.then(*node.named_children[1:])


HANDLERS: dict[str, Callable[[Scoping, Node], None]] = {
    "block": _block,
    "for_statement": _block,
    "switch_block_statement_group": _block,
    "switch_rule": _block,
    "try_with_resources_statement": _block,
    "catch_clause": _block,
    "constructor_body": _block,
    "method_invocation": _call,
    "object_creation_expression": _creation,
    "explicit_constructor_invocation": _constructor,
    "field_access": _field_access,
    "identifier": _identifier,
    "type_identifier": _type,
    "scoped_type_identifier": _scoped_type,
    "method_reference": _method_reference,
    "local_variable_declaration": _variable,
    "enhanced_for_statement": _each,
    "resource": _resource,
    "catch_formal_parameter": _caught,
    "instanceof_expression": _instance_of,
    "type_pattern": _pattern,
    "record_pattern_component": _pattern,
    "lambda_expression": _lambda,
    "formal_parameter": _parameter_use,
    "spread_parameter": _parameter_use,
    "receiver_parameter": _nothing,
    "break_statement": _nothing,
    "continue_statement": _nothing,
    "labeled_statement": _labelled,
}
