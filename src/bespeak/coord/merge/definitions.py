"""The files that each side changed, before and after, and the definitions in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from bespeak.git import merges
from bespeak_symbols.model import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.git.merges import Entry
    from bespeak.git.process import Git
    from bespeak_symbols.index import Index
    from bespeak_symbols.model import Facts, Symbol

    Version = Mapping[str, "Source"]
    """The files of one version that matter, by path."""

_FAMILIES = {
    "callable": ("function", "method", "macro"),
    "type": ("class", "interface", "enum", "struct", "trait", "type"),
    "value": ("constant", "variable"),
    "space": ("module", "namespace"),
}
_FAMILY = {kind: family for family, kinds in _FAMILIES.items() for kind in kinds}
_MOST_SPLIT = 200
"""Of so many files the lines are kept; as bytes, a large merge has tens of thousands."""
OVERLOADS = frozenset({"java", "cpp", "csharp", "kotlin", "scala", "swift", "sql"})
"""Languages in which two definitions with one name are two things if their parameters differ."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file.

    Args:
        facts: what it says.
        content: its bytes.
    """

    path: str
    facts: Facts
    content: bytes

    @property
    def lines(self) -> tuple[bytes, ...]:
        """Its text, line by line."""
        return _lines(self.content)


@lru_cache(maxsize=_MOST_SPLIT)
def _lines(content: bytes) -> tuple[bytes, ...]:
    return tuple(content.splitlines())


@dataclass(frozen=True, slots=True)
class Node:
    """One definition in one version.

    Args:
        path: of its file.
        symbol: what the file says of it.
        inner: the lines (first, last) of the definitions inside it.
        language: of its file.
        number: its place among the definitions of its file.
        content: of its file.
    """

    path: str
    symbol: Symbol
    inner: tuple[tuple[int, int], ...]
    language: str
    number: int
    content: bytes = field(repr=False, compare=False)

    @property
    def text(self) -> tuple[bytes, ...]:
        """Its lines without blanks around them, and without empty ones."""
        lines = _lines(self.content)[self.symbol.first_line - 1 : self.symbol.last_line]
        return tuple(line for line in map(bytes.strip, lines) if line)

    @property
    def address(self) -> str:
        """Its address."""
        return f"{self.path}::{self.symbol.name}"

    @property
    def key(self) -> tuple[str, int]:
        """What it is known by among all definitions of its version, several with one address among them."""
        return self.path, self.number

    @property
    def holds(self) -> int:
        """How many definitions are inside it."""
        return len(self.inner)

    @property
    def parent(self) -> str:
        """The name of what it is defined in; empty at the top of a file."""
        return self.symbol.name.rpartition(".")[0]

    @property
    def last(self) -> str:
        """Its own name."""
        return self.symbol.name.rpartition(".")[2]

    @property
    def family(self) -> str:
        """What kind of thing it is, roughly: a rename never makes a class of a function."""
        return _FAMILY.get(self.symbol.kind, self.symbol.kind)

    @property
    def signature(self) -> str:
        """What a caller depends on."""
        return self.symbol.signature

    @property
    def inside(self) -> str:
        """A digest of what is in it: all of it if it holds other definitions."""
        return self.symbol.body if self.holds else self.own

    @property
    def own(self) -> str:
        """A digest of what is in it and in no definition inside it."""
        return self.symbol.own or self.symbol.body


def nodes(of: Source) -> list[Node]:
    """Return the definitions of a file, in its order."""
    found = of.facts.symbols
    inner: dict[str, list[tuple[int, int]]] = {}
    for symbol in found:
        parent = symbol.name.rpartition(".")[0]
        while parent:
            inner.setdefault(parent, []).append((symbol.first_line, symbol.last_line))
            parent = parent.rpartition(".")[0]
    return [
        Node(of.path, symbol, tuple(inner.get(symbol.name, ())), of.facts.language, number, of.content)
        for number, symbol in enumerate(found)
    ]


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """What one side changed: the files before and after that could be read, and what could not."""

    entries: tuple[Entry, ...]
    before: dict[str, Source]
    after: dict[str, Source]
    unread: tuple[Unread, ...]

    @property
    def renamed(self) -> dict[str, str]:
        """The path after of each renamed file, by its path before."""
        return {entry.old: entry.new for entry in self.entries if entry.status == "R"}

    @property
    def moved(self) -> dict[str, str]:
        """The path after (empty: deleted) of each file that is not where it was."""
        return {entry.old: entry.new for entry in self.entries if entry.old and entry.old != entry.new}


def read_sides(git: Git, index: Index, entries: Sequence[tuple[Entry, ...]]) -> list[ChangedFiles]:
    """Return what can be read of the files that each side changed, in one go."""
    wanted = {
        (path, blob)
        for side in entries
        for entry in side
        for path, blob in ((entry.old, entry.old_blob), (entry.new, entry.new_blob))
        if blob and index.backend.language_of(path)
    }
    texts = merges.blobs(git, sorted(blob for _, blob in wanted))
    sources: dict[tuple[str, str], Source] = {}
    unread: list[Unread] = []
    for path, blob in sorted(wanted):
        facts = index.facts(path, texts[blob], blob) if blob in texts else None
        if facts is None:
            unread.append(Unread(path, "its content is not in this clone"))
            continue
        unread += [Unread(path, why, line) for line, why in facts.unread]
        sources[path, blob] = Source(path, facts, texts[blob])
    return [_reading(side, sources, unread) for side in entries]


def _reading(
    entries: tuple[Entry, ...], sources: dict[tuple[str, str], Source], unread: Sequence[Unread]
) -> ChangedFiles:
    before = {
        entry.old: sources[entry.old, entry.old_blob] for entry in entries if (entry.old, entry.old_blob) in sources
    }
    after = {
        entry.new: sources[entry.new, entry.new_blob] for entry in entries if (entry.new, entry.new_blob) in sources
    }
    paths = {path for entry in entries for path in (entry.old, entry.new)}
    return ChangedFiles(entries, before, after, tuple(part for part in unread if part.path in paths))
