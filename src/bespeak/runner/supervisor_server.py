"""One program that makes the supervisors of many jobs: ``supervise.bin --serve``.

Each job still has a supervisor, a process of its own that needs neither the server nor this process; but nothing is
loaded for it, which was a third of what a start cost. ``supervise.c`` says what goes over the socket.
"""

from __future__ import annotations

import _socket  # the parts of socket in C: importing the rest is a tenth of the helper's start
import os
import signal
from contextlib import suppress

from bespeak.runner import supervisors
from bespeak.runner.launch import JOB_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.runner.exit_record import Paths
    from bespeak.runner.model import Job

LONGEST_MESSAGE = 65_536
"""In bytes; a longer command may be too long for the system, which only starting it as a program tells in time."""
_ANSWER = 200
_BEGUN = b"begun"
_GIVE_UP_AFTER = 3
"""So many servers in a row that answered nothing, as one of an earlier version does, and there is none any more."""


class SupervisorServer:
    """Has supervisors made. It is used by one thread.

    Args:
        environ: what the jobs get, beside what each adds.
    """

    def __init__(self, environ: Mapping[bytes, bytes]) -> None:
        self._environ = environ
        self._socket: _socket.socket | None = None
        self._pid = 0
        self._deaths = 0

    def begin(self) -> bool:
        """Start the server; False where this installation has none."""
        program = supervisors.compiled()
        if program is None or self._deaths >= _GIVE_UP_AFTER:
            return False
        self._deaths += 1
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        try:
            self._pid = os.posix_spawn(
                program,
                [program, "--serve"],
                self._environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0)],
                setsid=True,
                setsigmask=(),
                setsigdef=supervisors.DEFAULT_SIGNALS,
            )
        except OSError:
            ours.close()
            return False
        finally:
            theirs.close()
        self._socket = ours
        return True

    def fileno(self) -> int:
        """Return the descriptor on which answers come; -1 while there is no server."""
        return -1 if self._socket is None else self._socket.fileno()

    def submit(self, number: int, paths: Paths, job: Job) -> bool:
        """Have a stored job started; False if that has to be done in another way.

        Args:
            number: what its answer has; not 0.
            paths: the runner's home.
            job: what to run.
        """
        if self._socket is None:
            return False
        job_id = job.job_id
        files = (paths.record(job_id), paths.log(job_id, "stdout"), paths.log(job_id, "stderr"))
        variables = [name + b"=" + value for name, value in (*job.environment, (JOB_VARIABLE, job_id.encode()))]
        texts = [b"%d" % number, *map(os.fsencode, files), job.cwd or b"", b"%d" % len(job.command), *job.command]
        message = b"\0".join([*texts, *variables, b""])
        if len(message) > LONGEST_MESSAGE:
            return False
        try:
            self._socket.send(message)
        except OSError:
            return False  # it is gone; its end of the socket says so
        return True

    def take(self) -> list[tuple[int, tuple[int, int] | None]]:
        """Return for each number that was answered the pids of supervisor and command, or None where none began.

        Where there is no server after it, what was not answered never will be.
        """
        found: list[tuple[int, tuple[int, int] | None]] = []
        with suppress(BlockingIOError):
            while self._socket is not None:
                try:
                    answer = self._socket.recv(_ANSWER, _socket.MSG_DONTWAIT)
                except ConnectionResetError:  # it left with messages that it had not read
                    answer = b""
                if not answer:
                    self.close()
                    break
                self._deaths = 0
                number, what, first, second = answer.split()
                found.append((int(number), (int(first), int(second)) if what == _BEGUN else None))
        return found

    def close(self) -> None:
        """End the server; the supervisors go on."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
