"""The only door to a database: open, transact, migrate, wake, on SQLite and PostgreSQL."""

from __future__ import annotations

import os

from bespeak.base import clock
from bespeak.base.errors import NoBookError, UsageError
from bespeak.base.fileio import empty_file
from bespeak.base.paths import POSTGRES_PREFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bespeak.base.clock import Clock
    from bespeak.storage.interface import Dialect, Engine
    from bespeak.storage.migrations import Component


def open_engine(
    url: str,
    components: Sequence[Component],
    *,
    durable: bool = True,
    now: Clock | None = None,
    foreign: bool = False,
    busy_seconds: float | None = None,
    create: bool = True,
    when_made: Callable[[str], None] | None = None,
) -> Engine:
    """Open the book at ``url``, make or upgrade its tables, and return it.

    Args:
        url: ``postgresql://...`` (``?schema=NAME``, default ``bespeak``), ``sqlite:///PATH`` or a path.
        components: the tables that the caller needs.
        durable: committed work survives power loss.
        now: the clock; by default the machine's (SQLite) or the server's (PostgreSQL).
        foreign: accept an SQLite file that another program made.
        busy_seconds: how long to wait for other writers of an SQLite file; by default half a minute.
        create: make the book where there is none; False where it is only to be looked at.
        when_made: have the book made by the first write that changes something, and call this with its name then.

    Raises:
        UsageError: ``url`` is of no known kind.
        NoBookError: there is no book, and none is to be made.
        UnavailableError: the book cannot be opened, or a newer bespeak wrote it.
    """
    if create and when_made is not None:
        return _open_or_wait(url, components, when_made, durable=durable, now=now)
    if url.startswith(POSTGRES_PREFIXES):
        from bespeak.storage.postgres.engine import PostgresEngine

        return PostgresEngine(url, components, durable=durable, now=now, create=create)
    path = _sqlite_path(url)
    from bespeak.storage.sqlite import BUSY_SECONDS, SqliteEngine
    from bespeak.storage.sqlite_files import writable

    if not create and (not os.path.lexists(path) or empty_file(path)):
        raise NoBookError.at(os.path.abspath(path))
    busy = BUSY_SECONDS if busy_seconds is None else busy_seconds
    if not writable(os.path.abspath(path)):
        from bespeak.storage.sqlite_readonly import ReadOnlySqliteEngine

        return ReadOnlySqliteEngine(path, components, now=now or clock.now, foreign=foreign, busy_seconds=busy)
    return SqliteEngine(
        path,
        components,
        durable=durable,
        now=now or clock.now,
        foreign=foreign,
        busy_seconds=busy,
    )


def _open_or_wait(
    url: str, components: Sequence[Component], when_made: Callable[[str], None], *, durable: bool, now: Clock | None
) -> Engine:
    """Open the book that there is, else one that the first write makes."""
    try:
        return open_engine(url, components, durable=durable, now=now, create=False)
    except NoBookError as error:
        from bespeak.storage.first_write import EngineAtFirstWrite

        def make() -> Engine:
            return open_engine(url, components, durable=durable, now=now)

        ahead_us = error.ahead_us
        dialect: Dialect = "postgresql" if url.startswith(POSTGRES_PREFIXES) else "sqlite"

        def present_us() -> int:
            return clock.now() + ahead_us

        return EngineAtFirstWrite(error.book, components, make, when_made, now or present_us, dialect)


def _sqlite_path(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if separator and scheme != "sqlite":
        raise UsageError(f"book {scheme}://...: unknown kind {scheme!r}; known: postgresql, sqlite, or a path")
    path = rest if separator else url
    if not path:
        raise UsageError("book: the path is empty")
    if "\0" in path:
        raise UsageError(f"book: the path {path!r} has a NUL character in it")
    return path
