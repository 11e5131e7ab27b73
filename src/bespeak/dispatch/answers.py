"""What a runner's answer means for a reservation: started, failed, or not known. Pure functions over text."""

from __future__ import annotations

from enum import Enum, auto

from bespeak.clock import SECOND_US
from bespeak.dispatch.launch import full_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.dispatch.model import Job

_SHOWN = 1000
_NOT_FOUND = 3
_CUT_SHORT = ("STARTING", "LOST")


class Verdict(Enum):
    """What is known after a call."""

    STARTED = auto()
    FAILED = auto()
    """Certainly not started."""
    UNKNOWN = auto()
    """It may have been started: ask before anything else."""


class Reply:
    """How a call to the runner ended.

    Args:
        code: its exit code; None when it did not end by itself (killed, timed out, could not be talked to).
        out: its standard output.
        err: its standard error.
        note: why there is no exit code, or why it could not be called.
        called: False when the program never ran at all.
    """

    __slots__ = ("called", "code", "err", "note", "out")

    def __init__(self, code: int | None, out: str = "", err: str = "", note: str = "", *, called: bool = True) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.note = note
        self.called = called


class Meaning:
    """A verdict with the job's id or the reason.

    Args:
        verdict: what is known.
        job_id: the runner's id when started.
        error: the reason when not.
        existing: the runner had the job already.
    """

    __slots__ = ("error", "existing", "job_id", "verdict")

    def __init__(self, verdict: Verdict, *, job_id: str | None = None, error: str = "", existing: bool = False) -> None:
        self.verdict = verdict
        self.job_id = job_id
        self.error = error
        self.existing = existing


def of_start(reply: Reply, job: Job, shown: str) -> Meaning:
    """Read the answer to ``start``.

    Args:
        reply: the answer.
        job: the reservation it was for.
        shown: how the call is named in an error.
    """
    if reply.code != 0:
        return _no_answer(reply, shown)
    found = json_object(reply.out)
    if found is None:
        return Meaning(Verdict.FAILED, error=f"{shown} printed no JSON object: {reply.out.strip()[:_SHOWN]}")
    job_id = found.get("job_id")
    if not isinstance(job_id, str) or not job_id:
        return Meaning(Verdict.FAILED, error=f"{shown} printed no job_id")
    existing = found.get("existing") is True
    if existing and not _is_ours(found, job):
        return Meaning(
            Verdict.FAILED,
            error=f"the runner has another command under run key {job.run_key!a} (job {job_id}, "
            f"{found.get('status', 'status unknown')}); ours was not started",
        )
    return Meaning(Verdict.STARTED, job_id=job_id, existing=existing)


def _no_answer(reply: Reply, shown: str) -> Meaning:
    if not reply.called:
        return Meaning(Verdict.FAILED, error=f"{shown}: {reply.note}")
    if reply.code is None or reply.code < 0:
        return Meaning(Verdict.UNKNOWN, error=f"{shown}: {reply.note or 'ended by signal'}")
    said = (reply.err.strip() or reply.out.strip())[:_SHOWN]
    return Meaning(Verdict.FAILED, error=f"{shown} failed\nexit_code={reply.code}\nstderr={said}")


def of_question(reply: Reply, job: Job, *, embedded: bool) -> Meaning:
    """Read the answer to ``status``, asked because a start may have happened.

    A foreign runner knows only run keys, so what it has counts as ours when the command is the same and it was
    started at or after our claim. The embedded runner may have stored a job whose start was cut short; calling
    ``start`` again under the same key is how it is completed, so such a job counts as not started.
    """
    if is_unknown(reply):
        return Meaning(Verdict.FAILED, error="not started")
    found = json_object(reply.out) if reply.code == 0 else None
    if found is None:
        said = (reply.note or reply.err.strip() or reply.out.strip())[:_SHOWN]
        return Meaning(Verdict.UNKNOWN, error=f"cannot tell whether it was started: {said}")
    job_id = found.get("job_id")
    if not isinstance(job_id, str) or not job_id:
        return Meaning(Verdict.FAILED, error="not started")
    if embedded and found.get("status") in _CUT_SHORT:
        return Meaning(Verdict.FAILED, error="not started")
    if not embedded and not (_is_ours(found, job) and _is_since(found.get("started_at"), job)):
        return Meaning(Verdict.FAILED, error="not started")
    return Meaning(Verdict.STARTED, job_id=job_id, existing=True)


def _is_ours(found: dict[str, object], job: Job) -> bool:
    key = found.get("idempotency_key")
    if isinstance(key, str) and key:
        return key == job.reservation_id
    return found.get("command") == full_command(job)


def _is_since(started: object, job: Job) -> bool:
    claimed_s = job.updated_at if job.claimed_us is None else job.claimed_us // SECOND_US
    return isinstance(started, int | float) and started >= claimed_s


def is_unknown(reply: Reply) -> bool:
    """Tell whether the runner says that it has no such job."""
    return reply.code == _NOT_FOUND or (reply.code not in (0, None) and "not found" in reply.err + reply.out)


def json_object(text: str) -> dict[str, object] | None:
    """Return the JSON object that a runner printed, or None if it is none."""
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
