"""What a job is: its fields and the states it goes through.

No ``dataclasses``: they would cost more start-up time than a whole ``start`` takes.
"""

from __future__ import annotations

from enum import Enum

from bespeak.base.frozen import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class JobStatus(Enum):
    """Where a job is; ``docs/reference/runner.md`` has the same table.

    STARTING -> RUNNING -> SUCCEEDED | FAILED, and from both first states LOST, ABORTED or CANCELLED.
    """

    STARTING = "STARTING"
    """Accepted and stored; its command is not known to run yet."""
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """Ended with another exit code than 0, or could not be started (exit code -1)."""
    LOST = "LOST"
    """Its supervisor is gone and left no exit code."""
    CANCELLED = "CANCELLED"
    ABORTED = "ABORTED"

    @property
    def active(self) -> bool:
        """Whether the job may still do something."""
        return self in (JobStatus.STARTING, JobStatus.RUNNING)


@frozen
class Job:
    """One execution of a command. Instants are µs UTC; stored by :mod:`bespeak.runner.store`."""

    job_id: str
    run_key: str
    idempotency_key: str | None
    attempt_no: int
    command: tuple[bytes, ...]
    environment: tuple[tuple[bytes, bytes], ...]
    """What ``--env`` set, beyond the environment of whoever starts it."""
    cwd: bytes | None
    strict: bool
    rerun_of_job_id: str | None
    rerun_reason: str | None
    end_reason: str | None
    """The reason given to ``abort`` or ``cancel``."""
    status: JobStatus
    exit_code: int | None
    """As the command returned it; minus the signal's number if one ended it; -1 if it could not be started."""
    worker_pid: int | None
    target_pid: int | None
    boot_id: str
    """Which boot of the machine it was started in; nothing survives into the next one."""
    started_us: int
    finished_us: int | None
    updated_us: int
    aborted_us: int | None

    number: int = 0
    """Its place in the order of jobs; 0 before it is stored."""

    def replace(self, **changes: Any) -> Job:
        """Return a copy with ``changes``."""
        return replace(self, **changes)


@frozen
class Override:
    """A permission for one more execution of a strict run key. Instants are µs UTC."""

    run_key: str
    reason: str | None
    allowed_us: int
    expires_us: int | None

    def valid_at(self, now_us: int) -> bool:
        """Whether it may still be used."""
        return self.expires_us is None or now_us < self.expires_us


@frozen
class Started:
    """What ``start`` and ``rerun`` answer.

    Args:
        job: the job that was started, or the one that was there already.
        existing: nothing was started by this call; ``job`` is an earlier one.
        override_used: an ``unlock`` was consumed.
    """

    job: Job
    existing: bool
    override_used: bool = False
