"""Statements that give names a meaning: assignments, loops, imports, and what a function returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import USE, Symbol
from bespeak_symbols.native.python import expressions
from bespeak_symbols.native.python.scopes import FUNCTION

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.python.scopes import Scope, State

    Place = tuple[Node, Scope]

_ADDING = frozenset({"append", "appendleft", "add", "insert"})
_MOST_HELD = 24
_GROUPS = frozenset({"pattern_list", "tuple_pattern", "list_pattern", "tuple", "list", "expression_list"})


def assignment(state: State, node: Node, scope: Scope) -> list[Place]:
    """``x = y``, ``x: T = y``, ``x: T``; on the top level of a file or a class it defines ``x``."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    kind = node.child_by_field_name("type")
    places: list[Place] = [] if right is None else [(right, scope)]
    if kind is not None:
        places.append((kind, scope))
    if left is None:
        return places
    if scope.kind != FUNCTION:
        _define(state, left, node, scope)
    said = [] if kind is None else expressions.meant(kind)
    while right is not None and right.type == "assignment":
        right = right.child_by_field_name("right")
    if said and left.type in {"identifier", "attribute"}:
        declare(state, left, said, scope)
    elif right is not None and left.type in _GROUPS and right.type in _GROUPS:
        _assign_each(state, left, right, scope)
    elif right is not None or kind is not None:
        assign(state, left, expressions.alternatives(right, scope.known), scope)
        _hold(state, left, right, scope)
        value = left.child_by_field_name("value") if left.type == "subscript" else None
        if value is not None and right is not None:
            _put(state, value, right, "mapped", scope)
    return [*places, *_stored(state, left, scope)]


def _assign_each(state: State, left: Node, right: Node, scope: Scope) -> None:
    names, values = left.named_children, right.named_children
    same = len(names) == len(values) and not any("splat" in part.type for part in (*names, *values))
    for number, name in enumerate(names):
        given = expressions.alternatives(values[number], scope.known) if same else []
        assign(state, name, given, scope)


def _hold(state: State, left: Node, right: Node | None, scope: Scope) -> None:
    """Note what a list or a table that is written out holds, where that has names."""
    kind = "" if right is None else right.type
    name = _bound_name(left, scope)
    if right is None or not name or kind not in {"dictionary", "list", "tuple", "set"}:
        return
    for item in right.named_children[:_MOST_HELD]:
        held = item.child_by_field_name("value") if item.type == "pair" else item
        if held is not None and held.type in {"identifier", "attribute", "call"}:
            how = "mapped" if kind == "dictionary" else "listed"
            state.bind(name, expressions.text_of(held, scope.known), how, held, scope.name)


def added(state: State, function: Node, given: Node, scope: Scope) -> None:
    """Note what ``x.append(y)`` puts into ``x``."""
    attribute, target = function.child_by_field_name("attribute"), function.child_by_field_name("object")
    if attribute is not None and target is not None and expressions.name_of(attribute) in _ADDING:
        _put(state, target, given, "listed", scope)


def _put(state: State, target: Node, given: Node, how: str, scope: Scope) -> None:
    name = expressions.name_of(target) if target.type == "identifier" else _bound_name(target, scope)
    if name and given.type in {"identifier", "attribute", "call"}:
        state.hold(name, expressions.text_of(given, scope.known), how, given, scope)


def _define(state: State, left: Node, statement: Node, scope: Scope) -> None:
    targets = left.named_children if left.type in _GROUPS else [left]
    right, kind = statement.child_by_field_name("right"), statement.child_by_field_name("type")
    for target in targets:
        name = expressions.name_of(target) if target.type == "identifier" else ""
        if not name or target.id in state.defined:
            continue
        state.defined.add(target.id)
        if name == "__all__" and not scope.name:
            state.exports = _listed(right, state.exports)
        tokens = state.tokens
        state.symbols.append(
            Symbol(
                scope.inside(name),
                "constant" if name.isupper() else "variable",
                syntax.first_line(statement),
                syntax.last_line(statement),
                "" if kind is None else f": {tokens.line(kind)}",
                tokens.digest(right),
                own=tokens.digest(right, name=name),
            )
        )


def _listed(node: Node | None, before: list[str] | None) -> list[str] | None:
    """Return the names in a list of strings; None if it is something else."""
    if node is None or node.type not in {"list", "tuple"}:
        return None
    found = list(before or ())
    for item in node.named_children:
        if item.type == "string":
            found += [expressions.name_of(part) for part in item.named_children if part.type == "string_content"]
        elif item.type != "comment":
            return None
    return found


def augmented(state: State, node: Node, scope: Scope) -> list[Place]:
    """``x += y``; ``__all__ += [...]`` adds to what is exported."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is not None and left.type == "identifier" and expressions.name_of(left) == "__all__" and not scope.name:
        state.exports = _listed(right, state.exports) if state.exports is not None else None
    elif left is not None and left.type == "identifier" and scope.kind == FUNCTION:
        assign(state, left, [], scope)
    places: list[Place] = [] if right is None else [(right, scope)]
    return places if left is None else [*places, *_stored(state, left, scope)]


def named(state: State, node: Node, scope: Scope) -> list[Place]:
    """``(x := y)``."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is not None:
        assign(state, name, expressions.alternatives(value, scope.known), scope)
    return [] if value is None else [(value, scope)]


