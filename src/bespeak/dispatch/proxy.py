"""Asking the runner on a caller's behalf: ``status --include-job``, ``result``, ``cancel``.

The published runner has no ``result`` and no ``cancel``; there ``status`` and ``abort`` say and do the same.
"""

from __future__ import annotations

import os
import select

from bespeak.dispatch.calls import ProgramStarter
from bespeak.errors import BespeakError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.dispatch.place import Runner
    from bespeak.dispatch.runner_client.replies import Reply

LIMIT_SECONDS = 60.0
_INSTEAD = {"result": "status", "cancel": "abort"}
_USAGE = 2


def call(runner: Runner, words: list[str]) -> Reply:
    """Call the runner and wait for its answer.

    Raises:
        BespeakError: it could not be called, or gave no answer in time.
    """
    starter = ProgramStarter(runner.words, os.environ)
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
        raise BespeakError(f"{runner.shown} {words[0]}: {reply.note}")
    return reply


def proxied(runner: Runner, command: str, job_id: str, extra: tuple[str, ...] = ()) -> Reply:
    """Call ``command`` for a job, or what a runner without that command has instead."""
    reply = call(runner, [command, "--job-id", job_id, *extra])
    if reply.code == _USAGE and "invalid choice" in reply.err and command in _INSTEAD:
        return call(runner, [_INSTEAD[command], "--job-id", job_id])
    return reply


def job_state(runner: Runner, job_id: str) -> dict[str, object]:
    """Return what the runner says about a job; output that is no JSON object is returned as it is.

    Raises:
        BespeakError: the runner failed.
    """
    from bespeak.dispatch.runner_client.documents import json_object

    reply = call(runner, ["status", "--job-id", job_id])
    if reply.code != 0:
        said = reply.err.strip() or reply.out.strip()
        raise BespeakError(f"{runner.shown} status --job-id {job_id} failed\nexit_code={reply.code}\nstderr={said}")
    return json_object(reply.out) or {"raw_stdout": reply.out, "raw_stderr": reply.err}
