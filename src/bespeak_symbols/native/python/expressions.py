"""Expressions as dotted text, and type annotations.

``make(x)[n].run`` is ``make.().[].run``; what is no name has a part of its own, and a key that is a constant stands
in it: ``[0]``, ``['name']``. An annotation is read as type checkers
read it, quoted or not: of ``Foo | None`` only ``Foo`` says something, of ``list[Foo]`` that its items do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node

UNKNOWN = "[]"
SLICE = "[:]"
_QUOTES = ("'", '"')
_LONGEST_KEY = 40
_MOST_PARTS = 40
_MOST_ALTERNATIVES = 8
_LITERALS = {
    "string": "str",
    "concatenated_string": "str",
    "integer": "int",
    "float": "float",
    "true": "bool",
    "false": "bool",
    "none": "None",
    "list": "list",
    "list_comprehension": "list",
    "dictionary": "dict",
    "dictionary_comprehension": "dict",
    "set": "set",
    "set_comprehension": "set",
    "tuple": "tuple",
    "expression_list": "tuple",
    "generator_expression": "iter",
    "comparison_operator": "bool",
    "not_operator": "bool",
}
PLAIN = frozenset(f"{name}.()" for name in _LITERALS.values())
"""The texts of values that are written out."""

_INNER = frozenset({"parenthesized_expression", "await"})
_SAME_ITEMS = frozenset({"list", "sorted", "reversed", "set", "tuple", "iter", "frozenset"})
_ITEMS = frozenset(
    {
        "list",
        "set",
        "frozenset",
        "tuple",
        "deque",
        "Sequence",
        "MutableSequence",
        "Iterable",
        "Iterator",
        "Collection",
        "Set",
        "AbstractSet",
        "MutableSet",
        "List",
        "FrozenSet",
        "Tuple",
        "Deque",
        "Generator",
        "AsyncIterator",
        "AsyncIterable",
        "AsyncGenerator",
        "KeysView",
        "ValuesView",
        "ContextManager",
        "AbstractContextManager",
        "AsyncContextManager",
        "AbstractAsyncContextManager",
    }
)
_VALUES = frozenset(
    {
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "defaultdict",
        "DefaultDict",
        "OrderedDict",
        "WeakValueDictionary",
        "ChainMap",
    }
)
_WRAPPERS = frozenset(
    {"Optional", "Union", "ClassVar", "Final", "Required", "NotRequired", "ReadOnly", "Awaitable", "InitVar"}
)
_HOLDERS = {
    **dict.fromkeys(_ITEMS, (0, "items")),
    **dict.fromkeys(_VALUES, (-1, "values")),
    **dict.fromkeys(("type", "Type"), (0, "alias")),
    "Coroutine": (-1, "type"),
    "Annotated": (0, "type"),
}
"""Of which part of ``Name[...]`` something is said, and what."""
_MOST_MEANT = 16
_QUOTED_BYTES = 400


def name_of(node: Node) -> str:
    """Return the text of a name."""
    return (node.text or b"").decode("utf-8", "replace")


def text_of(node: Node | None, known: Mapping[str, str]) -> str:
    """Return an expression as dotted text.

    Args:
        node: the expression.
        known: names of comprehensions and lambdas around it, and what they stand for.
    """
    parts: list[str] = []
    while node is not None and len(parts) < _MOST_PARTS:
        kind = node.type
        if kind == "identifier":
            name = name_of(node)
            return ".".join((known.get(name, name), *reversed(parts)))
        if kind == "attribute":
            attribute = node.child_by_field_name("attribute")
            parts.append(UNKNOWN if attribute is None else name_of(attribute))
            node = node.child_by_field_name("object")
        elif kind == "call":
            parts.append("()")
            node = node.child_by_field_name("function")
        elif kind == "subscript":
            parts.append(_item(node))
            node = node.child_by_field_name("value")
        elif kind in _INNER:
            node = next(iter(node.named_children), None)
        elif kind == "named_expression":
            node = node.child_by_field_name("value")
        elif kind in _LITERALS:
            return ".".join((_LITERALS[kind], "()", *reversed(parts)))
        else:
            break
    return ".".join((UNKNOWN, *reversed(parts)))


def _item(node: Node) -> str:
    """Return the part of ``x[...]``: with the key if that is written out, ``[:]`` for a slice."""
    key = node.child_by_field_name("subscript")
    if key is not None and key.type == "slice":
        return SLICE
    return UNKNOWN if len(node.named_children) > 2 else key_of(key)  # noqa: PLR2004 what has items, and one key


def key_of(key: Node | None) -> str:
    """Return the part for an item at a key: ``[0]``, ``['name']``; ``[]`` if it is not a short constant."""
    if key is not None and key.type in {"integer", "string"}:
        text = name_of(key)
        plain = text if key.type == "integer" else text[1:-1] if text[:1] in _QUOTES else ""
        if len(plain) <= _LONGEST_KEY and plain.replace("_", "a").isalnum():
            return f"[{plain}]" if key.type == "integer" else f"['{plain}']"
    return UNKNOWN


def alternatives(node: Node | None, known: Mapping[str, str]) -> list[str]:
    """Return what an expression may be: each side of ``a or b`` and of ``a if c else b``, as dotted text."""
    found: list[str] = []
    stack = [node]
    while stack and len(found) < _MOST_ALTERNATIVES:
        node = stack.pop()
        if node is None:
            continue
        inner = node.named_children
        if node.type == "conditional_expression" and len(inner) == 3:  # noqa: PLR2004 this, condition, that
            stack += [inner[2], inner[0]]
        elif node.type == "boolean_operator" and len(inner) == 2:  # noqa: PLR2004 both sides
            stack += [inner[1], inner[0]]
        elif node.type == "parenthesized_expression" and inner:
            stack.append(inner[0])
        else:
            found.append(text_of(node, known))
    return found


def yielded(node: Node | None, known: Mapping[str, str]) -> str:
    """Return what a loop over an expression yields, as dotted text."""
    while node is not None and node.type == "call":
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        given = [] if arguments is None else arguments.named_children
        if function is None or function.type != "identifier" or name_of(function) not in _SAME_ITEMS or not given:
            break
        node = given[0]
    return text_of(node, known) + ".[*]"


def pairs(node: Node | None, known: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what both names of ``for a, b in ...`` are, where the loop is over ``enumerate`` or ``items``."""
    function = None if node is None or node.type != "call" else node.child_by_field_name("function")
    arguments = None if node is None or function is None else node.child_by_field_name("arguments")
    if function is None or arguments is None:
        return None
    given = arguments.named_children
    if function.type == "identifier" and name_of(function) == "enumerate" and given:
        return "int.()", yielded(given[0], known)
    attribute = function.child_by_field_name("attribute") if function.type == "attribute" else None
    if attribute is not None and name_of(attribute) == "items" and not given:
        mapping = text_of(function.child_by_field_name("object"), known)
        return f"{mapping}.[*]", f"{mapping}.[]"
    return None


