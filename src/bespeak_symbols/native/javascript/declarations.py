"""Classes and objects with their members; interfaces, types, enumerations and namespaces of TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript import functions
from bespeak_symbols.native.javascript.bindings import FUNCTIONS, bind_type, bind_value, type_parameters, walked_chain
from bespeak_symbols.native.javascript.expressions import first_of, plain, string_in, unwrapped
from bespeak_symbols.native.javascript.scopes import Chain, Draft, Scope, declare_symbol, join, qualify

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.javascript.scopes import Walk

METHODS = frozenset({"method_definition", "method_signature", "abstract_method_signature"})
FIELDS = frozenset({"field_definition", "public_field_definition", "property_signature"})


def member_name(walk: Walk, node: Node | None) -> str:
    """Return the name of a member; empty if it is worked out when the program runs."""
    if node is None:
        return ""
    if node.type == "computed_property_name":
        inner = first_of(node)
        said = walk.text(inner) if inner is not None else ""
        return (
            "@@" + said.removeprefix("Symbol.")
            if said.startswith("Symbol.")
            else plain(inner, walk.text)
            if inner
            else ""
        )
    return string_in(node, walk.text) if node.type == "string" else walk.text(node)


def class_declaration(walk: Walk, node: Node, scope: Scope) -> None:
    """``class Name {}``."""
    name = node.child_by_field_name("name")
    last = walk.text(name) if name is not None else "default"
    symbol = define_class(walk, node, scope, qualify(scope, last), walk.outers.get(node.id, node))
    if symbol and name is not None:
        declare_symbol(scope, last, symbol, name)


def class_expression(walk: Walk, node: Node, scope: Scope) -> None:
    """A class where a value stands: it is known by its own name, or as ``class`` of what is around it."""
    name = node.child_by_field_name("name")
    define_class(walk, node, scope, qualify(scope, walk.text(name) if name is not None else "class"), node)


def define_class(walk: Walk, node: Node, scope: Scope, name: str, outer: Node) -> str:
    """Note a class and look at what is in it; returns the name it is known by, empty if none."""
    heritage = next((child for child in node.named_children if child.type == "class_heritage"), None)
    body = node.child_by_field_name("body")
    inner = Scope(scope, "class", name, name)
    inner.later = name
    bases = _heritage(walk, heritage, scope.block(name), inner)
    words = tuple(child.type for child in node.children if child.type == "abstract")
    generic = node.child_by_field_name("type_parameters")
    symbol = walk.symbol(Draft(name, "class", outer, body, (generic, heritage), words, bases))
    if not symbol:
        inner.symbol = inner.later = scope.symbol
        inner.this = ""
    own = node.child_by_field_name("name")
    if own is not None and symbol:
        declare_symbol(inner, walk.text(own), symbol, own)
    type_parameters(walk, generic, inner)
    _decorators(
        walk, [*node.named_children, *(outer.named_children if outer.type == "export_statement" else ())], inner
    )
    members(walk, body, inner, symbol)
    return symbol


def _heritage(walk: Walk, node: Node | None, scope: Scope, inner: Scope) -> tuple[str, ...]:
    """Note what a class extends and implements: names of ``scope``; arguments of types are names of ``inner``."""
    bases: list[str] = []
    for clause in node.named_children if node is not None else ():
        if clause.type == "extends_clause":
            found = clause.children_by_field_name("value")
            walk.push(inner, *(child for child in clause.named_children if child.type == "type_arguments"))
        elif clause.type == "implements_clause":
            found = [child for child in clause.named_children if child.type != "comment"]
        else:
            found = [clause] if clause.type != "comment" else []
        for base in found:
            bases.append(walk.text(base)[:200])
            derive(walk, base, scope, inner)
    return tuple(bases)


def derive(walk: Walk, base: Node, scope: Scope, inner: Scope) -> None:
    """Note one base of a class or interface."""
    if base.type == "generic_type":
        walk.push(inner, base.child_by_field_name("type_arguments"))
        base = base.child_by_field_name("name") or base
    base = unwrapped(base)
    chain = walked_chain(walk, base, scope)
    walk.mention(chain, "inherit", base, scope)


def _decorators(walk: Walk, nodes: list[Node], scope: Scope) -> None:
    for node in nodes:
        if node.type == "decorator":
            walk.inside(node, scope)


def members(walk: Walk, body: Node | None, scope: Scope, owner: str) -> None:
    """Look at the members of a class, an interface or the type of an object."""
    decorators: list[Node] = []
    for member in body.named_children if body is not None else ():
        if member.type == "decorator":
            decorators.append(member)
            continue
        if member.type in METHODS:
            within = method(walk, member, scope, owner)
        elif member.type in FIELDS:
            within = _field(walk, member, scope, owner)
        else:
            within = ""
            if member.type == "class_static_block":
                walk.inside(member.child_by_field_name("body"), scope.block())
            elif member.type != "comment":
                walk.push(scope, member)
        if member.type != "comment":
            inner = scope.block(within or scope.symbol)
            _decorators(walk, [*decorators, *member.named_children], inner)
            decorators = []


def method(walk: Walk, node: Node, scope: Scope, owner: str) -> str:
    """A method of a class or an object; returns the name it is known by, empty if none."""
    key = node.child_by_field_name("name")
    if key is not None and key.type == "computed_property_name":
        walk.push(scope, key)
    name = member_name(walk, key)
    if not owner or not name:
        functions.enter(walk, node, scope, "", scope.this if scope.sort == "class" else owner)
        return ""
    return functions.define(walk, node, scope, join(owner, name), node, "method", owner)


def _field(walk: Walk, node: Node, scope: Scope, owner: str) -> str:
    """A field of a class; returns the name it is known by, empty if none."""
    key = node.child_by_field_name("name") or node.child_by_field_name("property")
    written, value = node.child_by_field_name("type"), node.child_by_field_name("value")
    if key is not None and key.type == "computed_property_name":
        walk.push(scope, key)
    name = member_name(walk, key)
    walk.push(scope, written)
    if not owner or not name:
        walk.push(scope, value)
        return ""
    full = join(owner, name)
    core = unwrapped(value) if value is not None else None
    if core is not None and core.type in FUNCTIONS:
        return functions.define(walk, core, scope, full, node, "method", owner)
    callable_ = written is not None and (inner := first_of(written)) is not None and inner.type == "function_type"
    words = tuple(child.type for child in node.children if child.type in {"static", "readonly", "abstract"})
    symbol = walk.symbol(Draft(full, "method" if callable_ else "variable", node, value, (written,), words))
    within = scope.block(symbol or scope.symbol)
    bind_type(walk, full, written, within)
    if core is not None and core.type == "object":
        properties(walk, core, within, full)
        return symbol
    if written is None:
        bind_value(walk, full, value, within)
    walk.push(within, value)
    return symbol


def properties(walk: Walk, node: Node, scope: Scope, owner: str) -> None:
    """Look at the properties of an object that is called ``owner``; empty if it has no name."""
    waiting = [(node, owner)]
    while waiting:
        literal, name = waiting.pop()
        for child in literal.named_children:
            if child.type == "pair":
                _pair(walk, child, scope, name, waiting)
            elif child.type == "method_definition":
                method(walk, child, scope, name)
            elif child.type == "spread_element":
                walk.push(scope, child)
                if name:
                    bind_value(walk, join(name, "*"), first_of(child), scope)
            elif child.type == "shorthand_property_identifier":
                walk.push(scope, child)
                if name:
                    walk.bind(join(name, walk.text(child)), Chain([walk.text(child)]), "alias", child, scope)
            else:
                walk.push(scope, child)


def _pair(walk: Walk, node: Node, scope: Scope, owner: str, waiting: list[tuple[Node, str]]) -> None:
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if key is not None and key.type == "computed_property_name":
        walk.push(scope, key)
    if value is None:
        return
    name = member_name(walk, key)
    full = join(owner, name) if owner and name else ""
    core = unwrapped(value)
    if core.type == "object":
        waiting.append((core, full))
    elif full and core.type in FUNCTIONS:
        functions.define(walk, core, scope, full, node, "method", owner)
    elif full and core.type == "class":
        define_class(walk, core, scope, full, node)
    else:
        walk.push(scope, value)
        if full:
            bind_value(walk, full, value, scope)


def has_functions(node: Node) -> bool:
    """Tell whether an object has methods of its own."""
    for child in node.named_children:
        if child.type == "method_definition":
            return True
        value = child.child_by_field_name("value") if child.type == "pair" else None
        if value is not None and unwrapped(value).type in FUNCTIONS:
            return True
    return False


def anonymous_object(walk: Walk, node: Node, scope: Scope) -> None:
    """An object where a value stands."""
    properties(walk, node, scope, "")


def named_value(walk: Walk, value: Node, scope: Scope, name: str, outer: Node, this: str = "") -> str | None:
    """Note a value that gets a name: a function, a class or an object.

    Args:
        walk: the walk.
        value: what stands there.
        scope: in which it stands.
        name: its qualified name.
        outer: the node with all of it.
        this: what ``this`` stands for in a function; empty if it is no member of anything.

    Returns:
        The name it is known by, empty if it is none that could be spoken of; None if it is no such value.
    """
    core = unwrapped(value)
    if core.type in FUNCTIONS:
        kind = "method" if this and this != "exports" else "function"
        return functions.define(walk, core, scope, name, outer, kind, this)
    if core.type == "class":
        return define_class(walk, core, scope, name, outer)
    if core.type == "object":
        symbol = walk.symbol(Draft(name, "constant", outer, core, ()))
        inner = scope.block()
        inner.later = symbol or scope.later
        properties(walk, core, inner, symbol)
        if value.type == "as_expression" and symbol:
            bind_value(walk, symbol, value, scope)
        return symbol
    return None


def _open(walk: Walk, node: Node, scope: Scope, draft: Draft, sort: str) -> tuple[Scope, str]:
    """Note a symbol that has names inside, and return the scope inside it and the name it is known by."""
    symbol = walk.symbol(draft)
    inner = Scope(scope, sort, symbol or scope.symbol, symbol)
    inner.later = inner.symbol
    name = node.child_by_field_name("name")
    if symbol and name is not None:
        declare_symbol(scope, walk.text(name), symbol, name)
    return inner, symbol


def interface(walk: Walk, node: Node, scope: Scope) -> None:
    """``interface Name extends Other {}``."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    clause = next((child for child in node.named_children if child.type == "extends_type_clause"), None)
    generic = node.child_by_field_name("type_parameters")
    found = clause.children_by_field_name("type") if clause is not None else []
    draft = Draft(
        qualify(scope, walk.text(name)),
        "interface",
        walk.outers.get(node.id, node),
        body,
        (generic, clause),
        (),
        tuple(walk.text(base)[:200] for base in found),
    )
    inner, symbol = _open(walk, node, scope, draft, "class")
    type_parameters(walk, generic, inner)
    for base in found:
        derive(walk, base, scope.block(symbol or scope.symbol), inner)
    members(walk, body, inner, symbol)


