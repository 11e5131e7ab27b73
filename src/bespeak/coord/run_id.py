"""Who is asking: the id of the run, when nobody gave one.

Two strangers must never share an id, because a run has no conflict with itself; and one agent must keep its id over
all the commands it starts. What they have in common is the session that the terminal or the agent was started in: its
leader's process number, the tick at which that process began, and the boot in which that tick is counted.

In a container the leader may be outside, where nobody here sees it: its number is then 0, for every session of the
outside. What tells such callers apart is the eldest process of theirs that can be seen from here.
"""

from __future__ import annotations

import os

UNKNOWN = "unknown"
VARIABLE = "BESPEAK_RUN_ID"
_FIRST_NAMESPACE = "4026531836"
_PARENT, _SESSION, _START_TIME = 1, 3, 19
"""Places after the name in ``/proc/PID/stat``, from 0; see proc_pid_stat(5)."""
_OUTSIDE = 0


def default_run_id() -> str:
    """Return ``BESPEAK_RUN_ID``, else an id of the calling session, else ``unknown``."""
    return os.environ.get(VARIABLE) or session_id() or UNKNOWN


def session_id() -> str:
    """Return an id of the session that this process belongs to; empty where the system does not tell."""
    try:
        leader = os.getsid(0)
        if leader == _OUTSIDE:
            leader = _eldest()
    except (OSError, IndexError, ValueError):
        return ""
    try:
        began = _stat(leader)[_START_TIME]
    except (OSError, IndexError):
        # The leader has ended; its number is not given to another process while somebody is left in its session.
        began = "ended"
    return f"session-{_boot()}-{leader}-{began}"


def _stat(process: int) -> list[str]:
    with open(f"/proc/{process}/stat", "rb") as stat:
        return stat.read().rpartition(b")")[2].decode("ascii", "replace").split()


def _eldest() -> int:
    """Return the topmost of the caller's ancestors whose session is led from outside."""
    process = os.getpid()
    while True:
        parent = int(_stat(process)[_PARENT])
        if parent == _OUTSIDE or int(_stat(parent)[_SESSION]) != _OUTSIDE:
            return process
        process = parent


def _boot() -> str:
    """Return which boot it is, and which container of it, as far as the system tells."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as boot:
            boot_id = boot.read(8).decode("ascii", "replace")
    except OSError:
        boot_id = "unknown"
    try:
        namespace = os.readlink("/proc/self/ns/pid").rpartition("[")[2].rstrip("]")
    except OSError:
        namespace = _FIRST_NAMESPACE
    return boot_id if namespace == _FIRST_NAMESPACE else f"{boot_id}-{namespace}"
