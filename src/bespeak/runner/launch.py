"""Start the supervisor of a job, with nothing of the caller's left open in it, and hear whether the job began."""

from __future__ import annotations

import os
import select
import signal
import time

from bespeak.base import failpoints
from bespeak.base.errors import UnavailableError
from bespeak.base.fileio import open_regular
from bespeak.runner import exit_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.runner.exit_record import Paths
    from bespeak.runner.model import Job

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "supervise.sh")
JOB_VARIABLE = b"BESPEAK_RUNNER_JOB"
"""Names the job to all it starts, so that also what left its session can be found and stopped with it."""

_SHELLS = ("/bin/dash", "/bin/sh")
"""dash first: it is the smallest, and says which signal ended a command."""
_LOCK_TRIES = 50
_LOCK_PAUSE_SECONDS = 0.001
_FIRST_FREE = 10
_NO_SIGNALS: tuple[int, ...] = ()


class CannotRunError(Exception):
    """The command can never be run as it is; the message says why."""


def launch(paths: Paths, job: Job, start_timeout_seconds: float) -> int | None:
    """Start the job's supervisor unless the job has one or ran already; return the supervisor's pid if one was started.

    Args:
        paths: the runner's home.
        job: a stored job that no record names.
        start_timeout_seconds: how long to wait for the command to begin.

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
        environment = _environment(job)
        _check(job, environment)
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


def _environment(job: Job) -> dict[bytes, bytes]:
    environment = dict(os.environb)
    environment.update(job.environment)
    environment[JOB_VARIABLE] = job.job_id.encode()
    return environment


def _check(job: Job, environment: Mapping[bytes, bytes]) -> None:
    """Find out before anything runs what a shell would only report as exit code 126 or 127."""
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
    odd = _hide_odd_names(environment)
    actions, hears = _descriptors(paths, job, opened)
    shell = next(path for path in _SHELLS if os.access(path, os.X_OK))
    words: list[str | bytes] = [shell, SCRIPT, paths.record(job.job_id), job.cwd or b"", str(odd), *job.command]
    try:
        pid = os.posix_spawn(
            shell,
            words,
            environment,
            file_actions=actions,
            setsid=True,
            setsigmask=_NO_SIGNALS,
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
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


def _descriptors(paths: Paths, job: Job, opened: list[int]) -> tuple[list[tuple[int, ...]], int]:
    """Open what the supervisor needs; return the moves to its places, and where the starter hears of the beginning.

    Sources are moved above the places first, so that no move overwrites the source of another.
    """

    def add(descriptor: int) -> int:
        if descriptor < _FIRST_FREE:
            import fcntl

            low, descriptor = descriptor, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
            os.close(low)
        opened.append(descriptor)
        return descriptor

    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    lock = add(os.dup(opened[0]))
    null = add(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
    out = add(open_regular(paths.log(job.job_id, "stdout"), append, follow=False))
    err = add(open_regular(paths.log(job.job_id, "stderr"), append, follow=False))
    words_out, words_in = map(add, os.pipe2(os.O_CLOEXEC))
    hears, tells = map(add, os.pipe2(os.O_CLOEXEC))
    places = (null, out, words_in, lock, err, words_out, tells, hears)
    actions: list[tuple[int, ...]] = [(os.POSIX_SPAWN_DUP2, source, place) for place, source in enumerate(places)]
    actions += [(os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _leaking(len(places))]
    return actions, hears


def _leaking(first: int) -> list[int]:
    """Return the caller's descriptors that a new program would inherit, beyond those that are replaced."""
    leaking = []
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        try:
            if descriptor >= first and os.get_inheritable(descriptor):
                leaking.append(descriptor)
        except OSError:
            continue  # the descriptor of the listing itself, or one that another thread closed
    return leaking


def _hide_odd_names(environment: dict[bytes, bytes]) -> int:
    """Put variables that a shell would drop for their name where the supervisor finds them; return how many."""
    odd = [name for name in environment if not _shell_name(name)]
    for number, name in enumerate(odd, start=1):
        environment[b"BESPEAK_ODD_%d" % number] = name + b"=" + environment.pop(name)
    return len(odd)


def _shell_name(name: bytes) -> bool:
    return name.isascii() and name.decode("ascii").isidentifier()


def _listen(descriptor: int, timeout_seconds: float) -> None:
    """Wait until the job began or its supervisor is gone, or until the time is over."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    poll.poll(max(0.0, timeout_seconds) * 1000)
