"""What a runner's answer means for a reservation: started, not started, or not known. Pure functions over text.

Only two things prove that nothing was started: the program could not be called at all, or the runner, asked for the
run key, says that it has no such job. Every other answer that does not name the job leaves the start unknown,
whatever the exit code: a wrapper may fail after the runner did its work. A job is looked for in the JSON of the output,
whatever else is printed before, after and between: a wrapper may print a warning, a shell its login message.
"""

from __future__ import annotations

import json
import re
from enum import Enum, auto

from bespeak.base.clock import SECOND_US
from bespeak.base.display import escape_unprintable
from bespeak.base.frozen import frozen
from bespeak.jobs.runner_client.full_command import full_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.model import JobReservation

_SHOWN = 1000
_NOT_FOUND = 3
_NOT_FOUND_TEXT = re.compile(r"\b(run[_ -]?key|job)\b[^\n]{0,300}\bnot found\b|\bno jobs? found\b", re.IGNORECASE)
_SHELL_FAILURES = (126, 127)
"""A shell that could not run the runner."""
_CUT_SHORT = ("STARTING", "LOST")
RUNNING_STATES = ("STARTING", "RUNNING")
"""States of a job that has not ended, in the runner's words."""

_LONGEST_JOB_ID = 500
_LARGEST_STEP_S = 12 * 3600
"""So far a clock that was wrong is set back; a job of the same key and command from longer ago is an earlier one."""
_LINE_START = re.compile(r"""^[ \t]*(?:\{(?=\s*["}])|\[(?=\s*[]"{[\dtfn-]))""", re.MULTILINE)
_ANYWHERE = re.compile(r"""\{(?=\s*["}])""")
_MOST_FAILURES = 100
"""So many places that only look like JSON end the search, so that garbage of any length costs a bounded time."""


class Verdict(Enum):
    """What is known after a call."""

    STARTED = auto()
    NOT_STARTED = auto()
    """It is certain."""
    UNKNOWN = auto()
    """It may have been started: ask before anything else."""


@frozen
class Reply:
    """How a call to the runner ended.

    Args:
        code: its exit code; None when it did not end by itself (killed, timed out, could not be talked to).
        out: its standard output.
        err: its standard error.
        note: why there is no exit code, or why it could not be called.
        called: False when the program never ran at all.
    """

    code: int | None
    out: str = ""
    err: str = ""
    note: str = ""
    called: bool = True

    @property
    def ended_by_itself(self) -> bool:
        """Whether the program came to its own end, so that it does nothing more for this call."""
        return self.called and self.code is not None and self.code >= 0

    def described(self, shown: str) -> str:
        """Return what went wrong, for an error.

        Args:
            shown: how the call is named.
        """
        if not self.ended_by_itself:
            return f"{shown}: {escape_unprintable(self.note) or 'ended by signal'}"
        said = escape_unprintable((self.err.strip() or self.out.strip())[:_SHOWN])
        return f"{shown} failed\nexit_code={self.code}\nstderr={said}"


@frozen
class Meaning:
    """A verdict with the job's id or the reason.

    Args:
        verdict: what is known.
        job_id: the runner's id when started.
        error: the reason when not.
        existing: the runner had the job already.
    """

    verdict: Verdict
    job_id: str | None = None
    error: str = ""
    existing: bool = False


def of_start(reply: Reply, job: JobReservation, shown: str) -> Meaning:
    """Read the answer to ``start``.

    Args:
        reply: the answer.
        job: the reservation it was for.
        shown: how the call is named in an error.
    """
    if not reply.called:
        return Meaning(Verdict.NOT_STARTED, error=f"{shown}: {escape_unprintable(reply.note)}")
    if reply.code != 0:
        return Meaning(Verdict.UNKNOWN, error=reply.described(shown))
    found, reason = reported_job(reply.out, job.run_key)
    if found is None:
        return Meaning(Verdict.UNKNOWN, error=f"{shown} {reason}")
    job_id = str(found["job_id"])
    existing = found.get("existing") is True
    ours = _is_ours(found, job) if existing else True
    if ours is None:
        return Meaning(Verdict.UNKNOWN, error=f"{shown} returned the existing job {job_id} without its command")
    if not ours:
        return Meaning(
            Verdict.NOT_STARTED,
            error=f"the runner has another command under run key {job.run_key!a} (job {job_id}, "
            f"{escape_unprintable(str(found.get('status', 'status unknown')))}); ours was not started",
        )
    return Meaning(Verdict.STARTED, job_id=job_id, existing=existing)


def of_question(reply: Reply, job: JobReservation, *, embedded: bool, now_us: int) -> Meaning:
    """Read the answer to ``status``, asked because a start may have happened.

    A foreign runner knows only run keys, so what it has counts as ours when the command is the same and it was
    started at or after our first claim. The embedded runner may have stored a job whose start was cut short; calling
    ``start`` again under the same key is how it is completed, so such a job counts as not started.

    Args:
        reply: the answer.
        job: the reservation it was for.
        embedded: it was asked by the key of the reservation, not by the run key.
        now_us: the present, µs UTC.
    """
    if is_unknown(reply):
        return Meaning(Verdict.NOT_STARTED, error="not started")
    found, reason = reported_job(reply.out, job.run_key) if reply.code == 0 else (None, "")
    if found is None:
        said = f"status {reason}" if reason else reply.described("status")
        return Meaning(Verdict.UNKNOWN, error=f"cannot tell whether it was started: {said}")
    return _of_own_job(found, job) if embedded else _of_found_job(found, job, now_us)


