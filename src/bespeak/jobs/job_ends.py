"""How jobs ended: asked of their runners by the dispatcher and written down, so that a list can show it at once.

A job is asked about soon after its start and then less and less often, at most once a minute. What was written down
stays: a runner that is cleaned later changes nothing. A job that takes a place of which there are only so many is asked
about each second, for others wait for its end; where places are those of the machine, so are the jobs of other sites,
whose dispatcher may be gone. Only one dispatcher's answer is stored, whoever asks.
"""

from __future__ import annotations

import time

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import BespeakError
from bespeak.base.frozen import frozen, replace
from bespeak.jobs import attempts, rows
from bespeak.jobs.contract_times import LATEST_S
from bespeak.jobs.liveness import ON_THIS_MACHINE
from bespeak.jobs.model import (
    BAD_OUTCOMES,
    HOLD_LOST_EXTRA,
    HOLD_LOST_OUTCOME,
    SELECT,
    TIMED_OUT_OUTCOME,
    UNKNOWN_OUTCOME,
)
from bespeak.jobs.runner_client import replies
from bespeak.jobs.runner_client.location import may_be_called
from bespeak.jobs.schema import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.jobs.dispatcher_parts import DispatcherParts
    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.job_calls import JobCalls
    from bespeak.jobs.runner_client.replies import Reply
    from bespeak.storage.interface import Transaction

ASKED_AT_ONCE = 16
_PAGE = 500
_FIRST_SECONDS = 1.0
_LAST_SECONDS = 60.0
_SHARE_OF_AGE = 0.1
_ABORTED = "ABORTED"
_LARGEST_CODE = 2**31
_UNENDED = f"outcome IS NULL AND seq > :after AND (runner_home IS NULL OR {ON_THIS_MACHINE}) ORDER BY seq LIMIT :n"
_OF_SITE = f"{SELECT} WHERE site = :site AND reservation_status = 'DISPATCHED' AND {_UNENDED}"
_OF_ALL_SITES = f"{SELECT} WHERE job_id IS NOT NULL AND {_UNENDED}"
_STORE = (
    "UPDATE reservations SET outcome = :outcome, exit_code = :exit_code, ended_us = :ended_us"
    " WHERE reservation_id = :id AND job_id = :job AND outcome IS NULL"
)


@frozen
class JobEnd:
    """How a job ended.

    Args:
        outcome: the runner's word, such as SUCCEEDED or FAILED; ``UNKNOWN`` where the runner has forgotten it.
        exit_code: as the runner tells it, or None.
        ended_us: when, µs UTC; None where the runner does not say.
    """

    outcome: str
    exit_code: int | None = None
    ended_us: int | None = None


def job_end(reply: Reply) -> JobEnd | None:
    """Return how a job ended by the runner's answer to ``status``; None if it runs, or the answer says nothing."""
    if replies.is_unknown(reply):
        return JobEnd(UNKNOWN_OUTCOME)
    found = replies.json_object(reply.out) if reply.code == 0 else None
    state = None if found is None else found.get("status")
    if found is None or not isinstance(state, str) or not state.isalpha() or state in replies.RUNNING_STATES:
        return None
    code, ended_s = found.get("exit_code"), found.get("finished_at")
    return JobEnd(
        state.upper(),
        code if isinstance(code, int) and not isinstance(code, bool) and abs(code) <= _LARGEST_CODE else None,
        int(ended_s * SECOND_US) if isinstance(ended_s, int | float) and 0 < ended_s <= LATEST_S else None,
    )


