"""What a Go file declares: functions, methods, types, fields, variables and constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.native.block_extractor import fields
from bespeak_symbols.native.go import expressions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.block_extractor import Draft, FactSheet

_MOST_RESULTS = 6
_KINDS = {"struct_type": "struct", "interface_type": "interface", "var_spec": "variable", "const_spec": "constant"}


class Declarations:
    """Handlers of declarations.

    Args:
        sheet: where facts are written down.
    """

    def __init__(self, sheet: FactSheet) -> None:
        self.sheet = sheet
        self._owner = ""
        self._wholes: dict[int, Node] = {}

    def declaration_handlers(self) -> dict[str, Callable[[Node], None]]:
        """Return the handlers by type of node."""
        return {
            "function_declaration": self._function,
            "method_declaration": self._function,
            "parameter_declaration": self._parameter,
            "variadic_parameter_declaration": self._parameter,
            "type_parameter_declaration": self._type_parameter,
            "type_declaration": self._one_or_more,
            "var_declaration": self._one_or_more,
            "const_declaration": self._one_or_more,
            "type_spec": self._type,
            "type_alias": self._type,
            "field_declaration": self._field,
            "method_elem": self._interface_method,
            "var_spec": self._variable,
            "const_spec": self._variable,
        }

    def line(self, node: Node) -> int:
        """Return the line of a node, from 1."""
        return node.start_point[0] + 1

    def _one_or_more(self, node: Node) -> None:
        """Read a declaration; if it declares one thing, a comment above it belongs to that."""
        if node.named_child_count == 1:
            self._wholes[node.named_children[0].id] = node
        self.sheet.then(*node.named_children)

    # Functions.

    def _function(self, node: Node) -> None:
        sheet, body = self.sheet, node.child_by_field_name("body")
        named = node.child_by_field_name("name")
        if named is None:
            return
        receiver = node.child_by_field_name("receiver")
        name = expressions.plain(named)
        if receiver is not None:
            name = f"{_receiver_type(receiver)}.{name}"
        draft = sheet.symbol(
            name,
            "function" if receiver is None else "method",
            node,
            named,
            body.byte_range if body is not None else None,
        )
        if receiver is not None and body is None:
            draft.body = (node.end_byte, node.end_byte)
        parameters = node.child_by_field_name("type_parameters")
        sheet.then(
            (sheet.enter, (name,)),
            (sheet.open, ()),
            (self._receiver, (receiver,)) if receiver is not None else None,
            parameters,
            (self._results, (name, node)),
            node.child_by_field_name("parameters"),
            node.child_by_field_name("result"),
            body,
            (sheet.close, ()),
            (sheet.enter, ("",)),
        )

    def _receiver(self, receiver: Node) -> None:
        """Bind the receiver's name, and the names it gives to type parameters."""
        for child in receiver.named_children:
            kind, named = child.child_by_field_name("type"), child.child_by_field_name("name")
            current = kind
            while current is not None and current.type in {"pointer_type", "parenthesized_type"}:
                current = current.named_child(0)
            arguments = current.child_by_field_name("type_arguments") if current is not None else None
            for given in arguments.named_children if arguments is not None else ():
                self.sheet.declare_type(expressions.plain(given), "", self.line(given))
            if named is not None:
                self.sheet.declare(expressions.plain(named), expressions.type_name(kind), "type", self.line(named))

    def _results(self, name: str, node: Node) -> None:
        for place, kind in enumerate(expressions.results(node)[:_MOST_RESULTS]):
            result = f"{name}.(){place}" if place else name
            self.sheet.bind(result, expressions.type_name(kind), "result", self.line(node))

    def _parameter(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        before = "[]" if node.type == "variadic_parameter_declaration" else ""
        self.sheet.then(kind)
        of = expressions.type_name(kind)
        for named in fields(node, "name"):
            self.sheet.declare(expressions.plain(named), before + of if of else "", "type", self.line(node))

    def _type_parameter(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        of = expressions.type_name(kind)
        for named in fields(node, "name"):
            self.sheet.declare_type(expressions.plain(named), of, self.line(node))
        self.sheet.then(kind)

    # Types.

    def _type(self, node: Node) -> None:
        sheet = self.sheet
        named, kind = node.child_by_field_name("name"), node.child_by_field_name("type")
        if named is None or kind is None:
            return
        if sheet.within:
            sheet.declare_type(expressions.plain(named), "", self.line(node))
            sheet.then(kind)
            return
        name = expressions.plain(named)
        whole = self._wholes.get(node.id, node)
        body = kind.byte_range
        draft = sheet.symbol(name, _KINDS.get(kind.type, "type"), whole, named, body)
        parameters = node.child_by_field_name("type_parameters")
        before = parameters.byte_range if parameters is not None else (0, 0)
        draft.signature = (before, (kind.start_byte, kind.start_byte)) if kind.type in _KINDS else (before, body)
        of = expressions.type_name(kind)
        sheet.bind(name, of, "alias" if node.type == "type_alias" else "type", self.line(node))
        sheet.then(
            (self._enter, (name,)),
            (sheet.open, ()),
            parameters,
            kind,
            (sheet.close, ()),
            (self._enter, ("",)),
            (self._embed, (draft, kind)),
        )

    def _enter(self, owner: str) -> None:
        self._owner = self.sheet.within = owner

    def _embed(self, draft: Draft, kind: Node) -> None:
        """Say what a struct or an interface embeds: that is what it derives from."""
        fields = [child for child in kind.named_children if child.type == "type_elem"]
        for holder in kind.named_children:
            if holder.type == "field_declaration_list":
                fields += [
                    child
                    for child in holder.named_children
                    if child.type == "field_declaration" and child.child_by_field_name("name") is None
                ]
        found = []
        for field in fields:
            of = expressions.type_name(field.child_by_field_name("type") or field)
            if of:
                found.append(of)
        draft.bases = tuple(found)
        outside, self.sheet.within = self.sheet.within, draft.name
        for base, field in zip(found, fields, strict=False):
            self.sheet.refer(base, "inherit", self.line(field))
        self.sheet.within = outside

    def _field(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        of = expressions.type_name(kind)
        names = [expressions.plain(named) for named in fields(node, "name")]
        if self._owner:
            for name in names or [of.rpartition(".")[2].lstrip("[]()")]:
                self.sheet.bind(f"{self._owner}.{name}", of or "()", "type" if of else "value", self.line(node))
        self.sheet.then(kind)

    def _interface_method(self, node: Node) -> None:
        sheet, named = self.sheet, node.child_by_field_name("name")
        if named is not None and self._owner:
            name = f"{self._owner}.{expressions.plain(named)}"
            sheet.symbol(name, "method", node, named, None)
            self._results(name, node)
        sheet.then(
            (sheet.open, ()),
            node.child_by_field_name("parameters"),
            node.child_by_field_name("result"),
            (sheet.close, ()),
        )

    # Variables.

    def _variable(self, node: Node) -> None:
        sheet, kind = self.sheet, node.child_by_field_name("type")
        value = node.child_by_field_name("value")
        names = fields(node, "name")
        of = expressions.type_name(kind)
        if sheet.within:
            sheet.then(kind, value, (self._local_variables, (names, of if kind is not None else None, value)))
            return
        for place, named in enumerate(names):
            name = expressions.plain(named)
            if name == "_":
                continue
            body = value.byte_range if value is not None else (node.end_byte, node.end_byte)
            draft = sheet.symbol(name, _KINDS[node.type], self._wholes.get(node.id, node), named, body)
            draft.signature = (kind.byte_range if kind is not None else (0, 0),)
            if kind is not None:
                sheet.bind(name, of, "type", self.line(node))
            else:
                sheet.bind(name, _value_at(value, place, len(names)), "alias", self.line(node))
        sheet.then(kind, value)

    def _local_variables(self, names: list[Node], of: str | None, value: Node | None) -> None:
        for place, named in enumerate(names):
            target, how = (of, "type") if of is not None else (_value_at(value, place, len(names)), "alias")
            self.sheet.declare(expressions.plain(named), target, how, self.line(named))

    def assign(self, left: Node | None, right: Node | None) -> None:
        """Bind the names on the left of ``:=``; one that the block has already keeps its meaning."""
        names = left.named_children if left is not None else []
        for place, named in enumerate(names):
            name = expressions.plain(named)
            if name == "_" or (self.sheet.blocks and name in self.sheet.blocks[-1]):
                continue
            self.sheet.declare(name, _value_at(right, place, len(names)), "alias", self.line(named))


def _value_at(values: Node | None, place: int, many: int) -> str:
    """Return what the name at some place on the left gets: a value of its own, or one of several results."""
    if values is None:
        return ""
    given = values.named_children if values.type == "expression_list" else [values]
    if len(given) == many:
        text = expressions.chain(given[place])
    elif len(given) == 1:
        text = expressions.chain(given[0])
        if place and not text.endswith(".()"):
            return ""
        text += str(place) if place else ""
    else:
        return ""
    return text if text.strip("().[]0123456789") else ""


def _receiver_type(receiver: Node) -> str:
    for child in receiver.named_children:
        return expressions.type_name(child.child_by_field_name("type")) or "_"
    return "_"
