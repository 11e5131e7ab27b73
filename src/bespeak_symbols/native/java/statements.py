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

    from bespeak_symbols.native.scope_walker import Local, ScopeWalker

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


def _block(walker: ScopeWalker, node: Node) -> None:
    walker.then(*walker.scoped(*node.named_children))


def _call(walker: ScopeWalker, node: Node) -> None:
    backwards, before = call_parts(walker, node)
    arguments = node.child_by_field_name("arguments")
    given = _count(arguments)
    if before is None:
        walker.refer(backwards[0], CALL, node, None, given)
    else:
        text, local = chain(walker, before)
        walker.refer(f"{text}.{'.'.join(reversed(backwards))}", CALL, node, local, given)
        if backwards[0] in _OF_ELEMENTS and arguments is not None:
            _remember_elements(walker, text, arguments)
    walker.then(before, node.child_by_field_name("type_arguments"), arguments)


def _remember_elements(walker: ScopeWalker, text: str, arguments: Node) -> None:
    elements: dict[int, str] = walker.elements  # type: ignore[attr-defined]
    for one in arguments.named_children:
        if one.type == "lambda_expression":
            elements[one.id] = text + ".[]"


def _count(arguments: Node | None) -> int:
    if arguments is None:
        return -1
    return sum(1 for child in arguments.named_children if "comment" not in child.type)


def _creation(walker: ScopeWalker, node: Node) -> None:
    named = node.child_by_field_name("type")
    path = type_path(walker, named)
    arguments = node.child_by_field_name("arguments")
    given = _count(arguments)
    if path:
        walker.refer("new." + path, CALL, node, None, given)
    outer = node.named_children[0] if node.named_children else None
    body = next((child for child in node.named_children if child.type == "class_body"), None)
    walker.then(
        outer if outer is not None and outer.type == "identifier" else None,
        (_type_arguments, (walker, named)),
        arguments,
        (_nameless, (walker, node, body, named, path)) if body is not None else None,
    )


def _type_arguments(walker: ScopeWalker, named: Node | None) -> None:
    if named is not None and named.type == "generic_type":
        walker.then(*(child for child in named.named_children if child.type == "type_arguments"))


def _nameless(walker: ScopeWalker, node: Node, body: Node, named: Node | None, path: str) -> None:
    counts: dict[str, int] = walker.nameless  # type: ignore[attr-defined]
    name = walker.qualified((path.rpartition(".")[2] or "class") + "$")
    counts[name] = counts.get(name, 0) + 1
    name += str(counts[name])
    steps = (
        (walker.refer, (path, INHERIT, node)),
        (walker.bind, (name, walker.type_text(named), "base", node)),
        *walker.scoped((hide_fields, (walker, body)), body),
    )
    walker.define(body, name, "class", (named,), (body,), steps, (walker.type_text(named),))


def _constructor(walker: ScopeWalker, node: Node) -> None:
    word = walker.text(node.child_by_field_name("constructor"))
    arguments = node.child_by_field_name("arguments")
    if word in {"this", "super"}:
        walker.refer(word, CALL, node, None, _count(arguments))
    walker.then(arguments)


def _field_access(walker: ScopeWalker, node: Node) -> None:
    text, local = chain(walker, node)
    walker.refer(text, USE, node, local)
    walker.then(node.child_by_field_name("object"))


def _identifier(walker: ScopeWalker, node: Node) -> None:
    name = walker.text(node)
    walker.refer(name, USE, node, walker.local(name))


def _type(walker: ScopeWalker, node: Node) -> None:
    name = walker.text(node)
    if name != "var":
        walker.refer(name, USE, node)


def _scoped_type(walker: ScopeWalker, node: Node) -> None:
    path = type_path(walker, node)
    if path:
        walker.refer(path, USE, node)
    else:
        walker.then(*node.named_children)


def _method_reference(walker: ScopeWalker, node: Node) -> None:
    parts = node.children
    what = parts[0]
    made = parts[-1].type == "new"
    if what.type in {"generic_type", "array_type", "scoped_type_identifier", "type_identifier"} or made:
        path = type_path(walker, what) or chain(walker, what)[0]
        text = f"new.{path}" if made else f"{path}.{walker.text(parts[-1])}"
        if path:
            walker.refer(text, USE, node)
    else:
        before, local = chain(walker, what)
        walker.refer(f"{before}.{walker.text(parts[-1])}", USE, node, local)
    if not made:
        walker.then(what)


