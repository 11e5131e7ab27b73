"""What a module takes from others and gives to them: ``import``, ``export`` and ``require``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.javascript.bindings import bind_value, loaded
from bespeak_symbols.native.javascript.declarations import named_value
from bespeak_symbols.native.javascript.expressions import first_of, loads, string_in, unwrapped
from bespeak_symbols.native.javascript.functions import declare
from bespeak_symbols.native.javascript.scopes import Chain, Declared, Draft

if TYPE_CHECKING:
    from tree_sitter import Node

    from bespeak_symbols.native.javascript.scopes import Scope, Walk


def imports(walk: Walk, node: Node, scope: Scope) -> None:
    """``import x, {y as z} from "m"`` and its kin."""
    walk.modern.append(node.type)
    source = node.child_by_field_name("source")
    module = string_in(source, walk.text) if source is not None else ""
    clauses = [child for child in node.named_children if child.type in {"import_clause", "import_require_clause"}]
    if module and not clauses:
        walk.import_(("", module, ""), node, None)
    for clause in clauses:
        if clause.type == "import_require_clause":
            _required(walk, clause, scope)
        elif module:
            _clause(walk, clause, module, scope)


def _required(walk: Walk, clause: Node, scope: Scope) -> None:
    """``import x = require("m")``."""
    name, source = first_of(clause), clause.child_by_field_name("source")
    if name is not None and source is not None:
        walk.import_((walk.text(name), string_in(source, walk.text), "module.exports"), clause, scope)


def _clause(walk: Walk, clause: Node, module: str, scope: Scope) -> None:
    for part in clause.named_children:
        if part.type == "identifier":
            walk.import_((walk.text(part), module, "default"), part, scope)
        elif part.type == "namespace_import":
            name = first_of(part)
            if name is not None:
                walk.import_((walk.text(name), module, ""), part, scope)
        else:
            for one in part.named_children:
                name = one.child_by_field_name("name")
                if name is not None:
                    local = one.child_by_field_name("alias") or name
                    walk.import_((walk.text(local), module, _said(walk, name)), one, scope)


def _said(walk: Walk, name: Node) -> str:
    return string_in(name, walk.text) if name.type == "string" else walk.text(name)


def exports(walk: Walk, node: Node, scope: Scope) -> None:
    """``export``, in all its forms."""
    walk.modern.append(node.type)
    source = node.child_by_field_name("source")
    declaration, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
    words = {child.type for child in node.children}
    clause = next((child for child in node.named_children if child.type in {"export_clause", "namespace_export"}), None)
    if source is not None:
        _passed_on(walk, clause, string_in(source, walk.text), node)
    elif clause is not None:
        _listed(walk, clause, scope)
    elif declaration is not None:
        walk.outers[declaration.id] = node
        walk.push(scope, declaration)
        _declared(walk, declaration, scope, default="default" in words)
    elif value is not None:
        _default(walk, node, value, scope)
    elif "=" in words:
        assigned = first_of(node)
        bind_value(walk, "module.exports", assigned, scope)
        walk.push(scope, assigned)
    else:
        walk.inside(node, scope)


def _passed_on(walk: Walk, clause: Node | None, module: str, node: Node) -> None:
    """``export * from "m"``, ``export {a as b} from "m"``."""
    if not module:
        return
    if clause is None:
        walk.import_(("*", module, "*"), node, None, exported=True)
        return
    if clause.type == "namespace_export":
        name = first_of(clause)
        if name is not None:
            walk.import_((_said(walk, name), module, ""), clause, None, exported=True)
            walk.exports.append(_said(walk, name))
        return
    for one in clause.named_children:
        name = one.child_by_field_name("name")
        if name is not None:
            there = _said(walk, one.child_by_field_name("alias") or name)
            walk.import_((there, module, _said(walk, name)), one, None, exported=True)
            walk.exports.append(there)


def _listed(walk: Walk, clause: Node, scope: Scope) -> None:
    """``export {a, b as c}``."""
    for one in clause.named_children:
        name = one.child_by_field_name("name")
        if name is None:
            continue
        there = _said(walk, one.child_by_field_name("alias") or name)
        walk.exports.append(there)
        walk.bind("export." + there, Chain([_said(walk, name)]), "alias", one, scope)


def _declared(walk: Walk, declaration: Node, scope: Scope, *, default: bool) -> None:
    """``export function f() {}`` and any other declaration."""
    if not scope.top or scope.sort != "module":
        return
    names: list[str] = []

    def note(name: str, _at: Node) -> Declared | None:
        names.append(name)
        return None

    quiet: list[tuple[Node, Scope]] = []
    for declarator in (
        declaration.named_children if declaration.type.endswith(("lexical_declaration", "e_declaration")) else ()
    ):
        pattern = declarator.child_by_field_name("name") if declarator.type == "variable_declarator" else None
        if pattern is not None:
            before = len(walk.stack)
            declare(walk, pattern, scope, None, note)
            quiet += walk.stack[before:]
            del walk.stack[before:]
    name = declaration.child_by_field_name("name")
    if default:
        walk.exports.append("default")
        last = walk.text(name) if name is not None else "default"
        walk.bind("export.default", Chain([last], None if name else _symbol(last)), "alias", declaration, scope)
    elif name is not None:
        names.append(walk.text(name).split(".")[0])
    walk.exports.extend(names)


def _symbol(name: str) -> Declared:
    return Declared(name, "", 0, "symbol", name)


def _default(walk: Walk, node: Node, value: Node, scope: Scope) -> None:
    """``export default value``: a function, class or object without a name is called ``default``."""
    walk.exports.append("default")
    core = unwrapped(value)
    own = (
        core.child_by_field_name("name")
        if core.type in {"function_expression", "class", "generator_function"}
        else None
    )
    name = walk.text(own) if own is not None else "default"
    known = named_value(walk, value, scope, name, node)
    if known is not None:
        walk.bind("export.default", Chain([name], _symbol(name)), "alias", node, scope)
        return
    if core.type in {"identifier", "member_expression"} or not walk.symbol(Draft("default", "constant", node, value)):
        bind_value(walk, "export.default", value, scope)
        walk.push(scope, value)
        return
    walk.bind("export.default", Chain(["default"], _symbol("default")), "alias", node, scope)
    bind_value(walk, "default", value, scope)
    inner = scope.block()
    inner.later = "default"
    walk.push(inner, value)


def require_name(walk: Walk, name: str, value: Node, home: Scope) -> bool:
    """``x = require("y")`` and ``x = require("y").z`` are imports; returns whether this is one."""
    core = unwrapped(value)
    if core.type == "await_expression":
        core = first_of(core) or core
    taken = "" if _dynamic(core) else "module.exports"
    module = loads(core, walk.text)
    if not module and core.type == "member_expression":
        whole, part = core.child_by_field_name("object"), core.child_by_field_name("property")
        if whole is not None and part is not None:
            core, module, taken = whole, loads(whole, walk.text), walk.text(part)
    if not module:
        return False
    declared = walk.import_((name, module, taken), core, home)
    if taken in {"", "module.exports"}:
        walk.bases[core.id] = declared
    return True


def _dynamic(call: Node) -> bool:
    function = call.child_by_field_name("function") if call.type == "call_expression" else None
    return function is not None and function.type == "import"


def require_names(walk: Walk, call: Node, pattern: Node, scope: Scope, home: Scope) -> None:
    """``{a, b: c} = require("x")``: each name is an import of its own."""
    module = loads(call, walk.text)
    deeper: list[Node] = []
    for child in pattern.named_children if pattern.type == "object_pattern" else ():
        key, local = child.child_by_field_name("key"), child.child_by_field_name("value")
        if child.type == "shorthand_property_identifier_pattern":
            walk.import_((walk.text(child), module, walk.text(child)), child, home)
        elif key is not None and local is not None and local.type == "identifier":
            walk.import_((walk.text(local), module, walk.text(key)), child, home)
        else:
            deeper.append(child)
    whole = Chain(["()"], loaded(walk, call, scope))
    for child in deeper if pattern.type == "object_pattern" else [pattern]:
        left = child.child_by_field_name("left")
        key = child.child_by_field_name("key") or (left if left is not None and not left.named_child_count else None)
        source = whole.then(walk.text(key)) if key is not None else None
        inner = child.child_by_field_name("value") or child
        declare(walk, inner, scope, source, lambda name, at: walk.local(name, home, at))
