"""``--run-timeout``: the job that ran for as long as it may is ended by its runner, with all its processes.

When a job is to be ended stands in its row from the moment its start was written down, so it outlives dispatchers: what
fell due while none ran is ended by the next one. The decision is written down before the runner is called, by one
dispatcher; the call is repeated until the runner says how the job ended.
"""

from __future__ import annotations

import time

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.jobs import rows
from bespeak.jobs.liveness import ON_THIS_MACHINE
from bespeak.jobs.model import SELECT
from bespeak.jobs.runner_client.location import may_be_called
from bespeak.jobs.schema import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.dispatcher_parts import DispatcherParts
    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.job_calls import JobCalls
    from bespeak.storage.interface import Transaction

AGAIN_SECONDS = 15.0
"""How long a runner has to end a job before it is called again."""

STOP_SECONDS = 60.0
"""How long such a call may take."""

_AT_ONCE = 32
_LIMITED = "site = :site AND run_until_us IS NOT NULL AND outcome IS NULL AND reservation_status = 'DISPATCHED'"
_HERE = f"(runner_home IS NULL OR {ON_THIS_MACHINE})"
_DUE = f"{SELECT} WHERE {_LIMITED} AND run_until_us <= :now AND {_HERE} ORDER BY run_until_us LIMIT :n"
_NEXT = f"SELECT MIN(run_until_us) FROM reservations WHERE {_LIMITED} AND run_until_us > :now AND {_HERE}"
_STOP = (
    "UPDATE reservations SET stopped_us = :now WHERE reservation_id = :id AND stopped_us IS NULL AND outcome IS NULL"
    " AND reservation_status = 'DISPATCHED'"
)


class RunLimits:
    """Ends the jobs of one dispatcher's site and machine that ran for too long.

    Args:
        parts: of the dispatcher.
        stops: calls of runners that end jobs.
    """

    def __init__(self, parts: DispatcherParts, stops: JobCalls) -> None:
        self._parts = parts
        self._stops = stops
        self._again_at: dict[str, float] = {}
        self.next_us = 0
        """When to look again, µs UTC by the book's clock."""

    def look_again(self) -> None:
        """Have the next turn look: a job was started, or time has passed."""
        self.next_us = 0

    def turn(self, now_us: int) -> None:
        """Have the runners end what ran for too long."""
        if now_us < self.next_us:
            return
        due, next_us = self._parts.session.engine.read(self._look)
        self.next_us = min(next_us, now_us + int(AGAIN_SECONDS * SECOND_US)) if due else next_us
        now = time.monotonic()
        self._again_at = {job.reservation_id: self._again_at.get(job.reservation_id, 0.0) for job in due}
        for job in due:
            if (
                job.job_id
                and now >= self._again_at[job.reservation_id]
                and may_be_called(job, self._parts.session.me.runner_home)
            ):
                self._again_at[job.reservation_id] = now + AGAIN_SECONDS
                self._end(job, job.job_id)

    def _look(self, tx: Transaction) -> tuple[list[JobReservation], int]:
        where = {**self._parts.session.me.here, "now": tx.now_us}
        due = rows.jobs(tx.fetch_all(_DUE, {**where, "n": _AT_ONCE}))
        row = tx.fetch_one(_NEXT, where)
        return due, FOREVER_US if row is None or row[0] is None else int(row[0])

    def _end(self, job: JobReservation, job_id: str) -> None:
        """Write the decision down, then call the runner."""
        seconds = job.extras.get("run_timeout_seconds", 0)
        reason = f"ran longer than {seconds:g} s"

        def work(tx: Transaction) -> bool:
            if not tx.execute(_STOP, {"now": tx.now_us, "id": job.reservation_id}):
                return False
            rows.log(tx, [rows.Change(job, "timed_out", job.reservation_status, job_id, reason)])
            return True

        if self._parts.session.engine.transact((LOCK,), work):
            fields = {"reservation_id": job.reservation_id, "run_key": job.run_key, "job_id": job_id}
            self._parts.log.emit("job_timed_out", {**fields, "run_timeout_seconds": seconds})
        self._stops.submit(job, "abort", STOP_SECONDS, "--reason", reason)
