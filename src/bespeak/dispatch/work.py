"""One claim on its way through the runner: what was asked, what the answer means, what is asked next.

A claim is either to be started, or (after a crash or an answer that never came) to be asked about first. Nothing here
touches the book or a process, so every path can be tested as a table.
"""

from __future__ import annotations

from enum import Enum, auto

from bespeak.clock import SECOND_US
from bespeak.dispatch import answers
from bespeak.dispatch.answers import Meaning, Reply, Verdict
from bespeak.dispatch.claims import Outcome
from bespeak.dispatch.model import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.dispatch.model import Job

ASKS = 5
"""How often a runner is asked whether a start happened, or a cut-short start is completed, before it is a failure."""

_FIRST_DELAY_US = SECOND_US // 2
_LONGEST_DELAY_US = 60 * SECOND_US


class Phase(Enum):
    """What a claim is waiting for."""

    ASK = auto()
    """Taken over: the runner is asked before anything is started."""
    START = auto()
    CONFIRM = auto()
    """A start call ended without an answer."""


class Next(Enum):
    """What is to be done with a claim now."""

    CALL = auto()
    LATER = auto()
    STORE = auto()


class Work:
    """One claim.

    Args:
        job: the row as claimed.
        phase: what to do first.
    """

    __slots__ = ("adopted", "asked", "error", "job", "outcome", "phase")

    def __init__(self, job: Job, phase: Phase) -> None:
        self.job = job
        self.phase = phase
        self.asked = 0
        self.error = ""
        self.adopted = False
        self.outcome: Outcome | None = None

    def take(self, reply: Reply, rules: Rules, now_us: int) -> Next:
        """Take the runner's answer; with :attr:`Next.STORE`, ``outcome`` is set."""
        if self.phase is Phase.START:
            return self._started(answers.of_start(reply, self.job, rules.shown), rules, now_us)
        return self._asked(answers.of_question(reply, self.job, embedded=rules.embedded), rules, now_us)

    def _started(self, meaning: Meaning, rules: Rules, now_us: int) -> Next:
        if meaning.verdict is Verdict.UNKNOWN:
            self.phase = Phase.CONFIRM
            self.error = meaning.error
            return Next.CALL
        if meaning.verdict is Verdict.STARTED:
            return self._success(meaning)
        return self.fail(meaning.error, rules, now_us)

    def _asked(self, meaning: Meaning, rules: Rules, now_us: int) -> Next:
        if meaning.verdict is Verdict.STARTED:
            self.adopted = True
            return self._success(meaning)
        self.asked += 1
        if meaning.verdict is Verdict.FAILED:
            # The embedded runner completes a start under its key, so a call that was cut short is simply made again.
            if self.phase is Phase.ASK or (rules.embedded and self.asked < ASKS):
                self.phase = Phase.START
                return Next.CALL
            return self.fail(self.error, rules, now_us)
        if self.asked < ASKS:
            return Next.LATER
        error = self.error or meaning.error
        if rules.embedded:
            # Trying again is safe: the runner knows the key of this reservation and starts it at most once.
            return self.fail(error, rules, now_us)
        return self.give_up(f"{error}\n{meaning.error}")

    def _success(self, meaning: Meaning) -> Next:
        self.outcome = Outcome(self.job, Status.DISPATCHED, job_id=meaning.job_id)
        return Next.STORE

    def give_up(self, error: str) -> Next:
        """End as DISPATCH_FAILED, whatever retries are left."""
        self.outcome = Outcome(self.job, Status.DISPATCH_FAILED, error=error)
        return Next.STORE

    def put_back(self, next_us: int, error: str | None = None) -> Next:
        """Give the claim back as if it had not been made; it is looked at again at ``next_us``."""
        self.job.attempts -= 1
        self.outcome = Outcome(self.job, Status.RESERVED, error=error, next_us=next_us)
        return Next.STORE

    def fail(self, error: str, rules: Rules, now_us: int) -> Next:
        """End as failed, or as RESERVED for a later try while retries and time are left."""
        again_us = now_us + rules.delay_us(self.job.attempts)
        expires = self.job.expires_at
        if self.job.attempts > rules.retries or (expires is not None and again_us >= expires * SECOND_US):
            return self.give_up(error)
        self.outcome = Outcome(self.job, Status.RESERVED, error=error, next_us=again_us)
        return Next.STORE


class Rules:
    """What a dispatcher was told about failures.

    Args:
        shown: how a start call is named in errors.
        embedded: the runner knows idempotency keys.
        retries: how often a failed start is tried again.
    """

    __slots__ = ("embedded", "retries", "shown")

    def __init__(self, shown: str, *, embedded: bool, retries: int) -> None:
        self.shown = shown
        self.embedded = embedded
        self.retries = retries

    def delay_us(self, attempts: int) -> int:
        """Return the back-off after so many failed attempts, µs: half a second, doubled, at most a minute.

        The delay varies by a quarter from attempt to attempt and process to process, so that many do not come back at
        once.
        """
        import os

        delay = min(_FIRST_DELAY_US << min(max(attempts, 1) - 1, 20), _LONGEST_DELAY_US)
        return delay - delay // 4 * os.urandom(1)[0] // 255
