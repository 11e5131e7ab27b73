"""Running somebody's command as if we were not there: its terminal, its signals, its exit code.

The command shares our process group, so a key typed at the terminal (Ctrl-C, Ctrl-backslash) reaches it by itself; only
signals that a process sent to us are passed on. Signals are blocked and collected by ``sigtimedwait``, so nothing can
arrive between two steps, and the same wait is the timer of the checks that go on meanwhile. A signal that our caller
had us ignore (``nohup``) is not collected, and the command ignores it as well.

Nothing here may block: whoever asks a book or a scheduler does so in another thread and calls :meth:`Child.poke`.
"""

from __future__ import annotations

import os
import signal
import time

from bespeak.base.clock import duration_text
from bespeak.cli.process_tree import ProcessTree, adopt_orphans
from bespeak.ledger.lease import margin_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bespeak.cli.watchdog import Watchdog

NOT_FOUND = 127
NOT_EXECUTABLE = 126
KILL_AFTER_SECONDS = 10.0
"""A command that was told to end is killed, with all it has started, if it has not ended after this long."""

HOLD_LOST = 11
"""What we exit with when the command was stopped because its hold was lost or over (:mod:`bespeak.base.exitcodes`)."""

_SIGNALLED = 128
_LONGEST_WAIT_SECONDS = 3600.0
_LOOK_SECONDS = 0.1
_WATCH_AFTER_SECONDS = 0.9
"""Short commands do not pay for a watchdog."""
_GIVE_UP_SECONDS = 5.0
"""How long to go on killing what cannot be killed, as a process that hangs in a driver."""

_ENDING = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
_ENDED_BY_SIGNAL = frozenset(_SIGNALLED + number for number in _ENDING)
"""The exit codes with which a shell tells that what it ran was ended by a signal."""