def _stored(state: State, left: Node, scope: Scope) -> list[Place]:
    """Note what is used where something is stored: ``a.b`` in ``a.b.c = x``, ``a`` and ``i`` in ``a[i] = x``."""
    places: list[Place] = []
    for target in left.named_children if left.type in _GROUPS else [left]:
        if target.type == "attribute":
            inner = target.child_by_field_name("object")
            if inner is not None and inner.type != "identifier":
                places.append((inner, scope))
            elif inner is not None:
                state.refer(expressions.text_of(target, scope.known), USE, target, scope)
        elif target.type == "subscript":
            places += [(child, scope) for child in target.named_children]
    return places


def declare(state: State, target: Node, said: list[tuple[str, str]], scope: Scope) -> None:
    """Bind a name or an attribute of ``self`` to what its annotation says."""
    name = _bound_name(target, scope)
    for text, how in said if name else ():
        state.bind(name, text, how, target, scope.name)


def assign(state: State, target: Node, given: list[str], scope: Scope) -> None:
    """Bind a target to what it may be (texts); to something unknown if that is nothing."""
    if target.type in _GROUPS or "splat" in target.type:
        for part in target.named_children:
            assign(state, part, [], scope)
        return
    name = _bound_name(target, scope)
    if not name:
        _set_from_outside(state, target, given, scope)
        return
    for text in given:
        if text != expressions.name_of(target):
            state.bind(name, text, "alias", target, scope.name)
    if not given:
        state.bind(name, "", "value", target, scope.name)


def _set_from_outside(state: State, target: Node, given: list[str], scope: Scope) -> None:
    """``C.run = other``: what the class itself says of ``run`` is not all there is."""
    owner = target.child_by_field_name("object") if target.type == "attribute" else None
    if owner is not None and owner.type == "identifier" and not scope.known:
        for text in given:
            state.hold(expressions.text_of(target, {}), text, "alias", target, scope)


def _bound_name(target: Node, scope: Scope) -> str:
    """Return the qualified name that is bound: of a variable, or of an attribute of ``self``."""
    if target.type == "identifier":
        return scope.inside(expressions.name_of(target))
    if target.type == "attribute" and scope.owner:
        owner = target.child_by_field_name("object")
        attribute = target.child_by_field_name("attribute")
        if owner is None or attribute is None or owner.type != "identifier":
            return ""
        if scope.receiver == f"{scope.name}.{expressions.name_of(owner)}":
            return f"{scope.owner}.{expressions.name_of(attribute)}"
    return ""


def loop(state: State, node: Node, scope: Scope) -> list[Place]:
    """``for x in y``."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is not None:
        both = expressions.pairs(right, scope.known)
        names = left.named_children
        if both is not None and left.type in _GROUPS and len(names) == len(both):
            for name, text in zip(names, both, strict=True):
                assign(state, name, [text], scope)
        else:
            assign(state, left, [expressions.yielded(right, scope.known)], scope)
    return [(child, scope) for child in node.named_children if left is None or child.id != left.id]


def loop_names(node: Node, scope: Scope) -> dict[str, str]:
    """Return the names that a loop of a comprehension binds, and what they stand for."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None:
        return {}
    if left.type == "identifier":
        return {expressions.name_of(left): expressions.yielded(right, scope.known)}
    both = expressions.pairs(right, scope.known)
    names = left.named_children
    if both is not None and len(names) == len(both) and all(name.type == "identifier" for name in names):
        return {expressions.name_of(name): text for name, text in zip(names, both, strict=True)}
    return {expressions.name_of(part): expressions.UNKNOWN for part in syntax.walk(left) if part.type == "identifier"}


def returned(state: State, node: Node, scope: Scope) -> list[Place]:
    """``return x``: what calling the function gives, unless its annotation says so."""
    value = next(iter(node.named_children), None)
    if value is None:
        return []
    if scope.kind == FUNCTION and scope.name not in state.annotated:
        for text in expressions.alternatives(value, scope.known):
            state.bind(f"{scope.name}.()", text, "alias", node, scope.name)
    return [(value, scope)]


def imports(state: State, node: Node, scope: Scope) -> list[Place]:
    """``import a.b``, ``import a.b as c``."""
    for part in node.named_children:
        if part.type == "aliased_import":
            name, alias = part.child_by_field_name("name"), part.child_by_field_name("alias")
            if name is not None and alias is not None:
                state.take(expressions.name_of(alias), expressions.name_of(name), "", node, scope)
        elif part.type == "dotted_name":
            name_text = expressions.name_of(part)
            state.take(name_text, name_text, "", node, scope)
    return []


def imports_from(state: State, node: Node, scope: Scope) -> list[Place]:
    """``from .a import b as c``, ``from a import *``."""
    module = node.child_by_field_name("module_name")
    if module is None:
        return []
    where = "".join(expressions.name_of(module).split())
    for part in node.named_children:
        if part.id == module.id:
            continue
        if part.type == "wildcard_import":
            state.take("*", where, "*", node, scope)
        elif part.type == "dotted_name":
            state.take(expressions.name_of(part), where, expressions.name_of(part), node, scope)
        elif part.type == "aliased_import":
            name, alias = part.child_by_field_name("name"), part.child_by_field_name("alias")
            if name is not None and alias is not None:
                state.take(expressions.name_of(alias), where, expressions.name_of(name), node, scope)
    return []
