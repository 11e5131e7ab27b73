"""The engine for many machines: PostgreSQL through psycopg 3.

A write takes ``pg_advisory_xact_lock`` on its keys, sorted, before it looks: the check-then-write code that is
right under SQLite's single writer is so right here too. Exclusion constraints alone would deadlock under contention.
The server's clock is the one clock of all machines. Notifications are sent after the commit, outside the
transaction, because a NOTIFY inside it serialises all commits of the database.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from bespeak import failpoints
from bespeak.errors import OutcomeUnknownError, UnavailableError, UsageError
from bespeak.storage.pgurl import Address
from bespeak.storage.schema import MIGRATION_KEY, VERSIONS, migrate, up_to_date

try:
    import psycopg
    from psycopg import errors as pg_errors
    from psycopg_pool import ConnectionPool, PoolTimeout
except ImportError as missing:
    raise UsageError("a postgresql:// book needs the extra: pip install 'bespeak[postgres]'") from missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak.clock import Clock
    from bespeak.storage.port import Dialect, Listener, Params, Row, T
    from bespeak.storage.schema import Component

    Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_SECONDS = 10.0
TRANSACTION_LIMIT_MS = 30_000
"""No transaction of ours lives longer than this: a gap in the log's numbers older than it was rolled back."""

_TRIES = 10
_NOTHING: dict[str, object] = {}
_LOCK = "SELECT pg_advisory_xact_lock(k) FROM unnest(%(keys)s::bigint[]) AS k"
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


@lru_cache(maxsize=512)
def _translate(sql: str) -> bytes:
    """Turn ``:name`` into psycopg's ``%(name)s``."""
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", sql.replace("%", "%%")).encode()


