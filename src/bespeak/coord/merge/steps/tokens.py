"""Where a name stands in a source: as an identifier, not in a comment or a string."""

from __future__ import annotations

from dataclasses import dataclass
from os.path import splitext
from typing import TYPE_CHECKING

from bespeak_symbols import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

_NAMED = ("name", "declarator", "left")
_NO_DEFINITIONS = (
    *("import", "alias", "specifier", "argument", "attribute", "jsx", "use_", "scoped", "call", "pair"),
    *("invocation", "access", "expression"),
)
"""Parts of the types of nodes that have a name and define nothing."""
_SHORT = "shorthand"


@dataclass(frozen=True, slots=True)
class Token:
    """One identifier.

    Args:
        line: from 1.
        start: its first byte in the source.
        beyond: the byte after it.
        defines: it is the name in a definition.
        short: it stands for two things at once (``{name}`` for ``{name: name}``).
        starts: the lines in which what it stands in begins.
    """

    line: int
    start: int
    beyond: int
    defines: bool
    short: bool
    starts: frozenset[int]


def tokens(source: bytes, path: str, language: str, name: str) -> list[Token]:
    """Return the places in which a name stands in a source, in order."""
    suffix = splitext(path)[1].lower()
    grammar = "tsx" if suffix == ".tsx" else "cpp" if language == "c" and suffix != ".c" else language
    wanted = name.encode("utf-8", "surrogateescape")
    if wanted not in source:
        return []
    root = syntax.parse(source, grammar).root_node
    return [
        _token(node)
        for node in syntax.walk(root)
        if not node.child_count and "identifier" in node.type and source[node.start_byte : node.end_byte] == wanted
    ]


def _token(node: Node) -> Token:
    starts = set()
    above = node.parent
    while above is not None and above.parent is not None:
        starts.add(syntax.first_line(above))
        above = above.parent
    short = _SHORT in node.type
    return Token(syntax.first_line(node), node.start_byte, node.end_byte, _defines(node), short, frozenset(starts))


def _defines(node: Node) -> bool:
    parent = node.parent
    if parent is None or any(word in parent.type for word in _NO_DEFINITIONS):
        return False
    found = [parent.child_by_field_name(field) for field in _NAMED]
    return any(one is not None and one.id == node.id for one in found)


def replaced(source: bytes, places: Iterable[Token], name: str) -> bytes:
    """Return a source in which some tokens are another name."""
    new = name.encode("utf-8", "surrogateescape")
    for token in sorted(places, key=lambda token: token.start, reverse=True):
        source = source[: token.start] + new + source[token.beyond :]
    return source
