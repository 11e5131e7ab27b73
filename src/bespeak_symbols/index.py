"""The symbol index of a repository: what every file of any revision says, each content read once.

with Index(reader, cache_path) as index:
    snapshot = index.snapshot("HEAD")
"""

from __future__ import annotations

import sqlite3
from _thread import RLock
from os.path import dirname
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from bespeak_symbols import backend as backends
from bespeak_symbols import extraction, listing_cache, worker_processes
from bespeak_symbols.cache import Cache, Key
from bespeak_symbols.listing_cache import Sources, suffix_of
from bespeak_symbols.model import Unread
from bespeak_symbols.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from bespeak_symbols.backend import Backend
    from bespeak_symbols.cache import Entry
    from bespeak_symbols.model import Facts
    from bespeak_symbols.object_reader import Listing, ObjectReader

    Progress = Callable[[int, int], None]

_PER_TRANSACTION = 400
_TRIES = 3
_NOT_HERE = "its contents are not in this clone, or it was changed just now"


class Index:
    """The files of a repository as facts. Threads may share an index; processes share its cache.

    Args:
        reader: what files and contents are read from; closed with the index.
        cache_path: of the file that keeps what was read.
        progress: called while files are read, with how many are and how many there are in all.
        check: called with ``cache_path`` before it is opened; raises OSError if what lies there must not be opened.
        backend: what reads the files and resolves their names; the one that uses tree-sitter if none is given.
    """

    def __init__(
        self,
        reader: ObjectReader,
        cache_path: str,
        progress: Progress | None = None,
        *,
        check: Callable[[str], object] | None = None,
        backend: Backend | None = None,
    ) -> None:
        self.reader = reader
        self.backend = backends.load() if backend is None else backend
        self.cache = Cache(cache_path, check)
        self.folder = dirname(cache_path)
        self.lock = RLock()
        self.read_count = 0
        """The number of contents that this index had to parse."""
        self._progress = progress
        self._snapshots: WeakSet[Snapshot] = WeakSet()

    @property
    def notice(self) -> str:
        """Why the cache is not stored on disk; empty if it is."""
        return self.cache.notice

    def snapshot(self, revision: str, *, compiled: bool = True) -> Snapshot:
        """Return the files of a revision: a branch, a tag, a commit id, ``HEAD~2``.

        Args:
            revision: its name.
            compiled: an index that a compiler made of the commit is looked for, and then outranks ours.

        Raises:
            Exception: the reader's own, if there is no such revision.
            GrammarsMissingError: the extra with the grammars is not installed.
        """
        return self._opened(self.reader.revision(revision), compiled=compiled)

    def worktree(self) -> Snapshot:
        """Return the files of the work tree as they are: changed and new ones too, ignored ones not.

        Raises:
            GrammarsMissingError: the extra with the grammars is not installed.
        """
        return self._opened(self.reader.worktree(), compiled=True)

    def _opened(self, listing: Listing, *, compiled: bool) -> Snapshot:
        snapshot = Snapshot(self, listing, compiled=compiled)
        self._snapshots.add(snapshot)
        return snapshot

    def facts(self, path: str, source: bytes, blob: str | None = None) -> Facts | None:
        """Return the facts of a content, which need not be in the repository; None if its language cannot be read.

        Args:
            path: what the file is called.
            source: its bytes.
            blob: the id of these bytes in git, if it is known.
        """
        language = self.backend.language_of(path)
        if language is None:
            return None
        suffix = suffix_of(path)
        key = Key(blob or self.reader.id_of(source), suffix, self.backend.version(language))
        with self.lock:
            kept = self.cache.known([key]).get(key)
            facts = None if kept is None else self.cache.facts(kept[0])
            if facts is None:
                facts = extraction.facts_of(self.backend, source, language, suffix)
                self.read_count += 1
                self._keep([extraction.entry_of(key, facts)])
        return facts

    def sources(self, listing: Listing) -> Sources:
        """Return where the facts of each file of a listing are; files that nobody has read are read now."""
        with self.lock:
            generation = -1
            while generation != self.cache.generation:  # numbers of a cache that broke meanwhile mean nothing
                generation = self.cache.generation
                found = self._found(listing)
        unread = tuple(Unread(path, why) for path, why in listing.unread)
        return Sources(found.numbers, found.languages, listing_cache.in_order((*unread, *found.unread)))

    def _found(self, listing: Listing) -> Sources:
        """Return where the facts of the files are that git lists, with what the work tree has in their place."""
        listed = listing.blobs if listing.listed is None else listing.listed
        found = self._remembered(listed)
        if found is None:
            found = self._looked_up(listed, listing.loose)
            self._remember(listed, found)
        if listed is listing.blobs:
            return found
        apart = {path for path, blob in listing.blobs.items() if listed.get(path) != blob}
        changed = self._looked_up({path: listing.blobs[path] for path in apart}, listing.loose)
        return found.replaced(changed, apart | (listed.keys() - listing.blobs.keys()))

    def _remembered(self, blobs: Mapping[str, str]) -> Sources | None:
        try:
            return listing_cache.load(self.cache.connection, self.backend, blobs)
        except sqlite3.Error:
            return None

    def _remember(self, blobs: Mapping[str, str], found: Sources) -> None:
        if self.cache.on_disk and not any(part.why == _NOT_HERE for part in found.unread):
            try:
                listing_cache.keep(self.cache.connection, self.backend, blobs, found)
            except sqlite3.Error:
                return

    def _looked_up(self, blobs: Mapping[str, str], loose: Mapping[str, str]) -> Sources:
        wanted: dict[str, tuple[Key, str]] = {}
        for path, blob in sorted(blobs.items()):
            language = self.backend.language_of(path)
            if language is not None:
                wanted[path] = (Key(blob, suffix_of(path), self.backend.version(language)), language)
        known = self._known(wanted, loose)
        found = Sources({}, {}, ())
        unread = []
        for path, (key, language) in wanted.items():
            if key not in known:
                unread.append(Unread(path, _NOT_HERE))
                continue
            number, lines = known[key]
            unread += [Unread(path, why, line) for line, why in lines]
            if all(line for line, _ in lines):
                found.numbers[path] = number
                found.languages[path] = language
        return Sources(found.numbers, found.languages, listing_cache.in_order(tuple(unread)))

    def _known(
        self, wanted: dict[str, tuple[Key, str]], loose: Mapping[str, str]
    ) -> dict[Key, tuple[int, list[tuple[int, str]]]]:
        keys = {
            key: extraction.ExtractionTask(key, language, loose.get(key.blob, "")) for key, language in wanted.values()
        }
        for left in reversed(range(_TRIES)):
            try:
                known = self.cache.known(keys)
                missing = [task for key, task in keys.items() if key not in known]
                if missing:
                    self._read(missing)
                    known = self.cache.known(keys)
                    self.cache.prune({number for number, _ in known.values()})
            except sqlite3.Error as failed:
                if not left:
                    raise
                self.cache.start_again(failed)
            else:
                return known
        return {}

    def _read(self, tasks: list[extraction.ExtractionTask]) -> None:
        batch: list[Entry] = []
        for done, (_, entry) in enumerate(worker_processes.read_all(self.backend, self.reader, tasks), 1):
            self.read_count += 1
            if entry is not None:
                batch.append(entry)
            if len(batch) == _PER_TRANSACTION:
                self.cache.keep(batch)
                batch = []
            if self._progress is not None:
                self._progress(done, len(tasks))
        self.cache.keep(batch)

    def _keep(self, entries: list[Entry]) -> None:
        try:
            self.cache.keep(entries)
        except sqlite3.Error as failed:
            self.cache.start_again(failed)

    def read_again(self, path: str, language: str, content: bytes | None) -> Facts | None:
        """Return the facts of a file whose cache entry is missing or damaged, read from its contents."""
        if content is None:
            return None
        return extraction.facts_of(self.backend, content, language, suffix_of(path))

    def close(self) -> None:
        """Write edges that wait to be stored, then close the cache and the reader."""
        for snapshot in list(self._snapshots):
            snapshot.write_edges()
        self.reader.close()
        self.cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
