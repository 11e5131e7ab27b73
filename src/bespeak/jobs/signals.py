"""Signals as a descriptor: SIGTERM, SIGINT and SIGHUP stop the dispatcher cleanly, a second one at once."""

from __future__ import annotations

import os
import signal
import time

_HURRY_AFTER_SECONDS = 1.0
"""Process managers and closing terminals send several signals at once; only a later one means impatience."""

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Takes the stopping signals of this process over until :meth:`close`."""

    def __init__(self) -> None:
        self._first = 0.0
        self._hurry = False
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # Whoever ignores SIGCHLD passes that on to us, and the exit codes of our calls would be lost.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._before = {number: signal.signal(number, self._take) for number in _STOPPING}
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def _take(self, number: int, frame: object) -> None:
        del number, frame
        now = time.monotonic()
        self._first = self._first or now
        self._hurry = self._hurry or now - self._first > _HURRY_AFTER_SECONDS

    @property
    def stopping(self) -> bool:
        """Nothing new is to be begun."""
        return self._first > 0

    @property
    def hurry(self) -> bool:
        """Not even what is under way is to be waited for."""
        return self._hurry

    def fileno(self) -> int:
        """Return a descriptor that is readable after a signal."""
        return self._read

    def take(self) -> None:
        """Empty the descriptor."""
        try:
            while os.read(self._read, 64):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)