def _of_own_job(found: dict[str, object], job: JobReservation) -> Meaning:
    """Read a job that the embedded runner found by the key of the reservation."""
    if found.get("idempotency_key") and not _is_ours(found, job):
        return Meaning(Verdict.UNKNOWN, error=f"the runner answered with another reservation's {found['job_id']}")
    if found.get("status") in _CUT_SHORT:
        return Meaning(Verdict.NOT_STARTED, error="not started", existing=True)
    return Meaning(Verdict.STARTED, job_id=str(found["job_id"]), existing=True)


def _of_found_job(found: dict[str, object], job: JobReservation, now_us: int) -> Meaning:
    """Read the newest job that a foreign runner has under our run key."""
    started_at = found.get("started_at")
    since = _is_since(started_at, job, now_us)
    ours = _is_ours(found, job)
    if ours and (since or started_at is None):
        return Meaning(Verdict.STARTED, job_id=str(found["job_id"]), existing=True)
    if since is False and not (ours and _may_be_of_another_clock(found, job)):
        return Meaning(Verdict.NOT_STARTED, error="not started")
    return Meaning(
        Verdict.UNKNOWN,
        error=f"the newest job under run key {job.run_key!a} is {found['job_id']}, which cannot be told to be ours",
    )


def _is_ours(found: dict[str, object], job: JobReservation) -> bool | None:
    """Tell whether a job was started for this reservation, or would be the same; None when the job does not say."""
    key = found.get("idempotency_key")
    if isinstance(key, str) and key:
        return key == job.reservation_id
    command = found.get("command")
    return command == full_command(job) if isinstance(command, list) else None


def _is_since(started: object, job: JobReservation, now_us: int) -> bool | None:
    """Tell whether a job began at or after our first claim; None when it does not say or the clock was set back."""
    if not isinstance(started, int | float) or isinstance(started, bool):
        return None
    first_us = job.updated_at * SECOND_US if job.first_claimed_us is None else job.first_claimed_us
    if started >= first_us // SECOND_US:
        return True
    return None if now_us < first_us else False


def _may_be_of_another_clock(found: dict[str, object], job: JobReservation) -> bool:
    """Tell whether the clock may have been set back when a job of our own command began before our claim.

    It may where the job began shortly before, and where it ended after the claim: whatever the clock said at its start,
    the runner would not have begun another one of its key beside it.
    """
    first_us = job.updated_at * SECOND_US if job.first_claimed_us is None else job.first_claimed_us
    first_s = first_us // SECOND_US
    started, ended = found.get("started_at"), found.get("finished_at")
    return (isinstance(started, int | float) and started > first_s - _LARGEST_STEP_S) or (
        isinstance(ended, int | float) and ended >= first_s
    )


def is_unknown(reply: Reply) -> bool:
    """Tell whether the runner says that it has no such job.

    Exit code 3 says so. Otherwise the text must: "not found" alone is also what a shell says of a missing program.
    """
    if reply.code == _NOT_FOUND:
        return True
    if reply.code in (0, None) or reply.code in _SHELL_FAILURES:
        return False
    return _NOT_FOUND_TEXT.search(reply.err + "\n" + reply.out) is not None


def reported_job(text: str, run_key: str) -> tuple[dict[str, object] | None, str]:
    """Return the job that a runner printed for a run key, or None and why there is none.

    Args:
        text: standard output.
        run_key: a job that names another one is not what was asked for.
    """
    found = json_objects(text)
    if not found:
        return None, f"printed no JSON object: {escape_unprintable(text.strip()[:_SHOWN])}"
    named = [item for item in found if _is_job_id(item.get("job_id"))]
    if not named:
        return None, "printed no job_id"
    jobs = [item for item in named if item.get("run_key") in (None, run_key)]
    if not jobs:
        return None, f"printed a job of run key {escape_unprintable(str(named[-1].get('run_key'))[:_SHOWN])!a}"
    if len({item["job_id"] for item in jobs}) > 1:
        return None, f"printed several jobs: {', '.join(str(item['job_id']) for item in jobs[:3])}"
    return jobs[-1], ""


def _is_job_id(value: object) -> bool:
    """Tell whether a value can be stored, printed and given back to the runner."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_JOB_ID and value.isprintable()


def json_object(text: str) -> dict[str, object] | None:
    """Return the last JSON object of a text, or None if it has none."""
    found = json_objects(text)
    return found[-1] if found else None


def json_objects(text: str) -> list[dict[str, object]]:
    """Return the JSON objects of a text that are not part of another value, in their order.

    Only what begins a line counts, unless there is no such object: then any brace may begin one.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return _search(text, _LINE_START) or _search(text, _ANYWHERE)
    return [whole] if isinstance(whole, dict) else []


def _search(text: str, opening: re.Pattern[str]) -> list[dict[str, object]]:
    decoder = json.JSONDecoder()
    found: list[dict[str, object]] = []
    failures = 0
    match = opening.search(text)
    while match and failures < _MOST_FAILURES:
        end = match.end()
        try:
            value, end = decoder.raw_decode(text, end - 1)
        except (ValueError, RecursionError):
            failures += 1
        else:
            if isinstance(value, dict):
                found.append(value)
        match = opening.search(text, end)
    return found
