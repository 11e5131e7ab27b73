"""The embedded engine: one SQLite file, write-ahead log, durable by default, no server.

Every write begins with ``BEGIN IMMEDIATE``: a transaction that first reads and then wants to write would fail at once,
whatever the time-out. SQLite's own busy handler sleeps up to 100 ms at a time, which starves a waiter among busy
writers; here a waiter tries again after a short random pause, so turns stay fair and short.
"""

from __future__ import annotations

import os
import sqlite3
import time
from _thread import RLock  # the class that `threading` offers, without its import

from bespeak.base import clock, failpoints
from bespeak.base.errors import UnavailableError
from bespeak.storage import sqlite_files, steady_clock, wakeups
from bespeak.storage.migrations import VERSIONS, migrate, moved, moved_to, up_to_date
from bespeak.storage.time_limit import left_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bespeak.base.clock import Clock
    from bespeak.storage.interface import Dialect, Listener, Params, Row, T
    from bespeak.storage.migrations import Component

APPLICATION_ID = 0x42535042
"""Marks a file as a bespeak book (``BSPB``), so that another program's database is never written to."""

BUSY_SECONDS = 30.0
_PAUSE_FIRST_SECONDS = 0.0002
_PAUSE_LAST_SECONDS = 0.004
_NOTHING: dict[str, object] = {}
STEPS_BETWEEN_SIGNALS = 1_000_000
"""SQLite's own instructions, some 10 ms of them, after which Python may act on a signal."""


class SqliteTransaction:
    """Statements inside one SQLite transaction; see :class:`bespeak.storage.interface.Transaction`."""

    __slots__ = ("_connection", "now_us", "topics")
    dialect: Dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, now_us: int) -> None:
        self._connection = connection
        self.now_us = now_us
        self.topics: list[str] = []

    def fetch_all(self, sql: str, params: Params = _NOTHING) -> list[Row]:
        """Run a query and return every row."""
        failpoints.reach("storage.statement")
        return self._connection.execute(sql, params).fetchall()

    def fetch_one(self, sql: str, params: Params = _NOTHING) -> Row | None:
        """Run a query and return its first row, or None."""
        failpoints.reach("storage.statement")
        row: Row | None = self._connection.execute(sql, params).fetchone()
        return row

    def fetch_batch(self, queries: Sequence[tuple[str, Params]]) -> list[list[Row]]:
        """Run several queries and return every row of each."""
        return [self.fetch_all(sql, params) for sql, params in queries]

    def fetch_pages(self, sql: str, params: Params = _NOTHING, *, size: int) -> Iterator[list[Row]]:
        """Run a query and yield its rows in portions of ``size``."""
        failpoints.reach("storage.statement")
        cursor = self._connection.execute(sql, params)
        while rows := cursor.fetchmany(size):
            yield rows

    def execute(self, sql: str, params: Params = _NOTHING) -> int:
        """Run a statement and return how many rows it changed."""
        failpoints.reach("storage.statement")
        return self._connection.execute(sql, params).rowcount

    def execute_many(self, sql: str, many: Sequence[Params]) -> None:
        """Run one statement for each set of parameters."""
        for params in many:
            self.execute(sql, params)

    execute_deferred = execute_many

    def require(self, keys: Iterable[str]) -> None:
        """Hold the locks of ``keys``, too: there is one writer, which holds them all."""

    def notify(self, topic: str) -> None:
        """Wake the listeners of ``topic`` once this transaction is committed."""
        self.topics.append(topic)


