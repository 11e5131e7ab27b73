"""The symbol index of a repository: what every file of any revision says, each content read once.

with Index(reader, cache_path) as index:
    snapshot = index.snapshot("HEAD")
"""

from __future__ import annotations

import sqlite3
from _thread import RLock
from os.path import dirname, splitext
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from bespeak_symbols import backend as backends
from bespeak_symbols import extraction, worker_processes
from bespeak_symbols.cache import Cache, Key
from bespeak_symbols.model import Unread
from bespeak_symbols.snapshot import Snapshot, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from bespeak_symbols.backend import Backend
    from bespeak_symbols.cache import Entry
    from bespeak_symbols.model import Facts
    from bespeak_symbols.object_reader import Listing, ObjectReader

    Progress = Callable[[int, int], None]

_PER_TRANSACTION = 400
_TRIES = 3


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
        suffix = _suffix_of(path)
        key = Key(blob or self.reader.id_of(source), suffix, self.backend.version(language))
        with self.lock:
            kept = self.cache.known([key]).get(key)
            facts = None if kept is None else self.cache.facts(kept[0])
            if facts is None:
                facts = extraction.facts_of(self.backend, source, language, suffix)
                self.read_count += 1
                self._keep([extraction.entry_of(key, facts)])
        return facts

    def sources(self, listing: Listing) -> tuple[dict[str, Source], tuple[Unread, ...]]:
        """Return the source of each file of a listing; files that nobody has read are read now."""
        wanted: dict[str, tuple[Key, str]] = {}
        for path, blob in listing.blobs.items():
            language = self.backend.language_of(path)
            if language is not None:
                key = Key(blob, _suffix_of(path), self.backend.version(language))
                wanted[path] = (key, language)
        with self.lock:
            known = self._known(listing, wanted)
        sources: dict[str, Source] = {}
        unread = [Unread(path, why) for path, why in listing.unread]
        for path, (key, language) in sorted(wanted.items()):
            if key not in known:
                unread.append(Unread(path, "its contents are not in this clone, or it was changed just now"))
                continue
            number, lines = known[key]
            unread += [Unread(path, why, line) for line, why in lines]
            if all(line for line, _ in lines):
                sources[path] = Source(number, language)
        return sources, tuple(sorted(unread, key=lambda part: (part.path, part.line)))

    def _known(
        self, listing: Listing, wanted: dict[str, tuple[Key, str]]
    ) -> dict[Key, tuple[int, list[tuple[int, str]]]]:
        keys = {
            key: extraction.ExtractionTask(key, language, listing.loose.get(key.blob, ""))
            for key, language in wanted.values()
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

    def read_again(self, path: str, source: Source, content: bytes | None) -> Facts | None:
        """Return the facts of a file whose cache entry is missing or damaged, read from its contents."""
        if content is None:
            return None
        return extraction.facts_of(self.backend, content, source.language, _suffix_of(path))

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


def _suffix_of(path: str) -> str:
    """Return the suffix of a path in small letters, with its dot; empty if it has none."""
    return splitext(path)[1].lower()
