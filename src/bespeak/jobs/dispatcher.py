"""The dispatcher: sleeps until something is due or somebody wakes it, claims, starts, stores.

One thread and one :func:`select.epoll`. Each turn is one look (a read) and, when there is something to do, steps: one
transaction that stores what has ended and claims what is due, then the start calls, which run side by side as
processes. So a slow start delays nobody, a backlog costs one commit a batch, and an empty book costs nothing.
"""

from __future__ import annotations

import itertools
import os
import select
import time

from bespeak.base import failpoints
from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import BespeakError, UnavailableError
from bespeak.jobs import liveness
from bespeak.jobs.booking_returns import BookingReturns
from bespeak.jobs.claim_state import ClaimState, NextStep, Phase, StartRules
from bespeak.jobs.claiming import ACCEPTED_BATCH, EXPIRE_BATCH
from bespeak.jobs.due_alarm import DueAlarm
from bespeak.jobs.events import Reporter
from bespeak.jobs.hold_limits import HoldLimits
from bespeak.jobs.job_ends import JobEnds
from bespeak.jobs.retention import Retention
from bespeak.jobs.run_limits import RunLimits
from bespeak.jobs.runner_client import full_command
from bespeak.jobs.runner_client.job_calls import JobCalls
from bespeak.jobs.runner_client.location import location_of
from bespeak.jobs.schedule_turns import ScheduleTurns
from bespeak.jobs.step_pacing import StepPacing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.dispatcher_parts import DispatcherOptions, DispatcherParts
    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.location import Location, Runner

_LONGEST_SLEEP_SECONDS = 3600.0  # the system call takes no more than 24 days; a longer interval is slept in parts
_NEED_AGAIN_US = 5_000_000
_SHORTEST_POLL_SECONDS = 0.05


