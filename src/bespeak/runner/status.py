"""What a job is now: its stored state, corrected by what its record and its lock say.

A job is stored once, when it is accepted. That it runs, ended or got lost is read from the record, so nothing has to
be alive for the answer to be true.
"""

from __future__ import annotations

from bespeak.base import process_identity
from bespeak.runner import exit_record
from bespeak.runner.model import JobStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.runner.exit_record import Paths, Record
    from bespeak.runner.model import Job

UNCLAIMED_SECONDS = 30
"""How long a job that nobody looks after and that never ran reads STARTING; after that it reads LOST. It is only a
reading: a later ``start`` with the same key still runs it."""


def settled(paths: Paths, job: Job, now_us: int) -> Job:
    """Return the job as it is now; a status that is not active is final and may be stored.

    Args:
        paths: the runner's home.
        job: as it is stored.
        now_us: the present instant, µs UTC.
    """
    if not job.status.active:
        return job
    record = exit_record.read(paths.record(job.job_id))
    if record is None or record.exit_code is None:
        attended = exit_record.looked_after(paths.log(job.job_id, "stderr"))
        # The supervisor may have written its last line and gone between the two looks.
        record = exit_record.read(paths.record(job.job_id))
        if record is None:
            return _unclaimed(paths, job, now_us, attended=attended)
        if record.exit_code is None:
            return _running(job, record) if attended or record.supervisor_alive else _lost(job, record, now_us)
    return _ended(job, record)


def shown(job: Job, now_us: int) -> Job:
    """Return the job as it is shown: one that waits too long for a supervisor reads LOST without being so for good."""
    waiting = job.status is JobStatus.STARTING and job.worker_pid is None
    if waiting and now_us - job.started_us > UNCLAIMED_SECONDS * 1_000_000:
        return job.replace(status=JobStatus.LOST)
    return job


def target_alive(paths: Paths, job: Job) -> bool:
    """Tell whether the command of a job, lost or not, still runs."""
    record = exit_record.read(paths.record(job.job_id))
    return record is not None and record.target_alive


def _unclaimed(paths: Paths, job: Job, now_us: int, *, attended: bool) -> Job:
    # After a restart of the machine a record that was written may be missing: running the job now could run it twice.
    if attended or job.boot_id == process_identity.boot_id() or not exit_record.forbid(paths.record(job.job_id)):
        return job
    return job.replace(status=JobStatus.LOST, finished_us=now_us, updated_us=now_us)


def _with_pids(job: Job, record: Record) -> Job:
    return job.replace(
        worker_pid=record.supervisor[0] if record.supervisor else job.worker_pid,
        target_pid=record.target[0] if record.target else job.target_pid,
    )


def _running(job: Job, record: Record) -> Job:
    if record.target is None:
        return job
    return _with_pids(job, record).replace(status=JobStatus.RUNNING, updated_us=max(job.updated_us, record.written_us))


def _ended(job: Job, record: Record) -> Job:
    status = JobStatus.SUCCEEDED if record.exit_code == 0 else JobStatus.FAILED
    ended_us = max(job.started_us, record.written_us)
    return _with_pids(job, record).replace(
        status=status, exit_code=record.exit_code, finished_us=ended_us, updated_us=ended_us
    )


def _lost(job: Job, record: Record, now_us: int) -> Job:
    ended_us = max(job.started_us, now_us)
    return _with_pids(job, record).replace(status=JobStatus.LOST, finished_us=ended_us, updated_us=ended_us)
