"""Copies of a book in use: a backup is an ordinary SQLite book, whatever engine the book is on.

So it can be looked at (``bespeak --ledger FILE list``), opened by any program that reads SQLite, and restored into a
book on either engine. A backup appears under its name when it is whole and on the disk; a restore is one transaction.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bespeak.base import failpoints
from bespeak.base.errors import Field, NoBookError, NotFoundError, UnavailableError, UsageError, WrongStateError
from bespeak.base.paths import public_url
from bespeak.ledger import write_operations
from bespeak.ledger.actions import Action
from bespeak.ledger.context import LedgerContext
from bespeak.ledger.schema import LEDGER
from bespeak.operations.components import components_of
from bespeak.operations.owners import check_may
from bespeak.storage import open_engine, sqlite_files, table_copy
from bespeak.storage.migrations import VERSIONS
from bespeak.storage.sqlite import APPLICATION_ID, SqliteEngine

if TYPE_CHECKING:
    from bespeak.ledger.model import Holder
    from bespeak.storage.interface import Engine, Transaction

CONTENT = ("ledger_reservations", "ledger_log", "ledger_resources")
"""The tables that tell whether there is anything in a book."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied.

    Attributes:
        path: the file of the backup.
        size_bytes: its size.
        rows: how many rows each table has.
    """

    path: str
    size_bytes: int
    rows: dict[str, int]


def backup(url: str, path: str, *, replace: bool = False) -> Copied:
    """Write a consistent copy of a book in use to a file.

    Args:
        url: the book.
        path: the new file.
        replace: put it in the place of an earlier backup.

    Raises:
        WrongStateError: there is a file already, or (with ``replace``) one that is no book of bespeak's.
        UnavailableError: the book cannot be read, or the file not written.
    """
    path = os.path.abspath(path)
    _check_target(path, replace=replace)
    temporary = f"{path}.{os.urandom(6).hex()}.tmp"
    try:
        sqlite_files.create(temporary, 0o600)
        source = open_book(url)
        try:
            if source.dialect == "sqlite":
                copy_file(source.name, temporary)
            else:
                _copy_tables(source, temporary)
        finally:
            source.close()
        rows = _count_rows(temporary)
        _persist(temporary)
        failpoints.reach("operations.backup")
        os.replace(temporary, path)
        _persist(os.path.dirname(path))
    except OSError as error:
        raise UnavailableError(f"backup {path}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise UnavailableError(f"backup {path}: {error}") from error
    finally:
        for left in (temporary, *(temporary + suffix for suffix in sqlite_files.SUFFIXES)):
            if os.path.lexists(left):
                os.unlink(left)
    return Copied(path, os.stat(path).st_size, rows)


def restore(url: str, path: str, by: Holder, *, replace: bool = False) -> dict[str, int]:
    """Put what a backup holds into a book, in one transaction; numbers that were given out are not given out again.

    Args:
        url: the book; made where there is none.
        path: the backup.
        by: who asks.
        replace: throw away what is in the book now.

    Returns:
        How many rows each table has.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it is no book of bespeak's.
        WrongStateError: the book is not empty.
        BusyError: who asks may not throw away what is in it.
    """
    path = os.path.abspath(path)
    _check_backup(path)
    with TemporaryDirectory(prefix="bespeak-restore-") as folder:
        copied = os.path.join(folder, "book.sqlite3")
        copy_file(path, copied)
        _reopen(copied)
        source = open_book(copied)
        try:
            with LedgerContext(open_like(source, url)) as book:
                return source.read(lambda old: _restore_from(book, old, by, replace))
        finally:
            source.close()


def _restore_from(book: LedgerContext, old: Transaction, by: Holder, replace: bool) -> dict[str, int]:
    return book.engine.transact([], lambda new: _restore(book, old, new, by, replace))


def _restore(book: LedgerContext, old: Transaction, new: Transaction, by: Holder, replace: bool) -> dict[str, int]:
    table_copy.lock_all(new)
    if table_copy.has_rows(new, CONTENT):
        if not replace:
            raise WrongStateError(f"book {book.name} is not empty; ", Field("replace"), " throws away what is in it")
        check_may("throw away what is in the book", book, new, by)
    names = _names(new)
    rows = table_copy.copy(old, new)
    facts = {"reservations": rows["ledger_reservations"], "log": rows["ledger_log"]}
    write_operations.log(new, Action.RESTORED, by.user, by.requested_by, None, (), {}, facts)
    for name in names | _names(new):
        new.notify(write_operations.resource_topic(name))
    return rows


def _names(tx: Transaction) -> set[str]:
    return {str(row[0]) for row in tx.fetch_all("SELECT name FROM ledger_resources")}


def open_book(url: str) -> Engine:
    """Open a book with every component that it has, at the versions of this bespeak.

    Raises:
        NoBookError: there is none.
    """
    return open_engine(url, components_of(_component_names(url), public_url(url)), create=False)


def open_like(source: Engine, url: str) -> Engine:
    """Open a book, or make it, with every component that it or ``source`` has."""
    names = set(source.read(_components))
    with suppress(NoBookError):
        names |= set(_component_names(url))
    return open_engine(url, components_of(names, source.name))


def _component_names(url: str) -> list[str]:
    engine = open_engine(url, [LEDGER], create=False)
    try:
        return engine.read(_components)
    finally:
        engine.close()


def _components(tx: Transaction) -> list[str]:
    return [str(row[0]) for row in tx.fetch_all(VERSIONS) if " " not in str(row[0])]


def copy_file(path: str, target: str) -> None:
    """Copy a book in one file, also while others write to it, into one that nobody else knows.

    Raises:
        UnavailableError: it cannot be read or written.
    """
    uri = "file://" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + "?mode=ro"
    try:
        old = sqlite3.connect(uri, uri=True, timeout=30)
        new = sqlite3.connect(target)
        try:
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
        finally:
            new.close()
            old.close()
    except sqlite3.Error as error:
        raise sqlite_files.failure(error, path, 30.0) from error


def _copy_tables(source: Engine, path: str) -> None:
    names = source.read(_components)
    target = SqliteEngine(path, components_of(names, source.name), durable=False)
    try:

        def copy(tx: Transaction) -> None:
            target.transact([], lambda new: table_copy.copy(tx, new))

        source.read(copy)
    finally:
        target.close()
    with_file = sqlite3.connect(path)
    try:
        for (trigger,) in with_file.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            with_file.execute(f'DROP TRIGGER "{trigger}"')
        with_file.commit()
        with_file.execute("PRAGMA journal_mode=DELETE")
    finally:
        with_file.close()


def _count_rows(path: str) -> dict[str, int]:
    """Return how many rows each table of a backup has.

    Whole tables are counted, so a page that cannot be read is noticed. ``integrity_check`` is not asked: SQLite 3.40
    finds missing values in tables without row ids where there are none.
    """
    connection = sqlite3.connect(path)
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        counted = [(name, connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]) for name in names]
        return {name: int(count) for name, count in sorted(counted) if name.startswith(("ledger_", "coord_"))}
    finally:
        connection.close()


def _reopen(path: str) -> None:
    """Let a copy of a book that has moved be used again: it is the copy that is restored, not the old book."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("DELETE FROM bespeak_migrations WHERE component LIKE 'moved to %'")
        connection.commit()
        connection.execute("PRAGMA user_version = 0")
    finally:
        connection.close()


def _check_target(path: str, *, replace: bool) -> None:
    if not os.path.lexists(path):
        return
    if not replace:
        said = f"backup {path}: there is a file already; "
        raise WrongStateError(said, Field("replace"), " puts the new one in its place")
    try:
        _check_backup(path)
    except UsageError as error:
        raise WrongStateError(f"{error}; it is left alone") from None


def _check_backup(path: str) -> None:
    """Refuse what is no book in a file.

    Raises:
        NotFoundError: there is nothing.
        UsageError: it is something else.
    """
    if not os.path.exists(path):
        raise NotFoundError(f"backup {path}: there is no such file")
    with open(path, "rb") as stream:
        head = stream.read(100)
    if head[:16] != b"SQLite format 3\0" or int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise UsageError(f"backup {path}: not a book of bespeak's")


def _persist(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
