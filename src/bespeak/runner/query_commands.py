"""The commands that look at jobs and tidy up after them: ``status``, ``result``, ``logs`` and ``clean``."""

from __future__ import annotations

import sys

from bespeak.argv.declarations import Option, command
from bespeak.base.errors import NotFoundError, UsageError
from bespeak.runner import serialize
from bespeak.runner.cli import JOB_ID, OK, ONE_JOB, RUN_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.runner.cli import CommandContext, Values
    from bespeak.runner.model import Job
    from bespeak.runner.service import Runner


@command(
    "status",
    examples=(
        ("status --run-key nightly", "the last attempt"),
        ("status --run-key nightly --all", "every attempt, the last first"),
        ("status --running --text", "what runs now, for people"),
    ),
    options=(
        RUN_KEY,
        JOB_ID,
        Option(("--idempotency-key",), "The job, by the caller's own key.", "KEY"),
        Option(("--running",), "Every job that is starting or running."),
        Option(("--all",), "Every attempt of the run key, the last first."),
    ),
    one_of=("--run-key", "--job-id", "--idempotency-key", "--running"),
)
def status(context: CommandContext, values: Values) -> int:
    """Print where a job is, or several."""
    runner = context.runner
    if values["running"]:
        try:
            jobs = runner.running()
        except NotFoundError:
            jobs = []
        return context.answer([status_fields(runner, job) for job in jobs])
    if values["all"]:
        if values["run_key"] is None:
            raise UsageError("status: --all needs --run-key")
        return context.answer([status_fields(runner, job) for job in runner.history(values["run_key"])])
    try:
        job = context.find(values)
    except NotFoundError:
        waits = context.waiting(values["run_key"]) if context.waiting and values["run_key"] is not None else None
        if waits is None:
            raise
        return context.answer(waits)
    return context.answer(status_fields(runner, job))


def status_fields(runner: Runner, job: Job) -> dict[str, object]:
    """Return what is answered about one job."""
    return serialize.status_fields(job, runner.paths, runner.override(job.run_key))


@command(
    "result",
    examples=(("result --run-key nightly --logs", "how it ended, and what it wrote"),),
    options=(RUN_KEY, JOB_ID, Option(("--logs",), "Add what the job wrote, as stdout and stderr.")),
    one_of=ONE_JOB,
)
def result(context: CommandContext, values: Values) -> int:
    """Print a job with its exit code and, if asked, its output."""
    job = context.find(values)
    answer = status_fields(context.runner, job)
    if values["logs"]:
        from bespeak.runner import logs

        answer["stdout"] = logs.text(context.runner, job.job_id, "stdout")
        answer["stderr"] = logs.text(context.runner, job.job_id, "stderr")
    return context.answer(answer)


@command(
    "logs",
    examples=(
        ("logs --run-key nightly", "what it wrote to standard output"),
        ("logs --run-key nightly --stream stderr --follow", "until it has ended"),
    ),
    options=(
        RUN_KEY,
        JOB_ID,
        Option(("--stream",), "stdout (default) or stderr.", "STREAM", complete="stream"),
        Option(("--follow",), "Go on until the job has ended."),
    ),
    one_of=ONE_JOB,
)
def logs(context: CommandContext, values: Values) -> int:
    """Print what a job wrote, byte for byte."""
    from bespeak.runner import logs

    stream = values["stream"] or "stdout"
    if stream not in ("stdout", "stderr"):
        raise UsageError(f"logs: --stream {stream!r} is neither stdout nor stderr")
    job = context.find(values)
    logs.copy(context.runner, job.job_id, stream, sys.stdout.fileno(), follow=values["follow"])
    return OK


@command(
    "clean",
    examples=(
        ("clean --before 2026-06-01 --dry-run", "what would be deleted"),
        ("clean --run-key nightly --all", "all that ended under one key"),
    ),
    options=(
        Option(
            ("--before",),
            "Those that ended before this time, such as 2026-06-01, 'tomorrow 2:00' or seconds since 1970.",
            "TIME",
        ),
        Option(("--after",), "Those that ended at or after this time.", "TIME"),
        Option(("--all",), "All of them."),
        Option(("--job-id",), "One of them.", "ID", complete="job_id"),
        Option(("--run-key",), "Only those of this key (with --before, --after or --all).", "KEY", complete="run_key"),
        Option(("--dry-run",), "Say what would be deleted, and delete nothing."),
    ),
)
def clean(context: CommandContext, values: Values) -> int:
    """Delete ended jobs with their output, and print which."""
    from bespeak.runner import clean as cleaning

    _check_selection(values)
    selection = cleaning.JobSelection(
        after_us=_instant_us("--after", values["after"]),
        before_us=_instant_us("--before", values["before"]),
        run_key=values["run_key"],
        job_id=values["job_id"],
    )
    items: list[dict[str, object]] = []
    errors = 0
    for job, done in cleaning.clean(context.runner, selection, dry_run=values["dry_run"]):
        errors += not done
        if done:
            selected = serialize.instant("selected_at", job.finished_us)
            items.append({"job_id": job.job_id, "run_key": job.run_key, **selected})
    answer: dict[str, object] = {"deleted": len(items), "errors": errors}
    if items or errors:
        answer |= {"dry_run": values["dry_run"], "items": items}
    return context.answer(answer)


def _check_selection(values: Values) -> None:
    times = [f"--{name}" for name in ("before", "after") if values[name] is not None]
    if values["job_id"] is not None:
        others = [*times, *(["--all"] if values["all"] else []), *(["--run-key"] if values["run_key"] else [])]
        if others:
            raise UsageError(f"clean: --job-id cannot be combined with {others[0]}")
    elif values["all"]:
        if times:
            raise UsageError(f"clean: --all cannot be combined with {times[0]}")
    elif not times:
        raise UsageError("clean: one of --before, --after, --all, --job-id is required")


def _instant_us(flag: str, text: str | None) -> int | None:
    if text is None:
        return None
    from bespeak.base import clock, timeparse

    return timeparse.optional(f"clean: {flag}", text, lambda given: timeparse.script_instant(given, now_us=clock.now()))


def _known(field: str) -> dict[str, str]:
    """Return run keys or job ids of the jobs that run now, for completion."""
    from bespeak.runner.service import Runner

    runner = Runner()
    try:
        return {getattr(job, field): job.status.value for job in runner.running()}
    finally:
        runner.close()


SOURCES = {
    "run_key": lambda _: _known("run_key"),
    "job_id": lambda _: _known("job_id"),
    "stream": lambda _: dict.fromkeys(("stdout", "stderr"), ""),
}
"""What completes values."""
