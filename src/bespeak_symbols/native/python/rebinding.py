"""Which assignment a use of a name sees, where a function or a file assigns it more than once.

That is told only where it can be: all assignments of the name stand directly in the body of the function (or of the
file), so that each is made once, in their order; and the use stands in the same body, not in a function inside it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.native.python.scopes import FUNCTION, GIVEN, MODULE

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.python.scopes import State

_ASSIGNED = frozenset({"alias", "value", "listed", "mapped", GIVEN})
_TARGETS = frozenset({"pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern"})


def settle(state: State) -> None:
    """Say of each use of such a name which of the file's bindings it means."""
    wanted = _assigned_again(state)
    if not wanted:
        return
    starts = {name: _statements(places) for name, places in wanted.items()}
    for number, reference in enumerate(state.references):
        head = reference.text.partition(".")[0]
        name = f"{reference.within}.{head}" if reference.within else head
        known = starts.get(name)
        if known is None or number in state.later:
            continue
        before = bisect_left(known, (reference.line,)) - 1
        if before >= 0:
            state.references[number] = replace(reference, bound=known[before][1])


def _assigned_again(state: State) -> dict[str, list[tuple[Node, int]]]:
    """Return the names with several assignments, all of them such, and where these are: node and binding."""
    first: dict[str, int] = {}
    again = {
        bound.name
        for bound in state.bindings
        if bound.how in {"alias", "value"} and first.setdefault(bound.name, bound.line) != bound.line
    }
    again -= {bound.name for bound in state.bindings if bound.how not in _ASSIGNED}
    again -= {symbol.name for symbol in state.symbols if symbol.kind not in {"variable", "constant"}}
    again -= {f"{one.within}.{one.local}" if one.within else one.local for one in state.imports}
    found: dict[str, list[tuple[Node, int]]] = {name: [] for name in again}
    for number, bound in enumerate(state.bindings):
        if bound.name in found and bound.how in {"alias", "value"}:
            found[bound.name].append((state.places[number], number))
    return {name: places for name, places in found.items() if _is_straight(state, name, places)}


def _is_straight(state: State, name: str, places: list[tuple[Node, int]]) -> bool:
    within = name.rpartition(".")[0]
    if state.scopes.get(within) not in {FUNCTION, MODULE}:
        return False
    if any(state.bindings[number].within != within for _, number in places):
        return False
    statements = [_statement(place) for place, _ in places]
    lines = {syntax.first_line(one) for one in statements if one is not None}
    return None not in statements and len(lines) == len({one.id for one in statements if one is not None})


def _statement(place: Node) -> Node | None:
    """Return the assignment that binds a name, if it stands directly in the body of a function or of the file.

    A parameter counts as assigned before the body.
    """
    node = place.parent
    if node is not None and node.type == "parameters":
        return place
    while node is not None and node.type in _TARGETS:
        node = node.parent
    if node is None or node.type != "assignment":
        return None
    while node.type in {"assignment", "expression_statement"} and node.parent is not None:
        inner, node = node, node.parent
        if inner.type == "expression_statement":
            break
    around = node.parent
    straight = node.type == "module" or (
        node.type == "block" and around is not None and around.type == "function_definition"
    )
    return inner if straight else None


def _statements(places: list[tuple[Node, int]]) -> list[tuple[int, int]]:
    """Return the last line of each assignment with its first binding, in order."""
    first: dict[int, int] = {}
    for place, number in places:
        statement = _statement(place)
        if statement is not None:
            line = syntax.last_line(statement)
            first[line] = min(number, first.get(line, number))
    return sorted(first.items())
