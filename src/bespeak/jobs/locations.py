"""Where the job reservations are kept."""

from __future__ import annotations

import os
import stat

from bespeak.base.paths import POSTGRES_PREFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.storage.interface import Engine

DOCUMENTED_PROGRAM = "orchesjob-reserver"
DATABASE_NAME = "reserver.sqlite3"


def home(environ: Mapping[str, str], prog: str) -> str:
    """Return the folder that ``reserver.sqlite3`` is in, by the documented priority.

    Under bespeak's own name a user who may not write to the system's folder gets one in the own home.
    """
    for name in ("ORCHESJOB_RESERVER_HOME", "ORCHESJOB_HOME"):
        if environ.get(name):
            return environ[name]
    from bespeak.base.paths import JOBS_FOLDER, jobs_folder

    return JOBS_FOLDER if prog == DOCUMENTED_PROGRAM else jobs_folder(environ)


def store_url(db: str | None, ledger: str | None, environ: Mapping[str, str], prog: str) -> str:
    """Return where the job reservations are: ``--db``, else a PostgreSQL book, else the file in :func:`home`."""
    if db:
        return db
    if not any(environ.get(name) for name in ("ORCHESJOB_RESERVER_HOME", "ORCHESJOB_HOME")):
        book = ledger or (environ.get("BESPEAK_LEDGER", "") if prog != DOCUMENTED_PROGRAM else "")
        if book.startswith(POSTGRES_PREFIXES):
            return book
    return os.path.join(home(environ, prog), DATABASE_NAME)


def open_store(url: str, *, busy_seconds: float | None = None) -> Engine:
    """Open the store; a database of the original program is upgraded in place."""
    from bespeak.jobs.schema import COMPONENT
    from bespeak.storage import open_engine

    engine = open_engine(url, (COMPONENT,), foreign=True, busy_seconds=busy_seconds)
    if engine.dialect == "sqlite":
        _keep_private(engine.name)
    return engine


def _keep_private(path: str) -> None:
    """Take the rights of others from a database that the original program made readable for everyone.

    That program makes files 0644. Where others may write as well, somebody has set that up on purpose, and it stays.
    """
    try:
        for name in (path, path + "-wal", path + "-shm"):
            _take_rights(name)
    except OSError:
        return  # another user's file: that user's next command does it


def _take_rights(path: str) -> None:
    try:
        # Named but not opened: closing a database that this process has open elsewhere would drop SQLite's locks.
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode) and mode & 0o077 and not mode & 0o022:
            os.chmod(f"/proc/self/fd/{descriptor}", stat.S_IMODE(mode) & 0o700)
    finally:
        os.close(descriptor)
