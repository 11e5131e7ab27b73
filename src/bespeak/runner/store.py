"""The runner's book: which jobs were accepted under which key.

SQLite, because a start must decide over several facts at once (the run key's last job, the idempotency key, an
override) and be on the disk before anything runs; because history of a million jobs must not slow a start; and
because cleaning selects by time. How a job ended is told by its record (:mod:`bespeak.runner.exit_record`) and copied
here by whoever looks first, so a finished job costs no process a database connection.
"""

from __future__ import annotations

from bespeak.base.errors import NotFoundError
from bespeak.runner.model import Job, JobStatus, Override
from bespeak.storage.migrations import Component, Migration
from bespeak.storage.row_shape import RowShape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from bespeak.storage.interface import Row, Transaction

_STATUSES = ", ".join(f"'{status.value}'" for status in JobStatus)
_ACTIVE = ", ".join(f"'{status.value}'" for status in JobStatus if status.active)

_JOBS = f"""
CREATE TABLE runner_jobs (
    number INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    run_key TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    attempt_no INTEGER NOT NULL,
    command BLOB NOT NULL,
    environment BLOB NOT NULL,
    cwd BLOB,
    strict INTEGER NOT NULL,
    rerun_of_job_id TEXT,
    rerun_reason TEXT,
    end_reason TEXT,
    status TEXT NOT NULL CHECK (status IN ({_STATUSES})),
    exit_code INTEGER,
    worker_pid INTEGER,
    target_pid INTEGER,
    boot_id TEXT NOT NULL,
    started_us BIGINT NOT NULL,
    finished_us BIGINT,
    updated_us BIGINT NOT NULL,
    aborted_us BIGINT,
    UNIQUE (run_key, attempt_no)
)
"""
_OVERRIDES = """
CREATE TABLE runner_overrides (
    run_key TEXT PRIMARY KEY,
    reason TEXT,
    allowed_us BIGINT NOT NULL,
    expires_us BIGINT
)
"""
COMPONENT = Component(
    "runner",
    (
        Migration(
            1,
            (
                _JOBS,
                f"CREATE UNIQUE INDEX runner_jobs_active ON runner_jobs (run_key) WHERE status IN ({_ACTIVE})",
                f"CREATE INDEX runner_jobs_running ON runner_jobs (number) WHERE status IN ({_ACTIVE})",
                "CREATE INDEX runner_jobs_finished ON runner_jobs (finished_us, number)",
                _OVERRIDES,
            ),
        ),
        Migration(2, ("CREATE INDEX runner_jobs_lost ON runner_jobs (boot_id) WHERE status = 'LOST'",)),
    ),
)

FIELDS = (
    "number",
    "job_id",
    "run_key",
    "idempotency_key",
    "attempt_no",
    "command",
    "environment",
    "cwd",
    "strict",
    "rerun_of_job_id",
    "rerun_reason",
    "end_reason",
    "status",
    "exit_code",
    "worker_pid",
    "target_pid",
    "boot_id",
    "started_us",
    "finished_us",
    "updated_us",
    "aborted_us",
)
_SELECT = f"SELECT {', '.join(FIELDS)} FROM runner_jobs"
_ROW = RowShape("job of the runner", ", ".join(FIELDS), "ittTibbBiTTTtIIItiIiI")
_OVERRIDE = RowShape("override of the runner", "run_key, reason, allowed_us, expires_us", "tTiI")
_INSERT = f"""
INSERT INTO runner_jobs ({", ".join(FIELDS[1:])})
VALUES ({", ".join(":" + name for name in FIELDS[1:])})
"""


def pack(words: Iterable[bytes]) -> bytes:
    """Join byte strings, none of which can contain NUL, so that they come back exactly."""
    return b"".join(word + b"\0" for word in words)


def unpack(packed: bytes) -> tuple[bytes, ...]:
    """Undo :func:`pack`."""
    return tuple(bytes(packed).split(b"\0")[:-1])


def _job(row: Row) -> Job:
    return _ROW.read(row, _job_of)


def _job_of(row: Row) -> Job:
    fields: dict[str, Any] = dict(zip(FIELDS, row, strict=True))
    fields["command"] = unpack(fields["command"])
    words = unpack(fields["environment"])
    fields["environment"] = tuple(zip(words[::2], words[1::2], strict=True))
    fields["strict"] = bool(fields["strict"])
    fields["status"] = JobStatus(fields["status"])
    return Job(**fields)


def insert(tx: Transaction, job: Job) -> None:
    """Store a new job."""
    fields: dict[str, Any] = {name: getattr(job, name) for name in FIELDS[1:]}
    fields["command"] = pack(job.command)
    fields["environment"] = pack(word for pair in job.environment for word in pair)
    fields["strict"] = int(job.strict)
    fields["status"] = job.status.value
    tx.execute(_INSERT, fields)


def by_id(tx: Transaction, job_id: str) -> Job | None:
    """Return the job of that id."""
    row = tx.fetch_one(f"{_SELECT} WHERE job_id = :id", {"id": job_id})
    return _job(row) if row else None


def by_idempotency_key(tx: Transaction, key: str) -> Job | None:
    """Return the job that was started under the caller's own key."""
    row = tx.fetch_one(f"{_SELECT} WHERE idempotency_key = :key", {"key": key})
    return _job(row) if row else None


