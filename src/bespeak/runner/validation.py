"""A request to run something, checked and made a job that can be stored."""

from __future__ import annotations

import os

from bespeak.base import process_identity
from bespeak.base.errors import UsageError
from bespeak.base.ids import new_id
from bespeak.runner.model import Job, JobStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def new_job(
    run_key: str,
    command: Sequence[str | bytes],
    *,
    now_us: int,
    environment: Mapping[str | bytes, str | bytes],
    cwd: str | bytes | None,
    strict: bool,
    idempotency_key: str | None,
) -> Job:
    """Return a job that was never stored; for the arguments see :meth:`bespeak.runner.service.Runner.start`.

    Raises:
        UsageError: a key cannot be stored, or the command, a variable or the folder can never be used.
    """
    _check_key("run key", run_key)
    if idempotency_key is not None:
        _check_key("idempotency key", idempotency_key)
        if not idempotency_key:
            raise UsageError("idempotency key: it is empty")
    if not command:
        raise UsageError("command: it is empty; give it after --")
    return Job(
        number=0,
        job_id=new_id(),
        run_key=run_key,
        idempotency_key=idempotency_key,
        attempt_no=1,
        command=tuple(_bytes("command", word) for word in command),
        environment=_environment(environment),
        cwd=None if cwd is None else os.path.abspath(_bytes("cwd", cwd)),
        strict=strict,
        rerun_of_job_id=None,
        rerun_reason=None,
        **_not_run_yet(now_us),
    )


def again(source: Job, *, attempt_no: int, reason: str | None, now_us: int) -> Job:
    """Return a new job with the command of an ended one.

    Args:
        source: the ended job.
        attempt_no: the new job's number among those of its run key.
        reason: why it is run again.
        now_us: the present instant, µs UTC.
    """
    return source.replace(
        job_id=new_id(),
        idempotency_key=None,
        attempt_no=attempt_no,
        strict=False,
        rerun_of_job_id=source.job_id,
        rerun_reason=reason,
        **_not_run_yet(now_us),
    )


def _not_run_yet(now_us: int) -> dict[str, Any]:
    """Return the fields that tell what became of a job, for one that was only just accepted."""
    return {
        "end_reason": None,
        "status": JobStatus.STARTING,
        "exit_code": None,
        "worker_pid": None,
        "target_pid": None,
        "boot_id": process_identity.boot_id(),
        "started_us": now_us,
        "finished_us": None,
        "updated_us": now_us,
        "aborted_us": None,
    }


def _bytes(field: str, text: str | bytes) -> bytes:
    data = os.fsencode(text)
    if b"\0" in data:
        raise UsageError(f"{field}: it contains a NUL byte")
    return data


def _check_key(field: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"{field} {text!a}: it is not valid UTF-8") from None
    if "\0" in text:
        raise UsageError(f"{field} {text!a}: it contains a NUL byte")


def _environment(variables: Mapping[str | bytes, str | bytes]) -> tuple[tuple[bytes, bytes], ...]:
    pairs = tuple((_bytes("environment", name), _bytes("environment", value)) for name, value in variables.items())
    for name, _ in pairs:
        if not name or b"=" in name:
            raise UsageError(f"environment: {os.fsdecode(name)!r} is not the name of a variable")
    return pairs
