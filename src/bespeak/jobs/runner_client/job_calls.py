"""Calls of runners about one job each that have not been answered yet."""

from __future__ import annotations

from bespeak.jobs.runner_client.location import location_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.process import Router


class JobCalls:
    """What one part of a dispatcher has asked the runners of jobs.

    Args:
        router: through which runners are called.
        tokens: one for each call, for the whole dispatcher.
    """

    def __init__(self, router: Router, tokens: Iterator[int]) -> None:
        self._router = router
        self._tokens = tokens
        self._jobs: dict[int, JobReservation] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def submit(self, job: JobReservation, command: str, limit_seconds: float, *options: str) -> None:
        """Call the runner of a job that was started.

        Args:
            job: which one.
            command: of the runner.
            limit_seconds: how long the call may take.
            options: after the job's id.
        """
        token = next(self._tokens)
        self._jobs[token] = job
        self._router.submit(token, [command, "--job-id", str(job.job_id), *options], limit_seconds, location_of(job))

    def take(self, token: int) -> JobReservation | None:
        """Return the job that an answered call was about; None if the call was not made from here."""
        return self._jobs.pop(token, None)
