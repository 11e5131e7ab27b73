"""``--needs``: a job's reservation also books resources in bespeak's book, and starts only while they are held.

They are given back as soon as the job that they were booked for is over; the booking's own end is only the latest. A
job that was never started (too late, failed, cancelled) is over by its row; of one that was started its runner is asked
with each beat, some at a time. Releasing comes first and is then written down, so whoever dies in between leaves a
release to be repeated, which changes nothing.
"""

from __future__ import annotations

import os

from bespeak.base import failpoints
from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.errors import BespeakError, NotFoundError, UnavailableError
from bespeak.base.frozen import frozen
from bespeak.jobs import rows
from bespeak.jobs.model import SELECT
from bespeak.jobs.runner_client import replies
from bespeak.jobs.runner_client.location import location_of
from bespeak.jobs.schema import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from bespeak.jobs.dispatcher_session import DispatcherSession
    from bespeak.jobs.events import EventLog
    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.process import Router
    from bespeak.jobs.runner_client.replies import Reply
    from bespeak.ledger.service import Ledger
    from bespeak.storage.interface import Transaction

    class ReturnParts(Protocol):
        """What of a dispatcher is needed to give bookings back."""

        @property
        def session(self) -> DispatcherSession:
            """The store."""

        @property
        def bookings(self) -> ResourceBookings:
            """The books of resources."""

        @property
        def router(self) -> Router:
            """The runners."""

        @property
        def log(self) -> EventLog:
            """Where events go."""


TAG = "job"
"""The tag by which a booking says which job it is for; its value is the reservation id of the job."""

ASKED_AT_ONCE = 32

_RUNNING = ("STARTING", "RUNNING")
_STOPPED = ("ABORTED", "CANCELLED", "LOST")
"""States that a runner may show while the command is still on its way out."""

_OVER = (
    f"{SELECT} WHERE site = :site AND seq > :after AND booking_id IS NOT NULL AND returned_us IS NULL"
    " AND reservation_status NOT IN ('RESERVED', 'DISPATCHING', 'START_UNKNOWN')"
    " AND (reservation_status <> 'DISPATCHED' OR substr(runner_home, 1, :length) = :here) ORDER BY seq LIMIT :n"
)
_RETURNED = (
    "UPDATE reservations SET returned_us = :now WHERE reservation_id = :id AND booking_id = :booking"
    " AND returned_us IS NULL"
)


def this_user() -> str:
    """Return the account that this process runs under: who a booking is made for."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def book(ledger: Ledger, job: JobReservation, now_us: int) -> tuple[str, int]:
    """Book what ``job`` needs; return the booking's id and when the job may start, µs UTC.

    A booking that an earlier try made for this job before it was interrupted is found again by its tag.

    Raises:
        BusyError: somebody else holds something of it.
    """
    from bespeak.ledger.model import Holder, Request

    extras = job.extras
    holder = Holder(str(extras.get("holder", "")) or this_user(), _acting(extras))
    for found in ledger.reservations(holder=holder.user):
        if (TAG, job.reservation_id) in found.tags:
            return found.id, found.starts_us
    starts_us = max(job.not_before or 0, 0) * SECOND_US
    made = ledger.reserve(
        Request(
            resources=tuple(_texts(extras.get("needs"))),
            holder=holder,
            starts_us=starts_us if starts_us > now_us else None,
            duration_us=int(float(str(extras.get("for_seconds", 0))) * SECOND_US),
            purpose=f"job {job.run_key}",
            tags=((TAG, job.reservation_id),),
        )
    )
    return made.id, made.starts_us


def _acting(extras: dict[str, object]) -> str | None:
    who = this_user()
    return who if extras.get("holder") not in (None, who) else None


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def give_back(ledger: Ledger, job: JobReservation) -> None:
    """Release the booking of a job that is over or will not run; one that has ended already is no error.

    Raises:
        UnavailableError: the book cannot be written.
    """
    from bespeak.ledger.model import Holder

    if not job.booking_id:
        return
    extras = job.extras
    try:
        ledger.release(job.booking_id, Holder(str(extras.get("holder", "")) or this_user(), _acting(extras)))
    except UnavailableError:
        raise
    except BespeakError:
        return


@frozen
class BookingState:
    """Whether a job's resources are held.

    Args:
        held: right now.
        starts_us: when they will be, µs UTC; FOREVER_US when they never will.
        reason: why not.
    """

    held: bool
    starts_us: int = 0
    reason: str = ""


class ResourceBookings:
    """Asks the book whether jobs' resources are held; the book is opened when first needed.

    Args:
        url: of the book, or None for the one each reservation names.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._open: dict[str, Ledger] = {}

    def ask(self, job: JobReservation) -> BookingState:
        """Return how things stand for ``job``.

        Raises:
            UnavailableError: the book cannot be asked.
        """
        from bespeak.ledger.model import State

        if not job.booking_id:
            return BookingState(held=False, starts_us=FOREVER_US, reason="its resources were never booked")
        ledger = self._ledger(job)
        try:
            found = ledger.find(job.booking_id)
        except NotFoundError:
            return BookingState(held=False, starts_us=FOREVER_US, reason=f"its booking {job.booking_id} is gone")
        state = found.state(ledger.now_us())
        if state is State.ACTIVE:
            return BookingState(held=True)
        if state is State.ENDED:
            why = found.end_reason.value if found.end_reason else "its time was over"
            reason = f"its resources are not held any more: booking {found.id}: {why}"
            return BookingState(held=False, starts_us=FOREVER_US, reason=reason)
        return BookingState(held=False, starts_us=found.starts_us)

    def give_back(self, job: JobReservation) -> None:
        """Release the booking of ``job``; see :func:`give_back`.

        Raises:
            UnavailableError: the book cannot be written.
        """
        give_back(self._ledger(job), job)

    def _ledger(self, job: JobReservation) -> Ledger:
        url = self._url or str(job.extras.get("ledger") or "") or _default_url()
        if url not in self._open:
            from bespeak.ledger import open_ledger

            self._open[url] = open_ledger(url)
        return self._open[url]

    def close(self) -> None:
        """Close the books."""
        for ledger in self._open.values():
            ledger.close()
        self._open.clear()


