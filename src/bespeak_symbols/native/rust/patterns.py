"""Rust patterns: which names they bind, and to what."""

from __future__ import annotations

from bespeak_symbols import syntax
from bespeak_symbols.model import USE
from bespeak_symbols.native.rust.chains import path_of
from bespeak_symbols.native.scope_walker import FROM, Local, Scoping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node

_HOLDING = frozenset({"Some", "Ok"})
_THROUGH = frozenset({"mut_pattern", "ref_pattern", "reference_pattern", "match_pattern"})
_PATHS = frozenset({"scoped_identifier", "type_identifier", "scoped_type_identifier"})


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
            waiting += _struct(reading, node)
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


def _struct(reading: Scoping, node: Node) -> list[tuple[Node | None, Matched]]:
    named = node.child_by_field_name("type")
    path = _used(reading, named) if named is not None else ""
    found: list[tuple[Node | None, Matched]] = []
    for one in node.named_children:
        if one.type == "field_pattern":
            name = one.child_by_field_name("name")
            field = reading.text(name)
            found.append((one.child_by_field_name("pattern") or name, Matched(f"{path}.{field}") if path else NOTHING))
    return found
