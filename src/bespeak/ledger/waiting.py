"""Waiting in the queue, as the process that waits does it: join, look whenever something changes, leave.

Everything here happens where the waiter runs, which can be another machine than the book's: what it asks of the book
are single steps (:mod:`bespeak.ledger.queue`). A book that cannot be asked for a while is borne.
"""

from __future__ import annotations

import time

from bespeak.base import ids
from bespeak.base.clock import SECOND_US, duration_text
from bespeak.base.errors import NotFoundError, UnavailableError, WaitTimedOutError, WrongStateError
from bespeak.base.frozen import replace
from bespeak.ledger import write_operations
from bespeak.ledger.model import QueuePosition
from bespeak.ledger.queue import can_wait
from bespeak.ledger.request_checks import checked
from bespeak.storage.time_limit import within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from bespeak.ledger.model import Holder, QueueLook, Request, Reservation
    from bespeak.storage.interface import Listener

    class _QueueSteps(Protocol):
        """The part of an open book that waiting needs; the methods are those of the ledger."""

        def queue_join(self, request: Request, identifier: str, priority: int = 0) -> Reservation: ...
        def queue_look(self, identifier: str, *, with_held: bool = False) -> QueueLook: ...
        def queue_lapsed(self, identifier: str) -> bool: ...
        def queue_leave(self, identifier: str, by: Holder) -> None: ...
        def candidate_names(self, request: Request) -> tuple[str, ...]: ...
        def listen(self, topics: Iterable[str]) -> Listener: ...
        def now_us(self) -> int: ...


LONGEST_OUTAGE_SECONDS = 900.0
"""For so long a waiter that would wait for ever bears a book that cannot be asked."""

_RETRY_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
_LEAST_ANSWER_SECONDS = 1.0
_LEAVE_SECONDS = 2.0
_STOP_SECONDS = 0.2


def wait_in_queue(
    book: _QueueSteps,
    request: Request,
    *,
    priority: int = 0,
    timeout_us: int | None = None,
    on_position: Callable[[QueuePosition], None] | None = None,
    repeat_position_us: int | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_outage: Callable[[str], None] | None = None,
) -> Reservation:
    """Wait in the queue until all of ``request.resources`` are free, and hold them.

    Args:
        book: the open book.
        request: what is wanted, for a duration; ``starts_us`` is then the earliest start.
        priority: points; each counts as an hour of having waited.
        timeout_us: leave the queue after this long, µs; None waits for ever.
        on_position: told the queue position whenever it changes.
        repeat_position_us: tell it again after this long, µs, also if nothing has changed.
        should_stop: asked a few times a second; True leaves the queue.
        on_outage: told, when the book cannot be asked, why; and, when it can again, what became of the queue position.
            An outage that is longer than a position is kept without a heartbeat costs it: it takes the last one.

    Raises:
        UsageError: the request cannot wait (it ends at a fixed instant), or the priority is out of range.
        NotFoundError: the book is strict and a resource is not declared.
        UnavailableError: the book cannot be asked at the beginning, or, without ``timeout_us``, for very long.
        WaitTimedOutError: the time is over, or ``should_stop`` said so; the place is given up.
        WrongStateError: the place was taken away or lost.
    """
    waiter = _QueueEntry(book, can_wait(checked(request), priority), priority, on_position, should_stop, on_outage)
    waiter.repeat_seconds = None if repeat_position_us is None else repeat_position_us / SECOND_US
    try:
        deadline = None if timeout_us is None else time.monotonic() + timeout_us / SECOND_US
        waiter.join()
        return waiter.wait(deadline)
    except BaseException:
        waiter.leave()
        raise
    finally:
        waiter.close()


