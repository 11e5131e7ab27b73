"""The program that stays with a job: a compiled one where the installation has it, else a script for every POSIX shell.

Both do the same, and the same tests run with each; ``supervise.c`` and ``supervise.sh`` say what. The compiled one
takes half of the processor time. Which one is there was decided when bespeak was installed: its build compiles
``supervise.c`` where it finds a C compiler. ``BESPEAK_SUPERVISOR`` names another compiled one; empty, the script.
"""

from __future__ import annotations

import errno
import os
import signal

from bespeak.base.fileio import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.runner.exit_record import Paths
    from bespeak.runner.model import Job

    Places = tuple[int, ...]

_FOLDER = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(_FOLDER, "supervise.bin")
SCRIPT = os.path.join(_FOLDER, "supervise.sh")
SHELLS = ("/bin/dash", "/bin/sh")
"""dash first: it is the smallest, and says which signal ended a command."""

_NOT_A_PROGRAM = (errno.ENOEXEC, errno.EACCES, errno.ENOENT)
"""For another machine, on a medium that runs no programs, or gone since bespeak was upgraded."""
_FIRST_FREE = 10
_NO_SIGNALS: tuple[int, ...] = ()
DEFAULT_SIGNALS = tuple(int(number) for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


def spawn(paths: Paths, job: Job, environment: dict[bytes, bytes], opened: list[int]) -> tuple[int, int]:
    """Start the supervisor of a job; return its pid, and where the starter hears that the command began.

    Args:
        paths: the runner's home.
        job: what to run.
        environment: of the command.
        opened: the descriptor of the job's lock; what is opened here is added, for the caller to close.

    Raises:
        OSError: it cannot be started.
    """
    program = compiled()
    if program is not None:
        add = _adder(opened)
        hears, places = _for_program(paths, job, opened[0], add)
        words: list[str | bytes] = [program, paths.record(job.job_id), job.cwd or b"", *job.command]
        try:
            return _spawn(words, environment, places, ()), hears
        except OSError as error:
            if error.errno not in _NOT_A_PROGRAM:
                raise
    odd = _hide_odd_names(environment)
    hears, places = _for_shell(paths, job, opened[0], _adder(opened))
    shell = next(path for path in SHELLS if os.access(path, os.X_OK))
    words = [shell, SCRIPT, paths.record(job.job_id), job.cwd or b"", str(odd), *job.command]
    return _spawn(words, environment, places, _leaking(len(places))), hears


def compiled() -> str | None:
    """Return the compiled supervisor; None where there is none."""
    program = os.environ.get("BESPEAK_SUPERVISOR", PROGRAM)
    return program if program and os.access(program, os.X_OK) else None


def _spawn(words: list[str | bytes], environment: dict[bytes, bytes], places: Places, leaking: Places) -> int:
    actions: list[tuple[int, ...]] = [(os.POSIX_SPAWN_DUP2, source, place) for place, source in enumerate(places)]
    actions += [(os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in leaking]
    return os.posix_spawn(
        words[0],
        words,
        environment,
        file_actions=actions,
        setsid=True,
        setsigmask=_NO_SIGNALS,
        setsigdef=DEFAULT_SIGNALS,
    )


def _adder(opened: list[int]) -> Callable[[int], int]:
    """Return what notes a descriptor and moves it above all places, so that no move overwrites another's source."""

    def add(descriptor: int) -> int:
        if descriptor < _FIRST_FREE:
            import fcntl

            low, descriptor = descriptor, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
            os.close(low)
        opened.append(descriptor)
        return descriptor

    return add


def _for_program(paths: Paths, job: Job, lock: int, add: Callable[[int], int]) -> tuple[int, Places]:
    """Open what the compiled supervisor needs, which closes what else it inherits; return as :func:`_for_shell`."""
    null, out, err = _streams(paths, job, add)
    hears, tells = map(add, os.pipe2(os.O_CLOEXEC))
    return hears, (null, out, err, add(os.dup(lock)), tells, hears)


def _for_shell(paths: Paths, job: Job, lock: int, add: Callable[[int], int]) -> tuple[int, Places]:
    """Open what the shell needs; return where the starter hears, and the sources of the places 0, 1, 2 ..."""
    null, out, err = _streams(paths, job, add)
    words_out, words_in = map(add, os.pipe2(os.O_CLOEXEC))
    hears, tells = map(add, os.pipe2(os.O_CLOEXEC))
    return hears, (null, out, words_in, add(os.dup(lock)), err, words_out, tells, hears)


def _streams(paths: Paths, job: Job, add: Callable[[int], int]) -> tuple[int, int, int]:
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    null = add(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
    out = add(open_regular(paths.log(job.job_id, "stdout"), append, follow=False))
    return null, out, add(open_regular(paths.log(job.job_id, "stderr"), append, follow=False))


def _leaking(first: int) -> Places:
    """Return the caller's descriptors that a new program would inherit, beyond those that are replaced."""
    leaking = []
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        try:
            if descriptor >= first and os.get_inheritable(descriptor):
                leaking.append(descriptor)
        except OSError:
            continue  # the descriptor of the listing itself, or one that another thread closed
    return tuple(leaking)


def _hide_odd_names(environment: dict[bytes, bytes]) -> int:
    """Put variables that a shell would drop for their name where the supervisor finds them; return how many."""
    odd = [name for name in environment if not _is_shell_name(name)]
    for number, name in enumerate(odd, start=1):
        environment[b"BESPEAK_ODD_%d" % number] = name + b"=" + environment.pop(name)
    return len(odd)


def _is_shell_name(name: bytes) -> bool:
    return name.isascii() and name.decode("ascii").isidentifier()
