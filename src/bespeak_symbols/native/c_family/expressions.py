"""Names of C and C++ expressions and types as text with dots, and what a declarator declares."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

CASTS = frozenset({b"static_cast", b"dynamic_cast", b"reinterpret_cast", b"const_cast"})
NAMES = frozenset({"identifier", "field_identifier", "type_identifier", "namespace_identifier", "operator_name"})
_NAMED_TYPES = frozenset({"type_identifier", "qualified_identifier", "template_type", "dependent_type"})
_LONGEST_CHAIN = 24
_LONGEST_TYPE = 160
_NOISE = re.compile(r"\b(?:const|volatile|struct|union|enum|class|typename|template|mutable)\b|[\s&]|\[\]|\.\.\.")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_POINTERS = frozenset(
    {"pointer_declarator", "array_declarator", "abstract_pointer_declarator", "abstract_array_declarator"}
)
_WRAPPERS = frozenset(
    {
        "init_declarator",
        "pointer_declarator",
        "reference_declarator",
        "array_declarator",
        "parenthesized_declarator",
        "attributed_declarator",
        "function_declarator",
        "variadic_declarator",
        "bitfield_clause",
        "pointer_type_declarator",
        "type_hinted_declarator",
    }
)


def plain(node: Node) -> str:
    """Return the text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def dotted(node: Node) -> str:
    """Return a name, qualified or not, with dots and without template arguments; a leading ``::`` is a leading dot."""
    parts: list[str] = []
    current: Node | None = node
    for _ in range(_LONGEST_CHAIN):
        if current is None:
            break
        kind = current.type
        if kind == "qualified_identifier":
            scope = current.child_by_field_name("scope")
            parts.append(dotted(scope) if scope is not None and scope.type != "qualified_identifier" else "")
            current = current.child_by_field_name("name")
        elif kind in {"template_type", "template_function", "template_method"}:
            current = current.child_by_field_name("name")
        elif kind == "nested_namespace_specifier":
            parts += [plain(child) for child in current.named_children]
            break
        elif kind == "dependent_name":
            current = current.named_children[0] if current.named_child_count else None
        else:
            parts.append(re.sub(r"\s+", "", plain(current)))
            break
    return ".".join(parts)


def type_name(node: Node | None) -> str:
    """Return a type without pointers and qualifiers, ``std.vector<geo.Shape>``; empty for a builtin or a long one."""
    if node is not None and node.type == "type_descriptor":
        node = node.child_by_field_name("type")
    if node is None:
        return ""
    kind = node.type
    if kind in {"placeholder_type_specifier", "auto"}:
        return "auto"
    if kind in {"struct_specifier", "class_specifier", "union_specifier", "enum_specifier"}:
        name = node.child_by_field_name("name")
        return dotted(name) if name is not None else ""
    if kind not in _NAMED_TYPES or node.end_byte - node.start_byte > _LONGEST_TYPE:
        return ""
    return _NOISE.sub("", _COMMENT.sub("", plain(node))).replace("::", ".")


def scoped(node: Node) -> str:
    """Return a name as :func:`dotted`, with ``::`` after the first part of a qualified one: it is no variable."""
    text = dotted(node)
    return text.replace(".", "::", 1) if node.type == "qualified_identifier" else text


class Chain:
    """The parts of an expression, outermost last, read from its end; see :func:`chain`."""

    __slots__ = ("node", "parts")

    def __init__(self, node: Node) -> None:
        self.node: Node | None = node
        self.parts: list[str] = []

    def step(self, node: Node) -> Node | None:
        """Take one part from the end of an expression; return what is left, None at its root."""
        kind = node.type
        left: Node | None = None
        if kind in NAMES or kind in {"this", "destructor_name"}:
            self.parts.append(plain(node))
        elif kind in {"qualified_identifier", "template_function"}:
            self.parts.append(scoped(node))
        elif kind == "field_expression":
            field = node.child_by_field_name("field")
            self.parts.append(dotted(field) if field is not None else "")
            left = node.child_by_field_name("argument")
            if any(child.type == "->" for child in node.children):
                self.parts.append("*")
        elif kind == "call_expression":
            left = self._call(node)
        elif kind == "subscript_expression":
            self.parts.append("[]")
            left = node.child_by_field_name("argument")
        elif kind == "parenthesized_expression" and node.named_child_count == 1:
            left = node.named_child(0)
        elif kind == "pointer_expression":
            left = node.child_by_field_name("argument")
            self.parts.append(node.children[0].type)
        elif kind in {"cast_expression", "new_expression", "compound_literal_expression"}:
            of = node.child_by_field_name("type")
            pointer = kind == "new_expression" or is_pointer(_declarator_of(of))
            self._made(type_name(of), pointer="*" if pointer else "")
        else:
            self._made("")
        return left

    def _call(self, node: Node) -> Node | None:
        function = node.child_by_field_name("function")
        if function is None:
            self._made("")
            return None
        target = cast_target(function)
        if target is not None:
            self._made(target.rstrip("*"), pointer="*" if target.endswith("*") else "")
            return None
        self.parts.append("()")
        return function

    def _made(self, of: str, pointer: str = "") -> None:
        self.parts += (["&"] if pointer else []) + (["()", of] if of else ["()"])


