"""The engine for many machines: PostgreSQL through psycopg 3.

A write takes ``pg_advisory_xact_lock`` on its keys, sorted, before it looks: the check-then-write code that is
right under SQLite's single writer is so right here too. Exclusion constraints alone would deadlock under contention.
The server's clock is the one clock of all machines. Notifications are sent after the commit, outside the
transaction, because a NOTIFY inside it serialises all commits of the database.
"""

from __future__ import annotations

import random
import time
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TYPE_CHECKING

from bespeak.base import clock, failpoints
from bespeak.base.errors import NoBookError, OutcomeUnknownError, UnavailableError, UsageError, needs_extra
from bespeak.storage.migrations import MIGRATION_KEY, VERSIONS, migrate, moved, moved_to, up_to_date
from bespeak.storage.postgres.url import PostgresUrl

try:
    import psycopg
except ImportError as missing:
    raise UsageError(needs_extra("a postgresql:// book", "postgres")) from missing
from psycopg import errors as pg_errors

from bespeak.storage.postgres.commit_status import (
    BEGIN_WRITE,
    CLEAN,
    CLEAN_EVERY,
    COMMITS,
    MARK,
    new_marker,
    oldest_kept,
    was_committed,
)
from bespeak.storage.postgres.listener import PostgresListener, topic_hash
from bespeak.storage.postgres.pool import ConnectionPool, is_pooled
from bespeak.storage.postgres.schema_owner import access
from bespeak.storage.postgres.transaction import MoreLocksError, PostgresTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak.base.clock import Clock
    from bespeak.storage.interface import Dialect, Params, Row, T
    from bespeak.storage.migrations import Component
    from bespeak.storage.postgres.connection import Connection
    from bespeak.storage.postgres.schema_owner import Access

_TRIES = 10
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pg_backend_pid()"
_NOTIFY = b"""
SELECT pg_catalog.pg_notify(%(channel)s, t) FROM pg_catalog.unnest(%(topics)s::pg_catalog.text[]) AS t
"""
# Whatever the default of the session, the locks come before the first look: a snapshot of all the transaction's
# statements would be taken before the locks were there.
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
_AGAIN = (pg_errors.DeadlockDetected, pg_errors.SerializationFailure)


