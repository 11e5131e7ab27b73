"""What one Python file says: its definitions, and the names it binds, imports, calls and uses.

The tree is walked with a stack of nodes, each with the scope it stands in. Names of comprehensions and lambdas live
shorter than any symbol, so they are replaced by what they stand for where they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, USE, Facts
from bespeak_symbols.native.python import arguments, bindings, declarations, expressions, rebinding
from bespeak_symbols.native.python.arguments import Arguments
from bespeak_symbols.native.python.scopes import FUNCTION, MODULE, Scope, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    Place = tuple[Node, Scope]

_COMPREHENSIONS = frozenset(
    {"list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"}
)


def extract(source: bytes, path: str) -> Facts:  # noqa: ARG001 all Python files are read alike
    """Return what a Python file says."""
    root = syntax.parse(source, "python").root_node
    state = State(source, root)
    stack: list[Place] = [(root, Scope("", MODULE, None, {}))]
    while stack:
        node, scope = stack.pop()
        handler = _HANDLERS.get(node.type)
        if handler is None:
            stack.extend((child, scope) for child in reversed(node.named_children))
        else:
            stack.extend(reversed(handler(state, node, scope)))
    state.settle()
    rebinding.settle(state)
    Arguments(state).bind()
    hidden = {bound.name for bound in state.bindings if bound.how != "alias"}
    hidden.update(bound.name for bound in state.bindings if "." in bound.name)
    references = [
        reference
        for reference in state.references
        if reference.kind != USE
        or "." in reference.text
        or not reference.within
        or f"{reference.within}.{reference.text}" not in hidden
    ]
    return Facts(
        "python",
        tuple(state.symbols),
        tuple(state.imports),
        tuple(sorted(references, key=lambda reference: reference.line)),
        tuple(state.bindings),
        syntax.unread(root),
        "",
        None if state.exports is None else tuple(state.exports),
    )


def _name(state: State, node: Node, scope: Scope) -> list[Place]:
    state.refer(expressions.text_of(node, scope.known), USE, node, scope)
    return []


def _attribute(state: State, node: Node, scope: Scope) -> list[Place]:
    state.refer(expressions.text_of(node, scope.known), USE, node, scope)
    return spine(node, scope)


def spine(node: Node | None, scope: Scope) -> list[Place]:
    """Return the parts of ``a.b(c)[d].e`` that are expressions of their own; the names in between are no news."""
    while node is not None and node.type == "attribute":
        node = node.child_by_field_name("object")
    return [] if node is None or node.type == "identifier" else [(node, scope)]


def _call(state: State, node: Node, scope: Scope) -> list[Place]:
    function = node.child_by_field_name("function")
    given = node.child_by_field_name("arguments")
    listed = [] if given is None else given.named_children
    if given is not None and given.type == "argument_list":
        splat = any(argument.type.endswith("_splat") for argument in listed)
        count = -1 if splat else sum(argument.type != "comment" for argument in listed)
    else:
        count, listed = 1, [] if given is None else [given]
    text = expressions.text_of(function, scope.known)
    state.refer(text, CALL, node, scope, count)
    if listed:
        arguments.note(state, text, listed, scope)
    if function is not None and function.type == "attribute" and listed:
        bindings.added(state, function, listed[-1], scope)
    return [*spine(function, scope), *((argument, scope) for argument in listed)]


def _subscript(state: State, node: Node, scope: Scope) -> list[Place]:
    text = expressions.text_of(node.child_by_field_name("value"), scope.known)
    state.refer(text, USE, node, scope)
    value = node.child_by_field_name("value")
    inner = [child for child in node.named_children if value is None or child.id != value.id]
    return [*spine(value, scope), *((child, scope) for child in inner)]


def _keyword_argument(_: State, node: Node, scope: Scope) -> list[Place]:
    value = node.child_by_field_name("value")
    return [] if value is None else [(value, scope)]


def _type(state: State, node: Node, scope: Scope) -> list[Place]:
    for text in expressions.names_in(node):
        state.refer(text, USE, node, scope)
    return []


def _comprehension(state: State, node: Node, scope: Scope) -> list[Place]:
    """A comprehension has a scope of its own; each of its loops sees the names of those before it."""
    places: list[Place] = []
    inner = scope
    for child in node.named_children:
        if child.type == "for_in_clause":
            right = child.child_by_field_name("right")
            if right is not None:
                places.append((right, inner))
                bindings.iterated(state, right, inner)
            inner = inner.knowing(bindings.loop_names(child, inner))
    body = [child for child in node.named_children if child.type != "for_in_clause"]
    return [*places, *((child, inner) for child in body)]


def _lambda(_: State, node: Node, scope: Scope) -> list[Place]:
    parameters = node.child_by_field_name("parameters")
    listed = [] if parameters is None else parameters.named_children
    names = {expressions.parameter_name(parameter): expressions.UNKNOWN for parameter in listed}
    names.pop("", None)
    defaults = [parameter.child_by_field_name("value") for parameter in listed]
    body = node.child_by_field_name("body")
    places = [(default, scope) for default in defaults if default is not None]
    inner = scope.knowing(names)
    inner.later = True
    return places if body is None else [*places, (body, inner)]


def _with_item(state: State, node: Node, scope: Scope) -> list[Place]:
    """``with x as y``: enters and leaves ``x``; ``y`` is what entering gives."""
    value = node.child_by_field_name("value")
    if value is None:
        return []
    manager = value
    if value.type == "as_pattern":
        manager = next(iter(value.named_children), value)
    text = expressions.text_of(manager, scope.known)
    asynchronous = _asynchronous(node)
    enter, leave = ("__aenter__", "__aexit__") if asynchronous else ("__enter__", "__exit__")
    if not text.startswith(expressions.UNKNOWN):
        state.refer(f"{text}.{enter}", CALL, node, scope)
        state.refer(f"{text}.{leave}", CALL, node, scope)
    alias = value.child_by_field_name("alias")
    target = next(iter(alias.named_children), None) if alias is not None else None
    if target is not None:
        bindings.assign(state, target, [f"{text}.{enter}.()"], scope)
    return [(manager, scope)]


def _asynchronous(node: Node) -> bool:
    around = node.parent
    statement = None if around is None else around.parent
    first = None if statement is None else next(iter(statement.children), None)
    return first is not None and first.type == "async"


def _as_pattern(state: State, node: Node, scope: Scope) -> list[Place]:
    """``except E as x`` and ``case P as x``."""
    value = next(iter(node.named_children), None)
    alias = node.child_by_field_name("alias")
    target = next(iter(alias.named_children), None) if alias is not None else None
    if value is None:
        return []
    if target is not None:
        kinds = value.named_children if value.type == "tuple" else [value]
        for kind in kinds:
            text = expressions.text_of(kind, scope.known)
            if target.type == "identifier":
                state.bind(scope.inside(expressions.name_of(target)), text, "type", node, scope.name)
    return [(value, scope)]


def _case_pattern(state: State, node: Node, scope: Scope) -> list[Place]:
    """Names in patterns are bound there, but for classes and dotted ones, which are used."""
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner.type == "class_pattern" and inner.named_children:
            state.refer(_dotted(inner.named_children[0]), USE, inner, scope)
            stack += inner.named_children[1:]
        elif inner.type == "dotted_name":
            text = _dotted(inner)
            if "." in text:
                state.refer(text, USE, inner, scope)
            elif text != "_":
                state.bind(scope.inside(text), "", "value", inner, scope.name)
        elif inner.type == "identifier":
            state.bind(scope.inside(expressions.name_of(inner)), "", "value", inner, scope.name)
        elif inner.type == "keyword_pattern":
            stack += inner.named_children[1:]
        else:
            stack += inner.named_children
    return []


def _raise(state: State, node: Node, scope: Scope) -> list[Place]:
    """``raise E`` makes an ``E``, if that is a class; a name of the function is an object that is there already."""
    raised = next(iter(node.named_children), None)
    if raised is not None and raised.type in {"identifier", "attribute"}:
        state.raised.append((expressions.text_of(raised, scope.known), raised, scope))
    return [(child, scope) for child in node.named_children]


def _dotted(node: Node) -> str:
    return ".".join(expressions.name_of(part) for part in node.named_children) or expressions.name_of(node)


def _names_elsewhere(_: State, node: Node, scope: Scope) -> list[Place]:
    """``global x``, ``nonlocal x``: what is bound to the name here is bound there."""
    for child in node.named_children:
        name = expressions.name_of(child)
        above = scope.above
        while (
            above is not None
            and above.above is not None
            and (node.type == "global_statement" or above.kind != FUNCTION)
        ):
            above = above.above
        scope.elsewhere[name] = "" if above is None or node.type == "global_statement" else above.name
    return []


def _nothing(_: State, __: Node, ___: Scope) -> list[Place]:
    return []


_HANDLERS: dict[str, Callable[[State, Node, Scope], list[Place]]] = {
    "identifier": _name,
    "attribute": _attribute,
    "call": _call,
    "subscript": _subscript,
    "keyword_argument": _keyword_argument,
    "type": _type,
    "lambda": _lambda,
    "with_item": _with_item,
    "as_pattern": _as_pattern,
    "case_pattern": _case_pattern,
    "global_statement": _names_elsewhere,
    "nonlocal_statement": _names_elsewhere,
    "comment": _nothing,
    "assignment": bindings.assignment,
    "augmented_assignment": bindings.augmented,
    "named_expression": bindings.named,
    "for_statement": bindings.loop,
    "import_statement": bindings.imports,
    "import_from_statement": bindings.imports_from,
    "future_import_statement": _nothing,
    "return_statement": bindings.returned,
    "raise_statement": _raise,
    "yield": bindings.yielded,
    "type_alias_statement": declarations.type_alias,
    "function_definition": declarations.function,
    "class_definition": declarations.class_,
    "decorated_definition": declarations.decorated,
    **dict.fromkeys(_COMPREHENSIONS, _comprehension),
}
