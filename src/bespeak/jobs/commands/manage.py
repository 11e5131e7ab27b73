"""The commands that stay or look after those that do: ``run``, ``wait``, ``watch``, ``health``, ``install``."""

from __future__ import annotations

import os
import sys
import time

from bespeak.argv.declarations import Option, command
from bespeak.base.clock import SECOND_US
from bespeak.base.errors import UsageError, WaitTimedOutError, WrongStateError
from bespeak.jobs import serialize
from bespeak.jobs.cli import ONE_JOB, RESERVATION_ID, RUN_KEY, CommandContext, read_words
from bespeak.jobs.commands.query import JobRef, candidate_runners, runner_of
from bespeak.jobs.contract_times import read_duration, read_number
from bespeak.jobs.locations import DOCUMENTED_PROGRAM, open_store
from bespeak.jobs.model import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.concurrency import Limits
    from bespeak.jobs.dispatcher_parts import DispatcherOptions
    from bespeak.jobs.model import JobReservation
    from bespeak.jobs.runner_client.location import Runner

_MOST_STARTS = 10_000
_MOST_RETRIES = 1_000_000
_OUR_RETRIES = 8
_EXTERNAL_STARTS, _EMBEDDED_STARTS, _DOCUMENTED_STARTS = 8, 32, 1


@command(
    "run",
    examples=(
        ("run", "until it is told to end"),
        ("run --once", "start what is due, then leave"),
        ("run --site lab-a --metrics 9105", "only the jobs of one site, with metrics"),
        ("run --keep 30d --on-failure 'mail -s \"$BESPEAK_JOB_RUN_KEY failed\" ops'", "tidy up, and tell"),
    ),
    options=(
        Option(("--poll-interval",), "Look again at least so often; default 2.0.", "SECONDS"),
        Option(("--error-sleep",), "Pause after an unexpected error; default 5.0.", "SECONDS"),
        Option(
            ("--max-starts",),
            "Start calls at once; default 32, 8 for an external runner, 1 as orchesjob-reserver.",
            "N",
        ),
        Option(("--start-timeout",), "How long one start call may take; default 30s.", "DURATION"),
        Option(("--start-retries",), "Try a failed start again; default 8, 0 as orchesjob-reserver.", "N"),
        Option(("--site",), "Take only the jobs of this site.", "NAME"),
        Option(("--once",), "Start what is due, then leave."),
        Option(("--metrics",), "Prometheus metrics.", "PORT|FILE"),
        Option(("--on-failure",), "Told of each job that failed or was not started.", "COMMAND|URL"),
        Option(
            ("--accept-from",),
            "In a book that several accounts may write, also start jobs of these, as yourself; or of anyone.",
            "USER,...",
        ),
        Option(("--max-jobs",), "Run at most N jobs at once on this host, of all sites of the book.", "N"),
        Option(("--max-per-tag",), "Run at most N jobs of a tag at once; may be repeated.", "TAG=N", many=True),
        Option(("--keep",), "Delete what has been over for so long, and the runner's history.", "DURATION"),
    ),
)
def run(context: CommandContext) -> int:
    """Run the dispatcher until it is stopped."""
    from bespeak.jobs.daemon import DaemonSettings, run_dispatcher

    runner = runner_of(context)
    settings = DaemonSettings(
        context.url,
        site=context.text("site") or "",
        ledger=context.value("ledger"),
        metrics=context.value("metrics"),
        on_failure=context.value("on-failure"),
        accept_from=_accept_from(context),
    )
    return run_dispatcher(settings, runner, _options(context, embedded=runner.embedded), os.environ)


def _accept_from(context: CommandContext) -> tuple[str, ...] | None:
    """Return the other accounts whose jobs are started; None for anyone's."""
    from bespeak.jobs.run_settings import run_settings

    text = context.text("accept-from")
    said = run_settings(os.environ).accept_from if text is None else text.split(",")
    names = tuple(name.strip() for name in said)
    if not all(names):
        raise UsageError("--accept-from: names of accounts with commas between, or anyone")
    return None if names == ("anyone",) else names


