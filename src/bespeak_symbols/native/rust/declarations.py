"""What a Rust file declares: functions, types, traits, impl blocks, modules and macros."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.model import CALL, INHERIT, Import
from bespeak_symbols.native.rust.expressions import path_of, scan
from bespeak_symbols.native.rust.imports import used_crate, used_names
from bespeak_symbols.native.rust.statements import Matched, declare_pattern
from bespeak_symbols.native.scope_walker import ScopeWalker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.scope_walker import Local

    Step = Node | tuple[Callable[..., None], tuple[object, ...]] | None

_SHAPELESS = {"array_type": "slice", "tuple_type": "tuple", "unit_type": "tuple", "function_type": "fn"}


class RustWalker(ScopeWalker):
    """Walks a Rust file."""

    transparent = frozenset({"line_comment", "block_comment", "attribute_item"})

    def __init__(self, source: bytes) -> None:
        super().__init__(source, "rust")
        self.elements: dict[int, Matched] = {}
        self._owners: list[tuple[str, str]] = []
        self._outer: list[list[dict[str, Local | None]]] = []

    def qualified(self, name: str) -> str:
        """Return the name of something that is defined here: in an ``impl`` block it belongs to the type."""
        if self._owners and self._owners[-1][0] == self.within:
            return f"{self._owners[-1][1]}.{name}"
        return super().qualified(name)

    def own(self, owner: str) -> None:
        """Begin an ``impl`` block."""
        self._owners.append((self.within, super().qualified(owner)))

    def disown(self) -> None:
        """End an ``impl`` block."""
        self._owners.pop()

    def leave(self) -> None:
        """Begin an item: it does not see the local variables around it."""
        self._outer.append(self.scopes)
        self.scopes = [{}]

    def come_back(self) -> None:
        """End an item."""
        self.scopes = self._outer.pop()

    def apart(self, *items: Step) -> list[Step]:
        """Return these steps of the walk, without the local variables of here."""
        return [(self.leave, ()), *items, (self.come_back, ())]

    def documentation(self, node: Node) -> str:
        """Only ``///`` and ``/** */`` document what follows."""
        text = self.text(node) if node.type in syntax.COMMENTS else ""
        return text if text.startswith(("///", "/**")) and not text.startswith("////") else ""


def _child(node: Node, kind: str) -> Node | None:
    return next((child for child in node.named_children if child.type == kind), None)


def _type_parameters(walker: RustWalker, node: Node) -> None:
    """Say what the type parameters of an item are bound by."""
    holder = node.child_by_field_name("type_parameters")
    for one in holder.named_children if holder is not None else ():
        if one.type == "type_parameter":
            name = walker.text(one.child_by_field_name("name"))
            bounds = walker.type_text(one.child_by_field_name("bounds"))
            walker.bind(walker.qualified(name), bounds.removeprefix(":").strip(), "parameter", one)
    where = _child(node, "where_clause")
    for one in where.named_children if where is not None else ():
        left = one.child_by_field_name("left")
        if left is not None and left.type == "type_identifier":
            bounds = walker.type_text(one.child_by_field_name("bounds"))
            walker.bind(walker.qualified(walker.text(left)), bounds.removeprefix(":").strip(), "parameter", one)


def _function(walker: RustWalker, node: Node) -> None:
    name = walker.qualified(walker.text(node.child_by_field_name("name")))
    member = name.rpartition(".")[0] != walker.within or walker.around == "trait"
    parts = [
        _child(node, "visibility_modifier"),
        _child(node, "function_modifiers"),
        node.child_by_field_name("type_parameters"),
        node.child_by_field_name("parameters"),
        node.child_by_field_name("return_type"),
        _child(node, "where_clause"),
    ]
    result = parts[4]
    walker.bind(name, walker.type_text(result) or "()", "result", node)
    body = node.child_by_field_name("body")
    inside = [(_type_parameters, (walker, node)), *parts[2:], (_parameters, (walker, parts[3])), body]
    walker.define(node, name, "method" if member else "function", parts, (body,), walker.apart(*inside))


def _parameters(walker: RustWalker, parameters: Node | None) -> None:
    for one in parameters.named_children if parameters is not None else ():
        if one.type == "parameter":
            matched = Matched(walker.type_text(one.child_by_field_name("type")), None, "type")
            declare_pattern(walker, one.child_by_field_name("pattern"), matched)


def _parameter_use(walker: RustWalker, node: Node) -> None:
    walker.then(node.child_by_field_name("type"))


def _data(walker: RustWalker, node: Node) -> None:
    """A struct, an enum or a union."""
    name = walker.qualified(walker.text(node.child_by_field_name("name")))
    kind = "enum" if node.type == "enum_item" else "struct"
    body = node.child_by_field_name("body")
    parameters = node.child_by_field_name("type_parameters")
    where = _child(node, "where_clause")
    inside = [(_type_parameters, (walker, node)), parameters, where, (_fields, (walker, body)), body]
    walker.define(
        node, name, kind, (_child(node, "visibility_modifier"), parameters, where), (body,), walker.apart(*inside)
    )


def _fields(walker: RustWalker, body: Node | None) -> None:
    if body is None:
        return
    if body.type == "field_declaration_list":
        for one in body.named_children:
            if one.type == "field_declaration":
                name = walker.qualified(walker.text(one.child_by_field_name("name")))
                walker.bind(name, walker.type_text(one.child_by_field_name("type")), "type", one)
    elif body.type == "ordered_field_declaration_list":
        for place, one in enumerate(body.children_by_field_name("type")):
            walker.bind(walker.qualified(str(place)), walker.type_text(one), "type", one)


def _field_declaration(walker: RustWalker, node: Node) -> None:
    walker.above = []
    walker.then(node.child_by_field_name("type"))


