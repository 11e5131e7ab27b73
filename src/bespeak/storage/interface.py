"""What a database is to the rest of bespeak: the small port behind which both engines stand.

Only types live here; the start-up path never imports this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")

Dialect = Literal["sqlite", "postgresql"]
Params = Mapping[str, Any]
Row = tuple[Any, ...]


class Transaction(Protocol):
    """Statements inside one transaction, with named parameters (``:name``) on both engines."""

    dialect: Dialect
    now_us: int
    """The one present instant of this transaction, µs UTC."""

    def fetch_all(self, sql: str, params: Params = ...) -> list[Row]:
        """Run a query and return every row."""

    def fetch_one(self, sql: str, params: Params = ...) -> Row | None:
        """Run a query and return its first row, or None."""

    def fetch_batch(self, queries: Sequence[tuple[str, Params]]) -> list[list[Row]]:
        """Run several queries, on PostgreSQL in one round trip, and return every row of each."""

    def fetch_pages(self, sql: str, params: Params = ..., *, size: int) -> Iterator[list[Row]]:
        """Run a query and yield its rows in portions of ``size``, so that they are never all in memory."""

    def execute(self, sql: str, params: Params = ...) -> int:
        """Run a statement and return how many rows it changed."""

    def execute_many(self, sql: str, many: Sequence[Params]) -> None:
        """Run one statement for each set of parameters."""

    def execute_deferred(self, sql: str, many: Sequence[Params]) -> None:
        """Run one statement for each set of parameters, whose outcome nobody needs.

        On PostgreSQL it travels with the next statement or with the commit, and saves a round trip.
        """

    def require(self, keys: Iterable[str]) -> None:
        """Hold the locks of ``keys``, too; only before the first change.

        Where a lock is missing and cannot be taken in its order any more, the transaction begins again with it.
        """

    def notify(self, topic: str) -> None:
        """Wake the listeners of ``topic`` (and of ``"*"``) once this transaction is committed."""


class Listener(Protocol):
    """A sleeper that commits wake up. It may wake for nothing; whoever wakes looks again."""

    def wait(self, timeout_seconds: float | None) -> bool:
        """Sleep until woken or until the time is over; True when woken."""

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when :meth:`wait` would return True at once."""

    def close(self) -> None:
        """Stop listening."""


class Engine(Protocol):
    """An open book."""

    dialect: Dialect
    name: str
    """Where the book is, without secrets, for messages."""
    made: bool
    """Whether opening it made the book, which was not there before."""
    moved_to: str | None
    """Where the book has moved to, without secrets; None while it is in use. It then refuses every write."""

    def transact(self, keys: Iterable[str], work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one write transaction that holds the locks named by ``keys``.

        ``work`` may run again after a deadlock, so it must have no effect outside the transaction.

        Raises:
            UnavailableError: the book cannot be asked or written; nothing was changed.
            OutcomeUnknownError: the connection went away during COMMIT.
        """

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction that sees one state of the book and changes nothing.

        Raises:
            UnavailableError: the book cannot be asked.
        """

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening; changes committed after this call wake the listener."""

    def close(self) -> None:
        """Give back connections and files."""
