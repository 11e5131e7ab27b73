"""A process of its own that stops a command in time although bespeak, which supervises it, is stopped itself.

``kill -STOP``, a debugger or a frozen container can stop bespeak and leave the command running on what is somebody
else's by then. Bespeak tells its watchdog each second until when the command may run, and the watchdog acts on the
last word only.
"""

from __future__ import annotations

import os
import select
import sys

from bespeak.base.clock import FOREVER_US, SECOND_US, boot_us
from bespeak.cli.process_tree import ProcessTree, is_stopped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_WORD_BYTES = 48
_LOOK_SECONDS = 1.0
"""Timers stand still while the machine is suspended, so the clock is looked at this often."""

_SOON_SECONDS = 0.1


class Watchdog:
    """The supervisor's end of it.

    Args:
        pid: the command.
    """

    def __init__(self, pid: int) -> None:
        self._command = pid
        self._pipe: int | None = None
        self._last = (FOREVER_US, FOREVER_US)
        self.pid: int | None = None
        """The watchdog's process, once there is one."""

    def expect(self, end_us: int, kill_us: int) -> None:
        """Say when the command is to be told to end, and when it is to be killed.

        Args:
            end_us: the first instant, µs since boot; it counts only while bespeak itself is stopped.
            kill_us: the second, µs since boot.
        """
        if self.pid is None:
            if kill_us >= FOREVER_US // 2:
                return
            self._start()
        if (end_us, kill_us) != self._last and self._pipe is not None:
            self._last = (end_us, kill_us)
            try:
                os.write(self._pipe, f"{end_us} {kill_us}".ljust(_WORD_BYTES).encode())
            except OSError:
                return  # it is gone, or as stopped as we were: the next word tries again

    def close(self) -> None:
        """Let it end: the command has ended, with all it has started."""
        if self._pipe is not None and self.pid is not None:
            os.close(self._pipe)
            self._pipe = None
            try:
                os.waitpid(self.pid, 0)
            except ChildProcessError:
                return

    def _start(self) -> None:
        read, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        null = os.devnull
        words = [sys.executable, "-P", "-m", "bespeak.cli.watchdog", str(os.getpid()), str(self._command)]
        try:
            self.pid = os.posix_spawn(
                words[0],
                words,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, read, 0),
                    (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
                ],
                setsigmask=(),
            )
        except OSError:
            os.close(self._pipe)
            self._pipe, self.pid = None, 0  # the supervisor watches alone
        finally:
            os.close(read)


def watch(supervisor: int, tree: ProcessTree) -> None:
    """Wait for the supervisor's words on standard input, and act on the last one if it comes to that."""
    end_us = kill_us = FOREVER_US
    while True:
        now_us = boot_us()
        if now_us >= kill_us:
            while not tree.kill():
                select.select([], [], [], _SOON_SECONDS)
            return
        if now_us >= end_us and is_stopped(supervisor):
            tree.tell_to_end()
        wait_seconds = min(_LOOK_SECONDS, (min(kill_us, max(end_us, now_us)) - now_us) / SECOND_US)
        if select.select([0], [], [], max(wait_seconds, _SOON_SECONDS))[0]:
            words = os.read(0, _WORD_BYTES)
            if not words:
                return
            end_us, kill_us = map(int, words.split())


def main() -> NoReturn:
    """Watch the command whose number is the second argument, for the supervisor whose number is the first."""
    os.setsid()  # a key typed at the terminal stops the command and its supervisor, and must not stop us
    supervisor, command = map(int, sys.argv[1:])
    watch(supervisor, ProcessTree(command, root=supervisor, spared=os.getpid()))
    os._exit(0)


if __name__ == "__main__":
    main()