def alias(walk: Walk, node: Node, scope: Scope) -> None:
    """``type Name = ...``: the members of a type that is written as an object are symbols too."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None:
        return
    generic = node.child_by_field_name("type_parameters")
    draft = Draft(qualify(scope, walk.text(name)), "type", walk.outers.get(node.id, node), value, (generic, value))
    inner, symbol = _open(walk, node, scope, draft, "class")
    type_parameters(walk, generic, inner)
    if value is None:
        return
    if value.type == "object_type":
        members(walk, value, inner, symbol)
        return
    if symbol:
        bind_type(walk, symbol, value, inner)
    walk.push(inner, value)


def enum(walk: Walk, node: Node, scope: Scope) -> None:
    """``enum Name {}``: its members are constants."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    draft = Draft(qualify(scope, walk.text(name)), "enum", walk.outers.get(node.id, node), body)
    inner, symbol = _open(walk, node, scope, draft, "class")
    for child in body.named_children if body is not None else ():
        member, value = child.child_by_field_name("name") or child, child.child_by_field_name("value")
        if symbol and member.type == "property_identifier":
            walk.symbol(Draft(f"{symbol}.{walk.text(member)}", "constant", child, value))
        if value is not None:
            walk.push(inner, value)


def namespace(walk: Walk, node: Node, scope: Scope) -> None:
    """``namespace A.B {}``, ``declare module "m" {}``."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or name.type == "string":
        inner = Scope(scope, "namespace", scope.symbol)
        walk.inside(body, inner)
        return
    inner, last = scope, node
    for part in walk.text(name).split("."):
        full = join(inner.symbol, part.strip())
        symbol = walk.symbol(Draft(full, "namespace", walk.outers.get(node.id, last), body))
        if not symbol:
            break
        declare_symbol(inner, part.strip(), symbol, name)
        inner = Scope(inner, "namespace", symbol)
        inner.later = symbol
    walk.inside(body, inner)


def ambient(walk: Walk, node: Node, scope: Scope) -> None:
    """``declare ...``: what is declared, and the whole belongs to it."""
    for child in node.named_children:
        if child.type == "statement_block":
            walk.inside(child, scope)
        else:
            walk.outers.setdefault(child.id, walk.outers.get(node.id, node))
            walk.push(scope, child)
