"""All files of one revision, or of the work tree: what names are resolved in.

Opening one loads a number for each file. What a file says is loaded when somebody asks for it, and who defines or
mentions a name is asked of the cache's tables.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bespeak_symbols import compiler_edges, edge_cache, name_index
from bespeak_symbols.compiler_edges import CompilerEdges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import RLock

    from bespeak_symbols.backend import Backend
    from bespeak_symbols.cache import Cache
    from bespeak_symbols.listing_cache import Sources
    from bespeak_symbols.model import Edge, Facts, Unread
    from bespeak_symbols.object_reader import Listing, ObjectReader

    T = TypeVar("T")

_MOST_FACTS = 6_000
_EDGES_AT_ONCE = 200


class Store(Protocol):
    """What an index offers its snapshots."""

    backend: Backend
    reader: ObjectReader
    cache: Cache
    lock: RLock
    folder: str

    def sources(self, listing: Listing) -> Sources:
        """Return where the facts of each file of a listing are; files that nobody has read are read now."""

    def read_again(self, path: str, language: str, content: bytes | None) -> Facts | None:
        """Return the facts of a file whose cache entry is missing or damaged, read from its contents."""


class Snapshot:
    """The files of one revision, as a resolver sees them.

    Args:
        index: what keeps and reads them.
        listing: the files.
        compiled: an index that a compiler made of them is looked for, and then outranks ours.
    """

    def __init__(self, index: Store, listing: Listing, *, compiled: bool = False) -> None:
        self._index = index
        self._listing = listing
        self._compiled = compiler_edges.identity(listing, index.folder) if compiled else ""
        self.compiler = CompilerEdges(self, index.folder) if self._compiled else None
        self._facts: dict[str, Facts | None] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._kept: dict[str, tuple[Edge, ...]] = {}
        self._digest = ""
        self.memo: dict[object, Any] = {}
        self._load()

    def _load(self) -> None:
        sources = self._index.sources(self._listing)
        self._numbers, self._paths, self._unread = sources.numbers, sources.languages, sources.unread
        self._by_number: dict[int, list[str]] = {}
        self._generation = self._index.cache.generation
        self._digest = ""

    @property
    def backend(self) -> Backend:
        """What reads the files and resolves their names."""
        return self._index.backend

    @property
    def commit(self) -> str:
        """The commit; of a work tree, the one that is checked out; empty if there is none yet."""
        return self._listing.commit

    @property
    def paths(self) -> Mapping[str, str]:
        """The language of each file that can be read, by path, in order."""
        return self._paths

    @property
    def files(self) -> Iterable[str]:
        """All files, including those in languages that cannot be read."""
        return self._listing.blobs.keys()

    @property
    def unread(self) -> tuple[Unread, ...]:
        """Files and lines that could not be read."""
        return self._unread

    def blob(self, path: str) -> str | None:
        """Return the id of a file's contents; None if it is not there."""
        return self._listing.blobs.get(path)

    def text(self, path: str) -> bytes | None:
        """Return the bytes of any file; None if it is not there."""
        blob = self.blob(path)
        if blob is None:
            return None
        loose = self._listing.loose.get(blob)
        if loose is not None:
            return self._index.reader.loose(loose, blob)
        with self._index.lock:
            return self._index.reader.get(blob)

    def facts(self, path: str) -> Facts | None:
        """Return what a file says; None if it is not there or cannot be read."""
        if path not in self._facts:
            if len(self._facts) >= _MOST_FACTS:
                self._facts.clear()
            self._facts[path] = self._loaded(path) if path in self._numbers else None
        return self._facts[path]

    def _loaded(self, path: str) -> Facts | None:
        facts = self._ask(lambda: self._index.cache.facts(self._numbers[path]))
        if facts is None and path in self._paths:
            facts = self._index.read_again(path, self._paths[path], self.text(path))
        return facts

    def defining(self, name: str) -> tuple[str, ...]:
        """Return the addresses of all symbols whose last name is ``name``, in order."""
        known = self._names.get(name)
        if known is None:
            rows = self._ask(lambda: self._index.cache.defining(name))
            known = self._names[name] = tuple(
                sorted(f"{path}::{whole}" for number, whole in rows for path in self._having(number))
            )
        return known

    def mentioning(self, name: str) -> set[str]:
        """Return the paths of all files that mention a name."""
        rows = self._ask(lambda: self._index.cache.mentioning(name))
        return {path for number in rows for path in self._having(number)}

    def _having(self, number: int) -> Iterable[str]:
        """Return the paths of the files that have the source with a number."""
        if not self._by_number:
            for path, source in self._numbers.items():
                self._by_number.setdefault(source, []).append(path)
        return self._by_number.get(number, ())

    def renaming(self, name: str) -> set[str]:
        """Return the other names that files of this snapshot give to ``name``."""
        found: set[str] = set()
        for new, number in self._ask(lambda: self._index.cache.renaming(name)):
            for path in self._having(number):
                if new.endswith("@"):
                    found.update(new + stem for stem in (*name_index.stems(path), name_index.ANYWHERE))
                else:
                    found.add(new)
        return found

    def edges(self, path: str) -> tuple[Edge, ...] | None:
        """Return the stored edges of a file of exactly this snapshot; None if none are stored."""
        digest = self._world()
        return self._ask(lambda: edge_cache.load(self._index.cache.connection, digest, path))

    def keep_edges(self, path: str, edges: tuple[Edge, ...]) -> None:
        """Store the edges of a file; they are written many files at a time."""
        with self._index.lock:
            self._kept[path] = edges
            if len(self._kept) >= _EDGES_AT_ONCE:
                self.write_edges()

    def write_edges(self) -> None:
        """Write the edges that wait to be stored; if that fails, they are resolved again next time."""
        kept, self._kept = self._kept, {}
        if kept and self._index.cache.on_disk:
            try:
                edge_cache.keep(self._index.cache.connection, self._world(), sorted(kept.items()))
            except sqlite3.Error:
                return

    def _world(self) -> str:
        if not self._digest:
            self._digest = edge_cache.digest(self.backend, self._listing.blobs, self._paths) + self._compiled
        return self._digest

    def _ask(self, question: Callable[[], T]) -> T:
        """Ask the cache; if it is damaged, fill a new one and ask that."""
        with self._index.lock:
            if self._generation != self._index.cache.generation:
                self._load()
            try:
                return question()
            except sqlite3.DatabaseError as failed:
                self._index.cache.start_again(failed)
                self._load()
                return question()
