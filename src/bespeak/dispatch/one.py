"""The commands about one reservation: ``status``, ``result``, ``cancel``."""

from __future__ import annotations

import os
import sys

from bespeak.dispatch import jsonform
from bespeak.errors import NotReadyError, UnavailableError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.dispatch.cli import Caller
    from bespeak.dispatch.model import Job
    from bespeak.dispatch.place import Runner
    from bespeak.dispatch.runner_client.replies import Reply
    from bespeak.dispatch.store import Answer


class Which:
    """The one reservation that a command is about.

    Args:
        caller: exactly one of ``--run-key`` and ``--reservation-id``.

    Raises:
        UsageError: none or both were given.
    """

    __slots__ = ("reservation_id", "run_key")

    def __init__(self, caller: Caller) -> None:
        self.run_key = caller.text("run-key")
        self.reservation_id = caller.text("reservation-id")
        if (self.run_key is None) == (self.reservation_id is None):
            raise UsageError("exactly one of --run-key and --reservation-id is required")


def runner_of(caller: Caller) -> Runner:
    """Return the runner that the command line and the environment name."""
    from bespeak.dispatch.place import find_runner

    return find_runner(caller.value("orchesjob-bin"), os.environ)


def _look(caller: Caller) -> Answer:
    from bespeak.dispatch import store
    from bespeak.dispatch.place import open_store

    which = Which(caller)
    engine = open_store(caller.url)
    try:
        return store.look(engine, run_key=which.run_key, reservation_id=which.reservation_id)
    finally:
        engine.close()


def status(caller: Caller) -> int:
    """Print a reservation, with its job if that was asked for."""
    answer = _look(caller)
    form: dict[str, object] = {"reservation": jsonform.job_json(answer.job), "dispatcher": answer.dispatcher}
    if caller.on("include-job") and answer.job.job_id:
        from bespeak.dispatch.proxy import job_state

        form["job"] = job_state(runner_of(caller), answer.job.job_id)
    jsonform.write(form)
    return 0


def result(caller: Caller) -> int:
    """Print what the runner says about the job's result; the exit code is the runner's."""
    from bespeak.dispatch.proxy import proxied

    job_id = started(_look(caller).job)
    extra = ("--logs",) if caller.on("logs") else ()
    return pass_on(proxied(runner_of(caller), "result", job_id, extra))


def started(job: Job) -> str:
    """Return the runner's id of a job.

    Raises:
        NotReadyError: it has none yet.
    """
    if not job.job_id:
        raise NotReadyError(
            f"Not dispatched: the reservation is {job.reservation_status} and has no job_id.",
            reservation_status=str(job.reservation_status),
        )
    return job.job_id


def pass_on(reply: Reply) -> int:
    """Print a runner's answer as it is; return its exit code."""
    sys.stdout.flush()
    sys.stdout.buffer.write(reply.out.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(reply.err.encode("utf-8", "surrogateescape"))
    sys.stderr.buffer.flush()
    return reply.code or 0


def cancel(caller: Caller) -> int:
    """Cancel a reservation that was not started, or have the runner cancel its job."""
    from bespeak.dispatch import store
    from bespeak.dispatch.place import open_store

    which = Which(caller)
    engine = open_store(caller.url)
    try:
        answer = store.cancel(engine, run_key=which.run_key, reservation_id=which.reservation_id)
    finally:
        engine.close()
    if answer.job.job_id:
        from bespeak.dispatch.proxy import proxied

        return pass_on(proxied(runner_of(caller), "cancel", answer.job.job_id))
    if answer.job.booking_id:
        give_back_of(caller, answer.job)
    jsonform.write({"cancelled": True, "reservation": jsonform.job_json(answer.job), "dispatcher": answer.dispatcher})
    return 0


def give_back_of(caller: Caller, job: Job) -> None:
    """Release what was booked for a job that will not run."""
    from bespeak.dispatch.needs import give_back
    from bespeak.ledger import open_ledger
    from bespeak.settings import ledger_url

    named = caller.value("ledger") or job.extras.get("ledger")
    try:
        with open_ledger(ledger_url(str(named) if named else None)) as ledger:
            give_back(ledger, job)
    except UnavailableError:
        return  # the dispatcher gives it back when the book is there again