def _options(context: CommandContext, *, embedded: bool) -> DispatcherOptions:
    from bespeak.jobs.dispatcher_parts import DispatcherOptions

    is_documented = context.prog == DOCUMENTED_PROGRAM
    our_starts = _EMBEDDED_STARTS if embedded else _EXTERNAL_STARTS
    starts = context.value("max-starts") or str(_DOCUMENTED_STARTS if is_documented else our_starts)
    retries = context.value("start-retries") or str(0 if is_documented else _OUR_RETRIES)
    return DispatcherOptions(
        poll_seconds=_seconds(context, "poll-interval", "2.0"),
        error_seconds=_seconds(context, "error-sleep", "5.0"),
        start_options=tuple(context.many("orchesjob-start-option")),
        max_starts=read_number(starts, "--max-starts", 1, _MOST_STARTS),
        start_seconds=_seconds(context, "start-timeout", "30s", smallest_us=SECOND_US // 10),
        retries=read_number(retries, "--start-retries", 0, _MOST_RETRIES),
        once=context.on("once"),
        keep_seconds=None if context.value("keep") is None else _seconds(context, "keep", ""),
        limits=_limits(context),
    )


def _limits(context: CommandContext) -> Limits:
    """Return how many jobs may run at once."""
    from bespeak.jobs.commands.create import check_tag
    from bespeak.jobs.concurrency import Limits
    from bespeak.jobs.run_settings import run_settings

    said = run_settings(os.environ).limits
    found = dict(said.per_tag)
    for text in context.many("max-per-tag"):
        tag, equals, number = text.rpartition("=")
        if not equals:
            raise UsageError(f"--max-per-tag {text!a}: expected TAG=N")
        found[check_tag(tag, "--max-per-tag")] = read_number(number, "--max-per-tag", 1, _MOST_STARTS)
    jobs = context.value("max-jobs")
    return Limits(said.jobs if jobs is None else read_number(jobs, "--max-jobs", 1, _MOST_STARTS), found)


def _seconds(context: CommandContext, name: str, default: str, *, smallest_us: int = 0) -> float:
    return read_duration(context.value(name) or default, "--" + name, smallest_us=smallest_us) / SECOND_US


@command(
    "wait",
    examples=(("wait --run-key nightly --timeout 2h", "exit 0, 1 or 10"),),
    options=(
        RUN_KEY,
        RESERVATION_ID,
        Option(("--timeout",), "Give up after this (exit 10).", "DURATION"),
        Option(("--dispatched",), "Wait only until it was started."),
    ),
    one_of=ONE_JOB,
)
def wait(context: CommandContext) -> int:
    """Wait until a job was started and has ended; 0 for success, 1 for failure, 10 when the time is over."""
    from bespeak.jobs import follow, store
    from bespeak.jobs.runner_client.job_proxy import job_state

    which = JobRef(context)
    length = context.value("timeout")
    deadline = None if length is None else time.monotonic() + read_duration(length, "--timeout") / SECOND_US
    engine = open_store(context.url)
    try:
        first = store.look(engine, run_key=which.run_key, reservation_id=which.reservation_id)
        job = follow.until_decided(engine, first.job.reservation_id, deadline)
    finally:
        engine.close()
    if job is None:
        raise WaitTimedOutError(f"not started after {length}")
    if job.reservation_status == Status.START_UNKNOWN:
        raise WrongStateError(f"it may run or not: the reservation is {job.reservation_status}: {job.last_error}")
    if job.reservation_status != Status.DISPATCHED or not job.job_id:
        raise WrongStateError(f"it will not run: the reservation is {job.reservation_status}: {job.last_error}")
    if context.on("dispatched"):
        return _print_end(context, job, None)
    asked, job_id = candidate_runners(context, job), job.job_id
    found = follow.until_ended(lambda: job_state(asked, job_id), deadline)
    if found is None:
        raise WaitTimedOutError(f"job {job_id} has not ended after {length}")
    return _print_end(context, job, found)


def _print_end(context: CommandContext, job: JobReservation, found: dict[str, object] | None) -> int:
    form: dict[str, object] = {"reservation": serialize.job_json(job)}
    if found is None:
        context.answer(form)
        return 0
    context.answer(form | {"job": found})
    return 0 if found.get("status") == "SUCCEEDED" else 1


@command(
    "watch",
    examples=(("watch --run-key nightly --after-seq 0", "all that is known of one, then each change"),),
    options=(
        Option(("--run-key",), "Only this one.", "KEY", complete="run_key"),
        Option(("--after-seq",), "Begin after this change; 0 for all that are known.", "N"),
        Option(("--timeout",), "End after this.", "DURATION"),
    ),
)
def watch(context: CommandContext) -> int:
    """Print changes until interrupted."""
    from bespeak.jobs import follow

    after = context.value("after-seq")
    length = context.value("timeout")
    engine = open_store(context.url)
    try:
        for change in follow.watch(
            engine,
            run_key=context.text("run-key"),
            after_seq=None if after is None else read_number(after, "--after-seq", 0, 2**62),
            seconds=None if length is None else read_duration(length, "--timeout") / SECOND_US,
        ):
            context.line(change)
            sys.stdout.flush()
    finally:
        engine.close()
    return 0


@command(
    "health",
    examples=(("health --site lab-a", "exit 1 if nobody starts its jobs"),),
    options=(Option(("--site",), "Of this site.", "NAME"),),
)
def health(context: CommandContext) -> int:
    """Print how dispatching is doing; 0 when well, 1 when not."""
    from bespeak.jobs import follow

    engine = open_store(context.url)
    try:
        report, well = follow.health(engine, context.text("site"))
    finally:
        engine.close()
    context.answer({"healthy": well, **report})
    return 0 if well else 1


@command(
    "install",
    text="What follows -- are options of run.",
    examples=(
        ("install --user -- --site lab-a", "a unit of your own systemd"),
        ("install --kind supervisor --service-user edge --print", "look at it first"),
    ),
    options=(
        Option(("--kind",), "systemd (default) or supervisor.", "KIND", complete="kind"),
        Option(("--user",), "For your own systemd, not the system's."),
        Option(("--service-user",), "Whom it and the jobs run as; default you, never root unless named.", "NAME"),
        Option(("--output",), "Where to.", "FILE"),
        Option(("--print",), "Print it instead."),
        Option(("--force",), "Replace a file with other contents."),
    ),
    tail="RUN-OPTIONS",
    tail_at_word=True,
)
def install(context: CommandContext) -> int:
    """Write or print what a process manager needs, and say how to enable it."""
    from bespeak.jobs import service_files

    kind = context.value("kind") or "systemd"
    if kind not in service_files.KINDS:
        raise UsageError(f"--kind {kind!a}: one of {', '.join(service_files.KINDS)}")
    user = context.on("user")
    options = [*_passed_on(context), *context.command]
    runner = _check_run(context, options)
    words = [*_ourselves(context.prog), "run", *options]
    variables = service_files.environment(os.environ, context.prog, runner)
    service_files.refuse_secrets([*words, *variables.values()])
    account = _account(context, kind, user=user)
    if kind == "supervisor":
        text = service_files.supervisor_section(words, variables, account or "")
    else:
        text = service_files.systemd_unit(words, variables, account=account)
    if context.on("print"):
        sys.stdout.write(text)
        return 0
    path = os.path.abspath(context.value("output") or service_files.default_path(kind, user=user))
    written = service_files.write(path, text, force=context.on("force"))
    context.answer({"file": path, "written": written, "enable": service_files.enable_lines(kind, user=user)})
    return 0


def _account(context: CommandContext, kind: str, *, user: bool) -> str | None:
    from bespeak.jobs import service_files

    named = context.value("service-user")
    if not user or kind == "supervisor":
        return service_files.service_account(named, os.environ)
    if named is not None:
        raise UsageError("--service-user: a unit of your own systemd (--user) runs as you")
    return None


def _check_run(context: CommandContext, words: list[str]) -> Runner:
    """Refuse what ``run`` would refuse at every start of the service; return the runner that it will use."""
    if "-h" in words or "--help" in words:
        raise UsageError("install: what follows -- are options of run; --help is none")
    parsed = read_words(["run", *words], context.prog)
    if isinstance(parsed, int):
        raise UsageError(f"install: {words!a} are no options of run")
    run_context = CommandContext(context.prog, parsed)
    runner = runner_of(run_context)
    _accept_from(run_context)
    _options(run_context, embedded=runner.embedded)
    return runner


def _passed_on(context: CommandContext) -> list[str]:
    found = []
    for name in ("db", "orchesjob-bin", "ledger"):
        value = context.value(name)
        if value is not None:
            found += [f"--{name}", value if name != "db" or "://" in value else os.path.abspath(value)]
    for option in context.many("orchesjob-start-option"):
        found.append(f"--orchesjob-start-option={option}")
    return found


def _ourselves(prog: str) -> list[str]:
    """Return how this very program is called: the script beside the interpreter, else the module."""
    name, _, rest = prog.partition(" ")
    script = os.path.join(os.path.dirname(sys.executable), name)
    if os.access(script, os.X_OK):
        return [script, *rest.split()]
    if prog == DOCUMENTED_PROGRAM:
        return [
            sys.executable,
            "-P",
            "-c",
            "from bespeak.jobs.cli import reserver_main; raise SystemExit(reserver_main())",
        ]
    return [sys.executable, "-P", "-m", "bespeak", *rest.split()]
