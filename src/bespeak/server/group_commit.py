"""One thread that writes an SQLite book for many requests: all that wait at a moment share one commit.

SQLite has one writer, and a durable commit costs a wait for the disk. So requests put what they want written into a
queue; the thread takes all there is and runs it in one transaction, in which each piece fails alone.
"""

from __future__ import annotations

import asyncio
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from bespeak.base.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.ledger.service import Ledger
    from bespeak.storage.sqlite import SqliteEngine

    Work = Callable[[Ledger], Any]
    Piece = tuple[Work, asyncio.Future[Any]]

_MOST_TOGETHER = 64
_LONGEST_SECONDS = 0.25
"""No piece begins so late in a transaction: other programs that write the same book wait meanwhile."""
_LATER = object()


class GroupCommit:
    """The writing thread of one book.

    Args:
        ledger: the open book, which only this thread uses.
        engine: its engine.
        loop: where results are awaited.
    """

    def __init__(self, ledger: Ledger, engine: SqliteEngine, loop: asyncio.AbstractEventLoop) -> None:
        self._ledger = ledger
        self._engine = engine
        self._loop = loop
        self._pending: SimpleQueue[Piece | None] = SimpleQueue()
        self._first: SimpleQueue[Piece] = SimpleQueue()
        self._left: list[Piece] = []
        self._thread = threading.Thread(target=self._run, name="bespeak-commit")
        self._thread.start()

    def __len__(self) -> int:
        return self._pending.qsize()

    def submit(self, work: Work, *, first: bool = False) -> asyncio.Future[Any]:
        """Return a future of what ``work`` returns once it is committed; called in the loop.

        Args:
            work: what reads and writes the book.
            first: before everything that waits already.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        if first:
            self._first.put((work, future))
            self._pending.put((_nothing, self._loop.create_future()))  # wakes the thread
        else:
            self._pending.put((work, future))
        return future

    def close(self) -> None:
        """Write what is pending, end the thread and close the book; blocks."""
        self._pending.put(None)
        self._thread.join()
        self._ledger.close()

    def _run(self) -> None:
        going = True
        while going or self._left:
            pieces, self._left = self._left, []
            if not pieces:
                going = self._take(pieces, wait=True)
            while going and len(pieces) < _MOST_TOGETHER and not self._pending.empty():
                going = self._take(pieces)
            first: list[Piece] = []
            while not self._first.empty():
                first.append(self._first.get())
            if first or pieces:
                self._commit(first + pieces)

    def _take(self, pieces: list[Piece], *, wait: bool = False) -> bool:
        """Take the next piece that waits; False where it is the end."""
        piece = self._pending.get(block=wait)
        if piece is not None:
            pieces.append(piece)
        return piece is not None

    def _commit(self, pieces: list[Piece]) -> None:
        began: list[float] = []
        calls = [self._bound(work, began) for work, _ in pieces]
        try:
            outcomes = self._engine.together(calls)
        except Exception as error:  # noqa: BLE001 whatever it was, each who waits has to be told
            outcomes = [_copy(error) for _ in pieces]
        self._left = [piece for piece, outcome in zip(pieces, outcomes, strict=True) if outcome is _LATER]
        try:
            self._loop.call_soon_threadsafe(_deliver, pieces, outcomes)
        except RuntimeError:
            return  # the loop has ended, and nobody waits any more

    def _bound(self, work: Work, began: list[float]) -> Callable[[], Any]:
        def call() -> Any:
            now = time.monotonic()
            if not began:
                began.append(now)  # the first piece of a transaction is never too late
            is_late = now > began[0] and now - began[0] > _LONGEST_SECONDS
            return _LATER if is_late else work(self._ledger)

        return call


def _nothing(_: Ledger) -> None:
    """Write nothing."""


def _copy(error: Exception) -> Exception:
    """Return an error of its own for each who waits: a raised one keeps the trace of who raised it."""
    return UnavailableError(str(error)) if isinstance(error, UnavailableError) else error


def _deliver(pieces: list[Piece], outcomes: list[Any]) -> None:
    for (_, future), outcome in zip(pieces, outcomes, strict=True):
        if future.done() or outcome is _LATER:
            continue  # whoever waited has left
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
