"""Statements that give names a meaning: assignments, loops, imports, and what a function returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, USE, Binding, Symbol
from bespeak_symbols.native.python import expressions
from bespeak_symbols.native.python.scopes import APPENDED, FUNCTION

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.python.scopes import Scope, State

    Place = tuple[Node, Scope]

_ADDING = frozenset({"append", "appendleft", "add", "insert"})
_ITERATORS = frozenset({f"{name}.()" for name in ("range", "enumerate", "zip", "sorted", "reversed", "map", "filter")})
"""What gives an iterator that no Python file defines."""
_VIEWS = (".items.()", ".values.()", ".keys.()")

_MOST_HELD = 24
_NAMED = frozenset({"identifier", "attribute", "call"})
_DISPLAYS = frozenset({"dictionary", "list", "tuple", "set", "expression_list"})
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
        _hold(state, _bound_name(left, scope), right, scope)
        value = left.child_by_field_name("value") if left.type == "subscript" else None
        if value is not None and right is not None:
            _put(state, value, right, "mapped", scope, expressions.key_of(left.child_by_field_name("subscript")))
    return [*places, *_stored(state, left, scope)]


def _assign_each(state: State, left: Node, right: Node, scope: Scope) -> None:
    """``a, (b, *c) = x, (y, *z)``: each name is what stands at its place, as far as the places are known."""
    names, values = left.named_children, right.named_children
    starred = [number for number, name in enumerate(names) if "splat" in name.type]
    more = len(values) - len(names)
    if any("splat" in value.type for value in values) or len(starred) > 1 or (more < -1 if starred else more):
        assign(state, left, [], scope)
        return
    for number, name in enumerate(names):
        at = number if not starred or number < starred[0] else number + more
        if number in starred:
            _starred(state, name, values[number : at + 1], scope)
        elif name.type in _GROUPS and values[at].type in _GROUPS:
            _assign_each(state, name, values[at], scope)
        else:
            assign(state, name, expressions.alternatives(values[at], scope.known), scope)
            _hold(state, _bound_name(name, scope), values[at], scope)


def _starred(state: State, name: Node, values: list[Node], scope: Scope) -> None:
    target = next(iter(name.named_children), None)
    if target is None or target.type != "identifier":
        assign(state, name, [], scope)
        return
    assign(state, target, ["list.()"], scope)
    for number, value in enumerate(values[:_MOST_HELD]):
        if value.type in _NAMED:
            text = expressions.text_of(value, scope.known)
            state.bind(_bound_name(target, scope), text, "listed", value, scope.name, f"[{number}]")


def _hold(state: State, name: str, right: Node | None, scope: Scope) -> None:
    """Note what a list or a table that is written out holds, where that has names."""
    if right is None or not name or right.type not in _DISPLAYS:
        return
    how = "mapped" if right.type == "dictionary" else "listed"
    keyed = right.type != "set"
    for number, item in enumerate(right.named_children[:_MOST_HELD]):
        held = item.child_by_field_name("value") if item.type == "pair" else item
        if "splat" in item.type:
            keyed = False
        elif held is not None and held.type in {*_NAMED, *_DISPLAYS}:
            key = expressions.key_of(item.child_by_field_name("key")) if item.type == "pair" else f"[{number}]"
            key = key if keyed and key != expressions.UNKNOWN else ""
            text = expressions.text_of(held, scope.known)
            if held.type in _DISPLAYS:
                text = f"{name.rpartition('.')[2]}{key or '[]'}"
                _hold(state, f"{name}{key or '[]'}", held, scope)
            state.bind(name, text, how, held, scope.name, key)


def added(state: State, function: Node, given: Node, scope: Scope) -> None:
    """Note what ``x.append(y)`` puts into ``x``."""
    attribute, target = function.child_by_field_name("attribute"), function.child_by_field_name("object")
    if attribute is None or target is None:
        return
    name = expressions.name_of(attribute)
    if name in _ADDING:
        _put(state, target, given, "listed", scope, "" if name == "insert" else APPENDED)
    elif name == "update" and given.type == "dictionary":
        for item in given.named_children[:_MOST_HELD]:
            value = item.child_by_field_name("value")
            if value is not None:
                _put(state, target, value, "mapped", scope, expressions.key_of(item.child_by_field_name("key")))
    elif name == "update":
        put_unknown(state, target, given, scope)


def put_unknown(state: State, target: Node, given: Node, scope: Scope) -> None:
    """Note that nobody knows what ``x.update(y)`` puts into ``x``."""
    name = _holder(target, scope)
    if name:
        state.held.append((scope.name, Binding(name, "", "mapped", syntax.first_line(given)), given))


def _holder(target: Node, scope: Scope) -> str:
    """Return the name of what something is put into: ``x``, ``self.x``, or an item of one of these."""
    if target.type == "identifier":
        return expressions.name_of(target)
    if target.type != "subscript":
        return _bound_name(target, scope)
    whole = target.child_by_field_name("value")
    name = "" if whole is None else _holder(whole, scope)
    return f"{name}{expressions.key_of(target.child_by_field_name('subscript'))}" if name else ""


def _put(state: State, target: Node, given: Node, how: str, scope: Scope, key: str = "") -> None:
    name = _holder(target, scope)
    if name and given.type in _NAMED:
        key = "" if key == expressions.UNKNOWN else key
        state.hold(name, expressions.text_of(given, scope.known), how, given, scope, key)


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
    asynchronous = bool(node.children) and node.children[0].type == "async"
    iterated(state, right, scope, asynchronous=asynchronous)
    if left is not None:
        both = expressions.pairs(right, scope.known)
        names = left.named_children
        if both is not None and left.type in _GROUPS and len(names) == len(both):
            for name, text in zip(names, both, strict=True):
                assign(state, name, [text], scope)
        else:
            assign(state, left, [expressions.yielded(right, scope.known)], scope)
    return [(child, scope) for child in node.named_children if left is None or child.id != left.id]


def iterated(state: State, node: Node | None, scope: Scope, *, asynchronous: bool = False) -> None:
    """Note that a loop calls ``__iter__`` of what it is over, and ``__next__`` of what that gives."""
    if node is None or node.type not in {"identifier", "attribute", "call"}:
        return
    text = expressions.text_of(node, scope.known)
    if text.startswith(expressions.UNKNOWN) or text in _ITERATORS:
        return
    if asynchronous:
        state.refer(f"{text}.__aiter__", CALL, node, scope)
        state.refer(f"{text}.__aiter__.().__anext__", CALL, node, scope)
    elif not text.endswith(_VIEWS):
        state.refer(f"{text}.[*]", CALL, node, scope)


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
        _hold(state, f"{scope.name}.()", value, scope)
    return [(value, scope)]


def yielded(state: State, node: Node, scope: Scope) -> list[Place]:
    """``yield x``: an item of what calling the function gives, unless its annotation says so."""
    value = next(iter(node.named_children), None)
    if value is None:
        return []
    plain = all(child.type != "from" for child in node.children)
    if plain and scope.kind == FUNCTION and scope.name not in state.annotated:
        for text in expressions.alternatives(value, scope.known):
            state.bind(f"{scope.name}.()", text, "listed", node, scope.name, "[*]")
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
