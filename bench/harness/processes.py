"""How long a whole process takes, from before it is started until it is gone."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence

_QUIET = ((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0))
_SILENT = (*_QUIET, (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))


class FailedError(Exception):
    """A measured command did not do what is measured."""


def whole(command: Sequence[str], environ: Mapping[str, str], *, code: int = 0) -> float:
    """Run a command to its end and return how long that took, in seconds.

    Args:
        command: an absolute program and its words.
        environ: its environment.
        code: the exit code that it must have; another one would mean that something else was measured.
    """
    return timed(command, environ, code=code)[0]


def timed(command: Sequence[str], environ: Mapping[str, str], *, code: int = 0) -> tuple[float, float]:
    """As :func:`whole`; return the processor time as well, which a busy machine changes less. Both in seconds."""
    started = time.perf_counter()
    pid = os.posix_spawn(command[0], list(command), dict(environ), file_actions=_SILENT)
    _, status, used = os.wait4(pid, 0)
    took = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != code:
        again = subprocess.run(command, check=False, capture_output=True, text=True, env=environ)
        said = " ".join((again.stderr or again.stdout).split())[-300:]
        raise FailedError(f"{' '.join(command)}: exit {os.waitstatus_to_exitcode(status)}, not {code}: {said}")
    return took, used.ru_utime + used.ru_stime


class Repeated:
    """A command that is run again and again, in one directory; keeps the processor time of each run.

    Args:
        command: an absolute program and its words.
        environ: its environment.
        folder: where it runs; None for wherever this process is.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: str | None = None) -> None:
        self._command = command
        self._environ = environ
        self._folder = folder
        self.cpu: list[float] = []

    def __call__(self) -> float:
        """Run it once; return seconds from start to end."""
        if self._folder is not None:
            os.chdir(self._folder)
        took, cpu = timed(self._command, self._environ)
        self.cpu.append(cpu)
        return took
