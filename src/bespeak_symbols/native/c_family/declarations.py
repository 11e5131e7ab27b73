"""What a C or C++ file declares: functions, parameters and variables; see :mod:`.classes` for types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols.model import CALL
from bespeak_symbols.native.block_extractor import fields
from bespeak_symbols.native.c_family import expressions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.native.block_extractor import Draft, FactSheet

_DEEPEST = 400
_RECORDS = frozenset({"class_specifier", "struct_specifier", "union_specifier", "enum_specifier"})


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration of one or more names: what they share."""

    node: Node
    kind: Node | None
    storage: frozenset[bytes]
    alone: bool


class Declarations:
    """Handlers of declarations.

    Args:
        sheet: where facts are written down.
        language: ``c`` or ``cpp``.
    """

    def __init__(self, sheet: FactSheet, language: str) -> None:
        self.sheet = sheet
        self.language = language
        self.classes: list[str] = []
        self.begins: dict[int, int] = {}
        self.anonymous = 0
        self.functions = 0
        self._outside: list[str] = []
        self._bare: list[tuple[Draft, str]] = []
        self._full: set[tuple[str, str]] = set()

    def declaration_handlers(self) -> dict[str, Callable[[Node], None]]:
        """Return the handlers by type of node."""
        return {
            "function_definition": self.function,
            "declaration": self._declaration,
            "parameter_declaration": self._parameter,
            "optional_parameter_declaration": self._parameter,
            "variadic_parameter_declaration": self._parameter,
        }

    def line(self, node: Node) -> int:
        """Return the line of a node, from 1."""
        return node.start_point[0] + 1

    def qualified(self, name: str) -> str:
        """Return a name with what it stands in."""
        within = self.sheet.within
        if self.language == "c" and not self.functions:
            return name
        return f"{within}.{name}" if within and not self.too_deep() else name

    def too_deep(self) -> bool:
        """Tell whether names here would be longer than anybody writes."""
        return len(self.sheet.within) >= _DEEPEST

    def define(self, name: str, kind: str, node: Node, named: Node | None, body: tuple[int, int] | None) -> Draft:
        """Add a symbol; what a template says before it belongs to it."""
        draft = self.sheet.symbol(name, kind, node, named, body)
        draft.start = self.begins.get(node.id, draft.start)
        if self.anonymous:
            self.sheet.hidden.add(name)
        return draft

    def drop_declarations(self) -> None:
        """Leave out declarations of functions whose body is in this file, too."""
        gone = {
            id(draft)
            for draft, key in self._bare
            if (draft.name, key) in self._full or (self.language == "c" and (draft.name, "") in self._full)
        }
        seen: set[tuple[str, str]] = set()
        for draft, key in self._bare:
            if (draft.name, key) in seen:
                gone.add(id(draft))
            seen.add((draft.name, key))
        self.sheet.drafts = [draft for draft in self.sheet.drafts if id(draft) not in gone]

    # Functions.

    def function(self, node: Node) -> None:
        """Read a function with its body."""
        sheet, body = self.sheet, node.child_by_field_name("body")
        declarator = node.child_by_field_name("declarator")
        named, parameters, _ = expressions.declared(declarator)
        if named is None:
            sheet.then(*node.named_children)
            return
        if parameters is None and _of_hidden_type(node, body):
            sheet.unread.setdefault(self.line(node), "a macro hides the name of what is defined here")
        name = self._function_name(named)
        kind = "method" if self.in_class() or "." in name.removeprefix(sheet.within + ".") else "function"
        span = (body.start_byte, body.end_byte) if body is not None else (node.end_byte, node.end_byte)
        draft = self.define(name, kind, node, named, span)
        inits = next((child for child in node.named_children if child.type == "field_initializer_list"), None)
        if inits is not None:
            draft.body = (inits.start_byte, span[1])
            draft.signature = ((draft.start, named.start_byte), (named.end_byte, inits.start_byte))
        key = self._key(parameters)
        self._full |= {(name, key), (name, "")}
        self._result(name, node, declarator)
        old_style: list[Node | None] = [child for child in node.named_children if child.type == "declaration"]
        self._inside(name, node.child_by_field_name("type"), *(old_style or [parameters]), inits, body)

    def _inside(self, name: str, *parts: Node | None) -> None:
        """Walk the parts of a function with a block of its own around them."""
        sheet = self.sheet
        sheet.then(
            (sheet.enter, (name,)),
            (self._go_in, (sheet.within,)),
            (sheet.open, ()),
            *parts,
            (sheet.close, ()),
            (self._go_out, ()),
            (sheet.enter, (sheet.within,)),
        )

    def _go_in(self, outside: str) -> None:
        self.functions += 1
        self._outside.append(outside)

    def _go_out(self) -> None:
        self.functions -= 1
        self._outside.pop()

    def in_function(self) -> bool:
        """Tell whether names declared here are variables of a block."""
        return self.functions > 0 and not self.in_class()

    def stray_body(self, node: Node) -> bool:
        """Take a block that stands alone for the body of the function declared right before it.

        Macros and old ways to declare parameters can hide from the parser that the two belong together.
        """
        if self.functions or not self._bare:
            return False
        draft, key = self._bare[-1]
        if draft.body is not None or self.sheet.source[draft.end : node.start_byte].strip():
            return False
        self._bare.pop()
        draft.body, draft.end = node.byte_range, node.end_byte
        self._full |= {(draft.name, key), (draft.name, "")}
        self._inside(draft.name, *node.named_children)
        return True

    def in_class(self) -> bool:
        """Tell whether this place is right inside a class."""
        return bool(self.classes) and self.classes[-1] == self.sheet.within

    def _function_name(self, named: Node) -> str:
        if named.type == "operator_cast":
            return self.qualified(
                "operator " + "".join(expressions.plain(named.child_by_field_name("type") or named).split())
            )
        name = expressions.dotted(named).lstrip(".")
        if not self.in_function():
            return self.qualified(name)
        # Neither language has functions in functions: a brace that only the preprocessor can match was lost.
        return f"{self._outside[0]}.{name}" if self._outside[0] and self.language == "cpp" else name

    def _key(self, parameters: Node | None) -> str:
        """Return what tells overloads apart, roughly: the types of parameters as they are written."""
        if parameters is None:
            return "?"
        kinds = []
        for child in parameters.named_children:
            kind = child.child_by_field_name("type")
            named, _, _ = expressions.declared(child.child_by_field_name("declarator"))
            text = (
                expressions.plain(child)
                if named is None
                else expressions.plain(child)[: named.start_byte - child.start_byte]
            )
            kinds.append("".join(text.partition("=")[0].split()) if kind is not None else "")
        return "(" + ",".join(kinds)

    def _result(self, name: str, node: Node, declarator: Node | None) -> None:
        result = expressions.starred(
            expressions.type_name(node.child_by_field_name("type")), expressions.is_pointer(declarator)
        )
        while declarator is not None and declarator.type != "function_declarator":
            declarator = declarator.child_by_field_name("declarator")
        if result == "auto" and declarator is not None:
            trail = next((child for child in declarator.named_children if child.type == "trailing_return_type"), None)
            of = trail.named_child(0) if trail is not None else None
            pointer = expressions.is_pointer(of.child_by_field_name("declarator") if of is not None else None)
            result = expressions.starred(expressions.type_name(of), pointer)
        if result != "auto":
            self.sheet.bind(name, result, "result", self.line(node))

    def _prototype(self, node: Node, declarator: Node, named: Node, parameters: Node) -> None:
        name = self._function_name(named)
        draft = self.define(name, "method" if self.in_class() else "function", node, named, None)
        self._bare.append((draft, self._key(parameters)))
        self._result(name, node, declarator)
        self.sheet.then((self.sheet.open, ()), parameters, (self.sheet.close, ()))

    def _parameter(self, node: Node) -> None:
        sheet = self.sheet
        declarator, kind = node.child_by_field_name("declarator"), node.child_by_field_name("type")
        named, function, reached = expressions.declared(declarator)
        sheet.then(kind, node.child_by_field_name("default_value"))
        if named is not None and named.type == "identifier":
            of = (
                ""
                if function is not None or (declarator is not None and returns_when_called(declarator))
                else expressions.type_name(kind)
            )
            of = "" if of == "auto" else expressions.starred(of, reached)
            sheet.declare(expressions.plain(named), of, "type", self.line(node))

    # Variables.

    def _declaration(self, node: Node) -> None:
        sheet, kind = self.sheet, node.child_by_field_name("type")
        tasks: list[Node | tuple[Callable[..., None], tuple[object, ...]]] = [] if kind is None else [kind]
        declarators = fields(node, "declarator")
        of = Declaration(node, kind, storage_of(node), alone=len(declarators) == 1)
        for declarator in declarators:
            tasks.append((self._declarator, (of, declarator)))
            value = declarator.child_by_field_name("value")
            if value is not None:
                tasks.append(value)
        value = node.child_by_field_name("value") or node.child_by_field_name("default_value")
        if value is not None:
            tasks.append(value)
        sheet.then(*tasks)

    def _declarator(self, whole: Declaration, declarator: Node) -> None:
        node, kind = whole.node, whole.kind
        named, parameters, reached = expressions.declared(declarator)
        if named is None:
            return
        inside = self.in_function()
        if parameters is not None and not (inside and self._is_object(parameters)):
            if not inside:
                self._prototype(node, declarator, named, parameters)
            return
        if named.type == "structured_binding_declarator":
            for child in named.named_children:
                self.sheet.declare(expressions.plain(child), "", "value", self.line(node))
            return
        held = parameters is None and returns_when_called(declarator)
        of = "" if held else expressions.type_name(kind)
        value = declarator.child_by_field_name("value")
        if of and of != "auto" and self.language == "cpp" and not reached:
            self._made_here(whole, of, value, parameters)
        deduced = of == "auto" or held
        target, how = self._deduced(value) if deduced else (expressions.starred(of, reached), "type")
        if inside:
            self.sheet.declare(expressions.plain(named), target, how, self.line(node))
        else:
            self._global(whole, declarator, named, (target, how))

    def _is_object(self, parameters: Node) -> bool:
        """Tell whether ``Shape s(width);`` makes an object: an argument is a variable of a block around."""
        for child in parameters.named_children:
            kind = child.child_by_field_name("type")
            if (
                kind is not None
                and child.named_child_count == 1
                and self.sheet.local(expressions.plain(kind)) is not None
            ):
                return True
        return False

    def _made_here(self, whole: Declaration, of: str, value: Node | None, parameters: Node | None) -> None:
        node, storage = whole.node, whole.storage
        if b"extern" in storage or (b"static" in storage and self.in_class()):
            return
        if value is None and parameters is None:
            self.construct(of, self.line(node), 0)
        elif parameters is not None:
            self.construct(of, self.line(node), expressions.argument_count(parameters))
        elif value is not None and value.type in {"argument_list", "initializer_list"}:
            self.construct(of, self.line(node), expressions.argument_count(value))

    def construct(self, of: str, line: int, arguments: int) -> None:
        """Say that an object of a type is made here."""
        self.sheet.refer(of.partition("<")[0], CALL, line, arguments, types=True)

    def _deduced(self, value: Node | None) -> tuple[str, str]:
        text = expressions.chain(value)
        return (text, "alias") if text.strip("().[]*&") else ("", "value")

    def _global(self, whole: Declaration, declarator: Node, named: Node, means: tuple[str, str]) -> None:
        sheet, node, (target, how) = self.sheet, whole.node, means
        name = self.qualified(expressions.dotted(named).lstrip("."))
        value = declarator.child_by_field_name("value")
        if b"extern" not in whole.storage:
            body = (value.start_byte, value.end_byte) if value is not None else (node.end_byte, node.end_byte)
            draft = self.define(name, "variable", node, named, body)
            first = node.child_by_field_name("declarator") or declarator
            end = value.start_byte if value is not None else declarator.end_byte
            around = ((declarator.start_byte, named.start_byte), (named.end_byte, end))
            draft.signature = ((draft.start, first.start_byte), *around)
            if not whole.alone:
                draft.start, draft.end = declarator.byte_range
        sheet.bind(name, target or "()", how if target else "value", self.line(node))


def _of_hidden_type(node: Node, body: Node | None) -> bool:
    """Tell whether a definition that reads as a function is a class, whose name the parser did not find."""
    kind = node.child_by_field_name("type")
    return body is not None and kind is not None and kind.type in _RECORDS and kind.child_by_field_name("body") is None


def storage_of(node: Node) -> frozenset[bytes]:
    """Return ``static``, ``extern`` and the like, as far as a declaration says so before its first name."""
    found = set()
    cursor = node.walk()
    more = cursor.goto_first_child()
    while more and cursor.field_name != "declarator" and cursor.node is not None:
        if cursor.node.type == "storage_class_specifier":
            found.add(cursor.node.text or b"")
        more = cursor.goto_next_sibling()
    return frozenset(found)


def returns_when_called(declarator: Node) -> bool:
    """Tell whether what is declared is a pointer to a function: its type says what calling it returns."""
    current: Node | None = declarator
    while current is not None:
        if current.type == "function_declarator":
            return True
        current = current.child_by_field_name("declarator") or next(
            (child for child in current.named_children if child.type.endswith("_declarator")), None
        )
    return False
