"""What one C or C++ file says: expressions, blocks and macros; see :mod:`.declarations` for what it declares."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from bespeak_symbols.model import CALL, USE, Binding, Import
from bespeak_symbols.native.block_extractor import FactSheet
from bespeak_symbols.native.c_family import expressions, macros
from bespeak_symbols.native.c_family.classes import Classes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.model import Facts

_PLUS_PLUS = re.compile(
    rb"^\s*(?:template\s*<|namespace\b|using\s+\w|class\s+\w[\w\s]*[:{]|(?:public|private|protected)\s*:)"
    rb"|\bstd::|\bconstexpr\b|\bvirtual\s+\w|\bnullptr\b|\boperator\s*[-+*/<>=!(\[]|\bnoexcept\b|=\s*(?:delete|default)\s*;"
    rb"|^\s*class\s+\w+\s*;|\benum\s+class\b|\b\w+::\w+",
    re.MULTILINE,
)
_FOR_PLUS_PLUS = re.compile(
    rb"^[ \t]*#[ \t]*(?:ifdef[ \t]+__cplusplus|if[ \t]+defined[ \t]*\(?[ \t]*__cplusplus[ \t]*\)?)[^\n]*\n"
    rb"(?:(?![ \t]*#[ \t]*(?:if|el|endif))[^\n]*\n){0,40}",
    re.MULTILINE,
)
_COMMENT = re.compile(rb"//[^\n]*|/\*(?:.*?\*/|.*)", re.DOTALL)
_CLOSED = re.compile(rb"/\*.*?\*/", re.DOTALL)
_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define\b(?:[^\n\\]|\\\r?\n|\\[^\n])*", re.MULTILINE)
_MACRO_NAME = re.compile(rb'"(?:\\.|[^"\\])*"?|\'(?:\\.|[^\'\\])*\'?|(?<![\w.#>])([A-Za-z_]\w*)\s*(\()?')
_KEYWORDS = frozenset(
    {
        "if",
        "while",
        "for",
        "switch",
        "return",
        "sizeof",
        "do",
        "else",
        "case",
        "default",
        "break",
        "continue",
        "goto",
        "struct",
        "union",
        "enum",
        "const",
        "volatile",
        "static",
        "inline",
        "void",
        "char",
        "short",
        "int",
        "long",
        "float",
        "double",
        "signed",
        "unsigned",
        "defined",
        "typeof",
        "alignof",
        "__typeof__",
        "__attribute__",
        "__extension__",
        "__asm__",
        "asm",
        "extern",
        "typedef",
        "register",
        "auto",
        "new",
        "delete",
        "this",
        "true",
        "false",
        "nullptr",
        "class",
        "template",
        "typename",
        "using",
        "namespace",
        "public",
        "private",
        "protected",
        "virtual",
        "operator",
        "static_cast",
        "reinterpret_cast",
        "const_cast",
        "dynamic_cast",
        "__VA_ARGS__",
        "__FILE__",
        "__LINE__",
        "__func__",
        "__FUNCTION__",
        "__declspec",
        "__inline",
        "__restrict",
        "noexcept",
        "throw",
    }
)


def extract(source: bytes, path: str) -> Facts:
    """Return what a file says.

    Args:
        source: any bytes.
        path: its suffix tells C from C++; a header is in the one that its own text needs.
    """
    suffix = os.path.splitext(path)[1]
    if suffix.lower() != ".h":
        return _Reader(source, "c" if suffix == ".c" else "cpp").read()
    bare = _FOR_PLUS_PLUS.sub(_blank, source)
    if _PLUS_PLUS.search(_COMMENT.sub(b" ", bare)):
        return _Reader(source, "cpp").read()
    facts = _Reader(bare, "c").read()
    if any(symbol.kind == "method" for symbol in facts.symbols):
        return _Reader(source, "cpp").read()
    if facts.unread:
        other = _Reader(source, "cpp").read()
        return other if not other.unread else facts
    return facts


def _without_comments(found: re.Match[bytes]) -> bytes:
    """Return a macro with blanks for its comments: the grammar takes none in the middle of one."""
    text = found.group(0)
    return text if b"/*" not in text else _CLOSED.sub(_spaces, text)


def _spaces(found: re.Match[bytes]) -> bytes:
    return re.sub(rb"[^\n\\]", b" ", found.group(0))


def _blank(found: re.Match[bytes]) -> bytes:
    head, line_break, rest = found.group(0).partition(b"\n")
    return head + line_break + re.sub(rb"[^\n]", b" ", rest)


class _Reader(Classes):
    """Reads one file; the handlers of declarations and classes are in the modules they come from."""

    def __init__(self, source: bytes, language: str) -> None:
        super().__init__(FactSheet(source), language)
        self._conditions = 0

    def read(self) -> Facts:
        """Return what the file says."""
        handlers = self.expression_handlers() | self.declaration_handlers() | self.type_handlers()
        if self.language == "cpp":
            handlers |= self.class_handlers()
        blanks = macros.find(self.sheet.source, self.sheet.lexemes)
        source = _DEFINE.sub(_without_comments, self.sheet.source)

        def after() -> None:
            self.drop_declarations()
            for blank in blanks:
                self.sheet.within = self._holder(blank.start)
                self.sheet.refer(blank.name, CALL if blank.called else USE, self.sheet.line(blank.start))

        otherwise = source if blanks else b""
        return self.sheet.read(macros.without(source, blanks), self.language, handlers, after, otherwise)

    def _holder(self, start: int) -> str:
        """Return the name of the innermost symbol that holds a byte; empty if none does."""
        holding = [draft for draft in self.sheet.drafts if draft.start <= start < draft.end]
        return max(holding, key=lambda draft: draft.start).name if holding else ""

    def expression_handlers(self) -> dict[str, Callable[[Node], None]]:
        """Return the handlers of expressions, blocks and macros, by type of node."""
        blocks = (
            "compound_statement",
            "for_statement",
            "if_statement",
            "while_statement",
            "switch_statement",
            "catch_clause",
        )
        return dict.fromkeys(blocks, self._block) | {
            "call_expression": self._call,
            "identifier": self._name,
            "type_identifier": self._name,
            "qualified_identifier": self._qualified,
            "field_expression": self._field,
            "preproc_include": self._include,
            "preproc_def": self._macro,
            "preproc_function_def": self._macro,
            "preproc_ifdef": self._conditional,
            "preproc_if": self._conditional,
            "preproc_elif": self._conditional,
            "preproc_call": _nothing,
            "comment": _nothing,
            "string_literal": _nothing,
            "char_literal": _nothing,
            "number_literal": _nothing,
            "primitive_type": _nothing,
            "storage_class_specifier": _nothing,
            "sized_type_specifier": _nothing,
            "access_specifier": _nothing,
            "attribute_specifier": _nothing,
            "attribute_declaration": _nothing,
            "macro_type_specifier": self._macro_type,
        }

    # Blocks.

    def _block(self, node: Node) -> None:
        sheet = self.sheet
        if not self.functions and self.stray_body(node):
            return
        sheet.then((sheet.open, ()), *node.named_children, (sheet.close, ()))

    # Expressions.

    def _call(self, node: Node) -> None:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None:
            self.sheet.then(arguments)
            return
        made = expressions.cast_target(function)
        if made is None:
            text = expressions.chain(function)
            while text.endswith((".*", ".&")):
                text = text[:-2]
            if text and not text.endswith("()"):
                self.sheet.refer(text, CALL, self.line(node), expressions.argument_count(arguments))
        elif b"cast" not in (function.text or b"")[:16]:
            self.construct(made.rstrip("*"), self.line(node), expressions.argument_count(arguments))
        self.sheet.then((self._callee, (function,)), arguments)

    def _callee(self, function: Node) -> None:
        """Walk what else stands in the name of a called function: what gives the object, and template arguments."""
        kind = function.type
        if kind == "identifier":
            return
        if kind == "field_expression":
            argument = function.child_by_field_name("argument")
            field = function.child_by_field_name("field")
            self.arrow(function, argument)
            templated = field is not None and field.type in {"template_method", "dependent_name"}
            self.sheet.then(argument, field if templated else None)
        elif kind in {"qualified_identifier", "template_function"}:
            self._template_arguments(function)
        else:
            self.sheet.then(function)

    def _template_arguments(self, node: Node) -> None:
        current: Node | None = node
        while current is not None:
            arguments = current.child_by_field_name("arguments")
            scope = current.child_by_field_name("scope")
            for holder in (arguments, scope.child_by_field_name("arguments") if scope is not None else None):
                if holder is not None:
                    self.sheet.then(*holder.named_children)
            current = current.child_by_field_name("name")

    def _name(self, node: Node) -> None:
        self.sheet.refer(expressions.plain(node), USE, self.line(node), types=node.type == "type_identifier")

    def _qualified(self, node: Node) -> None:
        self.sheet.refer(expressions.scoped(node), USE, self.line(node))
        self._template_arguments(node)

    def _field(self, node: Node) -> None:
        self.sheet.then(node.child_by_field_name("argument"))

    # The preprocessor.

    def _include(self, node: Node) -> None:
        path = node.child_by_field_name("path")
        if path is not None and path.type in {"string_literal", "system_lib_string"}:
            self.sheet.imports.append(Import("*", expressions.plain(path).strip(), "", self.line(node)))

    def _conditional(self, node: Node) -> None:
        name, condition = node.child_by_field_name("name"), node.child_by_field_name("condition")
        inside = [child for child in node.named_children if child not in (name, condition)]
        absent = node.children[0].type == "#ifndef" or (condition is not None and (condition.text or b"")[:1] == b"!")
        step = 0 if absent else 1
        self.sheet.then((self._under_condition, (step,)), *inside, (self._under_condition, (-step,)))

    def _under_condition(self, by: int) -> None:
        self._conditions += by

    def _macro_type(self, node: Node) -> None:
        """``LIST(X)`` before a name, or where a semicolon is missing: a macro."""
        name = node.child_by_field_name("name")
        if name is not None:
            self.sheet.refer(expressions.plain(name), CALL, self.line(node), 1)
        self.sheet.then(node.child_by_field_name("type"))

    def _macro(self, node: Node) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        word = expressions.plain(name)
        body = (value.start_byte, value.end_byte) if value is not None else None
        draft = self.sheet.symbol(word, "macro", node, name, body)
        if self._conditions:
            self.sheet.bindings.append(Binding(word, "", "value", self.line(node)))
        parameters = node.child_by_field_name("parameters")
        draft.signature = (parameters.byte_range if parameters is not None else (0, 0),)
        if value is not None:
            hidden = (
                {expressions.plain(child) for child in parameters.named_children} if parameters is not None else set()
            )
            self._macro_body(word, _COMMENT.sub(b" ", value.text or b""), self.line(node), hidden)

    def _macro_body(self, word: str, text: bytes, line: int, hidden: set[str]) -> None:
        outside, self.sheet.within = self.sheet.within, word
        for found in _MACRO_NAME.finditer(text):
            name = (found.group(1) or b"").decode()
            if name and name not in hidden and name not in _KEYWORDS and name != word:
                self.sheet.refer(name, CALL if found.group(2) else USE, line)
        self.sheet.within = outside
        if re.fullmatch(rb"\s*[A-Za-z_]\w*\s*", text) and not hidden:
            self.sheet.bind(word, text.strip().decode(), "alias", line)


def _nothing(_node: Node) -> None:
    pass