def meant(node: Node | None) -> list[tuple[str, str]]:
    """Return what an annotation says, as (text of a class, how): ``type``, ``items``, ``values`` or ``alias``."""
    found: list[tuple[str, str]] = []
    stack: list[tuple[Node | None, str]] = [(node, "type")]
    while stack and len(found) < _MOST_MEANT:
        node, how = stack.pop()
        if node is None:
            continue
        kind = node.type
        if kind in {"identifier", "attribute"}:
            text = text_of(node, {})
            if text not in {"None", "Any"} and not text.startswith(UNKNOWN):
                found.append((text, how))
        elif kind == "string":
            stack += [(inner, how) for inner in reversed(_quoted(node))]
        elif kind in {"type", "parenthesized_expression", "union_type", "expression_statement"}:
            stack += [(inner, how) for inner in reversed(node.named_children)]
        elif kind == "binary_operator":
            stack += [(node.child_by_field_name("right"), how), (node.child_by_field_name("left"), how)]
        elif kind in {"generic_type", "subscript"}:
            stack += _generic(node, how, found)
    return found


def _generic(node: Node, how: str, found: list[tuple[str, str]]) -> list[tuple[Node | None, str]]:
    """Return the parts of ``Base[...]`` that say something, and in which way; ``Base`` itself goes to ``found``."""
    base, *inner = node.named_children
    if inner and inner[0].type == "type_parameter":
        inner = inner[0].named_children
    text = text_of(base, {})
    name = text.rpartition(".")[2]
    if how != "type":
        return [(base, how)]
    if name in _HOLDERS and inner:
        number, held = _HOLDERS[name]
        return [(inner[number], held)]
    if name in _WRAPPERS:
        return [(part, how) for part in reversed(inner)]
    if not text.startswith(UNKNOWN) and name not in {"Callable", "Literal"}:
        found.append((text, how))
    return []


def _quoted(node: Node) -> list[Node]:
    """Return the expression inside a quoted annotation."""
    inner = b"".join(part.text or b"" for part in node.named_children if part.type == "string_content")
    if not inner or len(inner) > _QUOTED_BYTES or b"'" in inner or b'"' in inner:
        return []
    root = syntax.parse(inner, "python").root_node
    return [] if root.has_error else list(root.named_children)


def names_in(node: Node) -> list[str]:
    """Return all names that an annotation uses, quoted ones too."""
    found: list[str] = []
    stack = [node]
    while stack:
        node = stack.pop()
        if node.type in {"identifier", "attribute"}:
            text = text_of(node, {})
            if not text.startswith(UNKNOWN):
                found.append(text)
        elif node.type == "string":
            stack += reversed(_quoted(node))
        else:
            stack += reversed(node.named_children)
    return found


def parameter_name(node: Node) -> str:
    """Return the name of a parameter, however it is declared; empty if it has none."""
    while True:
        if node.type == "identifier":
            return name_of(node)
        inner = node.child_by_field_name("name") or next(iter(node.named_children), None)
        if inner is None or node.type in {"tuple_pattern", "keyword_separator", "positional_separator"}:
            return ""
        node = inner
