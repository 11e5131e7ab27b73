"""Giving back what was booked for jobs that are over; the booking's own end is only the latest.

A job that was never started (too late, failed, cancelled) is over by its row; of one that was started its runner is
asked with each beat, some at a time. Releasing comes first and is then written down, so whoever dies in between leaves
a release to be repeated, which changes nothing.
"""

from __future__ import annotations

import os

from bespeak.base import failpoints
from bespeak.base.errors import BespeakError
from bespeak.jobs import rows
from bespeak.jobs.liveness import ON_THIS_MACHINE
from bespeak.jobs.model import SELECT
from bespeak.jobs.runner_client import replies
from bespeak.jobs.runner_client.location import may_be_called
from bespeak.jobs.schema import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.dispatcher_parts import DispatcherParts
    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.job_calls import JobCalls
    from bespeak.jobs.runner_client.replies import Reply
    from bespeak.storage.interface import Transaction

ASKED_AT_ONCE = 32

_STOPPED = ("ABORTED", "CANCELLED", "LOST")
"""States that a runner may show while the command is still on its way out."""

_OVER = (
    f"{SELECT} WHERE site = :site AND seq > :after AND booking_id IS NOT NULL AND returned_us IS NULL"
    " AND reservation_status NOT IN ('RESERVED', 'DISPATCHING', 'START_UNKNOWN')"
    f" AND (reservation_status <> 'DISPATCHED' OR {ON_THIS_MACHINE}) ORDER BY seq LIMIT :n"
)
_RETURNED = (
    "UPDATE reservations SET returned_us = :now WHERE reservation_id = :id AND booking_id = :booking"
    " AND returned_us IS NULL"
)


class BookingReturns:
    """The bookings that one dispatcher looks after.

    Args:
        parts: of the dispatcher.
        calls: of runners.
        limit_seconds: how long such a call may take.
    """

    def __init__(self, parts: DispatcherParts, calls: JobCalls, limit_seconds: float) -> None:
        self._parts = parts
        self._calls = calls
        self._limit_seconds = limit_seconds
        self._after = -1

    @property
    def is_asking(self) -> bool:
        """Whether a runner has not answered yet."""
        return bool(self._calls)

    def begin(self) -> None:
        """Give back what jobs that are over had booked; ask the runner about those that it has."""
        if self._calls:
            return
        for job in self._candidates():
            if not job.job_id:
                self._give_back(job)
                continue
            self._calls.submit(job, "status", self._limit_seconds)

    def take(self, token: int, reply: Reply) -> bool:
        """Take a runner's answer; False if it was not asked from here."""
        job = self._calls.take(token)
        if job is not None:
            if has_ended(reply):
                self._give_back(job)
            else:
                self._parts.bookings.sign_of_life(job)
        return job is not None

    def _candidates(self) -> list[JobReservation]:
        """Return the next of the reservations that may be over while their booking is not; all in turn."""
        me = self._parts.session.me

        where = {**me.here, "n": ASKED_AT_ONCE, "after": self._after}
        found = self._parts.session.engine.read(lambda tx: rows.jobs(tx.fetch_all(_OVER, where)))
        self._after = found[-1].seq if len(found) == ASKED_AT_ONCE else -1
        return [job for job in found if not job.job_id or may_be_called(job, me.runner_home)]

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
    if found is None or not isinstance(state, str) or state in replies.RUNNING_STATES:
        return False
    return state not in _STOPPED or not _is_there(found.get("target_pid"))


def _is_there(pid: object) -> bool:
    return isinstance(pid, int) and pid > 0 and os.path.exists(f"/proc/{pid}")
