"""The processes that a command has started, found and stopped to the last one.

A signal to the command alone leaves what it has started running: on hardware that somebody else holds by now. On Linux
this process adopts the orphans among them (it becomes their *subreaper*), so that also a daemon that forked twice into
a session of its own stays a descendant, and ``/proc`` names them all. Elsewhere ``ps`` names those that are still
descendants of the command.
"""

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    Process = tuple[int, int]
    """A process: its number, and when it was started (clock ticks since boot), which tells it from a later one."""

_PR_SET_CHILD_SUBREAPER = 36
_FREEZE_PASSES = 50
_REAP_EVERY_SECONDS = 10.0
_ZOMBIE = "Z"
_DEAD = "X"
_STOPPED = "Tt"


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends; where that is not to be had, do nothing.

    It must be done before the first of them can end, thus on the way to every command. The module ``ctypes`` would
    cost as much as all the rest of that way, its core alone costs nearly nothing.
    """
    try:
        import _ctypes

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]  # None: this program
        _ctypes.call_function(prctl, (_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    except (ImportError, AttributeError, OSError):
        return


class ProcessTree:
    """All that descends from a command which this process has started.

    Args:
        pid: the command; it must not have been reaped yet.
        root: the process that has started it and adopts orphans; by default this one.
        spared: a process that watches the command and is no part of it.
    """

    def __init__(self, pid: int, *, root: int | None = None, spared: int | None = None) -> None:
        self._pid = pid
        self._root = os.getpid() if root is None else root
        self.spared = spared
        found = _read(pid)
        self._started = None if found is None else found[2]
        self._told: set[Process] = set()
        self._last: list[Process] = []
        self._untouchable: set[int] = set()
        self._zombies: set[int] = set()
        self._reap_at = time.monotonic() + _REAP_EVERY_SECONDS

    @property
    def untouchable(self) -> list[int]:
        """The processes that this account may not signal, as ``sudo`` makes them."""
        return sorted(self._untouchable)

    def members(self) -> list[Process]:
        """Return those that live, the command among them."""
        self._last = self._look() or self._look()  # one that gets another parent meanwhile can be missed, but not twice
        return self._last

    def _look(self) -> list[Process]:
        if self._started is None:
            return [(pid, 0) for pid in _descendants_by_ps(self._pid) if pid not in self._untouchable]
        table = _table()
        found: list[Process] = []
        parents = [self._root]
        while parents:
            for pid, state, started in table.get(parents.pop(), ()):
                if started < self._started or pid == self.spared:
                    continue  # a child that this process had before, or took over from the program that started it
                parents.append(pid)
                if state not in (_ZOMBIE, _DEAD) and pid not in self._untouchable:
                    found.append((pid, started))
        return found

    def tell_to_end(self) -> bool:
        """Send SIGTERM to each that was not told yet, and wake those that are stopped; True if none lives."""
        living = self.members()
        for process in living:
            if process not in self._told:
                self._told.add(process)
                self._send(process, signal.SIGTERM)
                self._send(process, signal.SIGCONT)
        return not living

    def kill(self) -> bool:
        """Stop all, so that none makes new ones meanwhile, and kill them; True if none lived."""
        frozen: set[Process] = set()
        new = self._last  # those that are known do not wait until the others are found
        for _ in range(_FREEZE_PASSES):
            for process in new:
                self._send(process, signal.SIGSTOP)
            frozen.update(new)
            new = [process for process in self.members() if process not in frozen]
            if not new:
                break
        for process in frozen:
            self._send(process, signal.SIGKILL)
        return not frozen

    def reap_orphans(self) -> None:
        """Let go of adopted orphans that have ended, from time to time.

        Not at once: another thread of this process may wait for a child of its own, and would miss its exit code.
        """
        now = time.monotonic()
        if self._started is None or now < self._reap_at:
            return
        self._reap_at = now + _REAP_EVERY_SECONDS
        children = _table().get(os.getpid(), ())
        ended = {pid for pid, state, started in children if state == _ZOMBIE and started >= self._started}
        for pid in (ended & self._zombies) - {self._pid, self.spared}:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
        self._zombies = ended

    def _send(self, process: Process, number: int) -> None:
        pid, started = process
        found = _read(pid)
        if started and (found is None or found[2] != started):
            return  # it has ended, and its number may be another's
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            self._untouchable.add(pid)


def is_stopped(pid: int) -> bool:
    """Tell whether a process is stopped, by a signal or a debugger; False where ``/proc`` does not tell."""
    found = _read(pid)
    return found is not None and found[1] in _STOPPED


def _read(pid: int) -> tuple[int, str, int] | None:
    """Return the parent, the state and the start (clock ticks) of a process; None if ``/proc`` does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[1]), fields[0].decode(), int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def _table() -> dict[int, list[tuple[int, str, int]]]:
    """Return the children of each process: pid, state, start."""
    children: dict[int, list[tuple[int, str, int]]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            found = _read(int(name))
            if found is not None:
                children.setdefault(found[0], []).append((int(name), found[1], found[2]))
    return children


def _descendants_by_ps(pid: int) -> list[int]:
    """Return the living among ``pid`` and its descendants where there is no ``/proc``."""
    import subprocess

    try:
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,stat="],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    except OSError:
        listed = ""
    rows = [line.split() for line in listed.splitlines()]
    alive = {
        int(row[0]): int(row[1])
        for row in rows
        if len(row) == len(("pid", "ppid", "stat")) and not row[2].startswith(_ZOMBIE)
    }
    found = [pid] if pid in alive else []
    for parent in found:
        found += [child for child, its_parent in alive.items() if its_parent == parent and child not in found]
    return found
