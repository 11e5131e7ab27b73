"""Until when running jobs have what ``--needs`` booked for them, as one thread finds out that alone asks the books.

A book that does not answer stops this thread and nothing else. The dispatcher reads what is known here without asking:
a booking that is lost, or the instant by which its job has to be told to end, counted from the moment *before* the book
was asked, by a clock that goes on while the machine is suspended. So that instant is never later than the book's.
"""

from __future__ import annotations

import os
import select

from bespeak.base.clock import SECOND_US, boot_us
from bespeak.base.frozen import frozen
from bespeak.jobs.liveness import BEAT_SECONDS
from bespeak.storage.time_limit import within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Thread

    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.resource_bookings import ResourceBookings
    from bespeak.storage.interface import Listener

_ANSWER_SECONDS = 5.0
_CLOSE_SECONDS = 1.0
_GRACE_US = 5 * SECOND_US
"""How long a runner leaves a command between the signal to end and the one that kills."""

_GRACE_SHARE = 6


@frozen
class KnownHold:
    """What the book said last of one job's booking.

    Args:
        stop_us: when its job has to be told to end, µs since boot.
        reason: why.
    """

    stop_us: int
    reason: str


class HoldWatch:
    """Follows the bookings of the jobs that run; :meth:`fileno` becomes readable when there is news.

    Args:
        bookings: asked by the watch's thread alone, and closed by it.
    """

    def __init__(self, bookings: ResourceBookings) -> None:
        self._bookings = bookings
        self._jobs: dict[str, JobReservation] = {}
        self._known: dict[str, KnownHold] = {}
        self._thread: Thread | None = None
        self._closing = False
        self._news, self._tell = _pipe()
        self._wake, self._poke = _pipe()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._news

    def watch(self, jobs: Iterable[JobReservation]) -> None:
        """Follow the bookings of these jobs from now on, and of no others."""
        wanted = {job.reservation_id: job for job in jobs}
        if wanted.keys() == self._jobs.keys():
            return
        self._jobs = wanted
        if self._thread is None:
            from threading import Thread

            self._thread = Thread(target=self._run, name="jobs-holds", daemon=True)
            self._thread.start()
        _write(self._poke)

    def known(self) -> list[tuple[JobReservation, KnownHold]]:
        """Return what is known of the bookings, without asking; those never seen are left out."""
        _drain(self._news)
        known = self._known
        return [(job, known[key]) for key, job in self._jobs.items() if key in known]

    def close(self) -> None:
        """Stop. A thread that waits for a book which does not answer ends with the process."""
        self._closing = True
        if self._thread is not None:
            _write(self._poke)
            self._thread.join(_CLOSE_SECONDS)
            if self._thread.is_alive():
                return
        for descriptor in (self._news, self._tell, self._wake, self._poke):
            os.close(descriptor)

    def _run(self) -> None:
        while not self._closing:
            try:
                self._follow(self._jobs)
            except Exception:  # noqa: BLE001 whatever it is: the bookings are looked at again
                self._sleep([])
        self._bookings.close()

    def _follow(self, jobs: dict[str, JobReservation]) -> None:
        """Look at the bookings of ``jobs``, with each beat and when they change, for as long as these are followed."""
        with within(_ANSWER_SECONDS):
            listeners = self._bookings.listen(jobs.values())
        try:
            while jobs is self._jobs and not self._closing:
                self._look(jobs)
                _write(self._tell)
                self._sleep(listeners)
        finally:
            for listener in listeners:
                listener.close()

    def _look(self, jobs: dict[str, JobReservation]) -> None:
        known = {key: hold for key, hold in self._known.items() if key in jobs}
        for key, job in jobs.items():
            if found := self._ask(job):
                known[key] = found
        self._known = known

    def _ask(self, job: JobReservation) -> KnownHold | None:
        """Ask the book about one booking; None where it cannot say, so that what was known counts on."""
        from bespeak.ledger.lease import margin_us

        asked_us = boot_us()
        try:
            with within(_ANSWER_SECONDS):
                found = self._bookings.time_left(job)
        except Exception:  # noqa: BLE001 whatever it is, the end that is known counts on
            return None
        if found.lost:
            return KnownHold(0, found.lost)
        ahead_us = margin_us(found.length_us) + min(_GRACE_US, found.length_us // _GRACE_SHARE)
        return KnownHold(asked_us + found.left_us - ahead_us, f"its booking {job.booking_id} ends")

    def _sleep(self, listeners: list[Listener]) -> None:
        """Sleep until there is news, or for a beat."""
        poll = select.poll()  # each time: a listener that has reconnected has another descriptor
        poll.register(self._wake, select.POLLIN)
        for listener in listeners:
            poll.register(listener.fileno(), select.POLLIN)
        poll.poll(int(BEAT_SECONDS * 1000))
        _drain(self._wake)
        for listener in listeners:
            listener.wait(0)


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def _write(descriptor: int) -> None:
    try:
        os.write(descriptor, b"!")
    except BlockingIOError:
        return  # full: whoever reads it is woken already


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except BlockingIOError:
        return
