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

    from bespeak_symbols.native.scope_walker import Local, ScopeWalker

_OF_ELEMENTS = frozenset(
    {"all", "and_then", "any", "filter", "filter_map", "find", "find_map", "flat_map", "for_each", "inspect", "map"}
    | {"is_some_and", "map_or", "map_while", "max_by_key", "min_by_key", "partition", "position", "retain"}
    | {"skip_while", "sort_by_key", "take_while", "map_or_else"}
)
_HOLDING = frozenset({"Some", "Ok"})
_THROUGH = frozenset({"mut_pattern", "ref_pattern", "reference_pattern", "match_pattern"})
_PATHS = frozenset({"scoped_identifier", "type_identifier", "scoped_type_identifier"})


def _block(walker: ScopeWalker, node: Node) -> None:
    walker.then(*walker.scoped(*node.named_children))


def _call(walker: ScopeWalker, node: Node) -> None:
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    given = 0
    for child in arguments.named_children if arguments is not None else ():
        given += "comment" not in child.type
    text, local = chain(walker, function)
    walker.refer(text, CALL, node, local, given)
    kind_arguments = None
    if function is not None and function.type == "generic_function":
        kind_arguments = function.child_by_field_name("type_arguments")
        function = function.child_by_field_name("function")
    if function is not None and function.type == "field_expression":
        if arguments is not None and text.rpartition(".")[2] in _OF_ELEMENTS:
            _remember_elements(walker, text.rpartition(".")[0], local, arguments)
        function = function.child_by_field_name("value")
    elif function is not None and function.type in {"identifier", "self"}:
        function = None
    elif function is not None and function.type == "scoped_identifier":
        function = _owner(function)
    walker.then(function, kind_arguments, arguments)


def _owner(function: Node) -> Node | None:
    """Return the type on whose path a function is called: it may have type arguments."""
    path = function.child_by_field_name("path")
    return path if path is not None and path.type in {"generic_type", "bracketed_type"} else None


def _remember_elements(walker: ScopeWalker, text: str, local: Local | None, arguments: Node) -> None:
    elements: dict[int, Matched] = walker.elements  # type: ignore[attr-defined]
    for one in arguments.named_children:
        if one.type == "closure_expression":
            elements[one.id] = Matched(text + ".@", local)


def _identifier(walker: ScopeWalker, node: Node) -> None:
    name = walker.text(node)
    walker.refer(name, USE, node, walker.local(name))


def _path(walker: ScopeWalker, node: Node) -> None:
    path = path_of(walker, node)
    if path:
        walker.refer(path, USE, node)
    inner = node.child_by_field_name("path")
    if inner is not None and inner.type in {"generic_type", "bracketed_type"}:
        walker.then(inner)


def _field(walker: ScopeWalker, node: Node) -> None:
    walker.then(node.child_by_field_name("value"))


def _struct(walker: ScopeWalker, node: Node) -> None:
    named = node.child_by_field_name("name")
    walker.then(named, node.child_by_field_name("body"))


def _initializer(walker: ScopeWalker, node: Node) -> None:
    walker.then(node.child_by_field_name("value"))


def _let(walker: ScopeWalker, node: Node) -> None:
    kind = node.child_by_field_name("type")
    given = node.child_by_field_name("value")
    pattern = node.child_by_field_name("pattern")
    text, local = chain(walker, given) if given is not None else ("", None)
    matched = Matched(text, local)
    if kind is not None and "_" not in walker.type_text(kind):
        matched = Matched(walker.type_text(kind), None, "type")
    elif text == "()":
        matched = NOTHING
    walker.then(kind, given, node.child_by_field_name("alternative"), (declare_pattern, (walker, pattern, matched)))


def _let_condition(walker: ScopeWalker, node: Node) -> None:
    given = node.child_by_field_name("value")
    text, local = chain(walker, given)
    pattern = node.child_by_field_name("pattern")
    walker.then(given, (declare_pattern, (walker, pattern, Matched(text, local))))


def _if(walker: ScopeWalker, node: Node) -> None:
    condition, then = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
    walker.then(*walker.scoped(condition, then), node.child_by_field_name("alternative"))


