"""What a name is bound to, as far as the expression tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.chains import chain_of, first_of, loads, unwrapped
from bespeak_symbols.native.javascript.types import bind_type

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.javascript.chains import Chain
    from bespeak_symbols.native.javascript.scopes import Declared, Scope
    from bespeak_symbols.native.javascript.state import Walk


LITERALS = frozenset({"string", "template_string", "number", "regex", "true", "false", "null", "undefined", "array"})
FUNCTIONS = frozenset({"function_expression", "arrow_function", "generator_function", "function_declaration"})
CASTS = frozenset({"as_expression", "type_assertion"})
_EITHER = frozenset({"||", "??", "&&"})
_CHAINED = frozenset({"identifier", "this", "member_expression", "subscript_expression", "await_expression"})
_MOST_ALTERNATIVES = 8


def bind_value(walk: Walk, subject: Declared | str | Chain, node: Node | None, scope: Scope) -> None:
    """Note what an expression makes of a name that it is assigned to."""
    waiting = [] if node is None else [node]
    seen = 0
    while waiting and seen < _MOST_ALTERNATIVES:
        seen += 1
        value = waiting.pop()
        if value.type != "as_expression":
            value = unwrapped(value)
        if value.type in CASTS:
            _bind_cast(walk, subject, value, scope)
        elif value.type == "ternary_expression":
            waiting += _fields(value, "consequence", "alternative")
        elif value.type == "binary_expression" and _operator(walk, value) in _EITHER:
            waiting += _fields(value, "left", "right") if _operator(walk, value) != "&&" else _fields(value, "right")
        elif value.type == "assignment_expression":
            waiting += _fields(value, "right")
        else:
            _bind_one(walk, subject, value, scope)


def _bind_one(walk: Walk, subject: Declared | str | Chain, value: Node, scope: Scope) -> None:
    kind = value.type
    if kind == "new_expression":
        made = value.child_by_field_name("constructor")
        if made is not None:
            walk.bind(subject, rooted(walk, chain_of(made, walk.text), scope), "type", value, scope)
    elif kind == "call_expression" and not loads(value, walk.text):
        called = value.child_by_field_name("function")
        if called is not None:
            walk.bind(subject, rooted(walk, chain_of(called, walk.text), scope), "result", value, scope)
    elif kind in _CHAINED or kind == "call_expression":
        chain = rooted(walk, chain_of(value, walk.text), scope)
        walk.bind(subject, chain, "alias", value, scope)
    elif kind not in {"null", "undefined"}:
        walk.bind(subject, None, "alias", value, scope)


def _bind_cast(walk: Walk, subject: Declared | str | Chain, node: Node, scope: Scope) -> None:
    """Bind a name to what the source says that a value is."""
    written = cast_type(node)
    if written is None and node.named_children:
        bind_value(walk, subject, node.named_children[0], scope)
    elif not bind_type(walk, subject, written, scope):
        walk.bind(subject, None, "alias", node, scope)


def cast_type(node: Node) -> Node | None:
    """Return the type of ``x as T`` and ``<T>x``; None for ``x as const``."""
    named = [child for child in node.named_children if child.type != "comment"]
    if node.type == "type_assertion":
        return first_of(named[0]) if named else None
    return named[1] if len(named) > 1 else None


def rooted(walk: Walk, chain: Chain, scope: Scope) -> Chain:
    """Say what the first part of a chain stands for, if it is no name but something that is known."""
    base = chain.base
    if base is None:
        return chain
    if base.id in walk.bases:
        chain.declared = walk.bases[base.id]
    elif loads(base, walk.text):
        chain.declared = loaded(walk, base, scope)
    elif base.type in CASTS:
        declared = walk.unnamed(scope, base)
        if bind_type(walk, declared, cast_type(base), scope):
            walk.bases[base.id] = chain.declared = declared
    return chain


def loaded(walk: Walk, call: Node, scope: Scope) -> Declared:
    """Return what a call of ``require`` or ``import`` declares: the module, without a name."""
    known = walk.bases.get(call.id)
    if known is None:
        function = call.child_by_field_name("function")
        whole = "" if function is not None and function.type == "import" else "module.exports"
        module = loads(call, walk.text)
        known = walk.import_((f"load:{module}", module, whole), call, scope)
        walk.bases[call.id] = known
    return known


def _fields(node: Node, *names: str) -> list[Node]:
    found = [node.child_by_field_name(name) for name in names]
    return [child for child in found if child is not None]


def _operator(walk: Walk, node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return walk.text(operator) if operator is not None else ""
