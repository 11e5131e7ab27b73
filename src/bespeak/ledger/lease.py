"""The lease of a hold: renewed by a thread of its own, and when it ends, as seen from here.

Whoever waits for the command never waits for the book: a network that stalls stops this thread and nothing else.
When the lease ends is counted from the moment *before* the request was sent that renewed it, by a clock that goes on
while the machine is suspended. So the instant known here is never later than the one in the book.
"""

from __future__ import annotations

import os
import select
from _thread import allocate_lock, start_new_thread

from bespeak.base import clock
from bespeak.base.clock import FOREVER_US, MINUTE_US, SECOND_US, boot_us
from bespeak.base.errors import BespeakError, BusyError, NotFoundError, WrongStateError
from bespeak.storage.time_limit import within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable

    from bespeak.ledger.model import Holder, Reservation
    from bespeak.ledger.service import Ledger
    from bespeak.storage.interface import Listener

KEEPALIVE_US = 60 * SECOND_US
"""How long a hold outlives its last sign of life, µs, unless somebody chooses."""

NOTICE_US = 5 * MINUTE_US
"""An end is moved or announced this long ahead, µs, or halfway through a shorter hold."""

_MARGIN_US = 2 * SECOND_US
_MARGIN_SHARE = 12
_RENEWALS_A_LEASE = 3
_LOOK_US = 60 * SECOND_US
_RETRY_US = SECOND_US
_TRIES_A_LEASE = 6
_LEAST_SECONDS = 1.0
_FINISH_SECONDS = 10.0
_FINISH_HANGING_SECONDS = 2.0
_BEGIN_LISTENING_SECONDS = _STOP_LISTENING_SECONDS = 0.5
_LISTEN_MS = 30_000
"""How often a listener is asked that says nothing, which finds out that its connection is lost."""

_RECONNECT_MS = 1_000
"""How often one is asked that has lost its connection, and makes another when it is asked."""

_SOONEST_US = SECOND_US // 50


