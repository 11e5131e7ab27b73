"""A book that is made by the first write that is not refused: what refuses it leaves no book behind."""

from __future__ import annotations

import sqlite3
from threading import RLock
from typing import TYPE_CHECKING, Any

from bespeak.storage.sqlite import SqliteEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bespeak.base.clock import Clock
    from bespeak.storage.interface import Dialect, Engine, Listener, T, Transaction
    from bespeak.storage.migrations import Component

_NOWHERE = "/dev/null/book"


class EmptyBook(SqliteEngine):
    """An empty book in memory.

    Args:
        name: what it is called in messages.
        components: the tables it has.
        now: the clock.
    """

    def __init__(self, name: str, components: Sequence[Component], now: Clock) -> None:
        super().__init__(_NOWHERE, components, now=now)
        self.name = name

    def _open(self, file_mode: int, *, durable: bool, foreign: bool) -> sqlite3.Connection:
        del file_mode, durable, foreign
        return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)

    @property
    def changes(self) -> int:
        """How many rows were changed since it was opened."""
        return self._connection.total_changes


class ListenerAtFirstWrite:
    """Listens to a book from when it is made.

    Args:
        make: makes it, for who waits before anybody has written.
        topics: what to listen to.
    """

    def __init__(self, make: Callable[[], object], topics: Sequence[str]) -> None:
        self._make = make
        self._topics = topics
        self._listener: Listener | None = None
        self._is_closed = False

    def begin(self, book: Engine) -> None:
        """Listen to the book, which was made just now."""
        if not self._is_closed:
            self._listener = book.listen(self._topics)

    def wait(self, timeout_seconds: float | None) -> bool:
        """Sleep until woken or until the time is over; True when woken."""
        return self._begun().wait(timeout_seconds)

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when :meth:`wait` would return True at once."""
        return self._begun().fileno()

    def close(self) -> None:
        """Stop listening."""
        self._is_closed = True
        if self._listener is not None:
            self._listener.close()

    def _begun(self) -> Listener:
        if self._listener is None:
            self._make()
        if self._listener is None:
            raise RuntimeError("this listener is closed")
        return self._listener


class EngineAtFirstWrite:
    """Reads an empty book, tries each write in it, and makes the real one for the first that changes something.

    Args:
        name: where the book will be, without secrets.
        components: the tables it will have.
        make: opens the book, making it where nobody has made it since.
        when_made: called with its name as soon as it was made.
        now: the clock that the book will go by.
        dialect: of the real one.
    """

    def __init__(
        self,
        name: str,
        components: Sequence[Component],
        make: Callable[[], Engine],
        when_made: Callable[[str], None],
        now: Clock,
        dialect: Dialect,
    ) -> None:
        self.dialect = dialect
        self._make = make
        self._when_made = when_made
        self._lock = RLock()
        self._empty = EmptyBook(name, components, now)
        self._real: Engine | None = None
        self._listeners: list[ListenerAtFirstWrite] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._empty if self._real is None else self._real, name)

    def transact(self, keys: Iterable[str], work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one write transaction; in the real book only if it changes the empty one."""
        held = tuple(keys)
        if self._real is None:
            before = self._empty.changes
            result = self._empty.transact(held, work)
            if self._empty.changes == before:
                return result
        return self._made().transact(held, work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` on one snapshot of the book."""
        return (self._empty if self._real is None else self._real).read(work)

    def listen(self, topics: Iterable[str]) -> Listener:
        """Start listening; before there is a book, nobody can change it."""
        if self._real is not None:
            return self._real.listen(topics)
        later = ListenerAtFirstWrite(self._made, tuple(topics))
        self._listeners.append(later)
        return later

    def close(self) -> None:
        """Close what was opened."""
        self._empty.close()
        if self._real is not None:
            self._real.close()

    def _made(self) -> Engine:
        with self._lock:
            if self._real is None:
                real = self._make()
                for each in self._listeners:
                    each.begin(real)
                self._real = real
                if real.made:
                    self._when_made(real.name)
            return self._real
