"""The edges of each file, stored for as long as no file of the snapshot changes.

What a name means may depend on any other file, so edges are kept under a digest of all files and of the code that
resolves them. Only the newest few snapshots' are kept.
"""

from __future__ import annotations

import os
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from bespeak_symbols import codec, listing_cache

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from bespeak_symbols.backend import Backend
    from bespeak_symbols.model import Edge

_MOST_WORLDS = 12


def digest(backend: Backend, blobs: Mapping[str, str], languages: Mapping[str, str]) -> str:
    """Return a digest of a snapshot: of its contents, their languages, and the code that reads them.

    Args:
        backend: what resolves names.
        blobs: the id of the contents of each file, by path.
        languages: of the files that can be read, by path.
    """
    whole = blake2b(digest_size=16)
    for language in sorted(set(languages.values())):
        whole.update(f"{language} {backend.version(language)}\n".encode())
    whole.update(_own_version().encode())
    whole.update(listing_cache.digest(blobs).encode())
    whole.update(listing_cache.digest(languages).encode())
    return whole.hexdigest()


@cache
def _own_version() -> str:
    """Return a digest of the code of this package that all backends share."""
    whole = blake2b(digest_size=8)
    folder = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as source:
                whole.update(source.read() + b"\0")
    return whole.hexdigest()


def load(connection: sqlite3.Connection, world: str, path: str) -> tuple[Edge, ...] | None:
    """Return the stored edges of a file; None if none are stored."""
    row = connection.execute(
        "SELECT e.edges FROM world w JOIN edges e ON e.world = w.id WHERE w.digest = ? AND e.path = ?", (world, path)
    ).fetchone()
    try:
        return None if row is None else codec.unpack_edges(row[0])
    except ValueError:
        return None


def keep(connection: sqlite3.Connection, world: str, edges: Iterable[tuple[str, tuple[Edge, ...]]]) -> None:
    """Store the edges of some files of a snapshot; delete those of the oldest snapshots."""
    packed = [(path, codec.pack_edges(found)) for path, found in edges]
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("INSERT OR IGNORE INTO world (digest) VALUES (?)", (world,))
        (number,) = connection.execute("SELECT id FROM world WHERE digest = ?", (world,)).fetchone()
        connection.executemany(
            "INSERT OR REPLACE INTO edges VALUES (?, ?, ?)", [(number, path, content) for path, content in packed]
        )
        old = "SELECT id FROM world ORDER BY id DESC LIMIT -1 OFFSET :most"
        connection.execute(f"DELETE FROM edges WHERE world IN ({old})", {"most": _MOST_WORLDS})
        connection.execute(f"DELETE FROM world WHERE id IN ({old})", {"most": _MOST_WORLDS})
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
