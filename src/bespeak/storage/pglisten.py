"""A sleeper on a PostgreSQL book: LISTEN on a connection of its own.

A listener whose connection is lost has missed what happened meanwhile, so a reconnection counts as a wake-up: whoever
wakes looks again. While the server is away, waiting simply goes on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bespeak.errors import UnavailableError

ALL_TOPICS = "*"
_RETRY_SECONDS = 1.0
_LONGEST_SECONDS = 3600.0


class PostgresListener:
    """A sleeper on some topics of one book.

    Args:
        dsn: how to connect.
        channel: the NOTIFY channel of the book.
        topics: what to be woken for; ``"*"`` for everything.
        failure: turns a driver's error into the one the user sees.
    """

    def __init__(
        self, dsn: str, channel: str, topics: Iterable[str], failure: Callable[[Exception], UnavailableError]
    ) -> None:
        self._dsn = dsn
        self._channel = channel
        self._topics = frozenset(topics)
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            raise failure(error) from error

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection = psycopg.connect(self._dsn, autocommit=True, connect_timeout=10, application_name="bespeak-listen")
        connection.execute(f'LISTEN "{self._channel}"'.encode())
        return connection

    def wait(self, timeout_seconds: float | None) -> bool:
        """Sleep until woken or until the time is over; True when woken or reconnected."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            left = _LONGEST_SECONDS if deadline is None else deadline - time.monotonic()
            if left <= 0 and timeout_seconds:
                return False
            try:
                if self._take(max(left, 0.0)):
                    return True
            except psycopg.Error:
                if self._reconnect(deadline):
                    return True
            if not timeout_seconds and deadline is not None:
                return False

    def _take(self, seconds: float) -> bool:
        hit = False
        for note in self._connection.notifies(timeout=seconds, stop_after=1):
            hit = hit or ALL_TOPICS in self._topics or note.payload in self._topics
        return hit

    def _reconnect(self, deadline: float | None) -> bool:
        self._connection.close()
        try:
            self._connection = self._connect()
        except psycopg.Error:
            left = _RETRY_SECONDS if deadline is None else min(_RETRY_SECONDS, deadline - time.monotonic())
            time.sleep(max(left, 0.0))
            return False
        return True

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._connection.fileno()

    def close(self) -> None:
        """Stop listening."""
        self._connection.close()