def margin_us(length_us: int) -> int:
    """Return how long before its end a hold, or a lease, of ``length_us`` µs counts as over for whoever has it, µs."""
    return min(_MARGIN_US, length_us // _MARGIN_SHARE)


class Lease:
    """One hold, kept alive in the background from :meth:`start` to :meth:`finish`.

    Args:
        book: the open book; from :meth:`start` on only the lease's own threads ask it.
        holder: whose hold it is.
        held: the reservation, with a keep-alive.
        moves_on: extend the hold when its end comes near.
        notice_us: how near, µs.
        on_news: called, in another thread, after each change of what the properties say.
        borrowed: another process keeps the hold: look at it, but neither renew it nor give it back.
    """

    def __init__(
        self,
        book: Ledger,
        holder: Holder,
        held: Reservation,
        *,
        moves_on: bool,
        notice_us: int,
        on_news: Callable[[], None],
        borrowed: bool = False,
    ) -> None:
        self._book = book
        self._holder = holder
        self._keepalive_us = held.keepalive_us or 0
        self._moves_on = moves_on
        self._notice_us = notice_us
        self._on_news = on_news
        self._borrowed = borrowed
        every_us = (held.keepalive_us or _LOOK_US) // _RENEWALS_A_LEASE
        self._every_us = every_us // 2 if borrowed else every_us
        self._due = _locked()
        self._finished = _locked()
        self._ending = False
        self._asking_since_us: int | None = None
        self._stop_reader, self._stop_writer = -1, -1
        self._listening = _locked()
        self._listened = _locked()
        asked_us = boot_us()
        self._set(held, asked_us, book.now_us())
        self.lost: str | None = None
        """Why the hold is another's or nobody's, once that is known."""
        self.fixed: str | None = None
        """Why the end cannot be moved, once that is known."""
        self.trouble: str | None = None
        """Why the book could not be asked the last time."""
        self.release_failure: BespeakError | None = None
        """Why the hold could not be given back."""

    def _set(self, held: Reservation, asked_us: int, book_us: int) -> None:
        """Keep what the book said at ``book_us`` of its own time, when asked at ``asked_us`` since boot."""
        self._view = (held, asked_us, book_us)

    @property
    def held(self) -> Reservation:
        """The hold as the book last told it."""
        return self._view[0]

    def now_us(self) -> int:
        """Return the latest instant that the book's clock can show now, µs UTC."""
        _, asked_us, book_us = self._view
        latest_us = book_us + boot_us() - asked_us
        return max(latest_us, clock.now()) if self._book.clock_is_ours else latest_us

    def lease_left_us(self) -> int:
        """Return how long the lease lasts at least, µs; FOREVER_US if it needs no renewal."""
        lease_us = self.held.lease_us
        return FOREVER_US if lease_us is None else lease_us - self.now_us()

    def left_us(self) -> int:
        """Return how long it is at least until the end of the hold, µs."""
        return self.held.ends_us - self.now_us()

    def start(self) -> None:
        """Begin to renew, and to look whenever somebody changes the reservation."""
        self._stop_reader, self._stop_writer = os.pipe()
        start_new_thread(self._renew_for_ever, ())
        start_new_thread(self._listen, ())

    def look(self) -> None:
        """Have the book asked at once."""
        try:
            self._due.release()
        except RuntimeError:
            return  # it is due already

    def finish(self) -> bool:
        """Give the hold back and stop renewing; False if that takes too long, which is soon where the book hangs."""
        asking_since_us = self._asking_since_us
        hangs = asking_since_us is not None and boot_us() - asking_since_us > SECOND_US
        self._ending = True
        self.look()
        return self._finished.acquire(timeout=_FINISH_HANGING_SECONDS if hangs or self.trouble else _FINISH_SECONDS)

    def _renew_for_ever(self) -> None:
        self._listening.acquire(timeout=_BEGIN_LISTENING_SECONDS)  # a change before that is seen by the first renewal
        while not self._ending:
            before = (self.lost, self.fixed, self.trouble)
            self._asking_since_us = boot_us()
            wait_us = self._renew()
            self._asking_since_us = None
            if before != (self.lost, self.fixed, self.trouble):
                self._on_news()
            self._due.acquire(timeout=max(wait_us, _SOONEST_US) / SECOND_US)
        self._release()
        os.close(self._stop_writer)
        self._listened.acquire(timeout=_STOP_LISTENING_SECONDS)
        self._finished.release()

    def _renew(self) -> int:
        """Renew the lease, move the end if it is time; return how long to wait until the next time, µs."""
        every_us = self._every_us
        if self.lost is not None:
            return every_us
        asked_us = boot_us()
        try:
            with within(max(self._keepalive_us / _TRIES_A_LEASE / SECOND_US, _LEAST_SECONDS)):
                held, book_us = self._look_at() if self._borrowed else self._keep_alive()
                self._set(held, asked_us, book_us)
                self.trouble = None
                return min(every_us, self.left_us() // 4 if self._borrowed else self._move_on())
        except (WrongStateError, NotFoundError) as error:
            self.lost = str(error)
        except Exception as error:  # noqa: BLE001 whatever it is, the command must end before the lease
            self.trouble = str(error) or type(error).__name__
            every_us = min(every_us, _RETRY_US)
        return every_us

    def _keep_alive(self) -> tuple[Reservation, int]:
        """Renew the lease; return the hold and the instant, µs UTC, that the book took for the present."""
        held = self._book.keep_alive(self.held.id, self.held.fencing_token or 0)
        return held, (held.lease_us or 0) - self._keepalive_us

    def _look_at(self) -> tuple[Reservation, int]:
        """Return the hold and the present instant of the book, µs UTC."""
        return self._book.hold_in_force(self.held.id, self.held.fencing_token)

    def _move_on(self) -> int:
        """Move an end that nobody chose when it comes near; return how long it is until that, µs."""
        near_us = self.left_us() - self._notice_us
        if not self._moves_on:
            return FOREVER_US
        if near_us > 0:
            return near_us
        held, asked_us, book_us = self._view
        try:
            moved = self._book.extend(
                held.id,
                self._holder,
                duration_us=self._book.policy().default_for_us,
                fencing_token=held.fencing_token,
            )
        except BusyError as error:
            self.fixed = str(error)
            return FOREVER_US  # the next renewal tries again: whoever waited may have left
        self.fixed = None
        self._set(moved, asked_us, book_us)
        return self.left_us() - self._notice_us

    def _release(self) -> None:
        try:
            if self.lost is None and not self._borrowed:
                held = self.held
                released = self._book.release(held.id, self._holder, fencing_token=held.fencing_token)
                self._view = (released, *self._view[1:])
        except BespeakError as error:
            self.release_failure = error
        except Exception as error:  # noqa: BLE001 told by the main thread
            self.release_failure = BespeakError(str(error) or type(error).__name__)

    def _listen(self) -> None:
        """Look as soon as somebody changes the reservation; without that, the next renewal finds out."""
        from bespeak.ledger.write_operations import reservation_topic  # the gate needs no lease of its own

        try:
            try:
                listener = self._book.listen([reservation_topic(self.held.id)])
            finally:
                self._listening.release()
            try:
                while not told_to_stop(self._stop_reader, listener):
                    if listener.wait(0):
                        self.look()
            finally:
                listener.close()
        except Exception:  # noqa: BLE001 the book is away, or cannot be listened to
            return
        finally:
            os.close(self._stop_reader)
            self._listened.release()


def told_to_stop(stop_reader: int, listener: Listener) -> bool:
    """Sleep until there is news, or for a while; True when the other end of ``stop_reader`` was closed."""
    poll = select.poll()  # each time: a listener that has reconnected has another descriptor
    poll.register(stop_reader, select.POLLIN)
    descriptor = listener.fileno()
    if descriptor >= 0:
        poll.register(descriptor, select.POLLIN)
    return any(found == stop_reader for found, _ in poll.poll(_LISTEN_MS if descriptor >= 0 else _RECONNECT_MS))


def _locked() -> LockType:
    """Return a lock that whoever waits for news takes, and that news give back."""
    lock = allocate_lock()
    lock.acquire()
    return lock