_PASSED_ON = (*_ENDING, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
_SET_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that every Python program ignores, and no command expects to find ignored."""


class Child:
    """A command that runs under supervision.

    Args:
        words: the command and its arguments.
        environ: its environment.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        heard = [number for number in _PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN]
        self._collected = (*heard, signal.SIGCHLD)
        self._code: int | None = None
        self._kill_at: float | None = None
        self._told_to_end = False
        self._poked = False
        self._kept = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._collected)
        try:
            adopt_orphans()
            defaults = (*self._collected, *_SET_BY_PYTHON)
            self.pid = os.posix_spawnp(words[0], list(words), environ, setsigmask=self._mask, setsigdef=defaults)
            self._tree = ProcessTree(self.pid)
            self._watchdog: Watchdog | None = None
            self._watch_from = time.monotonic() + _WATCH_AFTER_SECONDS
        except (OSError, ValueError):
            self._restore()
            raise

    @property
    def has_ended(self) -> bool:
        """The command has ended; what it has started may still be about to."""
        return self._code is not None

    @property
    def was_killed(self) -> bool:
        """The command was killed: by the watchdog, if its hold is over, or by anybody else."""
        return self._code == _SIGNALLED + signal.SIGKILL

    @property
    def left_behind(self) -> list[int]:
        """The processes that could not be stopped, after :meth:`wait`."""
        return sorted({*self._tree.untouchable, *self._unkillable})

    _unkillable: frozenset[int] = frozenset()

    def wait(self, tick: Callable[[], float]) -> int:
        """Wait until the command has ended; return its exit code, or 128 and the signal that ended it.

        If it was told to end, by a signal or by :meth:`terminate`, or was killed, that includes all it has started.

        Args:
            tick: called at once and whenever its time has come; returns the seconds until the next call.
        """
        try:
            next_tick = time.monotonic()
            while True:
                now = time.monotonic()
                if now >= next_tick or self._poked:
                    self._poked = False
                    next_tick = now + max(tick(), 0.0)
                code = self._final_code(time.monotonic())
                if code is not None:
                    return code
                seconds = next_tick - time.monotonic() if self._kill_at is None else _LOOK_SECONDS
                self._collect(min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS))
        finally:
            if self._watchdog is not None:
                self._watchdog.close()
            self._restore()

    def terminate(self, kill_after_seconds: float = KILL_AFTER_SECONDS) -> None:
        """Tell the command and all it has started to end; kill what is left a while later."""
        kill_at = time.monotonic() + kill_after_seconds
        self._kill_at = kill_at if self._kill_at is None else min(self._kill_at, kill_at)
        self._tree.tell_to_end()

    def stop_by(self, end_us: int, kill_us: int) -> None:
        """Have the command stopped in time even while this process is stopped itself.

        Args:
            end_us: when it would be told to end, µs since boot.
            kill_us: when it would be killed, µs since boot.
        """
        if self._watchdog is None:
            if time.monotonic() < self._watch_from:
                return
            from bespeak.cli.watchdog import Watchdog

            self._watchdog = Watchdog(self.pid)
        self._watchdog.expect(end_us, kill_us)
        self._tree.spared = self._watchdog.pid

    def poke(self) -> None:
        """Have the next tick at once; for other threads."""
        self._poked = True
        os.kill(os.getpid(), signal.SIGCHLD)

    def _final_code(self, now: float) -> int | None:
        """Push what has to end; return the command's exit code once it has, and all that has to end with it."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self._code = _SIGNALLED - code if code < 0 else code
                if self._kill_at is None and (self._told_to_end or code < 0 or code in _ENDED_BY_SIGNAL):
                    self._kill_at = now + KILL_AFTER_SECONDS
        if self._kill_at is None:
            return self._code
        gone = self._tree.tell_to_end() if now < self._kill_at else self._tree.kill()
        if not gone and self._code is not None and now >= self._kill_at + _GIVE_UP_SECONDS:
            self._unkillable = frozenset(process[0] for process in self._tree.members())
            gone = True
        return self._code if gone else None

    def _collect(self, seconds: float) -> None:
        """Wait for one signal, for at most so long, and pass it on unless the command has it already."""
        got = signal.sigtimedwait(self._collected, seconds)
        if got is None or got.si_signo not in self._collected:
            return  # CPython returns what is not a signal when the time passed while this process was stopped
        by_a_process = got.si_code <= 0
        if got.si_signo == signal.SIGCHLD:
            self._tree.reap_orphans()
        elif by_a_process and got.si_pid != self.pid:
            self._told_to_end = self._told_to_end or got.si_signo in _ENDING
            self._send(got.si_signo)

    def _send(self, number: int) -> None:
        """Pass a signal on to the command, which decides what it means for those that it has started."""
        if self._code is not None:
            if number in _ENDING:
                self._kill_at = time.monotonic()  # what it has left behind was told to end already
            return
        try:
            os.kill(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def _restore(self) -> None:
        """Take signals as before; what still waits for us has no meaning any more."""
        while signal.sigtimedwait(self._collected, 0) is not None:
            pass
        signal.signal(signal.SIGCHLD, self._kept)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


_GRACE_US = 10_000_000
_TENTH_US = 100_000
_GRACE_SHARE = 6


def stopping_times(length_us: int) -> tuple[int, int]:
    """Return how long before the end of a hold its command is told to end, and how long before it is killed, µs.

    Args:
        length_us: how long the hold, or its lease, lasts, µs; short ones are left a part of their length earlier.
    """
    kill_us = margin_us(length_us)
    return kill_us + min(_GRACE_US, length_us // _GRACE_SHARE), kill_us


def stopping_text(stop_us: int) -> str:
    """Return what to say of a command that is stopped ``stop_us``, µs, before the end of its hold."""
    return f"the command is stopped {duration_text(-(-stop_us // _TENTH_US) * _TENTH_US)} before"


def left_behind_text(pids: Sequence[int]) -> str:
    """Return what to say of processes that could not be stopped."""
    return f"these processes of the command could not be stopped: {', '.join(map(str, pids))}"


def start_failure(words: Sequence[str], error: Exception) -> tuple[str, int]:
    """Return what to say when a command cannot be started, and the exit code a shell would give."""
    reason = getattr(error, "strerror", None) or str(error)
    code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    return f"cannot run {words[0]!a}: {reason}", code
