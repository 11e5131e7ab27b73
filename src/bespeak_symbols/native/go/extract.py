"""What one Go file says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bespeak_symbols.model import CALL, USE, Import
from bespeak_symbols.native.block_extractor import FactSheet, fields
from bespeak_symbols.native.go import expressions
from bespeak_symbols.native.go.declarations import Declarations

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.model import Facts

_VERSION = re.compile(r"v[0-9]+")
_LONGEST_CHAIN = 24
_BLOCKS = (
    "block",
    "if_statement",
    "for_statement",
    "expression_switch_statement",
    "expression_case",
    "default_case",
    "select_statement",
    "communication_case",
)


def extract(source: bytes, path: str) -> Facts:  # noqa: ARG001 one dialect
    """Return what a file says; any bytes are taken."""
    return _Reader(FactSheet(source)).read()


class _Reader(Declarations):
    """Reads one file."""

    def read(self) -> Facts:
        """Return what the file says."""
        handlers = self.expression_handlers() | self.declaration_handlers()
        return self.sheet.read(self.sheet.source, "go", handlers, lambda: None)

    def expression_handlers(self) -> dict[str, Callable[[Node], None]]:
        """Return the handlers of expressions and statements, by type of node."""
        skipped = (
            "comment",
            "interpreted_string_literal",
            "raw_string_literal",
            "rune_literal",
            "int_literal",
            "label_name",
            "field_identifier",
            "package_identifier",
        )
        handlers: dict[str, Callable[[Node], None]] = dict.fromkeys(_BLOCKS, self._block)
        handlers |= dict.fromkeys(skipped, _nothing)
        return handlers | {
            "package_clause": self._package,
            "import_spec": self._import,
            "func_literal": self._func_literal,
            "short_var_declaration": self._short,
            "receive_statement": self._receive,
            "range_clause": self._range,
            "type_switch_statement": self._type_switch,
            "call_expression": self._call,
            "type_conversion_expression": self._conversion,
            "selector_expression": self._selector,
            "keyed_element": self._keyed,
            "identifier": self._name,
            "type_identifier": self._name,
            "qualified_type": self._qualified,
        }

    def _package(self, node: Node) -> None:
        self.sheet.package = expressions.plain(node.named_children[0]) if node.named_child_count else ""

    def _import(self, node: Node) -> None:
        path, named = node.child_by_field_name("path"), node.child_by_field_name("name")
        if path is None:
            return
        module = expressions.plain(path).strip('"`')
        parts = module.split("/")
        guess = parts[-2] if len(parts) > 1 and _VERSION.fullmatch(parts[-1]) else parts[-1]
        local = expressions.plain(named) if named is not None else guess
        self.sheet.imports.append(Import("*" if local == "." else local, module, "", self.line(node)))

    # Statements.

    def _block(self, node: Node) -> None:
        self.sheet.then((self.sheet.open, ()), *node.named_children, (self.sheet.close, ()))

    def _func_literal(self, node: Node) -> None:
        sheet = self.sheet
        sheet.then(
            (sheet.open, ()),
            node.child_by_field_name("parameters"),
            node.child_by_field_name("result"),
            node.child_by_field_name("body"),
            (sheet.close, ()),
        )

    def _short(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        self.sheet.then(right, (self.assign, (left, right)))

    def _receive(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        fresh = any(child.type == ":=" for child in node.children)
        self.sheet.then(right, (self.assign, (left, right)) if fresh else left)

    def _range(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        fresh = any(child.type == ":=" for child in node.children)
        self.sheet.then(right, (self._range_names, (left, right)) if fresh and left is not None else left)

    def _range_names(self, left: Node, right: Node | None) -> None:
        for place, name in enumerate(left.named_children):
            target = expressions.chain(right) + ".[]" if place == 1 else ""
            self.sheet.declare(expressions.plain(name), target, "alias", self.line(name))

    def _type_switch(self, node: Node) -> None:
        sheet, alias = self.sheet, node.child_by_field_name("alias")
        named = alias.named_child(0) if alias is not None else None
        cases = [child for child in node.named_children if child.type in {"type_case", "default_case"}]
        value = node.child_by_field_name("value")
        tasks = [(self._type_case, (child, named, value)) for child in cases]
        sheet.then((sheet.open, ()), node.child_by_field_name("initializer"), value, *tasks, (sheet.close, ()))

    def _type_case(self, node: Node, named: Node | None, value: Node | None) -> None:
        sheet = self.sheet
        types = fields(node, "type")
        rest = [child for child in node.named_children if child not in types]
        sheet.then(*types, (sheet.open, ()), (self._case_name, (types, named, value)), *rest, (sheet.close, ()))

    def _case_name(self, types: list[Node], named: Node | None, value: Node | None) -> None:
        if named is not None:
            one = len(types) == 1
            target, how = (expressions.type_name(types[0]), "type") if one else (expressions.chain(value), "alias")
            self.sheet.declare(expressions.plain(named), target, how, self.line(named))

    # Expressions.

    def _call(self, node: Node) -> None:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is not None:
            text = expressions.chain(function)
            if text and not text.endswith("()"):
                self.sheet.refer(text, CALL, self.line(node), expressions.argument_count(arguments))
            self.sheet.then((self._callee, (function,)))
        self.sheet.then(node.child_by_field_name("type_arguments"), arguments)

    def _callee(self, function: Node) -> None:
        """Walk what else stands in the name of a called function."""
        kind = function.type
        if kind == "selector_expression":
            operand = function.child_by_field_name("operand")
            if operand is not None and operand.type == "identifier":
                return
            self.sheet.then(operand)
        elif kind != "identifier":
            self.sheet.then(function)

    def _conversion(self, node: Node) -> None:
        """Read ``Map[int](x)``, which looks like a conversion to a type."""
        kind = node.child_by_field_name("type")
        if kind is not None and kind.type == "generic_type":
            text = expressions.type_name(kind)
            if text:
                self.sheet.refer(text, CALL, self.line(node), 1)
            self.sheet.then(kind.child_by_field_name("type_arguments"), node.child_by_field_name("operand"))
        else:
            self.sheet.then(kind, node.child_by_field_name("operand"))

    def _selector(self, node: Node) -> None:
        """Read ``a.b.c`` as a value, and what stands before its last name; a chain longer than read is left out."""
        for _ in range(_LONGEST_CHAIN):
            self.sheet.refer(expressions.chain(node), USE, self.line(node))
            operand = node.child_by_field_name("operand")
            if operand is None or operand.type != "selector_expression":
                self._callee(node)
                return
            node = operand

    def _keyed(self, node: Node) -> None:
        """Read ``Name: value``; a name alone as the key is a field's, most often."""
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        field = key is not None and key.named_child_count == 1 and key.named_children[0].type == "identifier"
        self.sheet.then(None if field else key, value)

    def _name(self, node: Node) -> None:
        text = expressions.plain(node)
        if text != "_":
            self.sheet.refer(text, USE, self.line(node))

    def _qualified(self, node: Node) -> None:
        self.sheet.refer("".join(expressions.plain(node).split()), USE, self.line(node))


def _nothing(_node: Node) -> None:
    pass
