"""Structures, classes, enumerations and aliases; and what only C++ has: namespaces, bases, templates, lambdas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.model import CALL, INHERIT, USE, Binding, Import
from bespeak_symbols.native.block_extractor import fields
from bespeak_symbols.native.c_family import expressions
from bespeak_symbols.native.c_family.declarations import Declarations, returns_when_called, storage_of
from bespeak_symbols.native.c_family.imports import DECLARED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.block_extractor import Draft, FactSheet

_KINDS = {"struct_specifier": "struct", "union_specifier": "struct", "class_specifier": "class"}


class Records(Declarations):
    """Handlers of types.

    Args:
        sheet: where facts are written down.
        language: ``c`` or ``cpp``.
    """

    def __init__(self, sheet: FactSheet, language: str) -> None:
        super().__init__(sheet, language)
        self._names_given: dict[int, Node] = {}
        self._declared: set[str] = set()

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
        """Return name and body of a type; without a body it is a use, or ``struct node;``: it is defined elsewhere."""
        body = node.child_by_field_name("body")
        named = node.child_by_field_name("name") or self._names_given.get(node.id)
        alone = self.sheet.source[node.end_byte : node.end_byte + 1] == b";"
        if body is None and named is not None:
            text = expressions.dotted(named)
            if not alone:
                self.sheet.refer(text, USE, self.line(node), types=True)
            if alone or self.language == "c" or self._named_again(node):
                self._declare(text if self.language == "c" else self.qualified(text.lstrip(".")), node)
        return named, body

    @staticmethod
    def _named_again(node: Node) -> bool:
        """Tell whether a type gets another name: ``typedef struct node node_t;``."""
        return node.parent is not None and node.parent.type == "type_definition"

    def _declare(self, name: str, node: Node) -> None:
        if name not in self._declared:
            self._declared.add(name)
            self.sheet.bindings.append(Binding(name, "", DECLARED, self.line(node)))

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


class Classes(Records):
    """Handlers of what only C++ has."""

    def class_handlers(self) -> dict[str, Callable[[Node], None]]:
        """Return the handlers by type of node."""
        return {
            "namespace_definition": self._namespace,
            "namespace_alias_definition": self._namespace_alias,
            "using_declaration": self._using,
            "alias_declaration": self._alias,
            "template_declaration": self._template,
            "friend_declaration": self._friend,
            "lambda_expression": self._lambda,
            "for_range_loop": self._range_loop,
            "new_expression": self._new,
            "compound_literal_expression": self._literal,
            "field_initializer": self._initializer,
            "delete_expression": self._delete,
            "binary_expression": self._operator,
            "assignment_expression": self._operator,
            "template_type": self._template_type,
            "subscript_expression": self._subscript,
            "field_expression": self._arrow,
        }

    # Namespaces and names taken from them.

    def _namespace(self, node: Node) -> None:
        sheet, body = self.sheet, node.child_by_field_name("body")
        named = node.child_by_field_name("name")
        outside = sheet.within
        if body is None:
            return
        if named is None:
            sheet.then((self._hide, (1,)), *body.named_children, (self._hide, (-1,)))
            return
        for word in named.named_children or (named,):
            if self.too_deep():
                break
            sheet.within = self.qualified(expressions.plain(word))
            self.define(sheet.within, "namespace", node, word, (body.start_byte, body.end_byte))
        sheet.then(*body.named_children, (sheet.enter, (outside,)))

    def _hide(self, by: int) -> None:
        self.anonymous += by

    def _namespace_alias(self, node: Node) -> None:
        named = node.child_by_field_name("name")
        if named is None or node.named_child_count < 2:  # noqa: PLR2004 the name and what it stands for
            return
        target = expressions.dotted(node.named_children[-1])
        if self.in_function():
            self.sheet.declare_type(expressions.plain(named), target, self.line(node))
        else:
            self.sheet.bind(self.qualified(expressions.plain(named)), target, "alias", self.line(node))

    def _using(self, node: Node) -> None:
        if not node.named_child_count:
            return
        sheet, taken = self.sheet, expressions.dotted(node.named_children[-1]).lstrip(".")
        if any(child.type == "namespace" for child in node.children):
            sheet.imports.append(Import("*", taken, "", self.line(node), sheet.within))
        elif not self.in_class():
            name = taken.rpartition(".")[2]
            sheet.imports.append(Import(name, taken, name, self.line(node), sheet.within))

    def _alias(self, node: Node) -> None:
        named, kind = node.child_by_field_name("name"), node.child_by_field_name("type")
        if named is None:
            return
        of, word, line = expressions.type_name(kind), expressions.plain(named), self.line(node)
        if self.in_function():
            self.sheet.declare_type(word, of, line)
        else:
            self.define(self.qualified(word), "type", node, named, node.byte_range)
            self.sheet.bind(self.qualified(word), of, "alias", line)
        self.sheet.then(kind)

    # Classes and templates.

    def bases(self, draft: Draft, clause: Node) -> None:
        """Read what a class derives from."""
        names = []
        for child in clause.named_children:
            if child.type in {"type_identifier", "qualified_identifier", "template_type"}:
                names.append(expressions.dotted(child).lstrip("."))
                self.sheet.refer(names[-1], INHERIT, self.line(child), types=True)
        draft.bases = tuple(names)

    def _template(self, node: Node) -> None:
        sheet = self.sheet
        parameters = node.child_by_field_name("parameters")
        inner = [child for child in node.named_children if child != parameters]
        for child in inner:
            self.begins[child.id] = self.begins.get(node.id, node.start_byte)
        sheet.then((sheet.open, ()), (self._template_parameters, (parameters,)), *inner, (sheet.close, ()))

    def _template_parameters(self, parameters: Node | None) -> None:
        for child in parameters.named_children if parameters is not None else ():
            if child.type.startswith(("type_parameter", "optional_type_parameter", "variadic_type_parameter")):
                named = next((each for each in child.named_children if each.type == "type_identifier"), None)
                if named is not None:
                    self.sheet.declare_type(expressions.plain(named), "", self.line(child))
                self.sheet.then(child.child_by_field_name("default_type"))
            else:
                self.sheet.then(child)

    def _template_type(self, node: Node) -> None:
        named = node.child_by_field_name("name")
        self.sheet.then(named, node.child_by_field_name("arguments"))

    def _friend(self, node: Node) -> None:
        """Read a friend: its body, if it has one, is a function of the namespace around; a declaration is none."""
        sheet = self.sheet
        whole = next((child for child in node.named_children if child.type == "function_definition"), None)
        if whole is None or not self.in_class():
            return
        outside = sheet.within
        while sheet.within in self.classes:
            sheet.within = sheet.within.rpartition(".")[0]
        sheet.then((self.function, (whole,)), (sheet.enter, (outside,)))

    def _initializer(self, node: Node) -> None:
        """Read ``Base(x)`` or ``member{x}`` before the body of a constructor: a base is made, a member too."""
        if node.named_child_count:
            text = expressions.dotted(node.named_children[0]).lstrip(".")
            self.sheet.refer(f"new.{text}", CALL, self.line(node), expressions.argument_count(node.named_children[-1]))
            self.sheet.then(*node.named_children[1:])

    # Expressions.

    def _lambda(self, node: Node) -> None:
        sheet = self.sheet
        captures, declarator = node.child_by_field_name("captures"), node.child_by_field_name("declarator")
        parameters = declarator.child_by_field_name("parameters") if declarator is not None else None
        tasks = [(self._capture, (child,)) for child in captures.named_children] if captures is not None else []
        body = node.child_by_field_name("body")
        sheet.then((sheet.open, ()), *tasks, parameters, body, (sheet.close, ()))

    def _capture(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None:
            text = expressions.chain(right)
            self.sheet.declare(expressions.plain(left), text, "alias", self.line(node))
            self.sheet.then(right)

    def _range_loop(self, node: Node) -> None:
        sheet, right = self.sheet, node.child_by_field_name("right")
        sheet.then(
            (sheet.open, ()),
            node.child_by_field_name("initializer"),
            node.child_by_field_name("type"),
            right,
            (self._range_variable, (node, right)),
            node.child_by_field_name("body"),
            (sheet.close, ()),
        )

    def _range_variable(self, node: Node, right: Node | None) -> None:
        named, _, reached = expressions.declared(node.child_by_field_name("declarator"))
        if named is None or named.type != "identifier":
            for child in named.named_children if named is not None else ():
                self.sheet.declare(expressions.plain(child), "", "value", self.line(node))
            return
        of, text = expressions.type_name(node.child_by_field_name("type")), expressions.chain(right)
        if of == "auto":
            self.sheet.declare(expressions.plain(named), text + ".[]", "alias", self.line(node))
        else:
            self.sheet.declare(expressions.plain(named), expressions.starred(of, reached), "type", self.line(node))

    def _new(self, node: Node) -> None:
        kind, arguments = node.child_by_field_name("type"), node.child_by_field_name("arguments")
        of = expressions.type_name(kind)
        if of:
            self.construct(of, self.line(node), expressions.argument_count(arguments) if arguments is not None else 0)
        self.sheet.then(kind, arguments)

    def _literal(self, node: Node) -> None:
        kind, value = node.child_by_field_name("type"), node.child_by_field_name("value")
        of = expressions.type_name(kind)
        if of:
            self.construct(of, self.line(node), expressions.argument_count(value))
        self.sheet.then(kind, value)

    def _delete(self, node: Node) -> None:
        target = node.named_children[-1] if node.named_child_count else None
        text = expressions.chain(target)
        local = self.sheet.local(text)
        if local is not None and local.how == "type":
            self.sheet.refer(f"{text}.*.~{local.target.rstrip('*').rpartition('.')[2]}", CALL, self.line(node), 0)
        self.sheet.then(target)

    def _subscript(self, node: Node) -> None:
        """Read ``a[i]``: an object may have an operator for it."""
        argument = node.child_by_field_name("argument")
        self._through(argument, "operator[]", node)
        self.sheet.then(*node.named_children)

    def _arrow(self, node: Node) -> None:
        """Read ``a->b``: an object may have an operator for it."""
        argument = node.child_by_field_name("argument")
        self.arrow(node, argument)
        self.sheet.then(argument)

    def arrow(self, node: Node, argument: Node | None) -> None:
        """Say that what gives an object may be called, if this is an arrow."""
        if self.language == "cpp" and any(child.type == "->" for child in node.children):
            self._through(argument, "operator->", node)

    def _through(self, argument: Node | None, sign: str, node: Node) -> None:
        inner = argument.child_by_field_name("argument") if argument is not None else None
        text = expressions.chain(argument) if inner is None or inner.type != "field_expression" else ""
        if text and text != "this" and not text.startswith("()") and not text.endswith("&"):
            self.sheet.refer(f"{text}.{sign}", CALL, self.line(node), 1 if sign == "operator[]" else 0)

    def _operator(self, node: Node) -> None:
        """Read ``a + b``: if ``a`` is an object of a known class, a member of it may be called."""
        left, sign = node.child_by_field_name("left"), node.child_by_field_name("operator")
        if left is not None and sign is not None and left.type == "identifier":
            local = self.sheet.local(expressions.plain(left))
            if local is not None and local.how == "type" and not local.target.endswith("*"):
                self.sheet.refer(
                    f"{expressions.plain(left)}.operator{expressions.plain(sign)}", CALL, self.line(node), 1
                )
        self.sheet.then(left, node.child_by_field_name("right"))