class SqliteEngine:
    """A book in one file; see :class:`bespeak.storage.interface.Engine`.

    Args:
        path: the file; it and its folder are made when missing (0600, 0700; group rights only where the folder was
            set up for a group with the set-group-ID bit and group write permission).
        components: the tables it must have.
        durable: survive power loss (``synchronous=FULL``), not only the death of processes.
        now: the clock.
        foreign: open a database that another program made, which carries no application id.
        busy_seconds: how long to wait for other writers.
    """

    dialect: Dialect = "sqlite"

    def __init__(
        self,
        path: str,
        components: Sequence[Component],
        *,
        durable: bool = True,
        now: Clock = clock.now,
        foreign: bool = False,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.path = os.path.abspath(path)
        self.name = self.path
        self._now = now
        self._lock = RLock()
        self._busy_seconds = busy_seconds
        self.made = False
        self.moved_to: str | None = None
        self._foreign = foreign
        self._components = components
        self._group: list[str] | None = None
        self._steady = any(component.steady_time for component in components)
        if self._steady:
            components = [*components, steady_clock.STEADY_CLOCK]
        self._folder_mode, file_mode = sqlite_files.modes(os.path.dirname(self.path))
        try:
            self._connection = self._open(file_mode, durable=durable, foreign=foreign)
            try:
                self._prepare(components)
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error

    def _open(self, file_mode: int, *, durable: bool, foreign: bool) -> sqlite3.Connection:
        if not sqlite_files.check(self.path):
            os.makedirs(os.path.dirname(self.path), mode=self._folder_mode, exist_ok=True)
            self.made = sqlite_files.create(self.path, file_mode)
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            self._claim_file(connection, foreign=foreign)
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.set_progress_handler(let_signals_in, STEPS_BETWEEN_SIGNALS)
        except BaseException:
            connection.close()
            raise
        return connection

    def _claim_file(self, connection: sqlite3.Connection, *, foreign: bool) -> None:
        # One transaction: between two, another first process may claim the file and make tables in it.
        connection.execute("BEGIN")
        (found,) = connection.execute("PRAGMA application_id").fetchone()
        tables, computing = connection.execute(sqlite_files.SCHEMA_LOOK).fetchone()
        connection.execute("COMMIT")
        if computing and not (foreign and self._only_own_triggers(connection, computing)):
            raise UnavailableError(f"book {self.name}: {sqlite_files.COMPUTES}")
        if found == APPLICATION_ID:
            return
        if (found or tables) and not foreign:
            raise UnavailableError(f"book {self.name}: this file is another program's database; nothing was written")
        self._persist(connection, "PRAGMA journal_mode=WAL")
        if not foreign:
            self._persist(connection, f"PRAGMA application_id={APPLICATION_ID}")

    def _only_own_triggers(self, connection: sqlite3.Connection, computing: float) -> bool:
        triggers = [row[0] for row in connection.execute(sqlite_files.TRIGGERS)]
        return len(triggers) == computing and sqlite_files.are_own(triggers, self._components)

    def _persist(self, connection: sqlite3.Connection, pragma: str) -> None:
        """Run a pragma that writes the file's header; of many first processes, each waits its turn."""
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute(pragma)
            except sqlite3.OperationalError as error:
                if not sqlite_files.is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_LAST_SECONDS)
            else:
                return

    def _prepare(self, components: Sequence[Component]) -> None:
        try:
            found = dict(self._connection.execute(VERSIONS).fetchall())
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            found = {}
        self.moved_to = moved_to(found)
        if not up_to_date(found, components, self.name):
            self._write(lambda tx: migrate(tx, components, self.name), self._now)

    def transact(self, keys: Iterable[str], work: Callable[[SqliteTransaction], T]) -> T:
        """Run ``work`` in one write transaction; SQLite has one writer, so every key is held."""
        del keys
        if not self._steady:
            return self._write(work, self._now)

        def steady_work(tx: SqliteTransaction) -> T:
            changes = self._connection.total_changes
            result = work(tx)
            if self._connection.total_changes != changes:
                steady_clock.raise_mark(self._connection, tx.now_us)
            return result

        return self._write(steady_work, self._present)

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T | BaseException]:
        """Run calls that read and write this book in one transaction, with one commit for all.

        Each fails alone: what it wrote is undone, and the others stand. A call sees what those before it wrote.

        Returns:
            What each call returned, or what it raised.

        Raises:
            UnavailableError: the book cannot be written; nothing of any call was kept.
        """
        with self._lock:
            try:
                self._begin_write()
                topics: list[str] = []
                self._group = topics
                outcomes = [self._outcome(call) for call in calls]
                failpoints.reach("storage.before_commit")
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if isinstance(error, sqlite3.Error):
                    raise self._failure(error) from error
                raise
            finally:
                self._group = None
        failpoints.reach("storage.after_commit")
        if topics:
            wakeups.wake(self._wake_folder, topics)
        return outcomes

    def _outcome(self, call: Callable[[], T]) -> T | BaseException:
        try:
            return call()
        except Exception as error:
            if not self._connection.in_transaction:
                raise  # SQLite has undone the whole transaction: a full disk, a fault of the medium
            return self._failure(error) if isinstance(error, sqlite3.Error) else error

    def _nested(self, work: Callable[[SqliteTransaction], T], now: Clock, topics: list[str]) -> T:
        self._connection.execute("SAVEPOINT one_of_several")
        tx = SqliteTransaction(self._connection, now())
        try:
            result = work(tx)
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO one_of_several")
                self._connection.execute("RELEASE one_of_several")
            if isinstance(error, sqlite3.Error):
                raise self._failure(error) from error
            raise
        self._connection.execute("RELEASE one_of_several")
        topics += tx.topics
        return result

    def _present(self) -> int:
        """Return the instant, µs UTC, that the open transaction takes for the present."""
        if not self._steady:
            return self._now()
        return steady_clock.steady(self._now(), steady_clock.mark(self._connection), self.name)

    def accept_clock(self, check: Callable[[SqliteTransaction], object]) -> tuple[int, int]:
        """Take this machine's clock for right although the book was written later by an earlier one.

        Args:
            check: called in the transaction; raises where who asks may not do this.

        Returns:
            The mark that stood in the book, and the new one, µs UTC.
        """

        def work(tx: SqliteTransaction) -> tuple[int, int]:
            check(tx)
            return steady_clock.accept(self._connection, tx.now_us), tx.now_us

        return self._write(work, self._now)

    def _write(self, work: Callable[[SqliteTransaction], T], now: Clock) -> T:
        with self._lock:
            if self._group is not None:
                return self._nested(work, now, self._group)
            try:
                self._begin_write()
                self._refuse_if_moved()
                tx = SqliteTransaction(self._connection, now())
                result = work(tx)
                failpoints.reach("storage.before_commit")
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if isinstance(error, sqlite3.Error):
                    raise self._failure(error) from error
                raise
        failpoints.reach("storage.after_commit")
        if tx.topics:
            wakeups.wake(self._wake_folder, tx.topics)
        return result

    def _refuse_if_moved(self) -> None:
        """Refuse to write into a book that has moved, also since it was opened."""
        if self._foreign or not self._connection.execute("PRAGMA user_version").fetchone()[0]:
            return
        found = [str(row[0]) for row in self._connection.execute(VERSIONS)]
        self.moved_to = moved_to(found)
        if self.moved_to is not None:
            raise moved(self.name, self.moved_to)

    def _begin_write(self) -> None:
        try:
            self._connection.execute("PRAGMA busy_timeout=0")
            self._wait_for_turn()
        finally:
            self._connection.execute(f"PRAGMA busy_timeout={int(self._busy_seconds * 1000)}")

    def _wait_for_turn(self) -> None:
        deadline = 0.0
        pause = _PAUSE_FIRST_SECONDS
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not sqlite_files.is_busy(error):
                    raise
                deadline = deadline or time.monotonic() + left_seconds(self._busy_seconds)
                if time.monotonic() > deadline:
                    raise
                time.sleep(pause * (0.5 + os.urandom(1)[0] / 255))
                pause = min(pause * 1.5, _PAUSE_LAST_SECONDS)
            else:
                return

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            return  # the failure that brought us here is the one to tell

    def read(self, work: Callable[[SqliteTransaction], T]) -> T:
        """Run ``work`` on one snapshot of the book."""
        with self._lock:
            if self._group is not None:
                return work(SqliteTransaction(self._connection, self._present()))
            try:
                self._connection.execute("BEGIN")
                result = work(SqliteTransaction(self._connection, self._present()))
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if isinstance(error, sqlite3.Error):
                    raise self._failure(error) from error
                raise
            return result

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening for commits of other connections and processes."""
        try:
            return wakeups.FifoListener(self._wake_folder, topics, self._folder_mode)
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @property
    def _wake_folder(self) -> str:
        return self.path + ".wake"

    def _failure(self, error: Exception) -> UnavailableError:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from error  # only a signal in let_signals_in interrupts a statement
        return sqlite_files.failure(error, self.path, self._busy_seconds)


def let_signals_in() -> int:
    """Do nothing: Python acts on signals when it runs a function, and what that raises ends the statement."""
    return 0
