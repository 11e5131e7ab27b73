"""How the runner's answers look: the JSON that scripts written for ``orchesjob`` read."""

from __future__ import annotations

import os
import time

from bespeak.base.timezones import offset_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.runner.exit_record import Paths
    from bespeak.runner.model import Job, Override, Started
    from bespeak.runner.stop import Signals

_US = 1_000_000


def instant(name: str, instant_us: int | None) -> dict[str, object]:
    """Return an instant under its two names: whole seconds since 1970, and ISO 8601 in the local zone.

    Args:
        name: the first of the names; the second is ``NAME_iso``.
        instant_us: µs UTC, or None.
    """
    if instant_us is None:
        return {name: None, f"{name}_iso": None}
    seconds = instant_us // _US
    local = time.localtime(seconds)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", local)
    return {name: seconds, f"{name}_iso": text + offset_text(local.tm_gmtoff)}


def job_fields(job: Job, paths: Paths) -> dict[str, object]:
    """Return what every answer says about a job."""
    pid = job.target_pid or job.worker_pid
    kind = "target" if job.target_pid else "worker" if job.worker_pid else None
    return {
        "job_id": job.job_id,
        "run_key": job.run_key,
        "idempotency_key": job.idempotency_key,
        "command": [os.fsdecode(word) for word in job.command],
        "pid": pid,
        "pid_kind": kind,
        "worker_pid": job.worker_pid,
        "target_pid": job.target_pid,
        "status": job.status.value,
        "exit_code": job.exit_code,
        "stdout_file": paths.log(job.job_id, "stdout"),
        "stderr_file": paths.log(job.job_id, "stderr"),
        "attempt_no": job.attempt_no,
        "strict": job.strict,
        "rerun_of_job_id": job.rerun_of_job_id,
        "rerun_reason": job.rerun_reason,
        "abort_reason": job.end_reason,
        **instant("started_at", job.started_us),
        **instant("finished_at", job.finished_us),
        **instant("updated_at", job.updated_us),
        **instant("aborted_at", job.aborted_us),
    }


def started_fields(started: Started, paths: Paths, *, mode: str, strict: bool) -> dict[str, object]:
    """Return the answer of ``start`` and ``rerun``."""
    return {
        **job_fields(started.job, paths),
        "strict": strict,
        "accepted": not started.existing,
        "existing": started.existing,
        "mode": mode,
        "strict_override_used": started.override_used,
    }


def status_fields(job: Job, paths: Paths, override: Override | None) -> dict[str, object]:
    """Return the answer of ``status`` for one job."""
    permission = None
    if override is not None:
        permission = {
            **instant("allowed_at", override.allowed_us),
            **instant("used_at", None),
            "reason": override.reason,
            **instant("expires_at", override.expires_us),
        }
    return {**job_fields(job, paths), "strict_override": permission}


def signal_fields(sent: Signals) -> dict[str, object]:
    """Return which signals ``abort`` and ``cancel`` sent."""
    return {
        "sent_term_target": sent.term_target,
        "sent_term_worker": sent.term_worker,
        "sent_kill_target": sent.kill_target,
        "sent_kill_worker": sent.kill_worker,
    }


def override_fields(override: Override) -> dict[str, object]:
    """Return the answer of ``unlock``."""
    return {
        "unlocked": True,
        "run_key": override.run_key,
        "reason": override.reason,
        **instant("allowed_at", override.allowed_us),
        **instant("expires_at", override.expires_us),
    }
