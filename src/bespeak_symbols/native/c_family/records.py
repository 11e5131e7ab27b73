"""Structures, classes, enumerations and other names for types, as a C or C++ file defines them."""

from __future__ import annotations

from bespeak_symbols.model import USE
from bespeak_symbols.native.block_extractor import fields
from bespeak_symbols.native.c_family import expressions
from bespeak_symbols.native.c_family.declarations import Declarations, returns_when_called, storage_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.block_extractor import Draft, Sheet

_KINDS = {"struct_specifier": "struct", "union_specifier": "struct", "class_specifier": "class"}


class Records(Declarations):
    """Handlers of types.

    Args:
        sheet: where facts are written down.
        language: ``c`` or ``cpp``.
    """

    def __init__(self, sheet: Sheet, language: str) -> None:
        super().__init__(sheet, language)
        self._names_given: dict[int, Node] = {}

    def type_handlers(self) -> dict[str, Callable[[Node], None]]:
        """Return the handlers by type of node."""
        return {
            "field_declaration": self._field_declaration,
            "type_definition": self._type_definition,
            "struct_specifier": self._record,
            "union_specifier": self._record,
            "class_specifier": self._record,
            "enum_specifier": self._enum,
        }

    def _field_declaration(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        static = b"static" in storage_of(node)
        for declarator in fields(node, "declarator"):
            named, parameters, reached = expressions.declared(declarator)
            if named is None:
                continue
            if parameters is not None and self.in_class():
                self._prototype(node, declarator, named, parameters)
            elif self.classes:
                of = "" if returns_when_called(declarator) else expressions.type_name(kind)
                name = f"{self.classes[-1]}.{expressions.plain(named)}"
                self.sheet.bind(
                    name, expressions.starred(of, reached) or "()", "type" if of else "value", self.line(node)
                )
                if static:
                    self.define(name, "variable", node, named, None)
        self.sheet.then(kind, *fields(node, "default_value"))

    def _type_definition(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        named_record = kind is not None and kind.child_by_field_name("name") is not None
        for declarator in fields(node, "declarator"):
            named, _, reached = expressions.declared(declarator)
            if named is None:
                continue
            if not named_record and not reached and kind is not None and kind.child_by_field_name("body") is not None:
                self._names_given.setdefault(kind.id, named)
                if self._names_given[kind.id] is named:
                    continue
            name = self.qualified(expressions.plain(named))
            self.define(name, "type", node, named, node.byte_range)
            of = "" if returns_when_called(declarator) else expressions.type_name(kind)
            self.sheet.bind(name, expressions.starred(of, reached) if of != "auto" else "", "alias", self.line(node))
        self.sheet.then(kind)

    def _record(self, node: Node) -> None:
        sheet, (named, body) = self.sheet, self._named_body(node)
        if body is None:
            return
        if named is None or self.too_deep():
            sheet.then(body)
            return
        name = (
            expressions.dotted(named) if self.language == "c" else self.qualified(expressions.dotted(named).lstrip("."))
        )
        draft = self.define(name, _KINDS[node.type], node, named, (body.start_byte, body.end_byte))
        clause = next((child for child in node.named_children if child.type == "base_class_clause"), None)
        sheet.then(
            (sheet.enter, (name,)),
            (self._into_class, (name,)),
            (self.bases, (draft, clause)) if clause is not None else None,
            *body.named_children,
            (self._out_of_class, ()),
            (sheet.enter, (sheet.within,)),
        )

    def _named_body(self, node: Node) -> tuple[Node | None, Node | None]:
        """Return name and body of a type; without a body it is a use, or ``struct node;``, which says nothing."""
        body = node.child_by_field_name("body")
        named = node.child_by_field_name("name") or self._names_given.get(node.id)
        alone = self.sheet.source[node.end_byte : node.end_byte + 1] == b";"
        if body is None and named is not None and not alone:
            self.sheet.refer(expressions.dotted(named), USE, self.line(node), types=True)
        return named, body

    def _into_class(self, name: str) -> None:
        self.classes.append(name)

    def _out_of_class(self) -> None:
        self.classes.pop()

    def bases(self, draft: Draft, clause: Node) -> None:
        """Read what a class derives from; C has no such thing."""

    def _enum(self, node: Node) -> None:
        sheet, (named, body) = self.sheet, self._named_body(node)
        if body is None:
            return
        scoped = any(child.type in {"class", "struct"} for child in node.children)
        name = self.qualified(expressions.dotted(named)) if named is not None else ""
        if named is not None:
            self.define(name, "enum", node, named, (body.start_byte, body.end_byte))
        for child in body.named_children:
            word, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if child.type == "enumerator" and word is not None:
                text = expressions.plain(word)
                self.define(
                    f"{name}.{text}" if scoped else self.qualified(text), "constant", child, word, child.byte_range
                )
                sheet.then(value)
