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
    from collections.abc import Iterable

    Process = tuple[int, int]
    """A process: its number, and when it was started (clock ticks since boot), which tells it from a later one."""

_PR_SET_CHILD_SUBREAPER = 36
_FREEZE_PASSES = 50
_MOST_LOOKS = 20
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
        self._is_settled = False
        self._untouchable: set[int] = set()
        self._zombies: set[int] = set()
        self._reap_at = time.monotonic() + _REAP_EVERY_SECONDS

    @property
    def untouchable(self) -> list[int]:
        """The processes that this account may not signal, as ``sudo`` makes them."""
        return sorted(self._untouchable)

    def members(self) -> list[Process]:
        """Return those that live, the command among them.

        Where none is seen, the tree is looked at until two looks find the same of what has ended: one that gets another
        parent, or replaces itself by a new one, can be missed, and leaves something that has ended.
        """
        before: frozenset[Process] | None = None
        for _ in range(_MOST_LOOKS):
            self._last, ended = self._look()
            self._is_settled = not self._last and ended == before
            if self._last or self._is_settled:
                break
            if before is not None:
                self._reap(before & ended)  # a look at thousands of them takes longer than a process of a storm lives
            before = ended
        return self._last

    def _reap(self, ended: Iterable[Process]) -> None:
        """Let go of adopted orphans; children that other threads of this process wait for are in its own group."""
        group = os.getpgrp()
        for pid, _ in ended:
            found = None if pid in (self._pid, self.spared) else _read(pid)
            if found is not None and found[0] == os.getpid() and found[3] != group:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    continue

    def _look(self) -> tuple[list[Process], frozenset[Process]]:
        """Return those that live, and those that have ended and were not reaped."""
        if self._started is None:
            return [(pid, 0) for pid in _descendants_by_ps(self._pid) if pid not in self._untouchable], frozenset()
        table = _table()
        found: list[Process] = []
        ended: list[Process] = []
        parents = [self._root]
        while parents:
            for pid, state, started, _ in table.get(parents.pop(), ()):
                if started < self._started or pid == self.spared:
                    continue  # a child that this process had before, or took over from the program that started it
                parents.append(pid)
                if state in (_ZOMBIE, _DEAD):
                    ended.append((pid, started))
                elif pid not in self._untouchable:
                    found.append((pid, started))
        return found, frozenset(ended)

    def tell_to_end(self) -> bool:
        """Send SIGTERM to each that was not told yet, and wake those that are stopped; True if none lives."""
        for process in self.members():
            if process not in self._told:
                self._told.add(process)
                self._send(process, signal.SIGTERM)
                self._send(process, signal.SIGCONT)
        return self._is_settled

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
        return not frozen and self._is_settled

    def reap_orphans(self) -> None:
        """Let go of adopted orphans that have ended, from time to time.

        Not at once: another thread of this process may wait for a child of its own, and would miss its exit code.
        """
        now = time.monotonic()
        if self._started is None or now < self._reap_at:
            return
        self._reap_at = now + _REAP_EVERY_SECONDS
        children = _table().get(os.getpid(), ())
        ended = {pid for pid, state, started, _ in children if state == _ZOMBIE and started >= self._started}
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


def _read(pid: int) -> tuple[int, str, int, int] | None:
    """Return parent, state, start (clock ticks) and group of a process; None if ``/proc`` does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[1]), fields[0].decode(), int(fields[19]), int(fields[2])
    except (OSError, ValueError, IndexError):
        return None


def _table() -> dict[int, list[tuple[int, str, int, int]]]:
    """Return the children of each process: pid, state, start, group."""
    children: dict[int, list[tuple[int, str, int, int]]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            found = _read(int(name))
            if found is not None:
                children.setdefault(found[0], []).append((int(name), *found[1:]))
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
