"""Functions: their parameters, the patterns these may be, what they return, and the scope inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.bindings import bind_type, bind_value, type_parameters
from bespeak_symbols.native.javascript.expressions import first_of, string_in, unwrapped
from bespeak_symbols.native.javascript.scopes import Chain, Declared, Draft, declare_symbol, join, qualify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.javascript.scopes import Scope, Walk

_WORDS = frozenset({"async", "static", "get", "set", "abstract", "*"})
_NAMES = frozenset({"identifier", "shorthand_property_identifier_pattern", "shorthand_property_identifier"})
_LONGEST = 6


def words_of(node: Node) -> tuple[str, ...]:
    """Return the modifiers of a function or method."""
    return tuple(child.type for child in node.children if child.type in _WORDS)


def define(walk: Walk, node: Node, scope: Scope, name: str, outer: Node, kind: str = "function", this: str = "") -> str:
    """Note a function that has a name, and look at what is in it.

    Args:
        walk: the walk.
        node: the function.
        scope: in which it stands.
        name: its qualified name.
        outer: the node with all of it.
        kind: ``function`` or ``method``.
        this: what ``this`` stands for in it; its own name if it is given none.

    Returns:
        The name it is known by; empty if it is none that could be spoken of.
    """
    parts = tuple(
        node.child_by_field_name(part) for part in ("type_parameters", "parameters", "parameter", "return_type")
    )
    draft = Draft(name, kind, outer, node.child_by_field_name("body"), parts, words_of(node))
    symbol = walk.symbol(draft)
    enter(walk, node, scope, symbol, this or symbol)
    return symbol


def anonymous(walk: Walk, node: Node, scope: Scope) -> None:
    """A function without a name: what is in it belongs to the symbol around it."""
    enter(walk, node, scope, "", "")


def enter(walk: Walk, node: Node, scope: Scope, symbol: str, this: str) -> None:
    """Look at what is in a function."""
    arrow = node.type == "arrow_function"
    inner = scope.function(symbol or scope.later or scope.symbol, scope.this if arrow else this)
    inner.result = symbol + ".()" if symbol else ""
    own = node.child_by_field_name("name")
    if own is not None and node.type in {"function_expression", "generator_function"}:
        if symbol:
            declare_symbol(inner, walk.text(own), symbol, own)
        else:
            walk.local(walk.text(own), inner, own)
    type_parameters(walk, node.child_by_field_name("type_parameters"), inner)
    _parameters(walk, node, inner)
    returned = node.child_by_field_name("return_type")
    walk.inside(returned, inner)
    if returned is not None:
        if inner.result:
            bind_type(walk, inner.result, returned, inner)
        inner.result = ""
    body = node.child_by_field_name("body")
    if body is None:
        return
    if body.type == "statement_block":
        walk.inside(body, inner)
    else:
        gives(walk, body, inner)


def gives(walk: Walk, node: Node, scope: Scope) -> None:
    """Note what a function returns."""
    value = unwrapped(node)
    if scope.result and value.type == "object":
        name = scope.result.removesuffix(".()")
        walk.bind(scope.result, Chain([name], Declared(name, "", 0, "symbol", name)), "alias", node, scope)
        walk.classlike.add(name)
        walk.objects.append((value, scope, name))
        return
    if scope.result:
        bind_value(walk, scope.result, node, scope)
    walk.push(scope, node)


def _parameters(walk: Walk, node: Node, scope: Scope) -> None:
    """Declare the parameters of a function."""
    single = node.child_by_field_name("parameter")
    parameters = node.child_by_field_name("parameters")
    given = [single] if single is not None else parameters.named_children if parameters is not None else []
    item = walk.items.get(node.id)
    for parameter in given:
        if parameter.type in {"required_parameter", "optional_parameter"}:
            _typed(walk, parameter, scope, item)
        elif parameter.type != "comment":
            declare(walk, parameter, scope, item, _given(walk, scope, known=item is not None))
        item = None


def _given(walk: Walk, scope: Scope, *, known: bool) -> Callable[[str, Node], Declared]:
    """Return what declares a parameter: it may be anything when the function begins, if nothing is known of it."""

    def make(name: str, at: Node) -> Declared:
        declared = walk.local(name, scope, at)
        if not known:
            walk.bind(declared, None, "alias", at, scope)
        return declared

    return make


def _typed(walk: Walk, parameter: Node, scope: Scope, item: Chain | None) -> None:
    """Declare a parameter as TypeScript writes it, and the field of the class that it may be."""
    pattern, written = parameter.child_by_field_name("pattern"), parameter.child_by_field_name("type")
    value = parameter.child_by_field_name("value")
    walk.push(scope, written, value)
    walk.push(scope, *(child for child in parameter.named_children if child.type == "decorator"))
    if pattern is None or pattern.type == "this":
        _this(pattern, written, scope)
        return
    if pattern.type == "identifier":
        declared = walk.local(walk.text(pattern), scope, pattern)
        if written is not None:
            bind_type(walk, declared, written, scope)
        elif item is not None:
            walk.bind(declared, item, "alias", pattern, scope)
        else:
            walk.bind(declared, None, "alias", pattern, scope)
            bind_value(walk, declared, value, scope)
        declared.typed = written is not None
        _property(walk, parameter, declared, scope)
        return
    whole = walk.unnamed(scope, pattern)
    source = Chain(["()"], whole) if bind_type(walk, whole, written, scope) else item
    declare(walk, pattern, scope, source, lambda name, at: walk.local(name, scope, at))


def _this(pattern: Node | None, written: Node | None, scope: Scope) -> None:
    """``this: T`` among the parameters says what ``this`` is; it is not followed, but hides any other guess."""
    if pattern is not None and written is not None:
        scope.this = ""


def _property(walk: Walk, parameter: Node, declared: Declared, scope: Scope) -> None:
    """``constructor(private store: Store)`` declares a field of the class."""
    if not any(
        child.type in {"accessibility_modifier", "readonly", "override_modifier"} for child in parameter.children
    ):
        return
    owner, _, last = scope.symbol.rpartition(".")
    if last != "constructor" or not owner:
        return
    name = join(owner, declared.name)
    written = parameter.child_by_field_name("type")
    if walk.symbol(Draft(name, "variable", parameter, parameter.child_by_field_name("value"), (written,))):
        bind_type(walk, name, written, scope)


def declaration(walk: Walk, node: Node, scope: Scope) -> None:
    """``function name() {}``, and a signature that stands for it."""
    name = node.child_by_field_name("name")
    outer = walk.outers.get(node.id, node)
    if name is None:
        define(walk, node, scope, qualify(scope, "default"), outer)
        return
    qualified = qualify(scope, walk.text(name))
    symbol = define(walk, node, scope, qualified, outer)
    if symbol:
        declare_symbol(scope, walk.text(name), symbol, name)
        if scope.sort == "block" and walk.text(name) not in scope.home().names:
            declare_symbol(scope.home(), walk.text(name), symbol, name)
    else:
        walk.local(walk.text(name), scope, name)


def expression(walk: Walk, node: Node, scope: Scope) -> None:
    """A function where a value stands: if it has a name, it is used here under that name."""
    name = node.child_by_field_name("name")
    if name is None:
        anonymous(walk, node, scope)
        return
    symbol = define(walk, node, scope, qualify(scope, walk.text(name)), node)
    if symbol:
        known = Declared(walk.text(name), "", 0, "symbol", symbol)
        walk.mention(Chain([known.name], known), "use", node, scope)


def result(walk: Walk, node: Node, scope: Scope) -> None:
    """``return x``."""
    value = first_of(node)
    if value is not None:
        gives(walk, value, scope)


def declare(
    walk: Walk, pattern: Node, scope: Scope, source: Chain | None, make: Callable[[str, Node], Declared | None]
) -> None:
    """Declare the names of a pattern.

    Args:
        walk: the walk.
        pattern: a name, or a pattern of names.
        scope: of the expressions in it.
        source: what the whole is taken from, if that has a name.
        make: declares one name; None if nothing is to be known about it.
    """
    waiting: list[tuple[Node, Chain | None, Node | None]] = [(pattern, source, None)]
    while waiting:
        node, taken, otherwise = waiting.pop()
        if node.type in _NAMES:
            declared = make(walk.text(node), node)
            if declared is not None:
                _bind(walk, declared, node, scope, (taken, otherwise))
        elif node.type in {"member_expression", "subscript_expression"}:
            walk.push(scope, node)
        else:
            waiting += _parts(walk, node, taken, scope)


def _bind(walk: Walk, declared: Declared, node: Node, scope: Scope, to: tuple[Chain | None, Node | None]) -> None:
    """Note what a name of a pattern is: a part of the whole, or what stands there if that is missing."""
    taken, otherwise = to
    if taken is not None:
        walk.bind(declared, taken, "alias", node, scope)
    if otherwise is not None:
        walk.bind(declared, None, "alias", node, scope)
        bind_value(walk, declared, otherwise, scope)


def _parts(walk: Walk, node: Node, taken: Chain | None, scope: Scope) -> list[tuple[Node, Chain | None, Node | None]]:
    """Return the parts of a pattern, what each is taken from, and what stands for it if it is missing."""
    kind = node.type
    if kind in {"assignment_pattern", "object_assignment_pattern"}:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        walk.push(scope, right)
        return [(left, taken, right)] if left is not None else []
    if kind == "pair_pattern":
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        walk.push(scope, key if key is not None and key.type == "computed_property_name" else None)
        return [(value, _member(walk, taken, key), None)] if key is not None and value is not None else []
    if kind == "object_pattern":
        return [(child, _inner(walk, taken, child), None) for child in node.named_children]
    if kind == "array_pattern":
        item = taken.then("[]") if taken is not None and len(taken.parts) < _LONGEST else None
        return [(child, item, None) for child in node.named_children]
    return [(child, None, None) for child in node.named_children] if kind == "rest_pattern" else []


def _inner(walk: Walk, taken: Chain | None, child: Node) -> Chain | None:
    """Return what a part of an object pattern is taken from; pairs and defaults go on from the object."""
    if child.type in _NAMES:
        return _member(walk, taken, child)
    if child.type in {"object_assignment_pattern", "assignment_pattern"}:
        left = child.child_by_field_name("left")
        return _member(walk, taken, left) if left is not None and left.type in _NAMES else None
    return taken if child.type == "pair_pattern" else None


def _member(walk: Walk, taken: Chain | None, key: Node) -> Chain | None:
    if taken is None or len(taken.parts) >= _LONGEST:
        return None
    name = string_in(key, walk.text) if key.type == "string" else walk.text(key)
    return taken.then(name) if key.type not in {"computed_property_name", "number"} and name else None
