"""Type annotations: which classes a name may hold instances of.

An annotation is read as it is meant by type checkers, quoted or not: of ``Foo | None`` only ``Foo`` says something, of
``list[Foo]`` that its items do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols import syntax
from bespeak_symbols.native.python.expressions import UNKNOWN, name_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node


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
_INNER = frozenset(
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
_MOST = 16
_QUOTED_BYTES = 400


def meant(node: Node | None) -> list[tuple[str, str]]:
    """Return what an annotation says, as (text of a class, how): ``type``, ``items``, ``values`` or ``alias``."""
    found: list[tuple[str, str]] = []
    stack: list[tuple[Node | None, str]] = [(node, "type")]
    while stack and len(found) < _MOST:
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
    if name in _INNER:
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