@lru_cache(maxsize=16_384)
def _key_number(schema: str, key: str) -> int:
    digest = blake2b(f"{schema}\0{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class PostgresTransaction:
    """Statements inside one PostgreSQL transaction; see :class:`bespeak.storage.port.Transaction`."""

    __slots__ = ("_connection", "now_us", "topics")
    dialect: Dialect = "postgresql"

    def __init__(self, connection: Connection, now_us: int) -> None:
        self._connection = connection
        self.now_us = now_us
        self.topics: list[str] = []

    def all(self, sql: str, params: Params = _NOTHING) -> list[Row]:
        """Run a query and return every row."""
        return self._connection.execute(_translate(sql), params).fetchall()

    def one(self, sql: str, params: Params = _NOTHING) -> Row | None:
        """Run a query and return its first row, or None."""
        return self._connection.execute(_translate(sql), params).fetchone()

    def run(self, sql: str, params: Params = _NOTHING) -> int:
        """Run a statement and return how many rows it changed."""
        failpoints.reach("storage.statement")
        return self._connection.execute(_translate(sql), params).rowcount

    def run_many(self, sql: str, many: Sequence[Params]) -> None:
        """Run one statement for each set of parameters, in one round trip."""
        failpoints.reach("storage.statement")
        if many:
            with self._connection.cursor() as cursor:
                cursor.executemany(_translate(sql), many)

    def wake(self, topic: str) -> None:
        """Wake the listeners of ``topic`` once this transaction is committed."""
        self.topics.append(topic)


class PostgresEngine:
    """A book in one schema of a PostgreSQL database; see :class:`bespeak.storage.port.Engine`.

    Args:
        url: ``postgresql://user:password@host/database?schema=NAME``.
        components: the tables it must have.
        durable: wait for the commit to reach the disk, whatever the server's default is.
        now: a clock for tests; None asks the server.
    """

    dialect: Dialect = "postgresql"

    def __init__(
        self, url: str, components: Sequence[Component], *, durable: bool = True, now: Clock | None = None
    ) -> None:
        self._address = Address(url)
        self._dsn = self._address.dsn
        self.schema = self._address.schema
        self.name = self._address.name
        self._now = now
        self._durable = durable
        self.channel = f"bespeak_{self.schema}"[:63]
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self._dsn,
            min_size=0,
            max_size=8,
            timeout=CONNECT_SECONDS,
            num_workers=1,
            open=False,
            configure=self._configure,
            check=ConnectionPool.check_connection,
            kwargs={"autocommit": True, "connect_timeout": int(CONNECT_SECONDS), "application_name": "bespeak"},
        )
        self._open(components)

    def _open(self, components: Sequence[Component]) -> None:
        # The first connection is made by hand: the pool would retry a wrong password until its time-out.
        try:
            with psycopg.connect(self._dsn, autocommit=True, connect_timeout=int(CONNECT_SECONDS)) as connection:
                self._configure(connection)
                if not up_to_date(self._versions(connection), components, self.name):
                    self._migrate(connection, components)
        except psycopg.Error as error:
            raise self._failure(error) from error
        self._pool.open()

    def _versions(self, connection: Connection) -> dict[str, int]:
        try:
            return {str(name): int(version) for name, version in connection.execute(VERSIONS.encode())}
        except pg_errors.UndefinedTable:
            return {}

    def _migrate(self, connection: Connection, components: Sequence[Component]) -> None:
        with connection.transaction():
            connection.execute(_LOCK, {"keys": [_key_number(self.schema, MIGRATION_KEY)]})
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"'.encode())
            migrate(PostgresTransaction(connection, self._instant(connection)), components, self.name)

    def _configure(self, connection: Connection) -> None:
        durable = "on" if self._durable else "off"
        connection.execute(
            f'SET search_path TO "{self.schema}"; SET synchronous_commit TO {durable}; '
            f"SET statement_timeout TO {TRANSACTION_LIMIT_MS}; SET lock_timeout TO {TRANSACTION_LIMIT_MS}; "
            f"SET idle_in_transaction_session_timeout TO {TRANSACTION_LIMIT_MS}; "
            "SET client_min_messages TO warning".encode()
        )

    def _instant(self, connection: Connection) -> int:
        if self._now is not None:
            return self._now()
        row = connection.execute(_NOW).fetchone()
        return int(row[0]) if row else 0

    def transact(self, keys: Iterable[str], work: Callable[[PostgresTransaction], T]) -> T:
        """Run ``work`` in one write transaction that holds the advisory locks of ``keys``."""
        numbers = sorted({_key_number(self.schema, key) for key in keys})
        for attempt in range(1, _TRIES + 1):
            try:
                result, topics = self._attempt(numbers, work)
            except (pg_errors.DeadlockDetected, pg_errors.SerializationFailure) as error:
                if attempt == _TRIES:
                    raise self._failure(error) from error
                time.sleep(0.002 * attempt * (0.5 + numbers[0] % 97 / 97 if numbers else 1))
            except (psycopg.Error, PoolTimeout) as error:
                raise self._failure(error) from error
            else:
                self._notify(topics)
                return result
        raise AssertionError("unreachable")  # pragma: no cover

    def _attempt(self, numbers: list[int], work: Callable[[PostgresTransaction], T]) -> tuple[T, list[str]]:
        with self._pool.connection() as connection:
            try:
                tx = PostgresTransaction(connection, self._begin(connection, numbers))
                result = work(tx)
                failpoints.reach("storage.before_commit")
            except BaseException:
                self._roll_back(connection)
                raise
            self._commit(connection)
            return result, tx.topics

    def _begin(self, connection: Connection, numbers: list[int]) -> int:
        with connection.pipeline():
            connection.execute("BEGIN")
            if numbers:
                connection.execute(_LOCK, {"keys": numbers})
            clock_row = None if self._now else connection.execute(_NOW)
        if self._now is not None:
            return self._now()
        row = clock_row.fetchone() if clock_row else None
        return int(row[0]) if row else 0

    def _commit(self, connection: Connection) -> None:
        try:
            connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            if connection.broken or connection.closed:
                raise OutcomeUnknownError(
                    f"book {self.name}: the connection was lost during the commit; look whether the change was made"
                ) from error
            raise
        failpoints.reach("storage.after_commit")

    def _roll_back(self, connection: Connection) -> None:
        try:
            if not connection.closed:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            return  # the failure that brought us here is the one to tell

    def _notify(self, topics: list[str]) -> None:
        if not topics:
            return
        try:
            with self._pool.connection() as connection:
                connection.execute(
                    "SELECT pg_notify(%(channel)s, t) FROM unnest(%(topics)s::text[]) AS t",
                    {"channel": self.channel, "topics": list(dict.fromkeys(topics))},
                )
        except (psycopg.Error, PoolTimeout):
            return  # the change is committed; a wake-up is a hint, and sleepers look again by themselves

    def read(self, work: Callable[[PostgresTransaction], T]) -> T:
        """Run ``work`` on one snapshot of the book."""
        try:
            with self._pool.connection() as connection:
                with connection.pipeline():
                    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    clock_row = None if self._now else connection.execute(_NOW)
                row = clock_row.fetchone() if clock_row else None
                now_us = self._now() if self._now else int(row[0]) if row else 0
                try:
                    result = work(PostgresTransaction(connection, now_us))
                except BaseException:
                    self._roll_back(connection)
                    raise
                connection.execute("COMMIT")
                return result
        except (psycopg.Error, PoolTimeout) as error:
            raise self._failure(error) from error

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening; needs a connection of its own."""
        from bespeak.storage.pglisten import PostgresListener

        return PostgresListener(self._dsn, self.channel, topics, self._failure)

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    def _failure(self, error: Exception) -> UnavailableError:
        first_line = str(error).strip().splitlines()[:1]
        text = self._address.redact(first_line[0]) if first_line else type(error).__name__
        return UnavailableError(f"book {self.name}: {text}")