def _while(walker: ScopeWalker, node: Node) -> None:
    walker.then(*walker.scoped(node.child_by_field_name("condition"), node.child_by_field_name("body")))


def _for(walker: ScopeWalker, node: Node) -> None:
    given = node.child_by_field_name("value")
    text, local = chain(walker, given)
    bind = (declare_pattern, (walker, node.child_by_field_name("pattern"), Matched(text + ".@", local)))
    walker.then(given, *walker.scoped(bind, node.child_by_field_name("body")))


def _match(walker: ScopeWalker, node: Node) -> None:
    given = node.child_by_field_name("value")
    text, local = chain(walker, given)
    body = node.child_by_field_name("body")
    steps: list[Node | tuple[Callable[..., None], tuple[object, ...]] | None] = [given]
    for arm in body.named_children if body is not None else ():
        if arm.type in {"match_arm", "last_match_arm"}:
            pattern = arm.child_by_field_name("pattern")
            condition = pattern.child_by_field_name("condition") if pattern is not None else None
            bind = (declare_pattern, (walker, pattern, Matched(text, local)))
            steps += walker.scoped(bind, condition, arm.child_by_field_name("value"))
    walker.then(*steps)


def _closure(walker: ScopeWalker, node: Node) -> None:
    parameters = node.child_by_field_name("parameters")
    elements: dict[int, Matched] = walker.elements  # type: ignore[attr-defined]
    against = elements.get(node.id, NOTHING)
    steps: list[Node | tuple[Callable[..., None], tuple[object, ...]] | None] = []
    for one in parameters.named_children if parameters is not None else ():
        kind = one.child_by_field_name("type") if one.type == "parameter" else None
        pattern = one.child_by_field_name("pattern") if one.type == "parameter" else one
        matched = Matched(walker.type_text(kind), None, "type") if kind is not None else against
        steps += [kind, (declare_pattern, (walker, pattern, matched))]
    result = node.child_by_field_name("return_type")
    walker.then(*walker.scoped(*steps, result, node.child_by_field_name("body")))


def _nothing(walker: ScopeWalker, node: Node) -> None:
    """A name here is no name that something else could mean."""


HANDLERS: dict[str, Callable[[ScopeWalker, Node], None]] = {
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


def declare_pattern(walker: ScopeWalker, pattern: Node | None, matched: Matched) -> None:
    """Declare the names in a pattern."""
    waiting: list[tuple[Node | None, Matched]] = [(pattern, matched)]
    while waiting:
        node, against = waiting.pop()
        if node is None:
            continue
        kind = node.type
        if kind in {"identifier", "shorthand_field_identifier"}:
            _name(walker, node, against)
        elif kind in _PATHS:
            _used(walker, node)
        elif kind == "tuple_struct_pattern":
            waiting += _tuple_struct(walker, node, against)
        elif kind == "struct_pattern":
            waiting += _struct_pattern(walker, node)
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


def _name(walker: ScopeWalker, node: Node, against: Matched) -> None:
    name = walker.text(node)
    if name[:1].isupper():
        walker.refer(name, USE, node)
    else:
        walker.declare(name, against.target, against.how, syntax.first_line(node), against.base)


def _used(walker: ScopeWalker, node: Node) -> str:
    path = path_of(walker, node)
    if path:
        walker.refer(path, USE, node)
    return path


def _tuple_struct(walker: ScopeWalker, node: Node, against: Matched) -> list[tuple[Node | None, Matched]]:
    named = node.child_by_field_name("type")
    path = _used(walker, named) if named is not None else ""
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


def _struct_pattern(walker: ScopeWalker, node: Node) -> list[tuple[Node | None, Matched]]:
    named = node.child_by_field_name("type")
    path = _used(walker, named) if named is not None else ""
    found: list[tuple[Node | None, Matched]] = []
    for one in node.named_children:
        if one.type == "field_pattern":
            name = one.child_by_field_name("name")
            field = walker.text(name)
            found.append((one.child_by_field_name("pattern") or name, Matched(f"{path}.{field}") if path else NOTHING))
    return found
