"""The cache: facts by the id of a content, and by name which contents define, mention or rename it.

One SQLite file in the git common directory serves all work trees and many processes at once. It holds nothing that
cannot be worked out again, so a file that is broken is thrown away, and where none can be written the cache is kept in
memory for as long as the process lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak_symbols.model import Facts

_FORMAT = 3
_BUSY_SECONDS = 20.0
_RETRY_SECONDS = 0.01
_SPARE = 50_000
_IN_MEMORY = ":memory:"
_SCHEMA = f"""
CREATE TABLE source (
    id INTEGER PRIMARY KEY AUTOINCREMENT, blob TEXT NOT NULL, suffix TEXT NOT NULL, version TEXT NOT NULL,
    facts BLOB NOT NULL, unread TEXT, UNIQUE (blob, suffix, version)
);
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE definition (
    name INTEGER NOT NULL, source INTEGER NOT NULL, whole TEXT NOT NULL, PRIMARY KEY (name, source, whole)
) WITHOUT ROWID;
CREATE TABLE mention (name INTEGER NOT NULL, source INTEGER NOT NULL, PRIMARY KEY (name, source)) WITHOUT ROWID;
CREATE TABLE world (id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE);
CREATE TABLE edges (
    world INTEGER NOT NULL, path TEXT NOT NULL, edges BLOB NOT NULL, PRIMARY KEY (world, path)
) WITHOUT ROWID;
CREATE TABLE listing (id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, content BLOB NOT NULL);
CREATE TABLE rename (
    old INTEGER NOT NULL, new INTEGER NOT NULL, source INTEGER NOT NULL, PRIMARY KEY (old, new, source)
) WITHOUT ROWID;
PRAGMA user_version = {_FORMAT};
"""


@dataclass(frozen=True, slots=True)
class Key:
    """The key of facts: the id of the contents, the suffix of the file and the version of the code that reads it."""

    blob: str
    suffix: str
    version: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as the cache stores it.

    Args:
        key: of its contents.
        facts: packed.
        unread: as in the facts.
        definitions: last names and whole names.
        mentions: names.
        renames: old and new names.
    """

    key: Key
    facts: bytes
    unread: Sequence[tuple[int, str]]
    definitions: Sequence[tuple[str, str]]
    mentions: Sequence[str]
    renames: Sequence[tuple[str, str]]


