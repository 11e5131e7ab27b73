"""Asking the runner on a caller's behalf: ``status --include-job``, ``result``, ``cancel``.

The published runner has no ``result`` and no ``cancel``; there ``status`` and ``abort`` say and do the same.
"""

from __future__ import annotations

import select

from bespeak.base.errors import BespeakError
from bespeak.base.frozen import frozen
from bespeak.jobs.runner_client.process import ProgramStarter
from bespeak.jobs.runner_client.replies import is_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.location import Runner
    from bespeak.jobs.runner_client.replies import Reply

LIMIT_SECONDS = 60.0
_INSTEAD = {"result": "status", "cancel": "abort"}
_USAGE = 2


@frozen
class ConfiguredRunner:
    """A runner as one command asks it.

    Args:
        runner: the program.
        environ: what it gets; its home is in there.
    """

    runner: Runner
    environ: Mapping[str, str]


def runners_to_ask(job: JobReservation, flag: str | None, environ: Mapping[str, str]) -> list[ConfiguredRunner]:
    """Return whom to ask about a job, one after the other until one knows it.

    That is the runner that started it, with its home. One that ``--orchesjob-bin`` or ``ORCHESJOB_BIN`` names is asked
    before it; what is merely found on PATH only if the book does not say, or the program that it says is gone.

    Args:
        job: the reservation.
        flag: ``--orchesjob-bin``.
        environ: of the command.

    Raises:
        BespeakError: the job is on another machine.
    """
    from bespeak.jobs.runner_client.location import find_runner, location_of, own_location

    runner = find_runner(flag, environ)
    location = location_of(job)
    if location is None:
        return [ConfiguredRunner(runner, environ)]
    if not location.is_here:
        raise BespeakError(f"job {job.job_id} is on another host: it was started by {location}; ask there")
    there = location.environ(environ)
    own = own_location(runner, there)
    if location.is_replaced_by(own):
        return [ConfiguredRunner(runner, there)]
    is_named = bool(flag or environ.get("ORCHESJOB_BIN"))
    named = [ConfiguredRunner(runner, there)] if is_named and own != location else []
    return [*named, ConfiguredRunner(location.runner, there)]


class NoAnswerError(BespeakError):
    """A runner could not be called, or gave no answer in time, which says nothing about the job."""


def call(candidate: ConfiguredRunner, words: list[str]) -> Reply:
    """Call the runner and wait for its answer.

    Raises:
        NoAnswerError: it could not be called, or gave no answer in time.
    """
    starter = ProgramStarter(candidate.runner.words, candidate.environ)
    try:
        starter.submit(1, words, LIMIT_SECONDS)
        ended = starter.take()
        while not ended:
            select.select([starter.fileno()], [], [], starter.next_seconds())
            ended = starter.take()
    finally:
        starter.close()
    reply = ended[0][1]
    if reply.code is None:
        raise NoAnswerError(f"{candidate.runner.shown} {words[0]}: {reply.note}")
    return reply


def proxied(candidates: Sequence[ConfiguredRunner], command: str, job_id: str, extra: tuple[str, ...] = ()) -> Reply:
    """Call ``command`` for a job, or what a runner without it has instead; the last of ``candidates`` decides."""
    for candidate in candidates:
        reply = call(candidate, [command, "--job-id", job_id, *extra])
        if reply.code == _USAGE and "invalid choice" in reply.err and command in _INSTEAD:
            reply = call(candidate, [_INSTEAD[command], "--job-id", job_id])
        if not is_unknown(reply):
            break
    return reply


def job_state(candidates: Sequence[ConfiguredRunner], job_id: str) -> dict[str, object]:
    """Return what the runner says about a job; output that is no JSON object is returned as it is.

    Raises:
        BespeakError: the runner failed.
    """
    from bespeak.jobs.runner_client.replies import json_object

    reply = proxied(candidates, "status", job_id)
    if reply.code != 0:
        said = reply.err.strip() or reply.out.strip()
        shown = f"{candidates[-1].runner.shown} status --job-id {job_id}"
        raise BespeakError(f"{shown} failed\nexit_code={reply.code}\nstderr={said}")
    return json_object(reply.out) or {"raw_stdout": reply.out, "raw_stderr": reply.err}
