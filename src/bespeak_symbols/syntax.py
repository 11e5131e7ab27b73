"""Syntax trees for the language families: parse, walk, and make digests of tokens.

All walks use an explicit stack, because sources may be nested deeper than Python can recurse.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import blake2b
from importlib import import_module
from time import thread_time
from typing import TYPE_CHECKING

from bespeak_symbols.errors import GrammarsMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Language, Node, Tree

COMMENTS = frozenset({"comment", "line_comment", "block_comment", "html_comment", "line_continuation"})
"""Nodes that a compiler ignores, in all grammars."""

ATOMS = frozenset(
    {
        "string",
        "string_literal",
        "raw_string_literal",
        "interpreted_string_literal",
        "char_literal",
        "character_literal",
        "rune_literal",
        "system_lib_string",
        "template_string",
        "regex",
        "preproc_arg",
    }
)
"""Nodes that count as one token with everything inside: blanks matter there."""

_GRAMMARS = {"typescript": ("tree_sitter_typescript", "language_typescript")}
_GRAMMARS["php"] = ("tree_sitter_php", "language_php")
_GRAMMARS["tsx"] = ("tree_sitter_typescript", "language_tsx")
_ENDS = ("_statement", "block", "_definition", "_declaration", "_item")
_MOST_UNREAD = 20
_FREE_TURNS, _TURNS_A_BYTE = 100, 0.04
"""A parser reports after each hundred operations: in a text of any kind, of its language or not, at every 70th byte."""
_MOST_SECONDS = 10.0
"""Of processor time, for texts that this count does not know of; a parser needs 0.3 for the largest sources."""
_CHUNK = 1 << 16
_TANGLED = b")"
_DEEPEST = 600
_OPEN_TYPES = re.compile(rb"<(?:[^<>;,(){}\[\]]*+<){%d}" % _DEEPEST)
_OPENING = b"([{"
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"()[]{}")


def module_of(grammar: str) -> str:
    """Return the name of the Python module that holds a grammar."""
    return _GRAMMARS.get(grammar, ("tree_sitter_" + grammar,))[0]


@cache
def _language(grammar: str) -> Language:
    module, function = _GRAMMARS.get(grammar, ("tree_sitter_" + grammar, "language"))
    try:
        from tree_sitter import Language

        return Language(getattr(import_module(module), function)())
    except ImportError as missing:
        raise GrammarsMissingError(f"the grammar of {grammar} is not installed: {missing}") from missing


def parse(source: bytes, grammar: str) -> Tree:
    """Return the syntax tree of a source.

    Some texts that are none of the language take a parser time and memory that grow with the square of their length
    or depth (16 KB of ``x.f(|y|`` as Java: 20 GB). Beyond many times what real sources need, none is tried: the tree is
    then one error in the first line.

    Args:
        source: any bytes.
        grammar: ``python``, ``javascript``, ``typescript``, ``tsx``, ``go``, ``rust``, ``java``, ``c``, ``cpp``, or
            one of those that are read by name (``ruby``, ``c_sharp``, ``bash`` ...).

    Raises:
        GrammarsMissingError: the extra with the grammars is not installed.
    """
    language = _language(grammar)
    from tree_sitter import Parser

    if _depth(source) > _DEEPEST or _OPEN_TYPES.search(source):
        return Parser(language).parse(_TANGLED)
    try:
        tree = Parser(language).parse(lambda at, _point: source[at : at + _CHUNK], progress_callback=_Limit())
    except ValueError:
        return Parser(language).parse(_TANGLED)
    return Parser(language).parse(source, tree)  # takes the tree over as it is, and knows its text


class _Limit:
    """Stops a parser that does far more than any source needs for the text it has come through."""

    __slots__ = ("_end", "_turns")

    def __init__(self) -> None:
        self._turns = 0
        self._end = thread_time() + _MOST_SECONDS

    def __call__(self, at: int, _errors: bool) -> bool:
        self._turns += 1
        return self._turns > _FREE_TURNS + at * _TURNS_A_BYTE or thread_time() > self._end


def _depth(source: bytes) -> int:
    """Return how deep brackets are nested, including those in strings and comments."""
    depth = deepest = 0
    for byte in source.translate(None, _NO_BRACKETS):
        if byte in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif depth:
            depth -= 1
    return deepest


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, named ones only, in the order of the source."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.named_children))


def text_of(source: bytes, node: Node) -> str:
    """Return what a node covers; bytes that are no text are replaced."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def first_line(node: Node) -> int:
    """Return the line a node begins in, from 1."""
    return node.start_point[0] + 1


def last_line(node: Node) -> int:
    """Return the line a node ends in, from 1; a line break at its end does not begin another line."""
    row, column = node.end_point
    return row + 1 if column or row == node.start_point[0] else row


def digest(parts: Iterable[bytes]) -> str:
    """Return a short digest of a sequence of parts; where one part ends matters."""
    whole = blake2b(digest_size=12)
    whole.update(b"\0".join(parts))
    return whole.hexdigest()


def unread(root: Node) -> tuple[tuple[int, str], ...]:
    """Return the first lines with a syntax error, each with a short description."""
    found: dict[int, str] = {}
    stack = [root] if root.has_error else []
    while stack and len(found) < _MOST_UNREAD:
        node = stack.pop()
        if node.is_missing:
            found.setdefault(first_line(node), f"expected {node.type}")
        elif node.is_error:
            found.setdefault(first_line(node), "syntax error")
        else:
            stack.extend(child for child in reversed(node.children) if child.has_error)
    return tuple(sorted(found.items()))


class Tokens:
    """The tokens of a source without comments and layout, and which of them each node covers.

    Where a statement or a block ends there is a token too: in some languages layout alone says so.

    Args:
        source: the text.
        root: the root of its tree.
        comments: types of nodes to leave out.
        atoms: types of nodes to take whole.
    """

    __slots__ = ("_parts", "_spans")

    def __init__(
        self, source: bytes, root: Node, comments: frozenset[str] = COMMENTS, atoms: frozenset[str] = ATOMS
    ) -> None:
        self._parts: list[bytes] = []
        self._spans: dict[int, tuple[int, int]] = {}
        parts, spans = self._parts, self._spans
        cursor = root.walk()
        above: list[tuple[int, int, bool]] = []
        while True:
            node = cursor.node or root
            kind = node.type
            if kind not in comments:
                if kind not in atoms and cursor.goto_first_child():
                    above.append((node.id, len(parts), kind.endswith(_ENDS)))
                    continue
                text = source[node.start_byte : node.end_byte]
                if text:
                    parts.append(text)
                spans[node.id] = (len(parts) - bool(text), len(parts))
            while above and not cursor.goto_next_sibling():
                cursor.goto_parent()
                number, begun, ends = above.pop()
                if ends:
                    parts.append(b"\n")
                spans[number] = (begun, len(parts))
            if not above:
                return

    def of(self, node: Node, without: Iterable[Node] = (), name: str = "") -> list[bytes]:
        """Return the tokens of a node.

        Args:
            node: of the tree.
            without: nodes inside it whose tokens are left out.
            name: tokens that are this name are replaced, so that a rename alone changes nothing.
        """
        first, last = self._spans.get(node.id, (0, 0))
        taken: list[bytes] = []
        for inner in sorted(self._spans[gone.id] for gone in without if gone.id in self._spans):
            if inner[0] >= first:
                taken += self._parts[first : inner[0]]
                first = inner[1]
        taken += self._parts[first:last]
        if name:
            own = name.encode()
            taken = [b"\1" if part == own else part for part in taken]
        return taken

    def digest(self, *nodes: Node | None, without: Iterable[Node] = (), name: str = "") -> str:
        """Return a digest of the tokens of some nodes, see :meth:`of`; empty if they have none."""
        left_out = list(without)
        parts = [part for node in nodes if node is not None for part in self.of(node, left_out, name)]
        return digest(parts) if parts else ""

    def line(self, *nodes: Node | None) -> str:
        """Return the tokens of some nodes as one line of text, independent of layout."""
        line = ""
        for node in nodes:
            for part in self.of(node) if node is not None else ():
                token = part.decode("utf-8", "replace").strip()
                line += " " + token if line and token and _apart(line[-1], token[0]) else token
        return line


def _apart(before: str, after: str) -> bool:
    word = before.isalnum() or before == "_"
    return (word and (after.isalnum() or after in "_\"'")) or before in ",;"
