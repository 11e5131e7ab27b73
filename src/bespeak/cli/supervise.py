"""Running somebody's command as if we were not there: its terminal, its signals, its exit code.

The command shares our process group, so a key typed at the terminal (Ctrl-C, Ctrl-backslash) reaches it by itself; only
signals that a process sent to us are passed on. Signals are blocked and collected by ``sigtimedwait``, so nothing can
arrive between two steps, and the same wait is the timer of the checks that go on meanwhile.
"""

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NOT_FOUND = 127
NOT_EXECUTABLE = 126
KILL_AFTER_SECONDS = 10.0
"""A command that was told to end is killed if it has not ended after this long."""

_SIGNALLED = 128
_LONGEST_WAIT_SECONDS = 3600.0
_PASSED_ON = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)
_COLLECTED = (*_PASSED_ON, signal.SIGCHLD)


class Child:
    """A command that runs under supervision.

    Args:
        words: the command and its arguments.
        environ: its environment.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        self._kill_at: float | None = None
        self._kept = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _COLLECTED)
        try:
            self.pid = os.posix_spawnp(words[0], list(words), environ, setsigmask=self._mask, setsigdef=_COLLECTED)
        except (OSError, ValueError):
            self._restore()
            raise

    def wait(self, tick: Callable[[], float]) -> int:
        """Wait until the command has ended; return its exit code, or 128 and the signal that ended it.

        Args:
            tick: called at once and whenever its time has come; returns the seconds until the next call.
        """
        try:
            next_tick = time.monotonic()
            while True:
                now = time.monotonic()
                if now >= next_tick:
                    next_tick = now + max(tick(), 0.0)
                if self._kill_at is not None and now >= self._kill_at:
                    self._send(signal.SIGKILL)
                    self._kill_at = None
                until = next_tick if self._kill_at is None else min(next_tick, self._kill_at)
                if self._collect(min(max(until - time.monotonic(), 0.0), _LONGEST_WAIT_SECONDS)):
                    next_tick = now
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    code = os.waitstatus_to_exitcode(status)
                    return _SIGNALLED - code if code < 0 else code
        finally:
            self._restore()

    def terminate(self) -> None:
        """Tell the command to end; kill it a while later if it has not."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + KILL_AFTER_SECONDS
            self._send(signal.SIGTERM)
            self._send(signal.SIGCONT)

    def poke(self) -> None:
        """Have the next tick at once; for other threads."""
        os.kill(os.getpid(), signal.SIGCHLD)

    def _collect(self, seconds: float) -> bool:
        """Wait for one signal, for at most so long, and pass it on unless the command has it already.

        Returns:
            True after a :meth:`poke`.
        """
        got = signal.sigtimedwait(_COLLECTED, seconds)
        if got is None:
            return False
        by_a_process = got.si_code <= 0
        if got.si_signo == signal.SIGCHLD:
            return by_a_process and got.si_pid == os.getpid()
        if by_a_process and got.si_pid != self.pid:
            self._send(got.si_signo)
        return False

    def _send(self, number: int) -> None:
        try:
            os.kill(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def _restore(self) -> None:
        """Take signals as before; what still waits for us has no meaning any more."""
        while signal.sigtimedwait(_COLLECTED, 0) is not None:
            pass
        signal.signal(signal.SIGCHLD, self._kept)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


def start_failure(words: Sequence[str], error: Exception) -> tuple[str, int]:
    """Return what to say when a command cannot be started, and the exit code a shell would give."""
    reason = getattr(error, "strerror", None) or str(error)
    code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    return f"cannot run {words[0]!a}: {reason}", code
