"""A book that this process may read but not write: on a read-only medium, or in a folder of somebody else's.

SQLite needs to write beside a database in WAL mode even to read it, unless somebody who has it open has made those
files, or it is promised that the file does not change. That promise is nobody's to give where others may write; so a
read is made as if it held, and counts only if nothing was changed in the meantime.
"""

from __future__ import annotations

import os
import sqlite3
import time
from _thread import RLock

from bespeak.base import clock
from bespeak.base.errors import UnavailableError
from bespeak.base.fileio import Signature, signature
from bespeak.storage import sqlite_files, steady_clock
from bespeak.storage.migrations import VERSIONS, moved_to, up_to_date
from bespeak.storage.sqlite import (
    APPLICATION_ID,
    BUSY_SECONDS,
    STEPS_BETWEEN_SIGNALS,
    SqliteTransaction,
    let_signals_in,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak.base.clock import Clock
    from bespeak.storage.interface import Dialect, Listener, T
    from bespeak.storage.migrations import Component

_TRIES = 20
_TICK_SECONDS = 0.02
"""Longer than a tick of the clock that file systems stamp with; two writes in one tick leave the same stamp."""

_State = tuple[Signature | None, Signature | None, Signature | None]


class ReadOnlySqliteEngine:
    """A book in one file that can only be looked at; see :class:`bespeak.storage.interface.Engine`.

    Args:
        path: the file.
        components: the tables it must have.
        now: the clock.
        foreign: open a database that another program made, which carries no application id.
        busy_seconds: how long to wait for a writer.
    """

    dialect: Dialect = "sqlite"
    made = False
    moved_to: str | None = None

    def __init__(
        self,
        path: str,
        components: Sequence[Component],
        *,
        now: Clock = clock.now,
        foreign: bool = False,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.path = os.path.abspath(path)
        self.name = self.path
        self._now = now
        self._busy_seconds = busy_seconds
        self._lock = RLock()
        self._steady = False
        steady = any(component.steady_time for component in components)
        wanted = [*components, steady_clock.STEADY_CLOCK] if steady else components
        self.read(lambda tx: self._check(tx, wanted, foreign=foreign))
        self._steady = steady

    def _check(self, tx: SqliteTransaction, components: Sequence[Component], *, foreign: bool) -> None:
        ((mark,),) = tx.fetch_all("PRAGMA application_id")
        if mark != APPLICATION_ID and not foreign:
            raise self._unavailable(f"this is no book of bespeak's, and none can be made: {sqlite_files.READ_ONLY}")
        ((_, computing),) = tx.fetch_all(sqlite_files.SCHEMA_LOOK)
        triggers = [row[0] for row in tx.fetch_all(sqlite_files.TRIGGERS)] if computing and foreign else []
        if len(triggers) != computing or not sqlite_files.are_own(triggers, components):
            raise self._unavailable(sqlite_files.COMPUTES)
        tables = tx.fetch_one("SELECT 1 FROM sqlite_schema WHERE name = 'bespeak_migrations'")
        found = {str(name): int(version) for name, version in tx.fetch_all(VERSIONS)} if tables else {}
        self.moved_to = moved_to(found)
        if not up_to_date(found, components, self.name):
            raise self._unavailable(f"its tables are of an older bespeak, and {sqlite_files.READ_ONLY}")

    def transact(self, keys: Iterable[str], work: Callable[[SqliteTransaction], T]) -> T:
        """Refuse: nothing can be written here."""
        del keys, work
        raise self._unavailable(sqlite_files.READ_ONLY)

    def read(self, work: Callable[[SqliteTransaction], T]) -> T:
        """Run ``work`` on one snapshot of the book; again if somebody else wrote to it meanwhile."""
        with self._lock:
            for _ in range(_TRIES):
                before = self._state()
                try:
                    result = self._read_once(work, still=before[1:] == (None, None))
                except sqlite3.Error as error:
                    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
                        raise KeyboardInterrupt from error  # only a signal in let_signals_in interrupts a statement
                    if self._state() == before:
                        raise self._failure(error) from error
                    continue
                if before[1] is not None or self._state() == before:
                    return result
        raise self._unavailable("it changes faster than it can be read without the right to write")

    def _read_once(self, work: Callable[[SqliteTransaction], T], *, still: bool) -> T:
        escaped = self.path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        uri = f"file://{escaped}?mode=ro" + ("&immutable=1" if still else "")
        connection = sqlite3.connect(
            uri, uri=True, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.set_progress_handler(let_signals_in, STEPS_BETWEEN_SIGNALS)
            connection.execute("BEGIN")
            return work(SqliteTransaction(connection, self._present(connection)))
        finally:
            connection.close()

    def _present(self, connection: sqlite3.Connection) -> int:
        """Return the book's present instant, µs UTC, which never goes back."""
        if not self._steady:
            return self._now()
        return steady_clock.steady(self._now(), steady_clock.mark(connection), self.name)

    def _state(self) -> _State:
        """Return the stamps of the file, and of the write-ahead log and the journal if there is anything in them."""
        try:
            sqlite_files.check(self.path)
            found = signature(self.path)
            if found is not None and time.time_ns() - found[0] < _TICK_SECONDS * 1e9:
                time.sleep(_TICK_SECONDS)
                found = signature(self.path)
            base = os.path.realpath(self.path)
            log, journal = (signature(base + suffix) for suffix in ("-wal", "-journal"))
        except OSError as error:
            raise self._failure(error) from error
        return found, log if log and log[2] else None, journal if journal and journal[2] else None

    def listen(self, topics: Iterable[str]) -> Listener:
        """Refuse: whoever wants to be woken leaves a file beside the book."""
        del topics
        raise self._unavailable(sqlite_files.READ_ONLY)

    def close(self) -> None:
        """Nothing is kept open."""

    def _unavailable(self, why: str) -> UnavailableError:
        return UnavailableError(f"book {self.name}: {why}")

    def _failure(self, error: Exception) -> UnavailableError:
        return sqlite_files.failure(error, self.path, self._busy_seconds)