@lru_cache(maxsize=16_384)
def _key_number(schema: str, key: str) -> int:
    digest = blake2b(f"{schema}\0{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class PostgresEngine:
    """A book in one schema of a PostgreSQL database; see :class:`bespeak.storage.interface.Engine`.

    Args:
        url: ``postgresql://user:password@host/database?schema=NAME``.
        components: the tables it must have.
        durable: wait for the commit to reach the disk, whatever the server's default is.
        now: a clock for tests; None asks the server.
        create: make the schema and tables where there are none.
    """

    dialect: Dialect = "postgresql"

    def __init__(
        self,
        url: str,
        components: Sequence[Component],
        *,
        durable: bool = True,
        now: Clock | None = None,
        create: bool = True,
    ) -> None:
        self.made = False
        self.moved_to: str | None = None
        self._address = PostgresUrl(url)
        self.schema = self._address.schema
        self.name = self._address.name
        self.channel = f"bespeak_{self.schema}"[:63]
        self._now = now
        self._connections = ConnectionPool(self._address, durable=durable)
        self._allowed: Access | None = None
        try:
            self._prepare((COMMITS, *components), create=create)
        except BaseException:
            self.close()
            raise

    def _prepare(self, components: Sequence[Component], *, create: bool) -> None:
        done = False
        while not done:
            allowed, versions = self._look()
            self.moved_to = moved_to(versions)
            if up_to_date(versions, components, self.name):
                return
            if not versions and not create:
                raise NoBookError.at(self.name, self.read(lambda tx: tx.now_us) - clock.now())
            if not allowed.may_make:
                raise UnavailableError(
                    f"book {self.name}: some tables are missing or older than this bespeak, and role "
                    f'"{allowed.role}" may not make them; let "{allowed.owner}", who owns the schema, use the book once'
                )
            making = partial(self._migrate, components=components, seen=bool(allowed.owner))
            done = self.transact((MIGRATION_KEY,), making)
            self.made = done and not versions

    def _look(self) -> tuple[Access, dict[str, int]]:
        """Return what we may do and the version of each component; none where there is no book yet."""

        def look(connection: Connection) -> tuple[Access, list[Row]]:
            try:
                allowed = self._allowed = access(connection, self.schema, self._address.owners, self.name)
                connection.execute(self._connections.settings.encode())
                return allowed, connection.execute(VERSIONS.encode()).fetchall()
            except pg_errors.UndefinedTable:
                return allowed, []
            finally:
                _roll_back(connection)

        try:
            connection, (allowed, found) = self._connections.acquire(look)
            self._connections.release(connection)
        except psycopg.Error as error:
            raise self._failure(error) from error
        return allowed, {str(name): int(version) for name, version in found}

    def _migrate(self, tx: PostgresTransaction, components: Sequence[Component], *, seen: bool) -> bool:
        """Make the tables; False where somebody has made the schema since we looked whose it is."""
        there = tx.fetch_one("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :schema", {"schema": self.schema})
        if there and not seen:
            return False
        if not there:
            tx.execute(f'CREATE SCHEMA "{self.schema}"')
        migrate(tx, components, self.name)
        return True

    def transact(self, keys: Iterable[str], work: Callable[[PostgresTransaction], T]) -> T:
        """Run ``work`` in one write transaction that holds the advisory locks of ``keys``."""
        if self.moved_to is not None:
            raise moved(self.name, self.moved_to)
        held = frozenset(keys)
        attempt = 0
        while True:
            attempt += 1
            try:
                result = self._attempt(held, work)
            except MoreLocksError as missing:
                held |= missing.keys
            except _AGAIN as error:
                if attempt >= _TRIES:
                    raise self._failure(error) from error
                time.sleep(0.02 * attempt * random.random())  # noqa: S311 -- two that met must part
            except psycopg.Error as error:
                raise self._failure(error) from error
            else:
                failpoints.reach("storage.after_commit")
                return result

    def _write_start(self, keys: Iterable[str]) -> bytes:
        """Return the first message of a write: begin, take the locks in order, and only then look at the clock."""
        numbers = sorted({_key_number(self.schema, key) for key in keys})
        locks = "".join(f"SELECT pg_advisory_xact_lock({number}); " for number in numbers)
        return f"{BEGIN_WRITE}{self._connections.settings}{locks}{_NOW}".encode()

    def _attempt(self, keys: frozenset[str], work: Callable[[PostgresTransaction], T]) -> T:
        begin = self._write_start(keys)
        connection, tx = self._connections.acquire(lambda connection: self._transaction(connection, begin, keys))
        try:
            try:
                result = work(tx)
                failpoints.reach("storage.before_commit")
            except BaseException:
                _roll_back(connection)
                raise
            lost = self._commit(connection, tx)
        finally:
            self._connections.release(connection)
        if lost is not None:  # asking takes a connection, so the broken one was given back first
            self._recover(tx, *lost)
        return result

    def _transaction(
        self, connection: Connection, begin: bytes, keys: frozenset[str] | None = None
    ) -> PostgresTransaction:
        try:
            cursor = connection.execute(begin)
            while cursor.nextset():
                pass
            row = cursor.fetchone()
        except BaseException:
            _roll_back(connection)
            raise
        server_us, backend_pid = row or (0, 0)
        if connection.prepare_threshold is not None and is_pooled(connection, backend_pid):
            connection.prepare_threshold = None  # another session does not know what was prepared in this one
        now_us = self._now() if self._now else server_us
        return PostgresTransaction(connection, now_us, new_marker(server_us), keys)

    def _commit(self, connection: Connection, tx: PostgresTransaction) -> tuple[psycopg.Error, bool] | None:
        """Send what is left to write, the marker, COMMIT, and the wake-ups behind it, in one message.

        Returns:
            None if the server answered everything; else what went wrong, and whether the commit was answered.

        Raises:
            psycopg.Error: nothing was changed.
        """
        commit: psycopg.Cursor[Row] | None = None
        try:
            with connection.pipeline() as pipeline:
                tx.send()
                connection.execute(MARK, {"marker": tx.marker})
                if random.randrange(CLEAN_EVERY) == 0:  # noqa: S311 -- any commit will do
                    connection.execute(CLEAN, {"before": oldest_kept(tx.marker)})
                commit = connection.execute("COMMIT")
                if tx.topics:
                    pipeline.sync()
                    connection.execute(_NOTIFY, self._notice(tx))
        except psycopg.Error as error:
            acknowledged = _answer(commit) == "COMMIT"
            if acknowledged or connection.closed:
                return error, acknowledged
            _roll_back(connection)
            raise
        if _answer(commit) == "ROLLBACK":
            # That is how the server answers the COMMIT of a transaction in which a statement failed.
            raise UnavailableError(f"book {self.name}: a statement of this transaction failed; nothing was changed")
        return None

    def _recover(self, tx: PostgresTransaction, error: psycopg.Error, acknowledged: bool) -> None:
        """Send the wake-ups of a transaction that ended with ``error`` if it was committed all the same.

        Raises:
            psycopg.Error: ``error``; it was not made.
            OutcomeUnknownError: nobody can say.
        """
        committed = acknowledged or was_committed(self._connections, tx.marker)
        if committed is None:
            raise OutcomeUnknownError(
                f"book {self.name}: the connection was lost during the commit; look whether the change was made"
            ) from error
        if not committed:
            raise error
        self._notify(self._notice(tx))

    def _notice(self, tx: PostgresTransaction) -> Params:
        return {"channel": self.channel, "topics": [topic_hash(topic) for topic in dict.fromkeys(tx.topics)]}

    def _notify(self, notice: Params) -> None:
        """Send the wake-ups of a commit whose connection was lost."""
        try:
            connection, _ = self._connections.acquire(lambda connection: connection.execute(_NOTIFY, notice))
            self._connections.release(connection)
        except (psycopg.Error, UnavailableError):
            return  # the server is away: sleepers look again when they reconnect

    def read(self, work: Callable[[PostgresTransaction], T]) -> T:
        """Run ``work`` on one snapshot of the book."""
        begin = f"{_BEGIN_READ}{self._connections.settings}{_NOW}".encode()
        try:
            connection, tx = self._connections.acquire(lambda connection: self._transaction(connection, begin))
            try:
                return work(tx)
            finally:
                _roll_back(connection)
                self._connections.release(connection)
        except psycopg.Error as error:
            raise self._failure(error) from error

    def listen(self, topics: Iterable[str]) -> PostgresListener:
        """Start listening; needs a connection of its own."""
        return PostgresListener(self._address, self.channel, topics, self._failure)

    def close(self) -> None:
        """Give the connections back."""
        self._connections.close()

    def _failure(self, error: Exception) -> UnavailableError:
        first_line = self._address.redacted(error).strip().splitlines()[:1]
        text = first_line[0] if first_line else type(error).__name__
        if self._allowed and self._allowed.owner and isinstance(error, pg_errors.InsufficientPrivilege):
            text += f' for role "{self._allowed.role}"; "{self._allowed.owner}", who owns the schema, can grant it'
        return UnavailableError(f"book {self.name}: {text}")


def _answer(cursor: psycopg.Cursor[Row] | None) -> str:
    return (cursor.statusmessage or "") if cursor else ""


def _roll_back(connection: Connection) -> None:
    try:
        if not connection.closed:
            connection.execute("ROLLBACK")
    except psycopg.Error:
        return  # the failure that brought us here is the one to tell
