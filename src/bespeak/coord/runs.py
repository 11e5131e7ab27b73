"""Who is asking: the id of the run, when nobody gave one.

Two strangers must never share an id, because a run has no conflict with itself; and one agent must keep its id over
all the commands it starts. What they have in common is the session that the terminal or the agent was started in: its
leader's process number, the tick at which that process began, and the boot in which that tick is counted.
"""

from __future__ import annotations

import os

UNKNOWN = "unknown"
VARIABLE = "BESPEAK_RUN_ID"
_FIRST_NAMESPACE = "4026531836"
_START_TIME_FIELD = 19
"""The place of the start time after the name in ``/proc/PID/stat``, from 0."""


def default_run_id() -> str:
    """Return ``BESPEAK_RUN_ID``, else an id of the calling session, else ``unknown``."""
    return os.environ.get(VARIABLE) or session_id() or UNKNOWN


def session_id() -> str:
    """Return an id of the session that this process belongs to; empty where the system does not tell."""
    try:
        leader = os.getsid(0)
        with open(f"/proc/{leader}/stat", "rb") as stat:
            began = stat.read().rpartition(b")")[2].split()[_START_TIME_FIELD]
        with open("/proc/sys/kernel/random/boot_id", "rb") as boot:
            boot_id = boot.read(8)
        namespace = os.readlink("/proc/self/ns/pid").rpartition("[")[2].rstrip("]")
    except (OSError, IndexError):
        return ""
    own = "" if namespace == _FIRST_NAMESPACE else f"-{namespace}"
    return f"session-{boot_id.decode('ascii', 'replace')}{own}-{leader}-{began.decode('ascii', 'replace')}"
