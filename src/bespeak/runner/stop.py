"""End a job that runs: say so durably first, then SIGTERM to all its processes, a grace period, SIGKILL.

Its processes are those of its group, and those in sessions of their own that have its id in their environment.

The order matters. Once ABORTED or CANCELLED is stored, no start takes the key for free, and if whoever stops it dies
in between, the same call may be made again: it goes on where the processes are still alive.
"""

from __future__ import annotations

import os
import signal
import time

from bespeak.base import failpoints, process_identity
from bespeak.base.errors import NotFoundError, WrongStateError
from bespeak.base.frozen import frozen, replace
from bespeak.runner import exit_record, store
from bespeak.runner import status as observe
from bespeak.runner.launch import JOB_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.runner.exit_record import Record
    from bespeak.runner.model import Job, JobStatus
    from bespeak.runner.service import Runner
    from bespeak.storage.interface import Transaction

GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.01
_KILL_ROUNDS = 200
_CLAIM_SECONDS = 5.0


@frozen
class Signals:
    """Which signals were sent to whom."""

    term_target: bool = False
    term_worker: bool = False
    kill_target: bool = False
    kill_worker: bool = False


def stop(
    runner: Runner,
    job: Job,
    status: JobStatus,
    *,
    reason: str | None = None,
    grace_seconds: float = GRACE_SECONDS,
) -> tuple[Job, Signals]:
    """End a job.

    Args:
        runner: whose job it is.
        job: the job as it was found.
        status: what it becomes, ABORTED or CANCELLED.
        reason: stored with the job.
        grace_seconds: how long its processes have between SIGTERM and SIGKILL.

    Raises:
        WrongStateError: it has ended.
    """
    job = runner.transact(job.run_key, lambda tx: _store(tx, runner, job.job_id, status, reason))
    failpoints.reach("runner.stop_stored")
    if exit_record.forbid(runner.paths.record(job.job_id)):
        return job, Signals()
    record = _claimed(runner, job)
    return job, _end_processes(record, job.job_id, grace_seconds) if record is not None else Signals()


def _store(tx: Transaction, runner: Runner, job_id: str, status: JobStatus, reason: str | None) -> Job:
    job = store.by_id(tx, job_id)
    if job is None:
        raise NotFoundError(f"job {job_id!r} not found")
    now = observe.settled(runner.paths, job, tx.now_us)
    if not now.status.active:
        store.finish(tx, now)
        if now.exit_code is None and observe.target_alive(runner.paths, now):
            return now
        raise WrongStateError(f"job {job_id} is not running: status {now.status.value}")
    stopped = now.replace(
        status=status, end_reason=reason, finished_us=tx.now_us, updated_us=tx.now_us, aborted_us=tx.now_us
    )
    store.finish(tx, stopped)
    return stopped


def _claimed(runner: Runner, job: Job) -> Record | None:
    """Return the record, once whoever created it has written who the command is (it does so at once)."""
    deadline = time.monotonic() + _CLAIM_SECONDS
    while True:
        record = exit_record.read(runner.paths.record(job.job_id))
        if record is None or record.target is not None or time.monotonic() > deadline:
            return record
        time.sleep(_POLL_SECONDS)


def _end_processes(record: Record, job_id: str, grace_seconds: float) -> Signals:
    """Signal the group of a record's processes, if they still are the processes that the record means."""
    if record.supervisor is None or not (record.target_alive or record.supervisor_alive):
        return Signals()
    group = record.supervisor[0]
    sent = Signals(term_target=record.target_alive, term_worker=record.supervisor_alive)
    elsewhere = set(process_identity.with_variable(JOB_VARIABLE, job_id)) - set(process_identity.group_members(group))
    _signal_group(group, signal.SIGTERM)
    for pid in elsewhere:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + max(0.0, grace_seconds)
    while _others(record, job_id) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    # The supervisor is spared: it ends by itself, and writes down how the command did.
    for _ in range(_KILL_ROUNDS):
        others = _others(record, job_id)
        if not others:
            return sent
        sent = replace(sent, kill_target=True)
        for pid in others:
            _signal(pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    _signal_group(group, signal.SIGKILL)
    return replace(sent, kill_worker=True)


def _others(record: Record, job_id: str) -> list[int]:
    """Return the processes of a job but for its supervisor."""
    supervisor = record.supervisor[0] if record.supervisor else 0
    found = {*process_identity.group_members(supervisor), *process_identity.with_variable(JOB_VARIABLE, job_id)}
    return sorted(found - {supervisor})


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
