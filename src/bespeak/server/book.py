"""The book as the server's handlers use it: they await what worker threads do, so the loop never waits for a disk."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from bespeak.base.errors import UnavailableError
from bespeak.server.group_commit import GroupCommit
from bespeak.storage.time_limit import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bespeak.ledger.service import Ledger
    from bespeak.storage.interface import Listener
    from bespeak.storage.postgres.shared_listening import SharedListening

T = TypeVar("T")

READING_THREADS = 4
WRITING_THREADS = 8
MOST_PENDING = 2_048
"""Requests that wait for a thread; more are told to come back."""
ANSWER_SECONDS = 30.0


class ServedBook:
    """One book, asked by many requests at once.

    On SQLite each reading thread has a connection of its own, and one thread writes with a commit for all that wait
    (:mod:`bespeak.server.group_commit`). On PostgreSQL the engine lends connections to threads.

    Args:
        open_ledger: opens the book; called in worker threads, once for each that needs one.
    """

    def __init__(self, open_ledger: Callable[[], Ledger]) -> None:
        self._open = open_ledger
        self._readers = ThreadPoolExecutor(READING_THREADS, "bespeak-read")
        self._writers = ThreadPoolExecutor(WRITING_THREADS, "bespeak-write")
        self._here = threading.local()
        self._opened: list[Ledger] = []
        self._lock = threading.Lock()
        self._shared: Ledger | None = None
        self._listening: SharedListening | None = None
        self._commits: GroupCommit | None = None
        self._pending = 0
        self.name = ""
        self.dialect = ""

    async def start(self) -> None:
        """Open the book.

        Raises:
            BespeakError: it cannot be opened.
        """
        loop = asyncio.get_running_loop()
        first = await loop.run_in_executor(self._writers, self._open)
        self.name, self.dialect = first.engine.name, first.engine.dialect
        if first.engine.dialect == "postgresql":
            self._shared, self._listening = first, _shared_listening(first)
            return
        from bespeak.storage.sqlite import SqliteEngine

        if isinstance(first.engine, SqliteEngine):
            self._commits = GroupCommit(first, first.engine, loop)
        else:
            self._opened.append(first)  # a file that may not be written: writing fails where it is tried

    async def close(self) -> None:
        """Finish what was begun, and close the book."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._readers.shutdown(cancel_futures=True)
        self._writers.shutdown(cancel_futures=True)
        if self._commits is not None:
            self._commits.close()
        if self._listening is not None:
            self._listening.close()
        for ledger in (*self._opened, *([self._shared] if self._shared else [])):
            ledger.close()

    async def read(self, work: Callable[[Ledger], T], *, seconds: float = ANSWER_SECONDS) -> T:
        """Return what ``work`` returns, run in a reading thread.

        Raises:
            UnavailableError: the book cannot be asked, or too many wait for it.
        """
        return await self._in(self._readers, work, seconds)

    async def write(self, work: Callable[[Ledger], T], *, seconds: float = ANSWER_SECONDS, first: bool = False) -> T:
        """Return what ``work`` returns once what it wrote is committed.

        Args:
            work: may read and write, and must have no effect outside the book.
            seconds: how long to wait for the book at most.
            first: before what waits already, where writes wait for each other (SQLite).

        Raises:
            UnavailableError: the book cannot be written, or too many wait for it.
        """
        if self._commits is None:
            return await self._in(self._writers, work, seconds)
        if len(self._commits) >= MOST_PENDING and not first:
            raise _too_many()
        result: T = await self._commits.submit(work, first=first)
        return result

    def listen(self, ledger: Ledger, topics: Iterable[str]) -> Listener:
        """Start listening, for a stream; those of a book on PostgreSQL share one connection.

        Args:
            ledger: the open book, in a thread that has it.
            topics: what to be woken for.

        Raises:
            UnavailableError: the book cannot be asked.
        """
        return ledger.listen(topics) if self._listening is None else self._listening.listen(topics)

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[Ledger], T], seconds: float) -> T:
        if self._pending >= MOST_PENDING:
            raise _too_many()
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, self._work, work, seconds)
        finally:
            self._pending -= 1

    def _work(self, work: Callable[[Ledger], T], seconds: float) -> T:
        with within(seconds):
            return work(self._ledger())

    def _ledger(self) -> Ledger:
        if self._shared is not None:
            return self._shared
        mine: Ledger | None = getattr(self._here, "ledger", None)
        if mine is None:
            mine = self._here.ledger = self._open()
            with self._lock:
                self._opened.append(mine)
        return mine


def _shared_listening(ledger: Ledger) -> SharedListening | None:
    from bespeak.storage.postgres.engine import PostgresEngine
    from bespeak.storage.postgres.shared_listening import SharedListening

    engine = ledger.engine
    return SharedListening(lambda: engine.listen(["*"])) if isinstance(engine, PostgresEngine) else None


def _too_many() -> UnavailableError:
    return UnavailableError(f"{MOST_PENDING} requests wait for the book already; come back in a moment")