def latest(tx: Transaction, run_key: str) -> Job | None:
    """Return the last attempt of a run key."""
    row = tx.fetch_one(f"{_SELECT} WHERE run_key = :key ORDER BY attempt_no DESC LIMIT 1", {"key": run_key})
    return _job(row) if row else None


def last_of(tx: Transaction, run_key: str) -> Job:
    """Return the last job of a run key.

    Raises:
        NotFoundError: it has none.
    """
    job = latest(tx, run_key)
    if job is None:
        raise NotFoundError(f"run key {run_key!r} not found")
    return job


def history(tx: Transaction, run_key: str) -> list[Job]:
    """Return every attempt of a run key, the last first."""
    rows = tx.fetch_all(f"{_SELECT} WHERE run_key = :key ORDER BY attempt_no DESC", {"key": run_key})
    return [_job(row) for row in rows]


def active_after(tx: Transaction, number: int, limit: int) -> list[Job]:
    """Return jobs stored as active, in the order of their acceptance, beginning after ``number``."""
    sql = f"{_SELECT} WHERE status IN ({_ACTIVE}) AND number > :number ORDER BY number LIMIT :limit"
    return [_job(row) for row in tx.fetch_all(sql, {"number": number, "limit": limit})]


def lost(tx: Transaction, boot_id: str) -> list[Job]:
    """Return the jobs of one boot of the machine that have lost their supervisor, in the order of their acceptance."""
    sql = f"{_SELECT} WHERE status = 'LOST' AND boot_id = :boot ORDER BY number"
    return [_job(row) for row in tx.fetch_all(sql, {"boot": boot_id})]


def finish(tx: Transaction, job: Job) -> None:
    """Store how an active job ended; a job that ended otherwise in the meantime keeps its end."""
    tx.execute(
        "UPDATE runner_jobs SET status = :status, exit_code = :exit_code, worker_pid = :worker_pid,"
        " target_pid = :target_pid, end_reason = :end_reason, finished_us = :finished_us,"
        f" updated_us = :updated_us, aborted_us = :aborted_us WHERE job_id = :job_id AND status IN ({_ACTIVE})",
        {
            "job_id": job.job_id,
            "status": job.status.value,
            "exit_code": job.exit_code,
            "worker_pid": job.worker_pid,
            "target_pid": job.target_pid,
            "end_reason": job.end_reason,
            "finished_us": job.finished_us,
            "updated_us": job.updated_us,
            "aborted_us": job.aborted_us,
        },
    )


def finish_all(tx: Transaction, jobs: Iterable[Job]) -> None:
    """Store how several jobs ended."""
    for job in jobs:
        finish(tx, job)


def finished(
    tx: Transaction,
    *,
    after: tuple[int, int],
    before_us: int | None,
    run_key: str | None,
    limit: int,
) -> list[Job]:
    """Return ended jobs in the order of their end.

    Args:
        tx: a transaction.
        after: (end in µs UTC, number) of the last job of the page before; ends from that instant on.
        before_us: only those that ended before this instant.
        run_key: only those of this run key.
        limit: the most to return.
    """
    sql = f"{_SELECT} WHERE (finished_us, number) > (:since, :number)"
    sql += " AND finished_us < :before" if before_us is not None else ""
    sql += " AND run_key = :key" if run_key is not None else ""
    parameters = {"since": after[0], "number": after[1], "before": before_us, "key": run_key, "limit": limit}
    return [_job(row) for row in tx.fetch_all(f"{sql} ORDER BY finished_us, number LIMIT :limit", parameters)]


def delete(tx: Transaction, job_ids: Iterable[str]) -> None:
    """Forget ended jobs, and the overrides of run keys that have no job left."""
    for job_id in job_ids:
        tx.execute(f"DELETE FROM runner_jobs WHERE job_id = :id AND status NOT IN ({_ACTIVE})", {"id": job_id})
    tx.execute(
        "DELETE FROM runner_overrides WHERE NOT EXISTS"
        " (SELECT 1 FROM runner_jobs WHERE runner_jobs.run_key = runner_overrides.run_key)"
    )


def override(tx: Transaction, run_key: str) -> Override | None:
    """Return the permission that may still be used for a run key."""
    sql = "SELECT run_key, reason, allowed_us, expires_us FROM runner_overrides WHERE run_key = :key"
    row = tx.fetch_one(sql, {"key": run_key})
    found = Override(*_OVERRIDE.check(row)) if row else None
    return found if found is not None and found.valid_at(tx.now_us) else None


def allow(tx: Transaction, permission: Override) -> None:
    """Store a permission, in place of an earlier one."""
    tx.execute(
        "INSERT INTO runner_overrides (run_key, reason, allowed_us, expires_us) VALUES (:key, :reason, :allowed,"
        " :expires) ON CONFLICT (run_key) DO UPDATE SET reason = excluded.reason,"
        " allowed_us = excluded.allowed_us, expires_us = excluded.expires_us",
        {
            "key": permission.run_key,
            "reason": permission.reason,
            "allowed": permission.allowed_us,
            "expires": permission.expires_us,
        },
    )


def use_override(tx: Transaction, run_key: str) -> None:
    """Consume the permission of a run key."""
    tx.execute("DELETE FROM runner_overrides WHERE run_key = :key", {"key": run_key})