class JobEnds:
    """Asks about the jobs of one dispatcher's site that have not ended as far as is known.

    Args:
        parts: of the dispatcher.
        calls: of runners.
        limit_seconds: how long such a call may take.
        is_hold_lost: tells of a reservation id whether this dispatcher ends the job because its booking is lost.
    """

    def __init__(
        self,
        parts: DispatcherParts,
        calls: JobCalls,
        limit_seconds: float,
        is_hold_lost: Callable[[str], bool],
    ) -> None:
        self._is_hold_lost = is_hold_lost
        self._parts = parts
        self._calls = calls
        self._limit_seconds = limit_seconds
        self._due: dict[str, float] = {}
        self._told: list[tuple[JobReservation, JobEnd]] = []
        self._after = -1
        self._look_at = 0.0
        self.are_waited_for = False
        """Whether reservations wait for the end of others, because as many run as may."""
        self.asks_all = False
        """Whether to ask about all at once, because there is no later."""

    def look_again(self) -> None:
        """Have the next turn look: time has passed."""
        self._look_at = 0.0

    @property
    def seconds(self) -> float:
        """In how many seconds to look again while ends are waited for."""
        return self._look_at - time.monotonic()

    @property
    def is_asking(self) -> bool:
        """Whether answers of runners are still to come."""
        return bool(self._calls)

    def turn(self) -> None:
        """Ask if it is time to: after :meth:`look_again`, and each second while ends are waited for."""
        now = time.monotonic()
        if not self._look_at or (self.are_waited_for and now >= self._look_at):
            self._look_at = now + _FIRST_SECONDS
            self._begin()

    def _begin(self) -> None:
        """Ask about the jobs whose turn it is."""
        if self._calls:
            return
        now = time.monotonic()
        found = self._page()
        for job in found:
            self._note_attempts(job)
            if len(self._calls) >= ASKED_AT_ONCE:
                return
            self._after = job.seq
            if now >= self._due.get(job.reservation_id, 0.0):
                self.ask(job)
        if len(found) < _PAGE:
            self._after = -1

    def ask(self, job: JobReservation) -> None:
        """Ask the runner of a job how it ended, if it can be asked from here."""
        if not job.job_id or not may_be_called(job, self._parts.session.me.runner_home):
            return
        self._due[job.reservation_id] = time.monotonic() + self._pause_seconds(job)
        self._calls.submit(job, "status", self._limit_seconds)

    def take(self, token: int, reply: Reply) -> None:
        """Take a runner's answer; what it tells is kept for :meth:`write_down`."""
        job = self._calls.take(token)
        if job is not None and not self._calls and self._after >= 0 and (self.are_waited_for or self.asks_all):
            self.look_again()  # there are more than are asked about at once
        end = None if job is None else job_end(reply)
        if job is not None and end is not None:
            self._told.append((job, end))

    def write_down(self) -> bool:
        """Store how jobs ended, those that were told of together in one transaction; True if something was stored."""
        if not self._told:
            return False
        told, self._told = self._told, []
        try:
            for job, _ in told:
                self._note_attempts(job)
            stored = self._parts.session.engine.transact((LOCK,), lambda tx: [self._store(tx, *each) for each in told])
        except BespeakError as error:
            self._parts.log.emit("dispatcher_error", {"error": str(error)})
            return False
        for (job, _), end in zip(told, stored, strict=True):
            self._due.pop(job.reservation_id, None)
            self._parts.attempts.discard(job)
            if end is not None:
                self._say_ended(job, end)
        return any(stored)

    def _say_ended(self, job: JobReservation, end: JobEnd) -> None:
        fields: dict[str, object] = {"reservation_id": job.reservation_id, "run_key": job.run_key}
        fields |= {"job_id": job.job_id, "outcome": end.outcome, "exit_code": end.exit_code}
        self._parts.log.emit("job_ended", fields)
        self._parts.metrics.add("jobs_failed" if end.outcome in BAD_OUTCOMES else "jobs_ended")

    def _note_attempts(self, job: JobReservation) -> None:
        """Store the attempts of a job that runs again when it fails, as far as they have ended."""
        tries = self._parts.attempts.read(job)
        if len(tries) <= len(job.tries):
            return
        failed = self._parts.session.engine.transact((LOCK,), lambda tx: attempts.store(tx, job, tries))
        for number, code in failed:
            fields: dict[str, object] = {"reservation_id": job.reservation_id, "run_key": job.run_key}
            fields |= {"job_id": job.job_id, "attempt": number, "exit_code": code}
            self._parts.log.emit("job_attempt_failed", fields)

    def _page(self) -> list[JobReservation]:
        where = {**self._parts.session.me.here, "after": self._after, "n": _PAGE}
        sql = _OF_SITE if self._parts.session.limits.jobs is None else _OF_ALL_SITES
        return self._parts.session.engine.read(lambda tx: rows.jobs(tx.fetch_all(sql, where)))

    def _pause_seconds(self, job: JobReservation) -> float:
        age = time.time() - (job.dispatched_at or job.updated_at)
        longest = _FIRST_SECONDS if self._parts.session.limits.concern(job.tag_names) else _LAST_SECONDS
        return min(max(age * _SHARE_OF_AGE, _FIRST_SECONDS), longest)

    def _why_aborted(self, job: JobReservation) -> str:
        """Return the outcome of a job that its runner has aborted: ours, if a dispatcher told it to."""
        if job.extras.get(HOLD_LOST_EXTRA) or (job.stopped_us is None and self._is_hold_lost(job.reservation_id)):
            return HOLD_LOST_OUTCOME
        return _ABORTED if job.stopped_us is None else TIMED_OUT_OUTCOME

    def _store(self, tx: Transaction, job: JobReservation, end: JobEnd) -> JobEnd | None:
        """Write down how a job ended, and return it; None if it was written down already."""
        if end.outcome == _ABORTED:
            now = rows.find(tx, reservation_id=job.reservation_id)
            end = end if now is None else replace(end, outcome=self._why_aborted(now))
        values = {"outcome": end.outcome, "exit_code": end.exit_code, "ended_us": end.ended_us or tx.now_us}
        if not tx.execute(_STORE, {**values, "id": job.reservation_id, "job": job.job_id}):
            return None
        code = None if end.exit_code is None else f"exit code {end.exit_code}"
        rows.log(tx, [rows.Change(job, f"ended_{end.outcome.lower()}", job.reservation_status, job.job_id, code)])
        return end
