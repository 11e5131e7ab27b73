"""A sleeper on a PostgreSQL book: LISTEN on a connection of its own.

A listener whose connection is lost has missed what happened meanwhile, so a reconnection counts as a wake-up: whoever
wakes looks again. While the server is away, waiting simply goes on.

Behind a pooler that gives each transaction another session, LISTEN is heard by a session that is not ours. There the
sleeper wakes every second for nothing.
"""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import TYPE_CHECKING

import psycopg

from bespeak.storage.postgres.pool import connect, is_pooled
from bespeak.storage.time_limit import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bespeak.base.errors import UnavailableError
    from bespeak.storage.postgres.connection import Connection
    from bespeak.storage.postgres.url import PostgresUrl

ALL_TOPICS = "*"
_RETRY_SECONDS = 0.5
_POOLED_SECONDS = 1.0
_LONGEST_SECONDS = 3600.0
_CHECK_SECONDS = 30.0
_CHECK_ANSWER_SECONDS = 5.0


def topic_hash(topic: str) -> str:
    """Return what stands for a topic in a notification, whose length the server limits."""
    return blake2b(topic.encode(), digest_size=12).hexdigest()


class PostgresListener:
    """A sleeper on some topics of one book.

    Args:
        address: how to connect.
        channel: the NOTIFY channel of the book.
        topics: what to be woken for; ``"*"`` for everything.
        failure: turns a driver's error into the one the user sees.
    """

    def __init__(
        self,
        address: PostgresUrl,
        channel: str,
        topics: Iterable[str],
        failure: Callable[[Exception], UnavailableError],
    ) -> None:
        self._address = address
        self._channel = channel
        topics = list(topics)
        self._everything = ALL_TOPICS in topics
        self._hashes = frozenset(topic_hash(topic) for topic in topics)
        self._checked = time.monotonic()
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            raise failure(error) from error

    def _connect(self) -> Connection:
        connection = connect(self._address, "bespeak-listen")
        try:
            (backend_pid,) = connection.execute(b"SELECT pg_catalog.pg_backend_pid()").fetchone() or (0,)
            self._pooled = is_pooled(connection, backend_pid)
            if not self._pooled:
                connection.execute(f'LISTEN "{self._channel}"'.encode())
        except BaseException:
            connection.close()
            raise
        return connection

    def wait(self, timeout_seconds: float | None) -> bool:
        """Sleep until woken or until the time is over; True when woken or reconnected."""
        if self._pooled:
            time.sleep(_POOLED_SECONDS if timeout_seconds is None else min(max(timeout_seconds, 0.0), _POOLED_SECONDS))
            return True
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            left = _LONGEST_SECONDS if deadline is None else max(deadline - time.monotonic(), 0.0)
            heard = self.hear(left)
            if heard is None or (heard and (self._everything or not self._hashes.isdisjoint(heard))):
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False

    def hear(self, seconds: float) -> frozenset[str] | None:
        """Wait for notifications, for so long; return what stands for their topics, or None: it may be anything."""
        if self._pooled:
            time.sleep(min(seconds, _POOLED_SECONDS))
            return None
        try:
            return self._take(seconds)
        except psycopg.Error:
            return None if self._reconnect(seconds) else frozenset()

    def _take(self, seconds: float) -> frozenset[str]:
        """Wait for notifications; while none comes, see now and then whether there is still a way."""
        connection = self._connection
        connection.bounded = False
        try:
            notes = connection.notifies(timeout=min(seconds, _CHECK_SECONDS), stop_after=1)
            heard = frozenset(note.payload for note in notes)
        finally:
            connection.bounded = True
        if heard:
            self._checked = time.monotonic()
        elif time.monotonic() - self._checked >= _CHECK_SECONDS:
            with within(_CHECK_ANSWER_SECONDS):
                connection.execute(b"SELECT 1")
            self._checked = time.monotonic()
        return heard

    def _reconnect(self, seconds: float) -> bool:
        self._connection.close()
        try:
            self._connection = self._connect()
        except psycopg.Error:
            time.sleep(min(_RETRY_SECONDS, max(seconds, 0.0)))
            return False
        self._checked = time.monotonic()
        return True

    def fileno(self) -> int:
        """Return the descriptor to wait on; after a reconnection it is another one."""
        return self._connection.fileno()

    def close(self) -> None:
        """Stop listening."""
        self._connection.close()
