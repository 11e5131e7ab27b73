"""What lies at the path of an SQLite database and beside it: looked at before SQLite opens any of it.

SQLite itself refuses links beside a database, but waits for ever on a named pipe, makes a database where a link to
nothing points, writes into an empty file behind a link, and overwrites whatever has a name like ``book.sqlite3-wal``.
A cloned repository, or a member of the group that shares the folder, can have laid any of these there.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat

from bespeak.base.errors import LockedError, UnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.storage.migrations import Component

READ_ONLY = "the file or its folder is read-only"
SUFFIXES = ("-wal", "-shm", "-journal")

COMPUTES = (
    "it has views, triggers, virtual tables, computed columns or computed conditions, and bespeak makes none;"
    " nothing was read"
)
SCHEMA_LOOK = """
SELECT COUNT(*), TOTAL(
    type NOT IN ('table', 'index')
    OR rootpage = 0
    OR (sql NOT GLOB 'CREATE TABLE *' AND sql NOT GLOB 'CREATE INDEX *' AND sql NOT GLOB 'CREATE UNIQUE INDEX *')
    OR (
        (instr(rest, '(') OR rest LIKE '%like%' OR rest LIKE '%glob%' OR rest LIKE '%match%' OR rest LIKE '%regexp%')
        AND sql <> 'CREATE INDEX ledger_resources_like ON ledger_resources (lower(name))'
    )
)
FROM (
    SELECT type, rootpage, sql,
        replace(replace(replace(replace(replace(replace(replace(replace(
            substr(sql, instr(sql, '(') + 1), 'glob INTEGER NOT NULL CHECK (glob IN (', ''), 'CHECK ((', ''),
            'CHECK (', ''), 'KEY (', ''), 'UNIQUE (', ''), 'OR (', ''), 'IN (', ''), '= (', '') AS rest
    FROM sqlite_schema
    LIMIT -1
)"""
"""How much there is, and how much of it could compute for ever, or call code, where a table is expected.

SQLite computes one function to its end, whatever signals come, so none may stand in a table or an index: not in a
column, a default, a check or the condition of a partial index. Bespeak's own have no parenthesis but those of lists and
of checks; no function whose name ends like one of these words takes long.
Without the limit SQLite would make ``rest`` anew for each of its five uses.
"""

TRIGGERS = "SELECT sql FROM sqlite_schema WHERE type = 'trigger'"


def are_own(triggers: Iterable[str], components: Iterable[Component]) -> bool:
    """Tell whether triggers are those that components make; each counts once in :data:`SCHEMA_LOOK`."""
    made = {text.strip() for component in components for step in component.steps for text in step.sqlite}
    return made.issuperset(triggers)


def check(path: str) -> bool:
    """Tell whether there is a file at ``path``; False when nothing is there.

    Raises:
        OSError: what lies there or beside it is not what SQLite makes; ``strerror`` says which and why.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(found.st_mode):
        path = os.path.realpath(path)
        found = _behind_link(path)
    if stat.S_ISDIR(found.st_mode):
        raise _refusal("this is a folder, not a file")
    if not stat.S_ISREG(found.st_mode):
        raise _refusal("not a regular file")
    if found.st_size == 0 and found.st_nlink > 1:
        raise _refusal("an empty file with several names is made no book")
    for suffix in SUFFIXES:
        _check_beside(path + suffix)
    return True


def _behind_link(target: str) -> os.stat_result:
    try:
        found = os.stat(target)
    except FileNotFoundError:
        raise _refusal(f"a link to {target}, which does not exist; make the book there first") from None
    if stat.S_ISREG(found.st_mode) and found.st_size == 0:
        raise _refusal(f"a link to {target}, which is empty; make the book there first")
    return found


def _check_beside(path: str) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise _refusal(f"{path} is not a regular file")
    if found.st_nlink > 1:
        raise _refusal(f"{path} has a second name elsewhere")


def _refusal(why: str) -> OSError:
    return OSError(errno.EINVAL, why)


def create(path: str, mode: int) -> bool:
    """Make an empty file, unless somebody else is faster; tell whether it was us."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except FileExistsError:
        check(path)
        return False
    os.fchmod(descriptor, mode)
    os.close(descriptor)
    return True


def modes(folder: str) -> tuple[int, int]:
    """Return the modes of new folders and files: private, unless the folder was set up for a group."""
    try:
        mode = os.stat(folder).st_mode
    except OSError:
        return 0o700, 0o600
    shared = mode & stat.S_ISGID and mode & stat.S_IWGRP
    return (0o2770, 0o660) if shared else (0o700, 0o600)


def writable(path: str) -> bool:
    """Tell whether this process may write to the database, or might make it."""
    if not os.access(path, os.F_OK):
        return True
    if not os.access(path, os.W_OK):
        return False
    if os.access(os.path.dirname(path), os.W_OK | os.X_OK):
        return True
    return os.access(path + "-wal", os.W_OK) and os.access(path + "-shm", os.W_OK)


def is_busy(error: Exception) -> bool:
    """Tell whether another program has the database locked."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def failure(error: Exception, path: str, busy_seconds: float) -> UnavailableError:
    """Return the error that says in a few words why the book at ``path`` could not be opened, read or written."""
    kind = LockedError if is_busy(error) else UnavailableError
    return kind(f"book {path}: {_explain(error, path, busy_seconds)}")


def _explain(error: Exception, path: str, busy_seconds: float) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{os.path.dirname(path)} is not a folder"
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename not in {None, path} else ""
        return f"{error.strerror or error}{where}"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if is_busy(error):
        return f"locked by another program for more than {busy_seconds:g} s"
    if code == sqlite3.SQLITE_CANTOPEN:
        return _why_not_opened(path)
    return _REASONS.get(code, str(error))


_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
    sqlite3.SQLITE_IOERR: "the disk reports an input/output error",
    sqlite3.SQLITE_PERM: "access denied",
}


def _why_not_opened(path: str) -> str:
    if os.path.exists(path) and not os.access(path, os.R_OK):
        return "access denied"
    if not os.access(os.path.dirname(path), os.W_OK):
        return READ_ONLY
    return "the file cannot be opened"
