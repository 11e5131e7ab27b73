"""The connections of one PostgreSQL book: opened when first needed, kept for the next use, replaced when dead.

Much less than a general pool does, and faster: no threads, no question to the server before each use. A connection
that died while it was idle shows itself at the first statement of a transaction, when nothing has been done on it, and
a new one takes its place.

A connection has no state of ours: behind a pooler each transaction may run in another session, and settings that we
left there would be met by other programs. So each transaction begins with the settings that it needs.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from bespeak.base.errors import UnavailableError, UsageError
from bespeak.storage.postgres.connection import TRANSACTION_LIMIT_MS, Connection, connect_seconds
from bespeak.storage.time_limit import left_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.storage.postgres.url import PostgresUrl

R = TypeVar("R")

# What the driver has to say about a lost connection reaches the user as our one line, not on stderr as well.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

LIMIT = 8
"""Most connections of one process; further threads wait their turn."""


def is_pooled(connection: Connection, backend_pid: int) -> bool:
    """Tell whether the session that answers, ``backend_pid``, is another than the one that we were given.

    Then a pooler stands between, and two transactions of one connection may run in two sessions.
    """
    return connection.info.backend_pid != backend_pid


def connect(address: PostgresUrl, application: str) -> Connection:
    """Open a connection that notices within a minute that its network is gone.

    Raises:
        UsageError: the URL would load code into this process.
        psycopg.Error: there is no connection to be had.
    """
    ours: dict[str, str | int] = {
        "application_name": application,
        "connect_timeout": connect_seconds(),
        "keepalives_idle": 20,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 50_000,
    }
    missing = {key: value for key, value in ours.items() if f"{key}=" not in address.dsn}
    conninfo = make_conninfo(address.dsn, **missing)
    if ":" in str(conninfo_to_dict(conninfo).get("sslkey") or ""):
        raise UsageError(f"book {address.name}: sslkey must be a file: an engine would be loaded as code")
    return Connection.connect(conninfo, autocommit=True)


class ConnectionPool:
    """Connections to one book, lent to one transaction at a time; safe among threads.

    Args:
        address: where the book is.
        durable: a commit waits until it is on the disk.
    """

    def __init__(self, address: PostgresUrl, *, durable: bool) -> None:
        self._address = address
        self._durable = durable
        self._idle: list[Connection] = []
        self._turns = threading.BoundedSemaphore(LIMIT)
        self._closed = False

    @property
    def settings(self) -> str:
        """The statements with which every transaction begins: names are looked up in the book's schema."""
        return (
            f'SET LOCAL search_path TO "{self._address.schema}", pg_temp; '
            f"SET LOCAL synchronous_commit TO {'on' if self._durable else 'off'}; "
            f"SET LOCAL statement_timeout TO {TRANSACTION_LIMIT_MS}; SET LOCAL lock_timeout TO {TRANSACTION_LIMIT_MS}; "
            f"SET LOCAL idle_in_transaction_session_timeout TO {TRANSACTION_LIMIT_MS}; "
        )

    def acquire(self, begin: Callable[[Connection], R]) -> tuple[Connection, R]:
        """Return a connection on which ``begin`` has just succeeded, and what it returned.

        Raises:
            psycopg.Error: no connection can be had, or ``begin`` failed.
            UnavailableError: all connections stay busy, or the book is closed.
        """
        if not self._turns.acquire(timeout=left_seconds(TRANSACTION_LIMIT_MS / 1000)):
            raise UnavailableError(f"book {self._address.name}: all {LIMIT} connections of this process are busy")
        try:
            while self._idle and not self._closed:
                connection = self._pop()
                if connection is None:
                    break
                try:
                    return connection, begin(connection)
                except psycopg.OperationalError:
                    if not connection.closed:
                        self._keep(connection)
                        raise
                except BaseException:
                    self._keep(connection)
                    raise
            connection = self._connect()
            try:
                return connection, begin(connection)
            except BaseException:
                self._keep(connection)
                raise
        except BaseException:
            self._turns.release()
            raise

    def release(self, connection: Connection) -> None:
        """Take back what :meth:`acquire` gave."""
        self._keep(connection)
        self._turns.release()

    def close(self) -> None:
        """Close every idle connection; lent ones are closed when they come back."""
        self._closed = True
        while (connection := self._pop()) is not None:
            connection.close()

    def _pop(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _keep(self, connection: Connection) -> None:
        if connection.info.transaction_status == TransactionStatus.IDLE and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()

    def _connect(self) -> Connection:
        if self._closed:
            raise UnavailableError(f"book {self._address.name}: it was closed")
        return connect(self._address, "bespeak")
