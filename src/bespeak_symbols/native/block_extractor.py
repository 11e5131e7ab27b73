"""What C, C++ and Go share: tokens by range, local names by block, and the sheet that collects the facts of a file.

Names of variables are settled while the source is read, where it is known which block each stands in: a reference to
a local name carries the place of its binding, and the index of facts never has to guess about shadowing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, TypeVar

from bespeak_symbols import syntax
from bespeak_symbols.model import Binding, Facts, Import, Reference, Symbol

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from bespeak_symbols.model import World

    T = TypeVar("T")

_LONGEST_RAW = 2000
_FAR = 200
_DEEPEST = 1000
_OPENING, _CLOSING = frozenset({b"(", b"[", b"{"}), frozenset({b")", b"]", b"}"})
_LEXEME = re.compile(
    rb"(//[^\n]*(?:\\\n[^\n]*)*|/\*(?:.*?\*/|.*))"  # comments
    rb'|\bR"([^ ()\\\t\n]{0,16})\(.{0,' + str(_LONGEST_RAW).encode() + rb'}?\)\2"'
    rb'|"(?:\\.|[^"\\\n])*"?'
    rb"|'(?:\\.|[^'\\\n])*'?"
    rb"|`[^`]*`?"
    rb"|[\w\x80-\xff]+"
    rb"|\\\r?\n"
    rb"|[-+*/%&|^<>=!:]=|->|::|<<|>>|&&|\|\||\+\+|--|[^\w\s]",
    re.DOTALL,
)
_ROOT = re.compile(r"(?:\[\]|\(\))*([^.:<]*)(\.|::|<|$)")
_NAME = re.compile(r"[^\W\d]\w*")
_WORDY = re.compile(r"\w")


def kept(world: World, make: Callable[[World], T]) -> T:
    """Return what was made of a snapshot once, so that it is not made anew for each of its files."""
    if make not in world.memo:
        world.memo[make] = make(world)
    found: T = world.memo[make]
    return found


def fields(node: Node, name: str) -> list[Node]:
    """Return all children of a node with a field name, in one walk: there may be a million."""
    found: list[Node] = []
    cursor = node.walk()
    more = cursor.goto_first_child()
    while more:
        if cursor.field_name == name and cursor.node is not None and cursor.node.is_named:
            found.append(cursor.node)
        more = cursor.goto_next_sibling()
    return found


class Lexemes:
    """The tokens of a source, by where they begin, and its comments.

    Args:
        source: any bytes.
    """

    __slots__ = ("_comments", "_starts", "_tokens", "source")

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._tokens: list[bytes] = []
        self._starts: list[int] = []
        self._comments: list[tuple[int, int]] = []
        for found in _LEXEME.finditer(source):
            if found.group(1) is not None:
                self._comments.append(found.span())
            elif found.group(0)[:1] != b"\\":
                self._tokens.append(found.group(0))
                self._starts.append(found.start())

    def too_deep(self) -> bool:
        """Tell whether brackets are nested deeper than anybody writes, which costs a parser gigabytes."""
        depth = 0
        for token in self._tokens:
            if token in _OPENING:
                depth += 1
                if depth > _DEEPEST:
                    return True
            elif depth and token in _CLOSING:
                depth -= 1
        return False

    def place(self, start: int) -> int:
        """Return the number of the token that begins at a byte; -1 if none does."""
        place = bisect_left(self._starts, start)
        return place if place < len(self._starts) and self._starts[place] == start else -1

    def token(self, place: int) -> bytes:
        """Return a token by its number; empty beyond the last."""
        return self._tokens[place] if 0 <= place < len(self._tokens) else b""

    def span(self, place: int) -> tuple[int, int]:
        """Return where a token begins and ends, by its number."""
        return self._starts[place], self._starts[place] + len(self._tokens[place])

    def beyond(self, place: int) -> int:
        """Return the number of the token behind the bracket that closes the one at a place, if that is near."""
        depth = 0
        for at in range(place, min(place + _FAR, len(self._tokens))):
            if self._tokens[at] in _OPENING:
                depth += 1
            elif self._tokens[at] in _CLOSING:
                depth -= 1
                if not depth:
                    return at + 1
        return place + 1

    def between(self, first: int, end: int) -> list[bytes]:
        """Return the tokens that begin in a range of bytes."""
        return self._tokens[bisect_left(self._starts, first) : bisect_left(self._starts, end)]

    def line(self, *ranges: tuple[int, int]) -> str:
        """Return some ranges as one line with its blanks evened out."""
        text = ""
        for first, end in ranges:
            for token in (each.decode("utf-8", "replace") for each in self.between(first, end)):
                apart = text and (text[-1] == "," or (_WORDY.match(text[-1]) and _WORDY.match(token)))
                text += " " + token if apart else token
        return text

    def above(self, start: int) -> tuple[int, list[bytes]]:
        """Return where the comment right above a place begins, and its lines; the place itself if there is none."""
        lines: list[bytes] = []
        place = bisect_right(self._comments, (start,)) - 1
        while place >= 0:
            first, end = self._comments[place]
            if start - end > _FAR:
                break
            between = self.source[end:start]
            low = max(0, first - _FAR)
            line = self.source[max(low, self.source.rfind(b"\n", low, first) + 1) : first]
            if between.strip() or between.count(b"\n") > 1 or line.strip():
                break
            lines.insert(0, self.source[first:end])
            start, place = first, place - 1
        return start, lines


class Local:
    """A name that is bound in a block: what it stands for, and its place among the bindings once it is referred to."""

    __slots__ = ("bound", "how", "line", "name", "place", "target")

    def __init__(self, name: str, target: str, how: str, line: int, bound: int) -> None:
        self.name = name
        self.target = target
        self.how = how
        self.line = line
        self.bound = bound
        self.place = -1


class Draft:
    """A symbol while its file is read; all places are bytes from the start of the source."""

    __slots__ = ("bases", "body", "end", "kind", "name", "named", "signature", "start", "word")

    def __init__(self, name: str, kind: str, start: int, end: int) -> None:
        self.name = name
        self.kind = kind
        self.start = start
        self.end = end
        self.named = (start, start)
        self.word = b""
        self.signature: tuple[tuple[int, int], ...] = ()
        self.body: tuple[int, int] | None = None
        self.bases: tuple[str, ...] = ()


class FactSheet:
    """Collects what a file says while its tree is walked with a stack.

    Args:
        source: the bytes of the file.
    """

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.lexemes = Lexemes(source)
        self.drafts: list[Draft] = []
        self.hidden: set[str] = set()
        self.imports: list[Import] = []
        self.bindings: list[Binding] = []
        self.blocks: list[dict[str, Local]] = []
        self.within = ""
        self.package = ""
        self.unread: dict[int, str] = {}
        self._references: dict[tuple[str, str, int, str, int, int], None] = {}
        self._lines = [0, *(found.end() for found in re.finditer(rb"\n", source))]
        self._todo: list[Node | tuple[Callable[..., None], tuple[object, ...]]] = []

    # The walk.

    def read(
        self,
        source: bytes,
        grammar: str,
        handlers: dict[str, Callable[[Node], None]],
        after: Callable[[], None],
        otherwise: bytes = b"",
    ) -> Facts:
        """Parse a source, walk its tree, and return all that was collected.

        Args:
            source: what is parsed, as long as the source of this sheet.
            grammar: of its language.
            handlers: see :meth:`run`.
            after: called when all is walked.
            otherwise: what is parsed instead if the parser finds no whole in the source.
        """
        if self.lexemes.too_deep():
            return Facts(language=grammar, unread=((1, f"brackets nested more than {_DEEPEST:,} deep"),))
        root = syntax.parse(source, grammar).root_node
        if otherwise and root.type == "ERROR":
            root = syntax.parse(otherwise, grammar).root_node
        self.run(root, handlers)
        after()
        return self.facts(grammar, root)

    def run(self, root: Node, handlers: dict[str, Callable[[Node], None]]) -> None:
        """Walk a tree: a node with a handler is left to it, of others the children are walked."""
        todo = self._todo
        todo.append(root)
        while todo:
            item = todo.pop()
            if type(item) is tuple:
                item[0](*item[1])
                continue
            handler = handlers.get(item.type)  # type: ignore[union-attr]
            if handler is not None:
                handler(item)  # type: ignore[arg-type]
            else:
                todo.extend(reversed(item.named_children))  # type: ignore[union-attr]

    def then(self, *items: Node | tuple[Callable[..., None], tuple[object, ...]] | None) -> None:
        """Walk these nodes and call these functions next, in this order."""
        self._todo.extend(item for item in reversed(items) if item is not None)

    # Blocks and the names in them.

    def open(self) -> None:
        """Begin a block."""
        self.blocks.append({})

    def close(self) -> None:
        """End the innermost block."""
        self.blocks.pop()

    def enter(self, within: str) -> None:
        """Go on inside a symbol."""
        self.within = within

    def declare(self, name: str, target: str, how: str, line: int) -> None:
        """Bind a name of a value in the innermost block."""
        self._declare(name, target, how, line, types=how == "type")

    def declare_type(self, name: str, target: str, line: int) -> None:
        """Bind a name of a type or namespace in the innermost block; without a target it may be any."""
        self._declare(name, target, "alias", line, types=True)
        if self.blocks and name in self.blocks[-1]:
            self.blocks[-1]["::" + name] = self.blocks[-1][name]

    def _declare(self, name: str, target: str, how: str, line: int, *, types: bool) -> None:
        if self.blocks and name:
            text, bound = self.settle(target, types=types)
            self.blocks[-1][name] = Local(f"{self.within}.{name}", text, how if text else "value", line, bound)

    def local(self, name: str) -> Local | None:
        """Return what a name is bound to in the blocks around this place; a type's name is asked with ``::``."""
        for block in reversed(self.blocks):
            if name in block:
                return block[name]
        return None

    def place(self, local: Local) -> int:
        """Return the place of a local name among the bindings."""
        if local.place < 0:
            local.place = len(self.bindings)
            self.bindings.append(Binding(local.name, local.target, local.how, local.line, local.bound))
        return local.place

    def settle(self, text: str, *, types: bool = False) -> tuple[str, int]:
        """Return an expression with dots, and the place of the binding of its first part if that is a local name.

        Args:
            text: the expression; ``::`` after its first part says that this is no variable.
            types: its first part can be a type or a namespace only.
        """
        head, angle, arguments = text.partition("<")
        if angle:
            text = head + angle + _NAME.sub(self._anything, arguments)
        root = _ROOT.match(text)
        first = (root.group(1) if root else text).rstrip("*")
        local = self.local("::" + first if types or (root and root.group(2) == "::") else first)
        return text.replace("::", "."), -1 if local is None else self.place(local)

    def _anything(self, found: re.Match[str]) -> str:
        """Return ``?`` for the name of a type of the blocks around, which nobody can ask for elsewhere."""
        return found.group(0) if self.local("::" + found.group(0)) is None else "?"

    # Facts.

    def line(self, start: int) -> int:
        """Return the line of a byte, from 1."""
        return bisect_right(self._lines, start)

    def bind(self, name: str, target: str, how: str, line: int) -> None:
        """Say what a name of the file stands for."""
        if name and target:
            text, bound = self.settle(target, types=how != "alias")
            self.bindings.append(Binding(name, text, how, line, bound))

    def refer(self, text: str, kind: str, line: int, arguments: int = -1, *, types: bool = False) -> None:
        """Say that a name is called or used here; a local one that is only used says nothing."""
        settled, bound = self.settle(text, types=types)
        if bound < 0 or kind == "call" or "." in settled:
            self._references[settled, kind, line, self.within, arguments, bound] = None

    def symbol(self, name: str, kind: str, node: Node, named: Node | None, body: tuple[int, int] | None) -> Draft:
        """Add a symbol that a node defines, and return it for what else is to be said of it."""
        draft = Draft(name, kind, node.start_byte, node.end_byte)
        if named is not None:
            draft.named = named.byte_range
            draft.word = self.source[named.start_byte : named.end_byte]
        draft.body = body
        self.drafts.append(draft)
        return draft

    def facts(self, language: str, root: Node) -> Facts:
        """Return all that was collected."""
        self.drafts.sort(key=lambda draft: (draft.start, -draft.end))
        used: set[tuple[str, str, str, int]] = set()
        references = []
        for text, kind, line, within, arguments, bound in self._references:
            if kind == "use":
                if (text, kind, within, bound) in used:
                    continue
                used.add((text, kind, within, bound))
            references.append(Reference(text, kind, line, within, arguments, bound))
        return Facts(
            language=language,
            symbols=tuple(self._symbol(place, draft) for place, draft in enumerate(self.drafts)),
            imports=tuple(self.imports),
            references=tuple(references),
            bindings=tuple(self.bindings),
            unread=tuple(sorted((self.unread | dict(syntax.unread(root))).items())),
            package=self.package,
        )

    def _symbol(self, place: int, draft: Draft) -> Symbol:
        start, doc = self.lexemes.above(draft.start)
        body = self.lexemes.between(*draft.body) if draft.body else []
        signature = self._signature(draft)
        return Symbol(
            name=draft.name,
            kind=draft.kind,
            first_line=self.line(start),
            last_line=self.line(max(draft.start, draft.end - 1)),
            signature="static " + signature if draft.name in self.hidden else signature,
            body=syntax.digest(body) if body else "",
            doc=syntax.digest(b" ".join(line.split()) for line in doc) if doc else "",
            bases=draft.bases,
            own=self._own(place, draft) if body else "",
        )

    def _signature(self, draft: Draft) -> str:
        """Return what is said around the name of a symbol before its body begins, or what was set instead."""
        ranges = draft.signature
        if not ranges:
            end = draft.body[0] if draft.body else draft.end
            ranges = ((draft.start, draft.named[0]), (draft.named[1], end))
        return self.lexemes.line(*ranges)

    def _own(self, place: int, draft: Draft) -> str:
        first, end = draft.body or (0, 0)
        tokens: list[bytes] = []
        for inner in range(place + 1, len(self.drafts)):
            nested = self.drafts[inner]
            if nested.start >= end:
                break
            if nested.start >= first:
                tokens += self.lexemes.between(first, nested.start)
                first = max(first, nested.end)
        tokens += self.lexemes.between(first, end)
        return syntax.digest(b"\1" if token == draft.word else token for token in tokens)
