"""The commands about one reservation: ``status``, ``result``, ``cancel``."""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Option, command
from bespeak.dispatch import jsonform
from bespeak.dispatch.cli import ONE_JOB, RESERVATION_ID, RUN_KEY
from bespeak.errors import NotReadyError, UnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.dispatch.cli import CommandContext
    from bespeak.dispatch.model import Job
    from bespeak.dispatch.place import Runner
    from bespeak.dispatch.proxy import Place
    from bespeak.dispatch.runner_client.replies import Reply
    from bespeak.dispatch.store import Answer


class JobRef:
    """The one reservation that a command is about.

    Args:
        context: of a command that takes exactly one of ``--run-key`` and ``--reservation-id``.
    """

    __slots__ = ("reservation_id", "run_key")

    def __init__(self, context: CommandContext) -> None:
        self.run_key = context.text("run-key")
        self.reservation_id = context.text("reservation-id")


def runner_of(context: CommandContext) -> Runner:
    """Return the runner that the command line and the environment name."""
    from bespeak.dispatch.place import find_runner

    return find_runner(context.value("orchesjob-bin"), os.environ)


def places(context: CommandContext, job: Job) -> list[Place]:
    """Return whom to ask about a job, first of all the runner that started it."""
    from bespeak.dispatch.proxy import places_of

    return places_of(job, context.value("orchesjob-bin"), os.environ)


def _look(context: CommandContext) -> Answer:
    from bespeak.dispatch import store
    from bespeak.dispatch.place import open_store

    which = JobRef(context)
    engine = open_store(context.url)
    try:
        return store.look(engine, run_key=which.run_key, reservation_id=which.reservation_id)
    finally:
        engine.close()


@command(
    "status",
    examples=(
        ("status --run-key nightly", "by its run key"),
        ("status --run-key nightly --include-job --text", "with its job, for people"),
    ),
    options=(RUN_KEY, RESERVATION_ID, Option(("--include-job",), "Also ask the runner about its job.")),
    one_of=ONE_JOB,
)
def status(context: CommandContext) -> int:
    """Print a reservation, with its job if that was asked for."""
    answer = _look(context)
    form: dict[str, object] = {"reservation": jsonform.job_json(answer.job), "dispatcher": answer.dispatcher}
    if context.on("include-job") and answer.job.job_id:
        from bespeak.dispatch.proxy import job_state

        form["job"] = job_state(places(context, answer.job), answer.job.job_id)
    context.answer(form)
    return 0


@command(
    "result",
    examples=(("result --run-key nightly --logs", "with the job's output"),),
    options=(RUN_KEY, RESERVATION_ID, Option(("--logs",), "With the job's output (embedded runner).")),
    one_of=ONE_JOB,
)
def result(context: CommandContext) -> int:
    """Print what the runner says about the job's result; the exit code is the runner's."""
    from bespeak.dispatch.proxy import proxied

    job = _look(context).job
    job_id = started(job)
    extra = ("--logs",) if context.on("logs") else ()
    return pass_on(context, proxied(places(context, job), "result", job_id, extra))


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


def pass_on(context: CommandContext, reply: Reply) -> int:
    """Print a runner's answer as it is, or as text if that was asked for; return its exit code."""
    if context.as_text:
        from bespeak.dispatch.runner_client.documents import json_object

        found = json_object(reply.out)
        if found is not None:
            context.answer(found)
            return reply.code or 0
    sys.stdout.flush()
    sys.stdout.buffer.write(reply.out.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(reply.err.encode("utf-8", "surrogateescape"))
    sys.stderr.buffer.flush()
    return reply.code or 0


@command(
    "cancel",
    examples=(("cancel --run-key nightly", "or the job that it became"),),
    options=(RUN_KEY, RESERVATION_ID),
    one_of=ONE_JOB,
)
def cancel(context: CommandContext) -> int:
    """Cancel a reservation that was not started, or have the runner cancel its job."""
    from bespeak.dispatch import store
    from bespeak.dispatch.place import open_store

    which = JobRef(context)
    engine = open_store(context.url)
    try:
        answer = store.cancel(engine, run_key=which.run_key, reservation_id=which.reservation_id)
    finally:
        engine.close()
    if answer.job.job_id:
        from bespeak.dispatch.proxy import proxied

        return pass_on(context, proxied(places(context, answer.job), "cancel", answer.job.job_id))
    if answer.job.booking_id:
        give_back_of(context, answer.job)
    context.answer({"cancelled": True, "reservation": jsonform.job_json(answer.job), "dispatcher": answer.dispatcher})
    return 0


def give_back_of(context: CommandContext, job: Job) -> None:
    """Release what was booked for a job that will not run."""
    from bespeak.dispatch.needs import give_back
    from bespeak.ledger import open_ledger
    from bespeak.settings import ledger_url

    named = context.value("ledger") or job.extras.get("ledger")
    try:
        with open_ledger(ledger_url(str(named) if named else None)) as ledger:
            give_back(ledger, job)
    except UnavailableError:
        return  # the dispatcher gives it back when the book is there again
