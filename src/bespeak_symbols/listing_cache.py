"""Where the facts of all files of a listing are, remembered as a whole: to open a known listing is one look-up.

A record is kept under a digest of the names and contents of the files. It holds numbers of sources, so it goes when
sources are deleted; and it is only used while the same files are read, by the same code.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from hashlib import blake2b
from os.path import splitext
from typing import TYPE_CHECKING

from bespeak_symbols.model import Unread

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from bespeak_symbols.backend import Backend

_MOST_LISTINGS = 24


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the cache has the facts of files.

    Args:
        numbers: of the source of each file that can be read, by path, in order.
        languages: of the same files, by path, in the same order.
        unread: files and lines that cannot be read, in order.
    """

    numbers: dict[str, int]
    languages: dict[str, str]
    unread: tuple[Unread, ...]

    def replaced(self, by: Sources, apart: set[str]) -> Sources:
        """Return these, but of some paths only what others say.

        Args:
            by: the others.
            apart: the paths.
        """
        numbers = {path: number for path, number in self.numbers.items() if path not in apart} | by.numbers
        ordered = sorted(numbers)
        unread = [part for part in self.unread if part.path not in apart]
        return Sources(
            {path: numbers[path] for path in ordered},
            {path: by.languages.get(path) or self.languages[path] for path in ordered},
            in_order((*unread, *by.unread)),
        )


def in_order(unread: tuple[Unread, ...]) -> tuple[Unread, ...]:
    """Return what could not be read by path and line."""
    return tuple(sorted(unread, key=lambda part: (part.path, part.line)))


def suffix_of(path: str) -> str:
    """Return the suffix of a path in small letters, with its dot; empty if it has none."""
    return splitext(path)[1].lower()


def digest(blobs: Mapping[str, str]) -> str:
    """Return a digest of files: of their paths and the ids of their contents."""
    ordered = sorted(blobs)
    whole = blake2b(digest_size=16)
    whole.update("\0".join(ordered).encode("utf-8", "surrogatepass") + b"\0\0")
    whole.update("\0".join([blobs[path] for path in ordered]).encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


def load(connection: sqlite3.Connection, backend: Backend, blobs: Mapping[str, str]) -> Sources | None:
    """Return what is remembered of files; None if nothing is, or they are read otherwise by now."""
    row = connection.execute("SELECT content FROM listing WHERE digest = ?", (digest(blobs),)).fetchone()
    try:
        kept = None if row is None else json.loads(zlib.decompress(row[0]))
        if kept is None or any(_reading(backend, path) != [path, *reading] for path, *reading in kept["readings"]):
            return None
        names = kept["languages"]
        return Sources(
            dict(zip(kept["paths"], kept["numbers"], strict=True)),
            dict(zip(kept["paths"], [names[number] for number in kept["which"]], strict=True)),
            tuple(Unread(path, why, line) for path, why, line in kept["unread"]),
        )
    except (zlib.error, LookupError, TypeError, ValueError):
        return None


def _reading(backend: Backend, path: str) -> list[str | None]:
    """Return as what a file is read, and by which version of the code."""
    language = backend.language_of(path)
    return [path, language, None if language is None else backend.version(language)]


def keep(connection: sqlite3.Connection, backend: Backend, blobs: Mapping[str, str], sources: Sources) -> None:
    """Remember where the facts of files are; forget the oldest."""
    names = sorted(set(sources.languages.values()))
    which = {name: number for number, name in enumerate(names)}
    samples = {suffix_of(path): path for path in blobs}
    whole = {
        "readings": [_reading(backend, path) for path in samples.values()],
        "languages": names,
        "paths": list(sources.numbers),
        "numbers": list(sources.numbers.values()),
        "which": [which[language] for language in sources.languages.values()],
        "unread": [[part.path, part.why, part.line] for part in sources.unread],
    }
    content = zlib.compress(json.dumps(whole, separators=(",", ":")).encode("ascii"), 1)
    connection.execute("INSERT OR REPLACE INTO listing (digest, content) VALUES (?, ?)", (digest(blobs), content))
    connection.execute(
        "DELETE FROM listing WHERE id IN (SELECT id FROM listing ORDER BY id DESC LIMIT -1 OFFSET ?)", (_MOST_LISTINGS,)
    )
