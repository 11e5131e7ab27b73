"""Giving the free space of a book's file back to the system; what was deleted only makes room in the file."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from bespeak.base.errors import Field, UsageError
from bespeak.storage import sqlite_files

if TYPE_CHECKING:
    from bespeak.storage.interface import Engine

_BUSY_SECONDS = 30.0


def refuse_vacuum(engine: Engine) -> None:
    """Say that a book on a server needs none.

    Raises:
        UsageError: the book is no file.
    """
    if engine.dialect != "sqlite":
        raise UsageError(
            Field("vacuum"), f": {engine.name} is on a PostgreSQL server, which does that by itself (autovacuum)"
        )


def vacuum_file(engine: Engine) -> tuple[int, int]:
    """Write the file of a book anew without its free space; return its size before and after, bytes.

    Others may read meanwhile, and wait to write.

    Raises:
        UnavailableError: the file cannot be written, or others write it all the time.
    """
    path = engine.name
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            before = os.path.getsize(path)
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()
        return before, os.path.getsize(path)
    except (sqlite3.Error, OSError) as error:
        raise sqlite_files.failure(error, path, _BUSY_SECONDS) from error