def _default_url() -> str:
    from bespeak.settings import ledger_url

    return ledger_url(None)


class BookingReturns:
    """The bookings that one dispatcher looks after.

    Args:
        parts: of the dispatcher.
        tokens: for calls of its runner.
        limit_seconds: how long such a call may take.
    """

    def __init__(self, parts: ReturnParts, tokens: Iterator[int], limit_seconds: float) -> None:
        self._parts = parts
        self._tokens = tokens
        self._limit_seconds = limit_seconds
        self._asked: dict[int, JobReservation] = {}
        self._after = -1

    @property
    def is_asking(self) -> bool:
        """Whether a runner has not answered yet."""
        return bool(self._asked)

    def begin(self) -> None:
        """Give back what jobs that are over had booked; ask the runner about those that it has."""
        if self._asked:
            return
        for job in self._candidates():
            if not job.job_id:
                self._give_back(job)
                continue
            token = next(self._tokens)
            self._asked[token] = job
            words = ["status", "--job-id", job.job_id]
            self._parts.router.submit(token, words, self._limit_seconds, location_of(job))

    def take(self, token: int, reply: Reply) -> bool:
        """Take a runner's answer; False if it was not asked from here."""
        job = self._asked.pop(token, None)
        if job is not None and has_ended(reply):
            self._give_back(job)
        return job is not None

    def _candidates(self) -> list[JobReservation]:
        """Return the next of the reservations that may be over while their booking is not; all in turn."""
        me = self._parts.session.me

        def work(tx: Transaction) -> list[JobReservation]:
            here = f"{me.machine}:"
            where = {"site": me.site, "here": here, "length": len(here), "n": ASKED_AT_ONCE}
            return rows.jobs(tx.fetch_all(_OVER, {**where, "after": self._after}))

        found = self._parts.session.engine.read(work)
        self._after = found[-1].seq if len(found) == ASKED_AT_ONCE else -1
        return [job for job in found if self._may_be_asked(job)]

    def _may_be_asked(self, job: JobReservation) -> bool:
        """Tell whether this process can know of a job's end: its runner is written down, or is surely our own."""
        if not job.job_id:
            return True
        location = location_of(job)
        return job.runner_home == self._parts.session.me.runner_home if location is None else location.may_be_used

    def _give_back(self, job: JobReservation) -> None:
        """Release the booking of a job that is over; what cannot be written is tried again with a later beat."""
        try:
            is_news = self._release(job)
        except BespeakError as error:
            self._parts.log.emit("dispatcher_error", {"error": str(error)})
            return
        if is_news:
            fields: dict[str, object] = {"reservation_id": job.reservation_id, "run_key": job.run_key}
            fields["booking_id"] = job.booking_id
            self._parts.log.emit("needs_returned", fields)

    def _release(self, job: JobReservation) -> bool:
        """Release a booking; False if somebody else has written that down meanwhile."""
        failpoints.reach("jobs.before_return")
        self._parts.bookings.give_back(job)
        failpoints.reach("jobs.after_return")

        def work(tx: Transaction) -> bool:
            params = {"now": tx.now_us, "id": job.reservation_id, "booking": job.booking_id}
            if not tx.execute(_RETURNED, params):
                return False
            rows.log(tx, [rows.Change(job, "returned", str(job.reservation_status), job_id=job.job_id)])
            return True

        return self._parts.session.engine.transact((LOCK,), work)


def has_ended(reply: Reply) -> bool:
    """Tell whether the runner's answer to ``status`` says that nothing of a job runs any more.

    A job that the runner does not know was cleaned away after its end. One that was stopped, or whose supervisor is
    gone, may still be using what was booked: it counts as ended when its process has left this machine.
    """
    if replies.is_unknown(reply):
        return True
    found = replies.json_object(reply.out) if reply.code == 0 else None
    state = None if found is None else found.get("status")
    if found is None or not isinstance(state, str) or state in _RUNNING:
        return False
    return state not in _STOPPED or not _is_there(found.get("target_pid"))


def _is_there(pid: object) -> bool:
    return isinstance(pid, int) and pid > 0 and os.path.exists(f"/proc/{pid}")
