"""The commands that look reservations up: ``status``, ``result`` and ``cancel`` of one, ``list`` of many.

The latter prints as it reads, so a million rows fit.
"""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Option, command
from bespeak.base.clock import SECOND_US, now
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import NoBookError, NotReadyError, UnavailableError, UsageError
from bespeak.base.json_text import printable
from bespeak.jobs import serialize
from bespeak.jobs.cli import ONE_JOB, RESERVATION_ID, RUN_KEY
from bespeak.jobs.contract_times import read_instant, read_number
from bespeak.jobs.liveness import presence
from bespeak.jobs.locations import open_store, store_url
from bespeak.jobs.model import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from bespeak.jobs.cli import CommandContext
    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.queries import Filter
    from bespeak.jobs.runner_client.job_proxy import ConfiguredRunner
    from bespeak.jobs.runner_client.location import Runner
    from bespeak.jobs.runner_client.replies import Reply
    from bespeak.jobs.store import StoredJob

_DEFAULT_LIMIT = 50
_MOST = 10**12
_OFFERED = 500


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
    from bespeak.jobs.runner_client.location import find_runner

    return find_runner(context.value("orchesjob-bin"), os.environ)


def candidate_runners(context: CommandContext, job: JobReservation) -> list[ConfiguredRunner]:
    """Return whom to ask about a job, first of all the runner that started it."""
    from bespeak.jobs.runner_client.job_proxy import runners_to_ask

    return runners_to_ask(job, context.value("orchesjob-bin"), os.environ)


def _look(context: CommandContext) -> StoredJob:
    from bespeak.jobs import store

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
    form: dict[str, object] = {"reservation": serialize.job_json(answer.job), "dispatcher": answer.dispatcher}
    if context.on("include-job") and answer.job.job_id:
        from bespeak.jobs.runner_client.job_proxy import job_state

        form["job"] = job_state(candidate_runners(context, answer.job), answer.job.job_id)
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
    from bespeak.jobs.runner_client.job_proxy import proxied

    job = _look(context).job
    job_id = started(job)
    extra = ("--logs",) if context.on("logs") else ()
    return pass_on(context, proxied(candidate_runners(context, job), "result", job_id, extra))


def started(job: JobReservation) -> str:
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
        from bespeak.jobs.runner_client.replies import json_object

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
    examples=(
        ("cancel --run-key nightly", "or the job that it became"),
        ("cancel --key-prefix soak-", "all that wait and are called so; what was started goes on"),
    ),
    options=(
        RUN_KEY,
        RESERVATION_ID,
        Option(("--key-prefix",), "All that wait and whose run keys begin so.", "TEXT", complete="run_key"),
    ),
    one_of=(*ONE_JOB, "--key-prefix"),
)
def cancel(context: CommandContext) -> int:
    """Cancel a reservation that was not started, or have the runner cancel its job."""
    from bespeak.jobs import store

    if context.value("key-prefix") is not None:
        return _cancel_many(context, context.text("key-prefix") or "")
    which = JobRef(context)
    engine = open_store(context.url)
    try:
        answer = store.cancel(engine, run_key=which.run_key, reservation_id=which.reservation_id)
    finally:
        engine.close()
    if answer.job.job_id:
        from bespeak.jobs.runner_client.job_proxy import proxied

        return pass_on(context, proxied(candidate_runners(context, answer.job), "cancel", answer.job.job_id))
    if answer.job.booking_id:
        give_back_of(context, answer.job)
    context.answer({"cancelled": True, "reservation": serialize.job_json(answer.job), "dispatcher": answer.dispatcher})
    return 0


def _cancel_many(context: CommandContext, key_prefix: str) -> int:
    from bespeak.jobs.reschedule import cancel_by_prefix

    if not key_prefix:
        raise UsageError("--key-prefix must not be empty")
    engine = open_store(context.url)
    try:
        gone = cancel_by_prefix(engine, key_prefix)
    finally:
        engine.close()
    for job in gone:
        if job.booking_id:
            give_back_of(context, job)
    print_rows(context, gone)
    print_rest(context, {"cancelled": len(gone)})
    return 0


def give_back_of(context: CommandContext, job: JobReservation) -> None:
    """Release what was booked for a job that will not run."""
    from bespeak.jobs.resource_bookings import give_back
    from bespeak.ledger import open_ledger
    from bespeak.settings import ledger_url

    named = context.value("ledger") or job.extras.get("ledger")
    try:
        with open_ledger(ledger_url(str(named) if named else None), create=False) as ledger:
            give_back(ledger, job)
    except NoBookError:
        return  # what is gone holds nothing
    except UnavailableError:
        return  # the dispatcher gives it back when the book is there again