def _variable(walker: ScopeWalker, node: Node) -> None:
    kind = node.child_by_field_name("type")
    steps: list[Node | tuple[Callable[..., None], tuple[object, ...]] | None] = [_modifiers(node), kind]
    for one in node.children_by_field_name("declarator"):
        steps += [one.child_by_field_name("value"), (_bind, (walker, one, kind))]
    walker.then(*steps)


def _modifiers(node: Node) -> Node | None:
    return next((child for child in node.named_children if child.type == "modifiers"), None)


def _bind(walker: ScopeWalker, one: Node, kind: Node | None, item: str = "") -> None:
    name = one.child_by_field_name("name")
    text = walker.type_text(kind)
    line = syntax.first_line(one)
    if name is None:
        return
    if text in {"var", ""}:
        target, base = chain(walker, one.child_by_field_name("value"))
        walker.declare(walker.text(name), target + item, FROM, line, base)
    else:
        dimensions = walker.text(one.child_by_field_name("dimensions"))
        walker.declare(walker.text(name), text + dimensions, "type", line)


def _each(walker: ScopeWalker, node: Node) -> None:
    kind = node.child_by_field_name("type")
    walker.then(
        *walker.scoped(
            kind,
            node.child_by_field_name("value"),
            (_bind, (walker, node, kind, ".[]")),
            node.child_by_field_name("body"),
        )
    )


def _resource(walker: ScopeWalker, node: Node) -> None:
    kind = node.child_by_field_name("type")
    if kind is None:
        walker.then(*node.named_children)
    else:
        walker.then(kind, node.child_by_field_name("value"), (_bind, (walker, node, kind)), (_closed, (walker, node)))


def _closed(walker: ScopeWalker, node: Node) -> None:
    """What a ``try`` opens it closes at its end."""
    name = walker.text(node.child_by_field_name("name"))
    walker.refer(name + ".close", CALL, node, walker.local(name), 0)


def _caught(walker: ScopeWalker, node: Node) -> None:
    name = node.child_by_field_name("name")
    kinds = next((child for child in node.named_children if child.type == "catch_type"), None)
    only = kinds.named_child(0) if kinds is not None and kinds.named_child_count == 1 else None
    walker.then(kinds)
    if name is not None:
        walker.declare(walker.text(name), walker.type_text(only), "type", syntax.first_line(node))


def _instance_of(walker: ScopeWalker, node: Node) -> None:
    name = node.child_by_field_name("name")
    kind = node.child_by_field_name("right")
    if name is not None:
        walker.declare(walker.text(name), walker.type_text(kind), "type", syntax.first_line(node))
    walker.then(*(child for child in node.named_children if child != name))


def _pattern(walker: ScopeWalker, node: Node) -> None:
    """A type and a name: ``case Circle c``, and the parts of a record's pattern."""
    named = [child for child in node.named_children if child.type != "modifiers"]
    if named and named[-1].type == "identifier":
        text = walker.type_text(named[0]) if len(named) > 1 else ""
        target = "" if text == "var" else text
        walker.declare(walker.text(named[-1]), target, "type", syntax.first_line(node))
        named.pop()
    walker.then(*named)


def _lambda(walker: ScopeWalker, node: Node) -> None:
    parameters = node.child_by_field_name("parameters")
    body = node.child_by_field_name("body")
    elements: dict[int, str] = walker.elements  # type: ignore[attr-defined]
    element = elements.get(node.id, "")
    first = walker.local(element.partition(".")[0]) if element else None
    typed = parameters is not None and parameters.type == "formal_parameters"
    infer = (_infer, (walker, parameters, element, first))
    declared = (declare_parameters, (walker, parameters)) if typed else infer
    walker.then(*walker.scoped(parameters if typed else None, declared, body))


def _infer(walker: ScopeWalker, parameters: Node | None, element: str, first: Local | None) -> None:
    if parameters is None:
        return
    names = [parameters] if parameters.type == "identifier" else parameters.named_children
    for name in names:
        walker.declare(walker.text(name), element, FROM, syntax.first_line(name), first)


def _parameter_use(walker: ScopeWalker, node: Node) -> None:
    """Of a parameter the type and the annotations are used; its name is declared elsewhere."""
    walker.then(*(child for child in node.named_children if child.type not in {"identifier", "variable_declarator"}))


def _nothing(walker: ScopeWalker, node: Node) -> None:
    """A label is no name that something else could mean."""


def _labelled(walker: ScopeWalker, node: Node) -> None:
    walker.then(*node.named_children[1:])


HANDLERS: dict[str, Callable[[ScopeWalker, Node], None]] = {
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