def chain(node: Node | None) -> str:
    """Return an expression as its parts with dots: ``p.*.store.()``; ``()`` alone for what has no name.

    What a pointer points to is ``*``, the address of something ``&``, an item ``[]``.
    """
    if node is None:
        return ""
    read = Chain(node)
    for _ in range(_LONGEST_CHAIN):
        left = read.step(node)
        if left is None:
            break
        node = left
    else:
        read.parts.append("()")
    return ".".join(reversed(read.parts))


def _declarator_of(descriptor: Node | None) -> Node | None:
    return descriptor.child_by_field_name("declarator") if descriptor is not None else None


def cast_target(function: Node) -> str | None:
    """Return the type that a named cast, or a maker of smart pointers, gives; None if it is another function."""
    if function.type == "qualified_identifier":
        name = function.child_by_field_name("name")
        wanted: frozenset[bytes] = frozenset({b"make_unique", b"make_shared"})
    else:
        name, wanted = function, CASTS
    if name is None or name.type != "template_function":
        return None
    called, arguments = name.child_by_field_name("name"), name.child_by_field_name("arguments")
    if called is None or called.text not in wanted or arguments is None or not arguments.named_child_count:
        return None
    of = arguments.named_child(0)
    makes = function.type == "qualified_identifier"
    pointer = "*" if makes else is_pointer(_declarator_of(of))
    return starred(type_name(of), pointer)


def declared(node: Node | None) -> tuple[Node | None, Node | None, str]:
    """Return what a declarator declares: its name if it has one, its parameters if it is a function, its indirection.

    That is ``*`` for a pointer or an array, ``&`` for a reference, and nothing for a plain value.
    """
    function: Node | None = None
    reached = ""
    while node is not None and node.type in _WRAPPERS:
        kind = node.type
        if kind == "function_declarator":
            function = node.child_by_field_name("parameters")
        elif kind in _POINTERS:
            function, reached = None, "*"
        elif kind == "reference_declarator":
            function, reached = None, reached or "&"
        inner = node.child_by_field_name("declarator")
        if inner is None and node.named_child_count:
            inner = node.named_children[0 if kind == "attributed_declarator" else -1]
        node = inner
    return None if node is None or _missing(node) else node, function, reached


def _missing(name: Node) -> bool:
    """Tell whether the parser missed a name here, and put in an empty one."""
    last: Node | None = name
    while last is not None and last.type == "qualified_identifier":
        last = last.child_by_field_name("name")
    return last is None or last.start_byte == last.end_byte


def starred(of: str, reached: str) -> str:
    """Return a type with a ``*`` at its end if what has it is a pointer."""
    return of + "*" if of and of != "auto" and reached == "*" else of


def is_pointer(declarator: Node | None) -> str:
    """Return ``*`` if a declarator, or the result of the function it declares, is a pointer."""
    while declarator is not None and declarator.type not in {"function_declarator", "abstract_function_declarator"}:
        if declarator.type in _POINTERS:
            return "*"
        declarator = declarator.child_by_field_name("declarator")
    return ""


def argument_count(arguments: Node | None) -> int:
    """Return how many arguments are given, -1 if that is not known."""
    if arguments is None:
        return -1
    return sum(1 for child in arguments.named_children if child.type != "comment")
