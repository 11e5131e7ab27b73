"""Start the supervisor of a job, with nothing of the caller's left open in it, and hear whether the job began."""

from __future__ import annotations

import os
import select
import time

from bespeak.base import failpoints
from bespeak.base.errors import UnavailableError
from bespeak.runner import exit_record, supervisors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.runner.exit_record import Paths
    from bespeak.runner.model import Job

JOB_VARIABLE = b"BESPEAK_RUNNER_JOB"
"""Names the job to all it starts, so that also what left its session can be found and stopped with it."""

_LOCK_TRIES = 50
_LOCK_PAUSE_SECONDS = 0.001


class CannotRunError(Exception):
    """The command can never be run as it is; the message says why."""


def launch(
    paths: Paths, job: Job, start_timeout_seconds: float, inherited: Mapping[bytes, bytes] | None = None
) -> int | None:
    """Start the job's supervisor unless the job has one or ran already; return the supervisor's pid if one was started.

    Args:
        paths: the runner's home.
        job: a stored job that no record names.
        start_timeout_seconds: how long to wait for the command to begin.
        inherited: the environment that the job adds to; None for that of this process.

    Raises:
        CannotRunError: there is no such program, folder, or the arguments are too long.
        UnavailableError: no process can be started now; starting again with the same key tries again.
    """
    lock = _lock(paths.log(job.job_id, "stderr"))
    if lock is None:
        return None
    opened = [lock]
    try:
        if os.path.exists(paths.record(job.job_id)):
            return None
        environment = _environment(job, os.environb if inherited is None else inherited)
        check(job, environment)
        failpoints.reach("runner.locked")
        return _spawn(paths, job, environment, opened, start_timeout_seconds)
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _lock(path: str) -> int | None:
    """Take the job's lock; somebody who only looks holds it for a moment, so try a few times."""
    for _ in range(_LOCK_TRIES):
        descriptor = exit_record.take_lock(path)
        if descriptor is not None:
            return descriptor
        time.sleep(_LOCK_PAUSE_SECONDS)
    return None


def _environment(job: Job, inherited: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    environment = dict(inherited)
    environment.update(job.environment)
    environment[JOB_VARIABLE] = job.job_id.encode()
    return environment


def check(job: Job, environment: Mapping[bytes, bytes]) -> None:
    """Find out before anything runs what a shell would only report as exit code 126 or 127.

    Raises:
        CannotRunError: there is no such program or folder.
    """
    if job.cwd is not None and not os.path.isdir(job.cwd):
        raise CannotRunError(f"cannot run in folder {os.fsdecode(job.cwd)!r}: there is no such folder")
    name = job.command[0]
    shown = os.fsdecode(name)
    if b"/" in name:
        path = os.path.join(job.cwd or b"", name)
        if not os.path.exists(path):
            raise CannotRunError(f"cannot run {shown!r}: there is no such file")
        if not _executable(path):
            raise CannotRunError(f"cannot run {shown!r}: it is not an executable file")
        return
    folders = environment.get(b"PATH", os.fsencode(os.defpath)).split(b":")
    if not name or not any(_executable(os.path.join(job.cwd or b"", folder, name)) for folder in folders):
        raise CannotRunError(f"cannot run {shown!r}: there is no such program on PATH")


def _executable(path: bytes) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _spawn(
    paths: Paths, job: Job, environment: dict[bytes, bytes], opened: list[int], start_timeout_seconds: float
) -> int:
    try:
        pid, hears = supervisors.spawn(paths, job, environment, opened)
    except OSError as error:
        raise _refusal(job, error) from error
    for descriptor in opened:
        if descriptor != hears:
            os.close(descriptor)
    opened[:] = [hears]
    failpoints.reach("runner.spawned")
    _listen(hears, start_timeout_seconds)
    return pid


def _refusal(job: Job, error: OSError) -> Exception:
    import errno

    if error.errno == errno.E2BIG:
        return CannotRunError("cannot run: the arguments and the environment are too long for this system")
    return UnavailableError(f"job {job.job_id}: no process can be started now: {error.strerror}")


def _listen(descriptor: int, timeout_seconds: float) -> None:
    """Wait until the job began or its supervisor is gone, or until the time is over."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    poll.poll(max(0.0, timeout_seconds) * 1000)
