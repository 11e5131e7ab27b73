"""Edges that an index of a compiler gives: for the names that it knows, they take the place of ours.

The index of a commit is ``index.scip`` at the root of its tree, or ``scip/COMMIT.scip`` beside the cache. It may
be older than some files: of a file in which the names are not where the index has them, nothing is taken.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Protocol

from bespeak_symbols import confidence, scip_index
from bespeak_symbols.model import IMPORT, USE, Edge, Unread
from bespeak_symbols.scip_index import ScipError, ScipIndex, is_local, name_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bespeak_symbols.model import Facts, Reference
    from bespeak_symbols.object_reader import Listing
    from bespeak_symbols.scip_index import Document, Occurrence

if TYPE_CHECKING:

    class Files(Protocol):
        """The files of one snapshot."""

        @property
        def commit(self) -> str:
            """The commit; empty if there is none yet."""

        @property
        def paths(self) -> Mapping[str, str]:
            """The language of each file that can be read, by path."""

        def facts(self, path: str) -> Facts | None:
            """Return what a file says; None if it is not there or cannot be read."""

        def text(self, path: str) -> bytes | None:
            """Return the bytes of any file; None if it is not there."""


IN_TREE = "index.scip"
HOW = "scip"
_NOT_WRITTEN = frozenset({"override", "constructor"})
"""How our edges were resolved that an index has not: what may be called instead, or besides."""
_ALIKE = 0.8
"""Of the names in a file so many have to be as the index says; the others may have an alias."""
_MODULES = (":", "/")
"""Ends of symbols that are a whole file: what is written there has many forms."""
_WIDE = {1: "utf-8", 2: "utf-16-le", 3: "utf-32-le"}
_UNIT = {1: 1, 2: 2, 3: 4}


def stored_at(folder: str, commit: str) -> str:
    """Return where the index of a commit lies that is not in its tree."""
    return os.path.join(folder, "scip", f"{commit}.scip")


def identity(listing: Listing, folder: str) -> str:
    """Return a word that tells which index there is for a snapshot; empty for none."""
    blob = listing.blobs.get(IN_TREE)
    if listing.commit and folder:
        try:
            found = os.lstat(stored_at(folder, listing.commit))
        except OSError:
            return blob or ""
        if stat.S_ISREG(found.st_mode):
            return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
    return blob or ""


class CompilerEdges:
    """The edges of one snapshot that a compiler knows.

    Args:
        snapshot: whose files the index is about.
        folder: in which indexes of commits lie, beside the cache.
    """

    def __init__(self, snapshot: Files, folder: str) -> None:
        self._snapshot = snapshot
        self._folder = folder
        self._loaded = False
        self._index: ScipIndex | None = None
        self._name = IN_TREE
        self._failed = ""
        self._stale: set[str] = set()
        self._addresses: dict[str, str] = {}

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What could not be used of the index, as far as it was asked for."""
        if self._failed:
            return (Unread(self._name, self._failed),)
        if not self._stale:
            return ()
        told = f"not as it says in {len(self._stale)} file(s), whose names are resolved without it: {min(self._stale)}"
        return (Unread(self._name, told),)

    def outrank(self, path: str, ours: Sequence[Edge]) -> tuple[Edge, ...]:
        """Return the edges of a file, with those that a compiler knows in place of ours."""
        try:
            document = self._document(path)
            facts, text = self._snapshot.facts(path), self._snapshot.text(path)
            if document is None or facts is None or text is None:
                return tuple(ours)
            lines = text.splitlines()
            if not _is_of(document, lines):
                self._stale.add(path)
                return tuple(ours)
            return self._merged(path, facts, document, lines, ours)
        except ScipError as failed:
            self._failed = str(failed)
            return tuple(ours)

    def _document(self, path: str) -> Document | None:
        if not self._loaded:
            self._loaded = True
            content = self._content()
            self._index = None if content is None else ScipIndex(content, self._snapshot.paths)
        return None if self._index is None or self._failed else self._index.document(path)

    def _content(self) -> bytes | None:
        commit = self._snapshot.commit
        if commit and self._folder:
            self._name = stored_at(self._folder, commit)
            try:
                with open(os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                        return file.read(scip_index.MOST_BYTES + 1)
            except FileNotFoundError:
                pass
            except OSError as failed:
                raise ScipError(str(failed.strerror)) from failed
        self._name = IN_TREE
        return self._snapshot.text(IN_TREE)

    def _merged(
        self, path: str, facts: Facts, document: Document, lines: Sequence[bytes], ours: Sequence[Edge]
    ) -> tuple[Edge, ...]:
        written: dict[int, dict[str, list[Reference]]] = {}
        for use in facts.references:
            written.setdefault(use.line, {}).setdefault(use.text.rpartition(".")[2], []).append(use)
        known: dict[int, dict[str, str]] = {}
        found: set[Edge] = set()
        for one in document.occurrences:
            if one.defines or is_local(one.symbol):
                continue
            name = _text(lines, one, document.encoding) or name_of(one.symbol)
            callee = self._address(one.symbol)
            if not callee and self._defined(one.symbol):
                continue  # in this tree, and no symbol of ours: a parameter, say
            known.setdefault(one.line, {})[name] = callee
            if callee:
                found.update(_edges(path, facts, one, callee, written.get(one.line, {}).get(name, ())))
        imported = {edge.callee for edge in ours if edge.kind == IMPORT}
        left = [edge for edge in ours if not _outranked(edge, known.get(edge.line, {}), written.get(edge.line, {}))]
        return (*(edge for edge in found if edge.kind != IMPORT or edge.callee not in imported), *left)

    def _address(self, symbol: str) -> str:
        """Return the address of what the index calls by a symbol; empty if this snapshot has none."""
        if symbol not in self._addresses:
            named = (self._at(path, line, symbol) for path, line in self._defined(symbol))
            self._addresses[symbol] = next((address for address in named if address), "")
        return self._addresses[symbol]

    def _defined(self, symbol: str) -> list[tuple[str, int]]:
        return self._index.definitions(symbol) if self._index is not None else []

    def _at(self, path: str, line: int, symbol: str) -> str:
        facts, name = self._snapshot.facts(path), name_of(symbol)
        around = [
            one
            for one in (facts.symbols if facts is not None else ())
            if one.first_line <= line <= one.last_line and one.name.rpartition(".")[2] == name
        ]
        if around:
            return f"{path}::{max(around, key=lambda one: (one.first_line, len(one.name))).name}"
        return path if line == 1 and symbol.endswith(_MODULES) else ""


def _edges(path: str, facts: Facts, one: Occurrence, callee: str, uses: Iterable[Reference]) -> Iterable[Edge]:
    kinds = {(use.kind, use.within) for use in uses}
    if not kinds:
        around = [symbol for symbol in facts.symbols if symbol.first_line <= one.line <= symbol.last_line]
        imported = one.imports or any(each.line == one.line for each in facts.imports)
        within = max(around, key=lambda symbol: (symbol.first_line, len(symbol.name))).name if around else ""
        kinds = {(IMPORT if imported else USE, within)}
    for kind, within in kinds:
        caller = f"{path}::{within}" if within else path
        if caller != callee or uses:  # what is written to is no use of itself
            yield Edge(caller, callee, kind, HOW, confidence.EXACT, one.line)


def _outranked(edge: Edge, known: Mapping[str, str], written: Collection[str]) -> bool:
    """Tell whether the index knows better than one of our edges: what the names on its line mean.

    Imports stay: ours begin where the statement does, an index has each name on its own line.

    Args:
        edge: of ours.
        known: what the index says of the names on that line: an address, empty for what is elsewhere.
        written: the names that are used on that line.
    """
    if not known or edge.kind == IMPORT:
        return False
    last = edge.callee.rpartition("::")[2].rpartition(".")[2]
    if last in written:
        return last in known and edge.how not in _NOT_WRITTEN
    if edge.how in _NOT_WRITTEN or any(name not in known for name in written):
        return False  # it may be about a name that the index does not know
    return not any(callee and edge.callee.startswith(f"{callee}.") for callee in known.values())


def _text(lines: Sequence[bytes], one: Occurrence, encoding: int) -> str:
    """Return what stands at the place of an occurrence; empty if that is not on its line."""
    if one.line > len(lines):
        return ""
    line = lines[one.line - 1]
    if line.isascii():
        return line[one.first : one.beyond].decode() if one.beyond <= len(line) else ""
    unit = _UNIT.get(encoding, 2)
    wide = line.decode("utf-8", "replace").encode(_WIDE.get(encoding, "utf-16-le"))
    return wide[one.first * unit : one.beyond * unit].decode(_WIDE.get(encoding, "utf-16-le"), "replace")


def _is_of(document: Document, lines: Sequence[bytes]) -> bool:
    """Tell whether a document is about these very lines: names stand where it has them."""
    alike = other = 0
    for one in document.occurrences:
        name = name_of(one.symbol)
        if is_local(one.symbol) or one.symbol.endswith(_MODULES) or one.first == one.beyond or not name.isidentifier():
            continue
        text = _text(lines, one, document.encoding).strip("\"'`")
        alike += text == name
        other += text != name
        if one.line > len(lines):
            return False
    return alike >= _ALIKE * (alike + other)
