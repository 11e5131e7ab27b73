"""One claim on its way through the runner: what was asked, what the answer means, what is asked next.

A claim is either to be started, or (after a crash or an answer that never came) to be asked about first. Nothing here
touches the book or a process, so every path can be tested as a table.
"""

from __future__ import annotations

from enum import Enum, auto

from bespeak.base.clock import SECOND_US
from bespeak.base.frozen import frozen, replace
from bespeak.jobs.claiming import StartOutcome
from bespeak.jobs.model import LAST_ERROR_LIMIT, Status
from bespeak.jobs.runner_client import replies
from bespeak.jobs.runner_client.replies import Meaning, Reply, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.model import JobReservation

ASKS = 5
"""How often a runner is asked whether a start happened, or a cut-short start is completed; retries add to it."""

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0

_FIRST_DELAY_US = SECOND_US // 2
_LONGEST_DELAY_US = 60 * SECOND_US


class Phase(Enum):
    """What a claim is waiting for."""

    ASK = auto()
    """Taken over: the runner is asked before anything is started."""
    START = auto()
    CONFIRM = auto()
    """A start call ended without an answer that says what happened."""


class NextStep(Enum):
    """What is to be done with a claim now."""

    CALL = auto()
    LATER = auto()
    STORE = auto()


class ClaimState:
    """One claim.

    Args:
        job: the row as claimed.
        phase: what to do first.
    """

    __slots__ = (
        "_cut_short",
        "_waits_since_us",
        "adopted",
        "asked",
        "call_under_way",
        "error",
        "job",
        "known_there",
        "outcome",
        "phase",
    )

    def __init__(self, job: JobReservation, phase: Phase) -> None:
        self.job = job
        self.phase = phase
        self.asked = 0
        self.error = ""
        self.adopted = False
        self.outcome: StartOutcome | None = None
        self.known_there = False
        """Whether the runner has the job, though its start is to be completed."""
        self.call_under_way = False
        """Whether an earlier start call was under way when the runner was asked: it may have started the job since."""
        self._cut_short = False
        self._waits_since_us = 0

    @property
    def pause_seconds(self) -> float:
        """How long to wait before the runner is asked again."""
        return min(_FIRST_PAUSE_SECONDS * (1 << min(max(self.asked - 1, 0), 10)), _LONGEST_PAUSE_SECONDS)

    @property
    def interrupted(self) -> bool:
        """Whether a start call was cut short, so that only asking tells what it did."""
        return self._cut_short

    def take(self, reply: Reply, rules: StartRules, now_us: int) -> NextStep:
        """Take the runner's answer; with :attr:`NextStep.STORE`, ``outcome`` is set."""
        if self.phase is Phase.START:
            self._cut_short = not reply.ended_by_itself
            return self._started(replies.of_start(reply, self.job, rules.shown), rules, now_us)
        meaning = replies.of_question(reply, self.job, embedded=rules.embedded, now_us=now_us)
        return self._asked(meaning, rules, now_us)

    def _started(self, meaning: Meaning, rules: StartRules, now_us: int) -> NextStep:
        if meaning.verdict is Verdict.UNKNOWN:
            self.phase = Phase.CONFIRM
            self.error = meaning.error
            self.job = replace(self.job, may_be_started=True)
            return NextStep.CALL
        if meaning.verdict is Verdict.STARTED:
            return self._success(meaning)
        return self.fail(meaning.error, rules, now_us, untouched=not self.job.may_be_started)

    def _asked(self, meaning: Meaning, rules: StartRules, now_us: int) -> NextStep:
        if meaning.verdict is Verdict.STARTED:
            self.adopted = True
            return self._success(meaning)
        self.asked += 1
        self.known_there = meaning.existing
        if meaning.verdict is Verdict.NOT_STARTED:
            return self._not_started(rules, now_us)
        if self.asked < ASKS + rules.retries:
            return NextStep.LATER
        return self._leave_unknown("\n".join(filter(None, (self.error, meaning.error))))

    def _not_started(self, rules: StartRules, now_us: int) -> NextStep:
        """Go on after the runner has said that it has no such job."""
        if self.call_under_way:
            return self.wait_for_call(rules, now_us)
        # The embedded runner completes a start under its key, so a call that was cut short is simply made again.
        if self.phase is Phase.ASK or (rules.embedded and self._cut_short and self.asked < ASKS):
            self.phase = Phase.START
            return NextStep.CALL
        if self._cut_short and not rules.embedded:
            # What was ended here may go on elsewhere, behind docker exec or ssh, so nothing is called again by itself.
            return self.give_up(self.error)
        return self.fail(self.error, rules, now_us)

    def wait_for_call(self, rules: StartRules, now_us: int) -> NextStep:
        """Ask again later, because an earlier start call is still under way; give up when that takes too long."""
        if self.phase is Phase.START:
            self.phase = Phase.ASK
        self._waits_since_us = self._waits_since_us or now_us
        if now_us - self._waits_since_us < rules.call_seconds * SECOND_US:
            return NextStep.LATER
        return self._leave_unknown("\n".join(filter(None, (self.error, "its start call is still under way"))))

    def _leave_unknown(self, error: str) -> NextStep:
        """End as START_UNKNOWN: it may run, nobody can tell, and only a person may decide to start it again."""
        return self._end(Status.START_UNKNOWN, error=f"it may have been started: {error}")

    def _success(self, meaning: Meaning) -> NextStep:
        return self._end(Status.DISPATCHED, job_id=meaning.job_id)

    def give_up(self, error: str, *, untouched: bool = False) -> NextStep:
        """End as DISPATCH_FAILED, whatever retries are left."""
        return self._end(Status.DISPATCH_FAILED, error=error, untouched=untouched)

    def put_back(self, next_us: int, error: str | None = None) -> NextStep:
        """Give the claim back as if it had not been made; it is looked at again at ``next_us``."""
        self.job = replace(self.job, attempts=self.job.attempts - 1)
        return self._end(Status.RESERVED, error=error, next_us=next_us, untouched=not self.job.may_be_started)

    def fail(self, error: str, rules: StartRules, now_us: int, *, untouched: bool = False) -> NextStep:
        """End as failed, or as RESERVED for a later try while retries and time are left.

        Args:
            error: the reason.
            rules: how many retries there are.
            now_us: the present, µs UTC.
            untouched: no start was ever called, so the next try need not ask first.
        """
        again_us = now_us + rules.delay_us(self.job.attempts)
        expires = self.job.expires_at
        if self.job.attempts > rules.retries or (expires is not None and again_us >= expires * SECOND_US):
            return self.give_up(error, untouched=untouched)
        return self._end(Status.RESERVED, error=error, next_us=again_us, untouched=untouched)

    def _end(
        self,
        status: Status,
        *,
        job_id: str | None = None,
        error: str | None = None,
        next_us: int = 0,
        untouched: bool = False,
    ) -> NextStep:
        error = error[:LAST_ERROR_LIMIT] if error else None
        self.outcome = StartOutcome(self.job, status, job_id, error, next_us, untouched)
        return NextStep.STORE


@frozen
class StartRules:
    """What a dispatcher was told about failures.

    Args:
        shown: how a start call is named in errors.
        embedded: the runner knows idempotency keys.
        retries: how often a failed start is tried again.
        call_seconds: how long an earlier start call that is still under way is waited for.
    """

    shown: str
    embedded: bool
    retries: int
    call_seconds: float = 0.0

    def delay_us(self, attempts: int) -> int:
        """Return the back-off after so many failed attempts, µs: half a second, doubled, at most a minute.

        The delay varies by a quarter from attempt to attempt and process to process, so that many do not come back at
        once.
        """
        import os

        delay = min(_FIRST_DELAY_US << min(max(attempts, 1) - 1, 20), _LONGEST_DELAY_US)
        return delay - delay // 4 * os.urandom(1)[0] // 255
