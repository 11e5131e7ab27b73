"""Starts for the helper: those that come together share a commit, and none waits for another's command to begin."""

from __future__ import annotations

import time

from bespeak.base import failpoints
from bespeak.base.errors import BespeakError
from bespeak.base.frozen import frozen, replace
from bespeak.runner import launch, validation
from bespeak.runner.model import JobStatus
from bespeak.runner.start_commands import start_options, start_seconds
from bespeak.runner.supervisor_server import SupervisorServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.runner.cli import Values
    from bespeak.runner.model import Job, Started
    from bespeak.runner.service import Runner


@frozen
class BatchStart:
    """A start that was asked for.

    Args:
        number: of the request.
        values: its command line.
        deadline: when to answer although the command did not begin, by the monotonic clock.
        started: what was stored.
        error: why there is nothing to answer but this.
    """

    number: int
    values: Values
    deadline: float
    started: Started | None = None
    error: BaseException | None = None


class BatchStarts:
    """Stores and starts jobs, and says of each what is to be answered. It is used by one thread.

    Args:
        runner: who does the work.
        environ: what jobs add to.
    """

    def __init__(self, runner: Runner, environ: Mapping[bytes, bytes]) -> None:
        self._runner = runner
        self._environ = environ
        self._server = SupervisorServer(environ)
        self._waiting: dict[int, BatchStart] = {}
        self._numbers = 0
        self.done: list[BatchStart] = []
        """What can be answered."""
        self.unsettled: list[BatchStart] = []
        """What has to be started, or looked at, in the way that may take its time."""

    def __len__(self) -> int:
        return len(self._waiting)

    def fileno(self) -> int:
        """Return what to wait on while there is something under way; -1 for nothing."""
        return self._server.fileno()

    def get_ready(self) -> None:
        """Do what the first start would have to wait for."""
        self._server.begin()

    def submit(self, requests: Sequence[tuple[int, Values]]) -> None:
        """Store jobs, and begin to start them.

        Args:
            requests: the number and the command line of each.
        """
        asked: list[BatchStart] = []
        fresh: list[Job] = []
        now = time.monotonic()
        for number, values in requests:
            try:
                fresh.append(
                    validation.new_job(
                        values["run_key"], list(values["tail"]), now_us=self._runner.now(), **start_options(values)
                    )
                )
                asked.append(BatchStart(number, values, now + start_seconds(values)))
            except BespeakError as error:
                del fresh[len(asked) :]
                self.done.append(BatchStart(number, values, 0.0, error=error))
        if not fresh:
            return
        try:
            outcomes = self._runner.accept(fresh)
        except (BespeakError, OSError) as error:
            outcomes = [error] * len(fresh)
        for start, outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                self.done.append(replace(start, error=outcome))
            else:
                self._begin(replace(start, started=outcome), outcome)

    def _begin(self, start: BatchStart, started: Started) -> None:
        job = started.job
        if job.status is not JobStatus.STARTING and not started.existing:
            self.done.append(start)
        elif started.existing or (self._server.fileno() < 0 and not self._server.begin()):
            self.unsettled.append(start)
        else:
            try:
                launch.check(job, {**self._environ, **dict(job.environment)} if job.environment else self._environ)
            except launch.CannotRunError as error:
                self.done.append(replace(start, started=replace(started, job=self._runner.cannot_run(job, str(error)))))
                return
            self._numbers += 1
            if self._server.submit(self._numbers, self._runner.paths, job):
                self._waiting[self._numbers] = start
                failpoints.reach("runner.spawned")
            else:
                self.unsettled.append(start)

    def take(self) -> None:
        """Sort out what has begun, what never will, and what is late."""
        for number, pids in self._server.take():
            start = self._waiting.pop(number, None)
            if start is None or start.started is None:
                continue
            if pids is None:
                self.unsettled.append(start)
            else:
                job = start.started.job.replace(
                    status=JobStatus.RUNNING, worker_pid=pids[0], target_pid=pids[1], updated_us=self._runner.now()
                )
                self.done.append(replace(start, started=replace(start.started, job=job)))
        if self._waiting:
            is_gone, now = self._server.fileno() < 0, time.monotonic()
            for number in [number for number, start in self._waiting.items() if is_gone or now >= start.deadline]:
                self.unsettled.append(self._waiting.pop(number))

    def seconds(self) -> float | None:
        """Return after how many seconds something is late; None for never."""
        if not self._waiting:
            return None
        return max(min(start.deadline for start in self._waiting.values()) - time.monotonic(), 0.0)

    def close(self) -> None:
        """End what makes the supervisors; they go on."""
        self._server.close()