class Dispatcher:
    """Runs until it is told to stop.

    Args:
        parts: what it is made of.
        options: what it was told.
    """

    def __init__(self, parts: DispatcherParts, options: DispatcherOptions) -> None:
        self._parts = parts
        self._session = parts.session
        self._options = options
        self._poll_seconds = max(options.poll_seconds, _SHORTEST_POLL_SECONDS)
        self._own = parts.router.own
        self._works: dict[int, ClaimState] = {}
        self._mine: set[str] = set()
        self._later: list[tuple[float, ClaimState]] = []
        self._tokens = itertools.count(1)
        self._returns = BookingReturns(parts, JobCalls(parts.router, self._tokens), options.start_seconds)
        self._stops = JobCalls(parts.router, self._tokens)
        self._holds = HoldLimits(parts, self._stops)
        self._ends = JobEnds(parts, JobCalls(parts.router, self._tokens), options.start_seconds, self._holds.is_lost)
        self._ends.asks_all = options.once
        self._schedules = ScheduleTurns(parts, self._stops)
        self._run_limits = RunLimits(parts, self._stops)
        self._retention = Retention(parts, self._tokens, options.keep_seconds)
        self._next_us = FOREVER_US
        self._pacing = StepPacing(options.max_starts)
        self._alarm = DueAlarm(parts.timer, parts.router)
        self._look_again = True
        self._beat_at = 0.0
        self._paused_until = 0.0
        self._drained = False
        self._reporter = Reporter(parts.log, parts.metrics)
        self._epoll = select.epoll()

    def run(self) -> int:
        """Dispatch until stopped; return the exit code."""
        parts = self._parts
        for source in (parts.notifier, parts.timer, parts.signals, parts.router, self._holds):
            self._epoll.register(source.fileno(), select.EPOLLIN)
        if parts.exporter is not None and parts.exporter.fileno() >= 0:
            self._epoll.register(parts.exporter.fileno(), select.EPOLLIN)
        parts.manager.ready(self._status())
        while not self._done():
            self._holds.turn()
            with self._holds.in_time():
                self._turn()
            parts.router.flush()
            parts.log.flush()
            if not self._done():
                self._sleep()
        self._stop()
        self._holds.close()
        self._epoll.close()
        return 0

    def _done(self) -> bool:
        if (signals := self._parts.signals).hurry:
            return True
        if not signals.stopping:
            return self._options.once and self._drained and self._parts.telling_seconds is None
        return not self._works and (not self._session.outcomes or time.monotonic() < self._paused_until)

    def _turn(self) -> None:
        self._collect()
        if time.monotonic() < self._paused_until:
            return
        try:
            self._beat()
            self._take_up_later()
            if not self._parts.signals.stopping:
                self._run_limits.turn(self._now_us())
                self._holds.refresh()
                self._ends.turn()
                if self._schedules.turn(self._now_us()):
                    self._look_again = True
            if self._look_again or self._pacing.is_due(has_outcomes=bool(self._session.outcomes)):
                self._work_through()
            if self._options.once and self._drained:
                self._parts.tell_failures()  # of what has ended until now, for there is no later
        except UnavailableError as error:
            self._parts.metrics.add("errors")
            self._parts.log.emit("dispatcher_error", {"error": str(error)})
            self._paused_until = time.monotonic() + self._options.error_seconds
            self._pacing.forget()
            self._look_again = True
            self._beat_at = 0.0

    def _beat(self) -> None:
        now = time.monotonic()
        if now < self._beat_at:
            return
        slots = self._slots()
        found = self._session.beat(frozenset(self._mine), slots)
        # With all slots taken the rest of a dead dispatcher's work is taken over at the next beat.
        self._beat_at = now + (liveness.BEAT_SECONDS if len(found) < max(slots, 1) else 0.0)
        if found:
            self._parts.metrics.add("recovered", len(found))
            self._parts.log.emit("recovered_dispatching", {"count": len(found)})
        for job in found:
            self._begin(ClaimState(job, Phase.ASK))
        if not self._parts.signals.stopping:
            self._schedules.look_again()
            self._run_limits.look_again()
            self._holds.look_again()
            self._returns.begin()
            self._ends.look_again()
            self._retention.begin()
            self._parts.tell_failures()
        if self._parts.exporter is not None:
            self._parts.metrics.in_flight = len(self._works)
            self._parts.exporter.refresh()

    def _work_through(self) -> None:
        seen = self._session.look()
        self._reporter.accepted(seen.accepted)
        self._next_us = seen.next_us
        self._ends.are_waited_for = seen.has_full
        self._look_again = len(seen.accepted) == ACCEPTED_BATCH
        slots = self._slots()
        due = seen.next_us <= seen.now_us and not self._parts.signals.stopping
        self._drained = not due and not (
            self._works or self._later or self._session.outcomes or self._returns.is_asking or self._ends.is_asking
        )
        has_reason = bool(self._session.outcomes or (due and slots))
        if not self._pacing.acts(has_reason=has_reason, under_way=len(self._works), slots=slots):
            return
        stored = list(self._session.outcomes)
        taken = self._session.step(slots if due else 0)
        self._mine.difference_update(outcome.job.reservation_id for outcome in stored)
        self._reporter.step(stored, taken)
        for job in taken.claimed:
            if job.next_us > 0:
                self._parts.metrics.started((taken.now_us - job.next_us) / 1e6)
            # Under the key of the reservation the embedded runner starts it once, however often it is called.
            ask = job.may_be_started and not (self._own.embedded and self._place(job) == self._own)
            self._begin(ClaimState(job, Phase.ASK if ask else Phase.START))
        if taken.claimed or len(taken.expired) == EXPIRE_BATCH or stored:
            self._run_limits.look_again()
            self._holds.look_again()
            self._look_again = True

    def _slots(self) -> int:
        """Return how many more starts may be under way; none once it is to stop."""
        return 0 if self._parts.signals.stopping else self._options.max_starts - len(self._works) - len(self._later)

    def _begin(self, work: ClaimState) -> None:
        self._mine.add(work.job.reservation_id)
        self._call(work)

    def _call(self, work: ClaimState) -> None:
        if work.phase is Phase.START and not self._may_start(work):
            return
        place = self._place(work.job)
        runner = self._parts.runner if place == self._own else place.runner
        if work.phase is Phase.START:
            self._start(work, runner, place)
        else:
            work.call_under_way = not runner.embedded and self._is_under_way(work)
            self._submit(work, full_command.ask_words(work.job, runner), place)

    def _start(self, work: ClaimState, runner: Runner, place: Location) -> None:
        job = work.job
        self._parts.attempts.prepare(job)
        lock = -1
        if not runner.embedded:
            taken = self._lock_call(work)
            if taken is None:
                return
            lock = taken
        words = full_command.start_words(job, runner, self._options.start_options)
        shown = full_command.without_values(words, job)
        command = [*(runner.shown.split(" ") if runner.embedded else runner.words), *shown]
        self._parts.log.emit(
            "orchesjob_start_call", {"reservation_id": job.reservation_id, "run_key": job.run_key, "command": command}
        )
        failpoints.reach("jobs.before_start")
        try:
            self._submit(work, words, place, lock)
        finally:
            if lock >= 0:
                os.close(lock)  # the call has it now

    def _submit(self, work: ClaimState, words: list[str], place: Location, stdin: int = -1) -> None:
        token = next(self._tokens)
        self._works[token] = work
        self._parts.router.submit(token, words, self._options.start_seconds, place, stdin)
        failpoints.reach("jobs.after_start")

    def _lock_call(self, work: ClaimState) -> int | None:
        """Return a descriptor with the lock of a start call; None if an earlier call has it, or nobody can tell."""
        try:
            lock = self._parts.call_locks.take(work.job.reservation_id)
        except UnavailableError as error:
            self._settle(work, work.put_back(self._now_us() + _NEED_AGAIN_US, str(error)))
            return None
        if lock is None:
            self._settle(work, work.wait_for_call(self._rules(work), self._now_us()))
        return lock

    def _may_start(self, work: ClaimState) -> bool:
        """Check what must be true at the moment of the start: the claim is ours, the resources are held."""
        if self._parts.signals.stopping:
            if not work.interrupted:  # else it stays ours, for whoever takes over to ask about it
                self._settle(work, work.put_back(work.job.next_us))
            return False
        if (refusal := self._parts.scopes.why_not(work.job)) is not None:
            self._settle(work, work.give_up(refusal, untouched=not work.job.may_be_started))
            return False
        if not self._still_mine(work):
            self._mine.discard(work.job.reservation_id)
            return False
        return not work.job.extras.get("needs") or self._holds_needs(work)

    def _holds_needs(self, work: ClaimState) -> bool:
        now_us = self._now_us()
        try:
            work.job, hold = self._parts.bookings.at_start(
                work.job, self._session.note_booking, self._session.note_held
            )
        except BespeakError as error:
            self._settle(work, work.put_back(now_us + _NEED_AGAIN_US, str(error)))
            return False
        if hold.held:
            return True
        if hold.starts_us >= FOREVER_US:
            self._settle(work, work.give_up(hold.reason))
        else:
            self._settle(work, work.put_back(max(hold.starts_us, now_us + 1)))
        return False

    def _still_mine(self, work: ClaimState) -> bool:
        """Check the claim; one that its earlier runner does not have is moved to our own one, in the book first."""
        try:
            if self._place(work.job) != self._own and not work.known_there:
                moved = self._session.move(work.job)
                failpoints.reach("jobs.after_move")
                work.job = moved or work.job
                return moved is not None
            return self._session.still_mine(work.job)
        except UnavailableError:
            self._mine.discard(work.job.reservation_id)  # so that a later beat finds it again
            raise

    def _place(self, job: JobReservation) -> Location:
        found = location_of(job)
        return self._own if found is None or found.is_replaced_by(self._own) else found

    def _rules(self, work: ClaimState) -> StartRules:
        place = self._place(work.job)
        runner = self._parts.runner if place == self._own else place.runner
        return StartRules(
            f"{runner.shown} start",
            embedded=runner.embedded,
            retries=self._options.retries,
            call_seconds=self._options.start_seconds,
        )

    def _is_under_way(self, work: ClaimState) -> bool:
        """Tell whether a start call for a claim is still alive; one that cannot be asked for may be."""
        try:
            return self._parts.call_locks.is_held(work.job.reservation_id)
        except UnavailableError as error:
            self._parts.log.emit("dispatcher_error", {"error": str(error)})
            return True

    def _collect(self) -> None:
        for token, reply in self._parts.router.take():
            failpoints.reach("jobs.answered")
            if (stopped := self._stops.take(token)) is not None:
                self._ends.ask(stopped)
            self._ends.take(token, reply)
            self._look_again |= self._returns.take(token, reply) or self._options.once
            if (work := self._works.pop(token, None)) is not None:
                self._settle(work, work.take(reply, self._rules(work), self._now_us()))
        self._look_again |= self._ends.write_down()

    def _settle(self, work: ClaimState, what: NextStep) -> None:
        if what is NextStep.CALL:
            self._call(work)
        elif what is NextStep.LATER:
            self._later.append((time.monotonic() + work.pause_seconds, work))
        elif work.outcome is not None:
            if work.adopted:
                self._parts.metrics.add("adopted")
            if not self._place(work.job).embedded:
                self._parts.call_locks.discard(work.job.reservation_id)
            self._session.outcomes.append(work.outcome)

    def _take_up_later(self) -> None:
        now = time.monotonic()
        ready = [work for moment, work in self._later if moment <= now]
        self._later = [(moment, work) for moment, work in self._later if moment > now]
        for work in ready:
            self._call(work)

    def _now_us(self) -> int:
        return time.time_ns() // 1000 + self._session.offset_us

    def _status(self) -> str:
        return f"{len(self._works)} starting, {self._parts.metrics.counts['dispatched']} started"

    def _sleep(self) -> None:
        seconds = self._sleep_seconds()
        if seconds > 0 and self._slots() > 0 and self._pacing.seconds is None:
            # In a pause what is due would wake us at once, again and again.
            paused = self._paused_until > time.monotonic()
            moments = (self._next_us, self._schedules.next_us, self._run_limits.next_us)
            next_us = FOREVER_US if paused else min(moments)
            self._alarm.set(next_us, self._now_us(), self._session.offset_us)
        parts, woken = self._parts, {descriptor for descriptor, _ in self._epoll.poll(seconds)}
        if parts.timer.fileno() in woken:
            if parts.timer.take():
                parts.log.emit("clock_changed", {})
                self._beat_at = 0.0  # a lease of the earlier time would be taken for one of a wrong clock
            self._look_again = True
        if parts.notifier.fileno() in woken:
            parts.notifier.take()
            self._schedules.look_again()
            self._look_again = True
        if parts.signals.fileno() in woken:
            parts.signals.take()
        if parts.exporter is not None and parts.exporter.fileno() in woken:
            parts.metrics.in_flight = len(self._works)
            parts.exporter.answer()
        if not woken and seconds >= self._poll_seconds:
            self._look_again = True
        self._parts.manager.alive_in_time(self._status())

    def _sleep_seconds(self) -> float:
        now = time.monotonic()
        if self._paused_until > now:
            moments = [self._paused_until - now]
        elif self._look_again:
            return 0.0
        else:
            moments = [self._poll_seconds, self._beat_at - now]
        moments += [moment - now for moment, _ in self._later]
        moments += [self._holds.seconds, self._parts.manager.seconds()]
        moments += [self._ends.seconds] * (self._ends.are_waited_for and not self._parts.signals.stopping)
        others = (self._pacing.seconds, self._parts.router.next_seconds(), self._parts.telling_seconds)
        moments += [seconds for seconds in others if seconds is not None]
        return max(min(*moments, _LONGEST_SLEEP_SECONDS), 0.0)

    def _stop(self) -> None:
        self._parts.manager.stopping()
        stored = list(self._session.outcomes)
        try:
            self._session.end()
        except UnavailableError as error:
            # What was started is still DISPATCHING in the book: the next dispatcher asks the runner and adopts it.
            self._parts.log.emit("dispatcher_error", {"error": str(error)})
        else:
            for outcome in stored:
                self._reporter.outcome(outcome)