class Cache:
    """Facts by key, and names. ``notice`` says why nothing can be stored on disk; it is empty if it can.

    Args:
        path: of the file; its folder is made if only that is missing.
        check: called with the path before SQLite opens it; raises OSError if what lies there must not be opened.
    """

    def __init__(self, path: str, check: Callable[[str], object] | None = None) -> None:
        self._path = path
        self._check = check
        self.notice = ""
        self.generation = 0
        self._connection = self._opened()

    @property
    def connection(self) -> sqlite3.Connection:
        """The open database; edges and listings are stored in it too."""
        return self._connection

    @property
    def on_disk(self) -> bool:
        """The cache is a file and outlives the process."""
        return self._path != _IN_MEMORY

    def _opened(self) -> sqlite3.Connection:
        for _ in range(2):
            try:
                self._check_path()
                return _connect(self._path)
            except (sqlite3.OperationalError, OSError) as failed:
                return self._in_memory(str(failed))
            except sqlite3.DatabaseError:
                self._throw_away()
        return self._in_memory("it is damaged and cannot be replaced")

    def _check_path(self) -> None:
        if self._check is not None and self.on_disk:
            try:
                self._check(self._path)
            except OSError as error:
                raise sqlite3.OperationalError(error.strerror) from error

    def _in_memory(self, why: str) -> sqlite3.Connection:
        self.notice = f"the symbol index cannot be kept in {self._path} ({why}): every file is read anew"
        self._path = _IN_MEMORY
        return _connect(_IN_MEMORY)

    def _throw_away(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            try:
                os.unlink(self._path + suffix)
            except OSError:
                continue

    def start_again(self, failed: sqlite3.Error) -> None:
        """Begin an empty cache after a failure: in memory if the file cannot be written, else in a new file.

        Numbers from before mean nothing afterwards; ``generation`` tells.
        """
        self._connection.close()
        self.generation += 1
        if self.on_disk and isinstance(failed, sqlite3.OperationalError):
            self._connection = self._in_memory(str(failed))
            return
        if self.on_disk:
            self._throw_away()
        self._connection = self._opened()

    def known(self, keys: Iterable[Key]) -> dict[Key, tuple[int, list[tuple[int, str]]]]:
        """Return the keys that are stored, each with its number and the lines that could not be read."""
        asked = json.dumps([[key.blob, key.suffix, key.version] for key in keys])
        rows = self._connection.execute(
            "SELECT s.blob, s.suffix, s.version, s.id, s.unread FROM json_each(:asked) a JOIN source s"
            " ON s.blob = a.value ->> 0 AND s.suffix = a.value ->> 1 AND s.version = a.value ->> 2",
            {"asked": asked},
        )
        return {Key(*row[:3]): (row[3], [] if row[4] is None else _pairs(row[4])) for row in rows}

    def facts(self, source: int) -> Facts | None:
        """Return the facts stored under a number; None if they are missing or damaged."""
        row = self._connection.execute("SELECT facts FROM source WHERE id = ?", (source,)).fetchone()
        try:
            return None if row is None else codec.unpack(row[0])
        except ValueError:
            return None

    def defining(self, name: str) -> list[tuple[int, str]]:
        """Return the definitions with this last name: number of the source, and qualified name."""
        return self._connection.execute(
            "SELECT d.source, d.whole FROM name n JOIN definition d ON d.name = n.id WHERE n.text = ?", (name,)
        ).fetchall()

    def mentioning(self, name: str) -> list[int]:
        """Return the numbers of the sources that mention a name."""
        rows = self._connection.execute(
            "SELECT m.source FROM name n JOIN mention m ON m.name = n.id WHERE n.text = ?", (name,)
        )
        return [row[0] for row in rows]

    def renaming(self, name: str) -> list[tuple[str, int]]:
        """Return the other names that sources give a name, each with the number of the source."""
        return self._connection.execute(
            "SELECT w.text, r.source FROM name n JOIN rename r ON r.old = n.id JOIN name w ON w.id = r.new"
            " WHERE n.text = ?",
            (name,),
        ).fetchall()

    def keep(self, entries: Sequence[Entry]) -> None:
        """Store entries in one transaction; what another process has stored already stays."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            numbers = self._names(entries)
            for entry in entries:
                self._keep(entry, numbers)
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def _names(self, entries: Sequence[Entry]) -> dict[str, int]:
        texts = {text for entry in entries for text in entry.mentions}
        texts.update(pair[0] for entry in entries for pair in entry.definitions)
        texts.update(text for entry in entries for pair in entry.renames for text in pair)
        ordered = json.dumps(sorted(texts))
        self._connection.execute("INSERT OR IGNORE INTO name (text) SELECT value FROM json_each(?)", (ordered,))
        return dict(
            self._connection.execute(
                "SELECT n.text, n.id FROM json_each(?) a JOIN name n ON n.text = a.value", (ordered,)
            ).fetchall()
        )

    def _keep(self, entry: Entry, numbers: dict[str, int]) -> None:
        key = entry.key
        unread = json.dumps(list(entry.unread)) if entry.unread else None
        row = self._connection.execute(
            "INSERT OR IGNORE INTO source (blob, suffix, version, facts, unread) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (key.blob, key.suffix, key.version, entry.facts, unread),
        ).fetchone()
        if row is None:
            return
        many = self._connection.executemany
        many("INSERT OR IGNORE INTO mention VALUES (?, ?)", [(numbers[text], row[0]) for text in entry.mentions])
        many(
            "INSERT OR IGNORE INTO definition VALUES (?, ?, ?)",
            [(numbers[name], row[0], whole) for name, whole in entry.definitions],
        )
        many(
            "INSERT OR IGNORE INTO rename VALUES (?, ?, ?)",
            [(numbers[old], numbers[new], row[0]) for old, new in entry.renames],
        )

    def prune(self, used: set[int]) -> None:
        """Delete the oldest sources when there are far more than are in use, so that the file does not grow for ever.

        Args:
            used: the numbers of the sources in use.
        """
        (count,) = self._connection.execute("SELECT count(*) FROM source").fetchone()
        most = 4 * len(used) + _SPARE
        if count > most:
            rows = self._connection.execute("SELECT id FROM source ORDER BY id LIMIT ?", (count - most // 2,))
            self._drop([row[0] for row in rows if row[0] not in used])

    def _drop(self, sources: Sequence[int]) -> None:
        listed = json.dumps(list(sources))
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute("DELETE FROM listing")  # they have numbers of sources
            for table, column in (
                ("mention", "source"),
                ("definition", "source"),
                ("rename", "source"),
                ("source", "id"),
            ):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (listed,)
                )
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _pairs(text: str) -> list[tuple[int, str]]:
    return [(line, why) for line, why in json.loads(text)]


def _connect(path: str) -> sqlite3.Connection:
    """Open a cache; make its tables if it is new.

    Raises:
        sqlite3.OperationalError: it cannot be opened or written here.
        sqlite3.DatabaseError: it is broken, or of another format.
    """
    folder = os.path.dirname(path)
    if path != _IN_MEMORY:
        with contextlib.suppress(FileExistsError):  # another process may make the folder at the same moment
            os.mkdir(folder)
        if not os.access(folder, os.W_OK) or (os.path.exists(path) and not os.access(path, os.W_OK)):
            raise sqlite3.OperationalError("read-only")
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -49152")
    if _format(connection) == _FORMAT:
        _refuse_what_is_not_ours(connection)
        return
    connection.execute("BEGIN IMMEDIATE")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables == 0:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
    connection.execute("COMMIT")
    if _format(connection) != _FORMAT:
        raise sqlite3.DatabaseError("of another format")
    _refuse_what_is_not_ours(connection)


def _refuse_what_is_not_ours(connection: sqlite3.Connection) -> None:
    """Refuse a file with a view, a trigger, or what computes: somebody else may have laid it there."""
    found = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    ours = {statement.strip() for statement in _SCHEMA.split(";")} | {"CREATE TABLE sqlite_sequence(name,seq)"}
    if not found <= ours:
        raise sqlite3.DatabaseError("not as this program makes it")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log; SQLite itself does not wait here while another process does the same."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _format(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)