class _QueueEntry:
    """The queue position of one process, kept alive by it."""

    def __init__(
        self,
        book: _QueueSteps,
        request: Request,
        priority: int,
        on_position: Callable[[QueuePosition], None] | None,
        should_stop: Callable[[], bool] | None,
        on_outage: Callable[[str], None] | None,
    ) -> None:
        self._book = book
        self._request = request
        self._priority = priority
        self._topics = [write_operations.resource_topic(name) for name in book.candidate_names(request)]
        self._on_position = on_position
        self._should_stop = should_stop
        self._on_outage = on_outage
        self._shown: QueuePosition | None = None
        self._shown_at = 0.0
        self.repeat_seconds: float | None = None
        """Tell the position again after so long."""
        self._position = QueuePosition(0, None)
        self._look_again_us = 0
        self._outage = False
        self._outage_began = 0.0
        self._id = ids.new_id()
        self._listener = self._listen()

    def _listen(self) -> Listener:
        return self._book.listen([*self._topics, write_operations.reservation_topic(self._id)])

    def join(self) -> None:
        self._book.queue_join(self._request, self._id, self._priority)

    def close(self) -> None:
        self._listener.close()

    def wait(self, deadline: float | None) -> Reservation:
        while True:
            try:
                with within(_answer_seconds(deadline)):
                    found = self._ask()
            except UnavailableError as error:
                self._tell_outage(str(error))
                if deadline is None and time.monotonic() - self._outage_began > LONGEST_OUTAGE_SECONDS:
                    raise
                self._sleep(_RETRY_SECONDS, deadline)
                continue
            if not found.waiting:
                return found
            self._show()
            self._sleep(self._look_again_us / SECOND_US, deadline)

    def _ask(self) -> Reservation:
        """Look at the place, and move it where something is due; take a new one if it lapsed in an outage."""
        try:
            found = self._look()
        except (WrongStateError, NotFoundError):
            if not self._outage or not self._book.queue_lapsed(self._id):
                raise
            self._join_again()
            found = self._look()
            self._tell_back("the queue position has lapsed meanwhile, a new one is taken")
        else:
            self._tell_back("the queue position is kept")
        return found

    def _look(self) -> Reservation:
        seen = self._book.queue_look(self._id, with_held=self._on_position is not None)
        if seen.position is not None:
            self._position, self._look_again_us = seen.position, seen.look_again_us
        return seen.reservation

    def _join_again(self) -> None:
        self._id = ids.new_id()
        before, self._listener = self._listener, self._listen()
        before.close()
        self.join()

    def _tell_outage(self, why: str) -> None:
        if not self._outage:
            self._outage = True
            self._outage_began = time.monotonic()
            if self._on_outage:
                self._on_outage(why)

    def _tell_back(self, what: str) -> None:
        if self._outage:
            self._outage = False
            if self._on_outage:
                self._on_outage(f"the book answers again; {what}")

    def _show(self) -> None:
        again = self.repeat_seconds is not None and time.monotonic() - self._shown_at >= self.repeat_seconds
        standing = replace(self._position, moved_from_us=None, moved_by=None)
        if self._on_position and (again or self._position.moved_from_us is not None or standing != self._shown):
            self._shown, self._shown_at = standing, time.monotonic()
            self._on_position(self._position)

    def _sleep(self, seconds: float, deadline: float | None) -> None:
        if self._should_stop:
            seconds = min(seconds, _STOP_SECONDS)
            if self._should_stop():
                raise WaitTimedOutError("stopped waiting; the queue position is given up")
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimedOutError(self._timed_out())
            seconds = min(seconds, left)
        self._listener.wait(seconds)

    def _timed_out(self) -> str:
        ahead = f"behind {', '.join(self._position.ahead)}" if self._position.ahead else "first in the queue"
        promised = self._position.promised_us
        if promised is None or self._outage:
            until = ""
        else:
            until = ", promised in " + duration_text(promised - self._book.now_us())
        return f"still not free after the time given ({ahead}{until}); the queue position is given up"

    def leave(self) -> None:
        """Give up the place, or the hold that was just granted; the lease does it where the book is away."""
        try:
            with within(_LEAVE_SECONDS):
                self._book.queue_leave(self._id, self._request.holder)
        except UnavailableError:
            return


def _answer_seconds(deadline: float | None) -> float:
    """Return how long to wait for the book: not much longer than somebody wants to wait in all."""
    if deadline is None:
        return _ANSWER_SECONDS
    return max(min(deadline - time.monotonic(), _ANSWER_SECONDS), _LEAST_ANSWER_SECONDS)
