"""Who is asking: the id of the run, when nobody gave one.

Claude Code and Codex tell the commands that they start which session of theirs it is, and that names the run. Where two
of them do, one agent has started the other, and nobody can tell which of them calls: then neither counts.

Two strangers must never share an id, because a run has no conflict with itself; and one agent must keep its id over
all the commands it starts. Where nobody names it, what they have in common is the session that the terminal or the
agent was started in: its leader's process number, the tick at which that process began, and the boot in which that tick
is counted.

In a container the leader may be outside, where nobody here sees it: its number is then 0, for every session of the
outside. What tells such callers apart is the eldest process of theirs that can be seen from here.
"""

from __future__ import annotations

import os

from bespeak.base import process_identity

UNKNOWN = "unknown"
_OF_A_SESSION = "session-"
VARIABLE = "BESPEAK_RUN_ID"
OF_AGENTS = ("CLAUDE_CODE_SESSION_ID", "CODEX_THREAD_ID")
_FIRST_NAMESPACE = "4026531836"
_OUTSIDE = 0
_BOOT_DIGITS = 8


def default_run_id() -> str:
    """Return the run id of the environment, else an id of the calling session, else ``unknown``."""
    return given_run_id() or session_id() or UNKNOWN


def given_run_id() -> str:
    """Return ``BESPEAK_RUN_ID``, else what a coding agent calls the session it runs this in; empty for neither."""
    sessions = [found for name in OF_AGENTS if (found := os.environ.get(name))]
    return os.environ.get(VARIABLE, "") or (sessions[0] if len(sessions) == 1 else "")


def is_made_up(run_id: str) -> bool:
    """Tell whether a run id is that of a session: nobody gave one."""
    return run_id.startswith(_OF_A_SESSION)


def session_id() -> str:
    """Return an id of the session that this process belongs to; empty where the system does not tell."""
    try:
        leader = os.getsid(0)
        if leader == _OUTSIDE:
            leader = _eldest()
    except OSError:
        return ""
    # A leader that has ended: its number is not given to another process while somebody is left in its session.
    began = process_identity.began_ticks(leader) or "ended"
    return f"{_OF_A_SESSION}{this_boot()}-{leader}-{began}"


def _eldest() -> int:
    """Return the topmost of the caller's ancestors whose session is led from outside."""
    process = os.getpid()
    while True:
        parent, _ = _parent_and_session(process)
        if parent == _OUTSIDE or _parent_and_session(parent)[1] != _OUTSIDE:
            return process
        process = parent


def _parent_and_session(process: int) -> tuple[int, int]:
    found = process_identity.parent_and_session(process)
    if found is None:
        raise ProcessLookupError(process)
    return found


def this_boot() -> str:
    """Return which boot it is, and which container of it, as far as the system tells."""
    boot_id = process_identity.boot_id()[:_BOOT_DIGITS] or UNKNOWN
    namespace = process_identity.pid_namespace() or _FIRST_NAMESPACE
    return boot_id if namespace == _FIRST_NAMESPACE else f"{boot_id}-{namespace}"
