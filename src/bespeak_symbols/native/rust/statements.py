"""Rust statements and patterns: what is called and used in them, and which names they bind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, USE
from bespeak_symbols.native.rust.expressions import chain, invoked, path_of
from bespeak_symbols.native.scope_walker import FROM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import Local, Scoping


_OF_ELEMENTS = frozenset(
    {"all", "and_then", "any", "filter", "filter_map", "find", "find_map", "flat_map", "for_each", "inspect", "map"}
    | {"is_some_and", "map_or", "map_while", "max_by_key", "min_by_key", "partition", "position", "retain"}
    | {"skip_while", "sort_by_key", "take_while", "map_or_else"}
)
_HOLDING = frozenset({"Some", "Ok"})
_THROUGH = frozenset({"mut_pattern", "ref_pattern", "reference_pattern", "match_pattern"})
_PATHS = frozenset({"scoped_identifier", "type_identifier", "scoped_type_identifier"})


def _block(reading: Scoping, node: Node) -> None:
    reading.then(*reading.scoped(*node.named_children))


def _call(reading: Scoping, node: Node) -> None:
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    given = 0
    for child in arguments.named_children if arguments is not None else ():
        given += "comment" not in child.type
    text, local = chain(reading, function)
    reading.refer(text, CALL, node, local, given)
    kind_arguments = None
    if function is not None and function.type == "generic_function":
        kind_arguments = function.child_by_field_name("type_arguments")
        function = function.child_by_field_name("function")
    if function is not None and function.type == "field_expression":
        if arguments is not None and text.rpartition(".")[2] in _OF_ELEMENTS:
            _remember_elements(reading, text.rpartition(".")[0], local, arguments)
        function = function.child_by_field_name("value")
    elif function is not None and function.type in {"identifier", "self"}:
        function = None
    elif function is not None and function.type == "scoped_identifier":
        function = _owner(function)
    reading.then(function, kind_arguments, arguments)


def _owner(function: Node) -> Node | None:
    """Return the type on whose path a function is called: it may have type arguments."""
    path = function.child_by_field_name("path")
    return path if path is not None and path.type in {"generic_type", "bracketed_type"} else None


def _remember_elements(reading: Scoping, text: str, local: Local | None, arguments: Node) -> None:
    elements: dict[int, Matched] = reading.elements  # type: ignore[attr-defined]
    for one in arguments.named_children:
        if one.type == "closure_expression":
            elements[one.id] = Matched(text + ".@", local)


def _identifier(reading: Scoping, node: Node) -> None:
    name = reading.text(node)
    reading.refer(name, USE, node, reading.local(name))


def _path(reading: Scoping, node: Node) -> None:
    path = path_of(reading, node)
    if path:
        reading.refer(path, USE, node)
    inner = node.child_by_field_name("path")
    if inner is not None and inner.type in {"generic_type", "bracketed_type"}:
        reading.then(inner)


def _field(reading: Scoping, node: Node) -> None:
    reading.then(node.child_by_field_name("value"))


def _struct(reading: Scoping, node: Node) -> None:
    named = node.child_by_field_name("name")
    reading.then(named, node.child_by_field_name("body"))


def _initializer(reading: Scoping, node: Node) -> None:
    reading.then(node.child_by_field_name("value"))


def _let(reading: Scoping, node: Node) -> None:
    kind = node.child_by_field_name("type")
    given = node.child_by_field_name("value")
    pattern = node.child_by_field_name("pattern")
    text, local = chain(reading, given) if given is not None else ("", None)
    matched = Matched(text, local)
    if kind is not None and "_" not in reading.type_text(kind):
        matched = Matched(reading.type_text(kind), None, "type")
    elif text == "()":
        matched = NOTHING
    reading.then(kind, given, node.child_by_field_name("alternative"), (declare_pattern, (reading, pattern, matched)))


def _let_condition(reading: Scoping, node: Node) -> None:
    given = node.child_by_field_name("value")
    text, local = chain(reading, given)
    pattern = node.child_by_field_name("pattern")
    reading.then(given, (declare_pattern, (reading, pattern, Matched(text, local))))


def _if(reading: Scoping, node: Node) -> None:
    condition, then = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
    reading.then(*reading.scoped(condition, then), node.child_by_field_name("alternative"))


def _while(reading: Scoping, node: Node) -> None:
    reading.then(*reading.scoped(node.child_by_field_name("condition"), node.child_by_field_name("body")))


def _for(reading: Scoping, node: Node) -> None:
    given = node.child_by_field_name("value")
    text, local = chain(reading, given)
    bind = (declare_pattern, (reading, node.child_by_field_name("pattern"), Matched(text + ".@", local)))
    reading.then(given, *reading.scoped(bind, node.child_by_field_name("body")))


def _match(reading: Scoping, node: Node) -> None:
    given = node.child_by_field_name("value")
    text, local = chain(reading, given)
    body = node.child_by_field_name("body")
    steps: list[Node | tuple[Callable[..., None], tuple[object, ...]] | None] = [given]
    for arm in body.named_children if body is not None else ():
        if arm.type in {"match_arm", "last_match_arm"}:
            pattern = arm.child_by_field_name("pattern")
            condition = pattern.child_by_field_name("condition") if pattern is not None else None
            bind = (declare_pattern, (reading, pattern, Matched(text, local)))
            steps += reading.scoped(bind, condition, arm.child_by_field_name("value"))
    reading.then(*steps)


def _closure(reading: Scoping, node: Node) -> None:
    parameters = node.child_by_field_name("parameters")
    elements: dict[int, Matched] = reading.elements  # type: ignore[attr-defined]
    against = elements.get(node.id, NOTHING)
    steps: list[Node | tuple[Callable[..., None], tuple[object, ...]] | None] = []
    for one in parameters.named_children if parameters is not None else ():
        kind = one.child_by_field_name("type") if one.type == "parameter" else None
        pattern = one.child_by_field_name("pattern") if one.type == "parameter" else one
        matched = Matched(reading.type_text(kind), None, "type") if kind is not None else against
        steps += [kind, (declare_pattern, (reading, pattern, matched))]
    result = node.child_by_field_name("return_type")
    reading.then(*reading.scoped(*steps, result, node.child_by_field_name("body")))


def _nothing(reading: Scoping, node: Node) -> None:
    """A name here is no name that something else could mean."""


HANDLERS: dict[str, Callable[[Scoping, Node], None]] = {
    "block": _block,
    "call_expression": _call,
    "identifier": _identifier,
    "type_identifier": _path,
    "scoped_identifier": _path,
    "scoped_type_identifier": _path,
    "field_expression": _field,
    "struct_expression": _struct,
    "field_initializer": _initializer,
    "let_declaration": _let,
    "let_condition": _let_condition,
    "if_expression": _if,
    "while_expression": _while,
    "for_expression": _for,
    "match_expression": _match,
    "closure_expression": _closure,
    "macro_invocation": invoked,
    "lifetime": _nothing,
    "label": _nothing,
    "loop_label": _nothing,
    "metavariable": _nothing,
}


class Matched:
    """What a pattern is matched against: a text, how it is meant, and the local variable with which it begins."""

    __slots__ = ("base", "how", "target")

    def __init__(self, target: str, base: Local | None = None, how: str = FROM) -> None:
        self.target = target
        self.base = base
        self.how = how

    def part(self, text: str) -> Matched:
        """Return a part of it."""
        if not self.target or self.how != FROM:
            return NOTHING
        return Matched(f"{self.target}.{text}", self.base)


NOTHING = Matched("")


def declare_pattern(reading: Scoping, pattern: Node | None, matched: Matched) -> None:
    """Declare the names in a pattern."""
    waiting: list[tuple[Node | None, Matched]] = [(pattern, matched)]
    while waiting:
        node, against = waiting.pop()
        if node is None:
            continue
        kind = node.type
        if kind in {"identifier", "shorthand_field_identifier"}:
            _name(reading, node, against)
        elif kind in _PATHS:
            _used(reading, node)
        elif kind == "tuple_struct_pattern":
            waiting += _tuple_struct(reading, node, against)
        elif kind == "struct_pattern":
            waiting += _struct_pattern(reading, node)
        elif kind in {"tuple_pattern", "slice_pattern"}:
            one = kind == "slice_pattern"
            waiting += [
                (child, against.part("[]" if one else place) if place else NOTHING) for place, child in _placed(node)
            ]
        elif kind == "captured_pattern":
            waiting += [(child, against) for child in node.named_children]
        elif kind in _THROUGH:
            condition = node.child_by_field_name("condition")
            waiting += [(child, against) for child in node.named_children if child != condition]
        else:
            waiting += [(child, NOTHING) for child in node.named_children]


def _name(reading: Scoping, node: Node, against: Matched) -> None:
    name = reading.text(node)
    if name[:1].isupper():
        reading.refer(name, USE, node)
    else:
        reading.declare(name, against.target, against.how, syntax.first_line(node), against.base)


def _used(reading: Scoping, node: Node) -> str:
    path = path_of(reading, node)
    if path:
        reading.refer(path, USE, node)
    return path


def _tuple_struct(reading: Scoping, node: Node, against: Matched) -> list[tuple[Node | None, Matched]]:
    named = node.child_by_field_name("type")
    path = _used(reading, named) if named is not None else ""
    parts = [(place, child) for place, child in _placed(node) if child != named]
    if path in _HOLDING:
        return [(child, against.part("?")) for _, child in parts]
    if not path or path == "Err":
        return [(child, NOTHING) for _, child in parts]
    return [(child, Matched(f"{path}.{place}") if place else NOTHING) for place, child in parts]


def _placed(node: Node) -> list[tuple[str, Node]]:
    """Return the parts of a pattern, each with its place; behind ``..`` places are not known."""
    place, known = 0, True
    found = []
    for child in node.children:
        place += child.type == ","
        known = known and child.type != "remaining_field_pattern"
        if child.is_named:
            found.append((str(place) if known else "", child))
    return found


def _struct_pattern(reading: Scoping, node: Node) -> list[tuple[Node | None, Matched]]:
    named = node.child_by_field_name("type")
    path = _used(reading, named) if named is not None else ""
    found: list[tuple[Node | None, Matched]] = []
    for one in node.named_children:
        if one.type == "field_pattern":
            name = one.child_by_field_name("name")
            field = reading.text(name)
            found.append((one.child_by_field_name("pattern") or name, Matched(f"{path}.{field}") if path else NOTHING))
    return found