@command(
    "list",
    text="With --all-sites (and --since, by default a day ago) the exit code is 1 if somebody has to look: a site has "
    "no dispatcher, or something is overdue, failed or was lost.",
    examples=(
        ("list --status RESERVED --limit 10", "the ten newest that wait"),
        ("list --key-prefix nightly- --text", "for people"),
        ("list --failed --since -1d --text", "each morning: what went wrong since yesterday"),
        ("list --all-sites --text", "each morning: a line for each site of the book"),
    ),
    options=(
        Option(("--status",), "Only this state.", "STATUS", complete="status"),
        Option(("--limit",), "At most so many; default 50, negative for all.", "N"),
        Option(("--after",), "The page after this reservation.", "ID", complete="reservation_id"),
        Option(("--since",), "Created at or after.", "DATETIME"),
        Option(("--until",), "Created before.", "DATETIME"),
        Option(("--key-prefix",), "Run keys that begin so.", "TEXT", complete="run_key"),
        Option(("--metadata",), "Metadata that says so; may be repeated.", "NAME=VALUE", many=True),
        Option(("--failed",), "Only what failed, or was not started although nobody cancelled it."),
        Option(("--site",), "Only of this site; without it of all.", "NAME"),
        Option(("--all-sites",), "A line for each site: how it is doing, what ran, failed and is next."),
    ),
)
def listing(context: CommandContext) -> int:
    """Print reservations, newest first."""
    from bespeak.jobs import queries

    if context.on("all-sites"):
        from bespeak.jobs.commands.sites import list_sites

        return list_sites(context)
    wanted = _list_filter(context)
    limit = read_number(context.value("limit") or str(_DEFAULT_LIMIT), "--limit", -_MOST, _MOST)
    engine = open_store(context.url)
    try:
        found = queries.listing(engine, wanted, limit=None if limit < 0 else limit, after=context.text("after"))
        print_rows(context, found)
        print_rest(context, {"dispatcher": engine.read(presence)})
    finally:
        engine.close()
    return 0


def _list_filter(context: CommandContext) -> Filter:
    from bespeak.jobs.queries import Filter

    status = context.value("status")
    if status is not None and status not in Status.__members__:
        raise UsageError(f"--status {status!a}: one of {', '.join(Status)}")
    now_us = now()
    since, until = context.value("since"), context.value("until")
    return Filter(
        status=status,
        key_prefix=context.text("key-prefix"),
        created_since=None if since is None else read_instant(since, "--since", now_us),
        created_before=None if until is None else read_instant(until, "--until", now_us),
        metadata=dict(_pair(text) for text in context.many("metadata")),
        failed=context.on("failed"),
        site=context.text("site"),
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--metadata {text!a}: expected NAME=VALUE")
    return name, value


def print_rows(context: CommandContext, found: Iterable[JobReservation]) -> None:
    """Print the opening of the answer and its rows, in the layout that ``json.dumps(indent=2)`` has."""
    if context.as_text:
        _print_table(found)
        return
    from bespeak.jobs.reservation_text import ReservationText

    write, text = sys.stdout.write, ReservationText("    ")
    write('{\n  "reservations": [')
    separator = "\n"
    for job in found:
        write(separator + text.of(job))
        separator = ",\n"
    write("]" if separator == "\n" else "\n  ]")


def _print_table(found: Iterable[JobReservation]) -> None:
    """Print a line for each reservation; its instant is when it was started, or else when it is due."""
    from bespeak.base.timeparse import show

    sys.stdout.write(f"{'STATE':<15}  {'OUTCOME':<13}  {'STARTED OR DUE':<24}  {'RESERVATION ID':<36}  RUN KEY\n")
    for job in found:
        outcome = (job.outcome or _running_try(job)) + (f" {job.exit_code}" if job.exit_code else "")
        at_us = (job.dispatched_at or job.not_before or job.created_at) * SECOND_US
        words = (f"{job.reservation_status:<15}", f"{escape_unprintable(outcome):<13}", f"{show(at_us):<24}")
        names = (f"{escape_unprintable(job.reservation_id):<36}", escape_unprintable(job.run_key))
        sys.stdout.write("  ".join((*words, *names)) + "\n")


def _running_try(job: JobReservation) -> str:
    """Return which attempt of a command runs that failed before, or waits to."""
    ended, most = len(job.tries), int(str(job.extras.get("retry", 0))) + 1
    return f"try {ended + 1} of {most}" if ended and ended < most and job.tries[-1].get("exit_code") else "-"


def print_rest(context: CommandContext, rest: dict[str, object]) -> None:
    """Print what follows the rows of an answer, and its end."""
    if context.as_text:
        context.answer(rest)
        return
    for name, value in rest.items():
        sys.stdout.write(f",\n  {printable(name)}: {printable(value)}")
    sys.stdout.write("\n}\n")


def _known(click_context: Any, field: str) -> dict[str, str]:
    """Return run keys or ids of the latest reservations, for completion; completion never makes a database."""
    from bespeak.jobs import queries

    parsed = click_context.params
    url = store_url(
        parsed.get("shared_db"), parsed.get("shared_ledger"), os.environ, click_context.find_root().info_name
    )
    if "://" not in url and not os.path.exists(url):
        return {}
    engine = open_store(url)
    try:
        jobs = queries.listing(engine, queries.Filter(), limit=_OFFERED)
        return {str(getattr(job, field)): str(job.reservation_status) for job in jobs}
    finally:
        engine.close()


def _resources(click_context: Any) -> dict[str, str]:
    from bespeak.ledger import open_ledger
    from bespeak.settings import ledger_url

    url = ledger_url(click_context.params.get("shared_ledger"))
    if "://" not in url and not os.path.exists(url):
        return {}
    with open_ledger(url) as ledger:
        return {resource.name: resource.description for resource in ledger.resource_list()}


SOURCES = {
    "run_key": lambda context: _known(context, "run_key"),
    "reservation_id": lambda context: _known(context, "reservation_id"),
    "resource": _resources,
    "status": lambda _: dict.fromkeys(Status.__members__, ""),
    "kind": lambda _: dict.fromkeys(("systemd", "supervisor"), ""),
}
"""What completes values."""
