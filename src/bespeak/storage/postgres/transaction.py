"""Statements inside one PostgreSQL transaction."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from bespeak.base import failpoints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg

    from bespeak.storage.interface import Dialect, Params, Row
    from bespeak.storage.postgres.connection import Connection

_NOTHING: dict[str, object] = {}


@lru_cache(maxsize=512)
def _translate(sql: str) -> bytes:
    """Turn ``:name`` into psycopg's ``%(name)s``."""
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", sql.replace("%", "%%")).encode()


class MoreLocksError(Exception):
    """A transaction has found out that it needs more locks; it begins again with them."""

    def __init__(self, keys: set[str]) -> None:
        super().__init__(f"{len(keys)} more locks")
        self.keys = keys


class PostgresTransaction:
    """Statements inside one PostgreSQL transaction; see :class:`bespeak.storage.interface.Transaction`."""

    __slots__ = ("_connection", "_keys", "_later", "marker", "now_us", "topics")
    dialect: Dialect = "postgresql"

    def __init__(self, connection: Connection, now_us: int, marker: str, keys: frozenset[str] | None) -> None:
        self._connection = connection
        self._keys = keys
        self.now_us = now_us
        self.marker = marker
        self.topics: list[str] = []
        self._later: list[tuple[bytes, Params]] = []

    def fetch_all(self, sql: str, params: Params = _NOTHING) -> list[Row]:
        """Run a query and return every row."""
        return self._execute(sql, params).fetchall()

    def fetch_one(self, sql: str, params: Params = _NOTHING) -> Row | None:
        """Run a query and return its first row, or None."""
        return self._execute(sql, params).fetchone()

    def fetch_batch(self, queries: Sequence[tuple[str, Params]]) -> list[list[Row]]:
        """Run several queries in one round trip and return every row of each."""
        failpoints.reach("storage.statement")
        with self._connection.pipeline():
            self.send()
            cursors = [self._connection.execute(_translate(sql), params) for sql, params in queries]
        return [cursor.fetchall() for cursor in cursors]

    def fetch_pages(self, sql: str, params: Params = _NOTHING, *, size: int) -> Iterator[list[Row]]:
        """Run a query and yield its rows in portions of ``size``."""
        failpoints.reach("storage.statement")
        self.send()
        with self._connection.cursor("pages") as cursor:
            cursor.execute(_translate(sql), params)
            while rows := cursor.fetchmany(size):
                yield rows

    def execute(self, sql: str, params: Params = _NOTHING) -> int:
        """Run a statement and return how many rows it changed."""
        return self._execute(sql, params).rowcount

    def execute_many(self, sql: str, many: Sequence[Params]) -> None:
        """Run one statement for each set of parameters, in one round trip."""
        failpoints.reach("storage.statement")
        with self._connection.pipeline():
            self.send()
            for params in many:
                self._connection.execute(_translate(sql), params)

    def execute_deferred(self, sql: str, many: Sequence[Params]) -> None:
        """Run one statement for each set of parameters, no later than the next statement or the commit."""
        failpoints.reach("storage.statement")
        text = _translate(sql)
        self._later += [(text, params) for params in many]

    def send(self) -> None:
        """Send what :meth:`execute_deferred` kept; inside a pipeline, so that nothing waits for the answers."""
        for text, params in self._later:
            self._connection.execute(text, params)
        self._later.clear()

    def _execute(self, sql: str, params: Params) -> psycopg.Cursor[Row]:
        failpoints.reach("storage.statement")
        if not self._later:
            return self._connection.execute(_translate(sql), params)
        with self._connection.pipeline():
            self.send()
            return self._connection.execute(_translate(sql), params)

    def require(self, keys: Iterable[str]) -> None:
        """Hold the locks of ``keys``, too: begin again where one is missing. A transaction that reads needs none."""
        wanted = set(keys)
        if self._keys is not None and not self._keys.issuperset(wanted):
            raise MoreLocksError(wanted)

    def notify(self, topic: str) -> None:
        """Wake the listeners of ``topic`` once this transaction is committed."""
        self.topics.append(topic)
