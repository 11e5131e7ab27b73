"""The record of a job: the small file in which its supervisor says that it runs and how it ended.

The record decides two things that a database could not, because the supervisor is a shell:

* **Who runs the job.** It is created with O_EXCL. Of any number of supervisors started for one job one creates it,
  and only that one runs the command. Whoever wants the job never to run creates it first (:func:`forbid`).
* **Whether it was run.** No record: it was not, and may be started safely.

Next to it stands the lock, an flock on the job's ``.stderr`` file that whoever starts the job takes and hands on to
the supervisor. The kernel drops it when the last holder dies, whatever kills it, so "is anybody looking after this
job?" is answered without believing a pid. Where the file was moved away, the supervisor's pid and the instant it
began decide.
"""

from __future__ import annotations

import fcntl
import os

from bespeak.base import process_identity
from bespeak.base.fileio import open_regular
from bespeak.base.frozen import frozen

_FORBIDDEN = b"never\n"
_TARGET_FIELDS = 5


@frozen
class Record:
    """What a record says.

    Args:
        target: pid and beginning of the command, or None when it never ran.
        supervisor: pid and beginning of its supervisor.
        exit_code: how it ended, or None.
        written_us: when the record was last written, µs UTC.
    """

    target: tuple[int, int] | None
    supervisor: tuple[int, int] | None
    exit_code: int | None
    written_us: int

    @property
    def target_alive(self) -> bool:
        """Whether the command itself still runs."""
        return self.target is not None and process_identity.alive(*self.target)

    @property
    def supervisor_alive(self) -> bool:
        """Whether its supervisor still runs, by pid and beginning."""
        return self.supervisor is not None and process_identity.alive(*self.supervisor)


class Paths:
    """Where the files of a runner's home are.

    Args:
        home: the folder of everything.
    """

    __slots__ = ("database", "home", "logs", "records")

    def __init__(self, home: str) -> None:
        self.home = home
        self.database = os.path.join(home, "runner.sqlite3")
        self.logs = os.path.join(home, "logs")
        self.records = os.path.join(home, "run")

    def record(self, job_id: str) -> str:
        """Return the path of a job's record."""
        return os.path.join(self.records, job_id)

    def log(self, job_id: str, stream: str) -> str:
        """Return the path of a job's ``stdout`` or ``stderr``."""
        return os.path.join(self.logs, f"{job_id}.{stream}")


def read(path: str) -> Record | None:
    """Return what the record says; None when there is none, that is, the job was never run.

    A line that is not ended yet counts as not written.
    """
    try:
        descriptor = open_regular(path, follow=False)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        written_us = os.fstat(descriptor).st_mtime_ns // 1000
        lines = file.read(4096).split(b"\n")[:-1]
    target = supervisor = exit_code = None
    for words in (line.split() for line in lines):
        if words[:1] == [b"target"] and len(words) == _TARGET_FIELDS:
            target, supervisor = (int(words[1]), int(words[2])), (int(words[3]), int(words[4]))
        elif words[:1] == [b"exit"]:
            exit_code = int(words[1])
    return Record(target, supervisor, exit_code, written_us)


def forbid(path: str) -> bool:
    """Make sure that the job never runs; False if it runs or ran already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, _FORBIDDEN)
    finally:
        os.close(descriptor)
    return True


def take_lock(path: str) -> int | None:
    """Take the lock of a job that is to be started; the descriptor that holds it, or None if somebody has it.

    The descriptor must be closed or handed to the supervisor.
    """
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT, follow=False)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def looked_after(path: str, *, wait: bool = False) -> bool:
    """Tell whether a starter or supervisor holds the lock; with ``wait``, return once nobody does."""
    try:
        descriptor = open_regular(path, follow=False)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