def _variant(walker: RustWalker, node: Node) -> None:
    name = walker.qualified(walker.text(node.child_by_field_name("name")))
    body = node.child_by_field_name("body")
    given = node.child_by_field_name("value")
    walker.define(node, name, "constant", (body,), (body, given), ((_fields, (walker, body)), body, given))


def _trait(walker: RustWalker, node: Node) -> None:
    name = walker.qualified(walker.text(node.child_by_field_name("name")))
    bounds = node.child_by_field_name("bounds")
    body = node.child_by_field_name("body")
    bases = [child for child in bounds.named_children if child.type != "lifetime"] if bounds is not None else []
    parts = [
        _child(node, "visibility_modifier"),
        node.child_by_field_name("type_parameters"),
        bounds,
        _child(node, "where_clause"),
    ]
    inside = [
        (_type_parameters, (walker, node)),
        *((_derived, (walker, base)) for base in bases),
        *parts[1:],
        body,
    ]
    texts = tuple(walker.type_text(base) for base in bases)
    walker.define(node, name, "trait", parts, (body,), walker.apart(*inside), texts)


def _derived(walker: RustWalker, base: Node) -> None:
    path = path_of(walker, base)
    if path:
        walker.refer(path, INHERIT, base)


def _impl(walker: RustWalker, node: Node) -> None:
    named = node.child_by_field_name("type")
    trait = node.child_by_field_name("trait")
    body = node.child_by_field_name("body")
    path = _target(walker, named)
    walker.above = []
    if trait is not None:
        walker.bind(walker.qualified(path), walker.type_text(trait), "impl", node)
    parameters = (node.child_by_field_name("type_parameters"), _child(node, "where_clause"))
    steps = walker.apart((walker.own, (path,)), (_type_parameters, (walker, node)), body, (walker.disown, ()))
    walker.then(*parameters, trait, named, *steps)


def _target(walker: RustWalker, named: Node | None) -> str:
    """Return the name of the type that an ``impl`` block is for."""
    while named is not None and named.type in {"reference_type", "pointer_type"}:
        named = named.child_by_field_name("type")
    if named is None:
        return "?"
    if named.type == "dynamic_type":
        named = named.child_by_field_name("trait") or named
    path = path_of(walker, named).rpartition(".")[2]
    return path or _SHAPELESS.get(named.type, "type")


def _constant(walker: RustWalker, node: Node) -> None:
    name = walker.qualified(walker.text(node.child_by_field_name("name")))
    kind, given = node.child_by_field_name("type"), node.child_by_field_name("value")
    walker.bind(name, walker.type_text(kind), "type", node)
    signature = (_child(node, "visibility_modifier"), _child(node, "mutable_specifier"), kind)
    kinds = "constant" if node.type == "const_item" else "variable"
    walker.define(node, name, kinds, signature, (given,), walker.apart(kind, given))


def _alias(walker: RustWalker, node: Node) -> None:
    name = walker.qualified(walker.text(node.child_by_field_name("name")))
    kind = node.child_by_field_name("type")
    parameters = node.child_by_field_name("type_parameters")
    bounds = node.child_by_field_name("bounds")
    if kind is not None:
        walker.bind(name, walker.type_text(kind), "alias", node)
    inside = [(_type_parameters, (walker, node)), parameters, bounds, kind]
    walker.define(
        node, name, "type", (_child(node, "visibility_modifier"), parameters, bounds), (kind,), walker.apart(*inside)
    )


def _module(walker: RustWalker, node: Node) -> None:
    short = walker.text(node.child_by_field_name("name"))
    body = node.child_by_field_name("body")
    public = _child(node, "visibility_modifier")
    if body is None:
        file = _path_attribute(walker)
        called = file.rpartition("/")[2].removesuffix(".rs")
        line = syntax.first_line(node)
        module = "mod " + (file or short)
        walker.imports.append(Import(short, module, called, line, walker.within, public is not None))
        return
    walker.define(node, walker.qualified(short), "module", (public,), (body,), walker.apart(body))


def _path_attribute(walker: RustWalker) -> str:
    for above in walker.above:
        attribute = above.named_children[0] if above.type == "attribute_item" and above.named_children else None
        given = attribute.child_by_field_name("value") if attribute is not None else None
        if attribute is not None and given is not None and walker.text(attribute.named_children[0]) == "path":
            return walker.text(given).strip('"')
    return ""


def _macro(walker: RustWalker, node: Node) -> None:
    name = walker.qualified(walker.text(node.child_by_field_name("name")))
    rules = tuple(child for child in node.named_children if child.type == "macro_rule")
    rights = [rule.child_by_field_name("right") for rule in rules]
    signature = [rule.child_by_field_name("left") for rule in rules]
    steps = [(scan, (walker, right, CALL)) for right in rights if right is not None]
    walker.define(node, name, "macro", signature, rules, walker.apart(*steps))


def _use(walker: RustWalker, node: Node) -> None:
    walker.imports += used_names(walker, node)


def _extern_crate(walker: RustWalker, node: Node) -> None:
    walker.imports.append(used_crate(walker, node))


DECLARATION_HANDLERS: dict[str, Callable[[RustWalker, Node], None]] = {
    "function_item": _function,
    "function_signature_item": _function,
    "parameter": _parameter_use,
    "struct_item": _data,
    "enum_item": _data,
    "union_item": _data,
    "field_declaration": _field_declaration,
    "enum_variant": _variant,
    "trait_item": _trait,
    "impl_item": _impl,
    "const_item": _constant,
    "static_item": _constant,
    "type_item": _alias,
    "associated_type": _alias,
    "mod_item": _module,
    "macro_definition": _macro,
    "use_declaration": _use,
    "extern_crate_declaration": _extern_crate,
}
