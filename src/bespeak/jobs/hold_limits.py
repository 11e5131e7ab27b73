"""A job whose booking is lost, or about to end, is ended by its runner, with all its processes.

Somebody else may have the resource from that moment on. The decision is written down by one dispatcher; when the store
cannot be written the runner is called all the same, and the call is repeated until it says how the job ended.
"""

from __future__ import annotations

import time

from bespeak.base.clock import SECOND_US, boot_us
from bespeak.base.errors import BespeakError
from bespeak.base.json_text import compact
from bespeak.jobs import rows
from bespeak.jobs.hold_watch import HoldWatch
from bespeak.jobs.liveness import ON_THIS_MACHINE
from bespeak.jobs.model import HOLD_LOST_EXTRA, SELECT
from bespeak.jobs.run_limits import AGAIN_SECONDS, STOP_SECONDS
from bespeak.jobs.runner_client.location import may_be_called
from bespeak.jobs.schema import LOCK
from bespeak.storage.time_limit import within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.dispatcher_parts import DispatcherParts
    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.job_calls import JobCalls
    from bespeak.storage.interface import Transaction

_WRITE_SECONDS = 1.0
_LEAST_SECONDS = 1.0
_MOST = 1000
_RUNNING = (
    f"{SELECT} WHERE site = :site AND reservation_status = 'DISPATCHED' AND outcome IS NULL"
    " AND booking_id IS NOT NULL AND COALESCE(returned_us, 0) = 0"
    f" AND (runner_home IS NULL OR {ON_THIS_MACHINE}) ORDER BY seq LIMIT :n"
)
_STOP = (
    "UPDATE reservations SET stopped_us = :now, extras_json = :extras WHERE reservation_id = :id"
    " AND stopped_us IS NULL AND outcome IS NULL AND reservation_status = 'DISPATCHED'"
    " AND COALESCE(returned_us, 0) = 0"
)


class HoldLimits:
    """Ends the jobs of one dispatcher's site and machine that do not hold any more what they have booked.

    Args:
        parts: of the dispatcher.
        stops: calls of runners that end jobs.
    """

    def __init__(self, parts: DispatcherParts, stops: JobCalls) -> None:
        self._parts = parts
        self._stops = stops
        self._watch = HoldWatch(parts.bookings.again())
        self._again_at: dict[str, float] = {}
        self._is_stale = True
        self._lost: set[str] = set()

    def is_lost(self, reservation_id: str) -> bool:
        """Tell whether a job is being ended because its booking is lost."""
        return reservation_id in self._lost

    def fileno(self) -> int:
        """Return a descriptor that is readable when a booking has changed."""
        return self._watch.fileno()

    def look_again(self) -> None:
        """Have the next turn look which jobs run: one was started, or time has passed."""
        self._is_stale = True

    def refresh(self) -> None:
        """Follow the bookings of the jobs that run now, if that may have changed."""
        if not self._is_stale:
            return
        me = self._parts.session.me
        where = {**me.here, "n": _MOST}
        jobs = self._parts.session.engine.read(lambda tx: rows.jobs(tx.fetch_all(_RUNNING, where)))
        mine = {job.reservation_id: job for job in jobs if job.job_id and may_be_called(job, me.runner_home)}
        self._lost &= mine.keys()
        self._again_at = {key: moment for key, moment in self._again_at.items() if key in mine}
        self._watch.watch(mine.values())
        self._is_stale = False

    def turn(self) -> None:
        """Have the runners end what has lost its booking, by what is known here."""
        now_us = boot_us()
        for job, hold in self._watch.known():
            is_due = hold.stop_us <= now_us
            if is_due and time.monotonic() >= self._again_at.get(job.reservation_id, 0.0):
                self._again_at[job.reservation_id] = time.monotonic() + AGAIN_SECONDS
                self._end(job, hold.reason)

    @property
    def seconds(self) -> float:
        """In how many seconds a job is to be ended next, as far as is known; infinite for none."""
        now, now_us = time.monotonic(), boot_us()
        moments = [
            max((hold.stop_us - now_us) / SECOND_US, self._again_at.get(job.reservation_id, 0.0) - now)
            for job, hold in self._watch.known()
        ]
        return max(min(moments, default=float("inf")), 0.0)

    def in_time(self) -> within:
        """Return a block in which no store is waited for past the moment at which a job is to be ended."""
        return within(max(self.seconds, _LEAST_SECONDS))

    def close(self) -> None:
        """Stop following the bookings."""
        self._watch.close()

    def _end(self, job: JobReservation, reason: str) -> None:
        """Write the decision down, then call the runner; a job that is over already is left alone."""
        try:
            with within(_WRITE_SECONDS):
                is_over = self._write_down(job, reason)
        except BespeakError as error:
            is_over = False
            self._parts.log.emit("dispatcher_error", {"error": str(error)})
        if is_over:
            return
        self._note(job, reason)
        self._stops.submit(job, "abort", STOP_SECONDS, "--reason", reason)

    def _note(self, job: JobReservation, reason: str) -> None:
        if job.reservation_id in self._lost:
            return
        self._lost.add(job.reservation_id)
        fields = {"reservation_id": job.reservation_id, "run_key": job.run_key, "job_id": job.job_id}
        self._parts.log.emit("job_hold_lost", {**fields, "booking_id": job.booking_id, "reason": reason})

    def _write_down(self, job: JobReservation, reason: str) -> bool:
        """Write down why a job is ended, once; True if it is over already, or its booking was given back."""

        def work(tx: Transaction) -> bool:
            now = rows.find(tx, reservation_id=job.reservation_id)
            if now is None or now.outcome is not None:
                return True
            extras = compact(now.extras | {HOLD_LOST_EXTRA: reason})
            if tx.execute(_STOP, {"now": tx.now_us, "extras": extras, "id": job.reservation_id}):
                rows.log(tx, [rows.Change(job, "hold_lost", job.reservation_status, job.job_id, reason)])
                return False
            return now.stopped_us is None

        return self._parts.session.engine.transact((LOCK,), work)
