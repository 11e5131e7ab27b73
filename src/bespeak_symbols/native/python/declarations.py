"""Functions, classes and type aliases: what a Python file defines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, INHERIT, USE, Symbol
from bespeak_symbols.native.python import expressions
from bespeak_symbols.native.python.scopes import CLASS, FUNCTION, GIVEN, Call, Parameters, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.python.scopes import State

    Place = tuple[Node, Scope]

_POSITIONAL = frozenset({"identifier", "default_parameter", "typed_parameter", "typed_default_parameter"})
_DEFINITIONS = frozenset({"function_definition", "class_definition", "decorated_definition"})


def decorated(state: State, node: Node, scope: Scope) -> list[Place]:
    """A definition with decorators: the scope around calls them, the symbol depends on them."""
    definition = node.child_by_field_name("definition")
    decorators = [child for child in node.named_children if child.type == "decorator"]
    if definition is None:
        return [(child, scope) for child in decorators]
    name = definition.child_by_field_name("name")
    own = Scope("" if name is None else scope.inside(expressions.name_of(name)), scope.kind, scope, scope.known)
    places: list[Place] = []
    for decorator in decorators:
        expression = next(iter(decorator.named_children), None)
        if expression is None:
            continue
        called = expression.child_by_field_name("function") if expression.type == "call" else None
        state.refer(expressions.text_of(called or expression, scope.known), USE, decorator, own)
        if expression.type == "call":
            places.append((expression, scope))
        state.refer(expressions.text_of(expression, scope.known), CALL, decorator, scope, 1)
    given = "" if name is None else expressions.name_of(name)
    for decorator in reversed(decorators) if given else ():
        text = expressions.text_of(next(iter(decorator.named_children), None), scope.known)
        state.calls.append(Call(text, (given,), scope))
        given = f"{text}.()"
    state.decorated[definition.id] = node
    return [*places, (definition, scope)]


def _outer(state: State, node: Node) -> tuple[Node, str]:
    """Return a definition with its decorators, and these as text."""
    outer = state.decorated.get(node.id, node)
    if outer is node:
        return node, ""
    decorators = [child for child in outer.named_children if child.type == "decorator"]
    return outer, "".join(state.tokens.line(decorator).strip() + " " for decorator in decorators)


def _doc(body: Node | None) -> Node | None:
    """Return the documentation of a body."""
    first = None if body is None else next((part for part in body.named_children if part.type != "comment"), None)
    if first is not None and first.type == "expression_statement":
        inner = first.named_children
        if len(inner) == 1 and inner[0].type in {"string", "concatenated_string"}:
            return first
    return None


def _inner(body: Node | None) -> list[Node]:
    """Return the definitions directly inside a body, however deep its conditions are nested."""
    found: list[Node] = []
    stack = [] if body is None else [body]
    while stack:
        for child in stack.pop().named_children:
            if child.type in _DEFINITIONS:
                found.append(child)
            elif child.type.endswith(("_statement", "_clause", "block")) and child.type != "expression_statement":
                stack.append(child)
    return found


def _add(state: State, node: Node, name: str, kind: str, signature: str, bases: tuple[str, ...] = ()) -> None:
    outer, decorators = _outer(state, node)
    body = node.child_by_field_name("body")
    doc = _doc(body)
    documentation = [] if doc is None else [doc]
    tokens, last = state.tokens, name.rpartition(".")[2]
    inner = [*documentation, *_inner(body)]
    if kind == "class" and body is not None:
        inner += [part for part in body.named_children if part.type == "expression_statement" and _assigns(part)]
    state.symbols.append(
        Symbol(
            name,
            kind,
            syntax.first_line(outer),
            syntax.last_line(outer),
            decorators + signature,
            tokens.digest(body, without=documentation),
            tokens.digest(doc),
            bases,
            tokens.digest(body, without=inner, name=last),
        )
    )


def _assigns(statement: Node) -> bool:
    return any(part.type == "assignment" for part in statement.named_children)


def function(state: State, node: Node, scope: Scope) -> list[Place]:
    """``def f(...)``: its defaults are read where it stands, its annotations belong to it."""
    named, parameters = node.child_by_field_name("name"), node.child_by_field_name("parameters")
    result, body = node.child_by_field_name("return_type"), node.child_by_field_name("body")
    if named is None:
        return []
    bare = expressions.name_of(named)
    name = scope.inside(bare)
    inner = Scope(name, FUNCTION, scope, scope.known)
    state.scopes[name] = FUNCTION
    line = state.tokens.line(parameters)
    asynchronous = "async " if node.children and node.children[0].type == "async" else ""
    arrow = "" if result is None else f" -> {state.tokens.line(result)}"
    _add(state, node, name, "method" if scope.kind == CLASS else "function", f"{asynchronous}def{line}{arrow}")
    places = _parameters(state, node, parameters, scope, inner)
    if result is not None:
        state.annotated.add(name)
        places.append((result, inner))
        for text, how in expressions.meant(result):
            state.bind(f"{name}.()", text, how, result, name)
    return places if body is None else [*places, (body, inner)]


def _parameters(state: State, node: Node, parameters: Node | None, scope: Scope, inner: Scope) -> list[Place]:
    places: list[Place] = []
    listed = [] if parameters is None else parameters.named_children
    first = True
    known = state.parameters[inner.name] = Parameters("", [], {})
    by_name = False
    for parameter in listed:
        by_name = by_name or parameter.type == "keyword_separator"
        name = expressions.parameter_name(parameter)
        if not name:
            continue
        by_name = by_name or parameter.type not in _POSITIONAL
        if not by_name:
            known.positional.append(name)
        default, kind = parameter.child_by_field_name("value"), parameter.child_by_field_name("type")
        places += [(default, scope)] if default is not None else []
        places += [(kind, inner)] if kind is not None else []
        bound = f"{inner.name}.{name}"
        if first and scope.kind == CLASS and _receiver(state, node, bound, scope, inner):
            first = False
            known.receiver = "self" if inner.receiver else "class"
            continue
        first = False
        said = [] if kind is None else expressions.meant(kind)
        inside = next(iter(parameter.named_children), parameter) if parameter.type == "typed_parameter" else parameter
        for text, how in said:
            many = {"list_splat_pattern": "items", "dictionary_splat_pattern": "values"}.get(inside.type)
            state.bind(bound, text, how if many is None else many, parameter, inner.name)
        if said:
            continue
        state.bind(bound, "", "value", parameter, inner.name)
        if kind is None and parameter.type in _POSITIONAL:
            known.open[name] = syntax.first_line(parameter)
            if default is not None and default.type in {"identifier", "attribute"}:
                state.bind(bound, expressions.text_of(default, scope.known), GIVEN, parameter, scope.name)
    return places


def _receiver(state: State, node: Node, bound: str, scope: Scope, inner: Scope) -> bool:
    """Bind the first parameter of a method: to an instance of the class, or to the class."""
    _, decorators = _outer(state, node)
    if "@staticmethod" in decorators:
        return False
    made = "@classmethod" in decorators or inner.name.endswith((".__new__", ".__init_subclass__", ".__class_getitem__"))
    inner.receiver = "" if made else bound
    state.bind(bound, scope.name, "class" if made else "self", node, "")
    return True


def class_(state: State, node: Node, scope: Scope) -> list[Place]:
    """``class C(B, metaclass=M)``."""
    named, above = node.child_by_field_name("name"), node.child_by_field_name("superclasses")
    body = node.child_by_field_name("body")
    if named is None:
        return []
    bare = expressions.name_of(named)
    inner = Scope(scope.inside(bare), CLASS, scope, scope.known)
    places: list[Place] = []
    bases: list[str] = []
    for base in [] if above is None else above.named_children:
        if base.type == "keyword_argument":
            places.append((base, inner))
        elif base.type != "comment":
            plain = base.child_by_field_name("value") if base.type == "subscript" else base
            text = expressions.text_of(plain, scope.known)
            bases.append(text)
            state.refer(text, INHERIT, base, inner)
            if plain is not base:
                places += [(part, inner) for part in base.named_children[1:]]
            elif base.type not in {"identifier", "attribute"}:
                places.append((base, scope))
    signature = f"class{'' if above is None else state.tokens.line(above)}"
    _add(state, node, inner.name, "class", signature, tuple(bases))
    return places if body is None else [*places, (body, inner)]


def type_alias(state: State, node: Node, scope: Scope) -> list[Place]:
    """``type X = Y``."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    name = "" if left is None else expressions.parameter_name(left)
    if name and right is not None:
        tokens, first = state.tokens, syntax.first_line(node)
        state.symbols.append(
            Symbol(
                scope.inside(name),
                "type",
                first,
                syntax.last_line(node),
                tokens.line(left).removeprefix(name),
                tokens.digest(right),
            )
        )
        for text, how in expressions.meant(right):
            state.bind(scope.inside(name), text, "alias" if how == "type" else how, node, scope.name)
    return [] if right is None else [(right, scope)]
