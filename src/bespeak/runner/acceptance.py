"""Whether a start makes a new job. The whole idempotency is here; each call is a part of one transaction."""

from __future__ import annotations

from bespeak.runner import status, store
from bespeak.runner.model import JobStatus, Started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.runner.exit_record import Paths
    from bespeak.runner.model import Job
    from bespeak.storage.interface import Transaction


def decide(tx: Transaction, fresh: Job, paths: Paths) -> Started:
    """Store the new job, or say which one there is instead."""
    if fresh.idempotency_key is not None:
        mine = store.by_idempotency_key(tx, fresh.idempotency_key)
        if mine is not None:
            return Started(settle(tx, paths, mine), existing=True)
    last = store.latest(tx, fresh.run_key)
    used = None
    if last is not None:
        last = settle(tx, paths, last)
        if is_occupied(paths, last):
            return Started(last, existing=True)
        used = store.override(tx, fresh.run_key) if fresh.strict else None
        if fresh.strict and used is None:
            return Started(last, existing=True)
        fresh = fresh.replace(
            attempt_no=last.attempt_no + 1,
            rerun_of_job_id=last.job_id,
            rerun_reason=used.reason if used else None,
        )
    if used is not None:
        store.use_override(tx, fresh.run_key)
    store.insert(tx, fresh)
    return Started(fresh, existing=False, override_used=used is not None)


def settle(tx: Transaction, paths: Paths, job: Job) -> Job:
    """Return a job as it is now; that it has ended is stored."""
    now = status.settled(paths, job, tx.now_us)
    if job.status.active and not now.status.active:
        store.finish(tx, now)
    return now


def is_occupied(paths: Paths, job: Job) -> bool:
    """Tell whether a job forbids another of its key: it is active, or its command outlived its supervisor."""
    return job.status.active or (job.status is JobStatus.LOST and status.target_alive(paths, job))
