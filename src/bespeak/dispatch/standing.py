"""The commands that stay or look after those that do: ``run``, ``wait``, ``watch``, ``health``, ``install``."""

from __future__ import annotations

import os
import sys
import time

from bespeak.clock import SECOND_US
from bespeak.dispatch import jsonform
from bespeak.dispatch.making import read_number
from bespeak.dispatch.model import Status
from bespeak.dispatch.one import Which, runner_of
from bespeak.dispatch.place import DOCUMENTED_PROGRAM, open_store
from bespeak.dispatch.times import read_duration
from bespeak.errors import UsageError, WaitTimedOutError, WrongStateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.dispatch.cli import Caller
    from bespeak.dispatch.model import Job
    from bespeak.dispatch.parts import Options
    from bespeak.dispatch.place import Runner

_MOST_STARTS = 10_000
_MOST_RETRIES = 1_000_000
_OUR_RETRIES = 8
_EXTERNAL_STARTS, _EMBEDDED_STARTS = 8, 32


def run(caller: Caller) -> int:
    """Run the dispatcher until it is stopped."""
    from bespeak.dispatch.serving import Setup, serve

    runner = runner_of(caller)
    setup = Setup(
        caller.url,
        site=caller.text("site") or "",
        ledger=caller.value("ledger"),
        metrics=caller.value("metrics"),
    )
    return serve(setup, runner, _options(caller, embedded=runner.embedded), os.environ)


def _options(caller: Caller, *, embedded: bool) -> Options:
    from bespeak.dispatch.parts import Options

    starts = caller.value("max-starts") or str(_EMBEDDED_STARTS if embedded else _EXTERNAL_STARTS)
    retries = caller.value("start-retries") or str(0 if caller.prog == DOCUMENTED_PROGRAM else _OUR_RETRIES)
    return Options(
        poll_seconds=_seconds(caller, "poll-interval", "2.0"),
        error_seconds=_seconds(caller, "error-sleep", "5.0"),
        start_options=caller.many("orchesjob-start-option"),
        max_starts=read_number(starts, "--max-starts", 1, _MOST_STARTS),
        start_seconds=_seconds(caller, "start-timeout", "30s", smallest_us=SECOND_US // 10),
        retries=read_number(retries, "--start-retries", 0, _MOST_RETRIES),
        once=caller.on("once"),
    )


def _seconds(caller: Caller, name: str, default: str, *, smallest_us: int = 0) -> float:
    return read_duration(caller.value(name) or default, "--" + name, smallest_us=smallest_us) / SECOND_US


def wait(caller: Caller) -> int:
    """Wait until a job was started and has ended; 0 for success, 1 for failure, 10 when the time is over."""
    from bespeak.dispatch import follow, store
    from bespeak.dispatch.proxy import job_state

    which = Which(caller)
    length = caller.value("timeout")
    deadline = None if length is None else time.monotonic() + read_duration(length, "--timeout") / SECOND_US
    engine = open_store(caller.url)
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
    if caller.on("dispatched"):
        return _print_end(job, None)
    runner, job_id = runner_of(caller), job.job_id
    found = follow.until_ended(lambda: job_state(runner, job_id), deadline)
    if found is None:
        raise WaitTimedOutError(f"job {job_id} has not ended after {length}")
    return _print_end(job, found)


def _print_end(job: Job, found: dict[str, object] | None) -> int:
    form: dict[str, object] = {"reservation": jsonform.job_json(job)}
    if found is None:
        jsonform.write(form)
        return 0
    jsonform.write(form | {"job": found})
    return 0 if found.get("status") == "SUCCEEDED" else 1


def watch(caller: Caller) -> int:
    """Print changes until interrupted."""
    from bespeak.dispatch import follow

    after = caller.value("after-seq")
    length = caller.value("timeout")
    engine = open_store(caller.url)
    try:
        for change in follow.watch(
            engine,
            run_key=caller.text("run-key"),
            after_seq=None if after is None else read_number(after, "--after-seq", 0, 2**62),
            seconds=None if length is None else read_duration(length, "--timeout") / SECOND_US,
        ):
            jsonform.write(change, indent=None)
            sys.stdout.flush()
    finally:
        engine.close()
    return 0


def health(caller: Caller) -> int:
    """Print how dispatching is doing; 0 when well, 1 when not."""
    from bespeak.dispatch import follow

    engine = open_store(caller.url)
    try:
        report, well = follow.health(engine, caller.text("site"))
    finally:
        engine.close()
    jsonform.write({"healthy": well, **report})
    return 0 if well else 1


def install(caller: Caller) -> int:
    """Write or print what a process manager needs, and say how to enable it."""
    from bespeak.dispatch import install as files

    kind = caller.value("kind") or "systemd"
    if kind not in files.KINDS:
        raise UsageError(f"--kind {kind!a}: one of {', '.join(files.KINDS)}")
    user = caller.on("user")
    options = [*_passed_on(caller), *caller.given.command]
    runner = _check_run(caller, options)
    words = [*_ourselves(caller.prog), "run", *options]
    variables = files.environment(os.environ, caller.prog, runner)
    if kind == "supervisor":
        text = files.supervisor_section(words, variables)
    else:
        text = files.systemd_unit(words, variables, user=user)
    if caller.on("print"):
        sys.stdout.write(text)
        return 0
    path = os.path.abspath(caller.value("output") or files.default_path(kind, user=user))
    written = files.write(path, text, force=caller.on("force"))
    jsonform.write({"file": path, "written": written, "enable": files.enable_lines(kind, user=user)})
    return 0


def _check_run(caller: Caller, words: list[str]) -> Runner:
    """Refuse what ``run`` would refuse at every start of the service; return the runner that it will use."""
    from bespeak.dispatch import arguments
    from bespeak.dispatch.cli import Caller as Called
    from bespeak.dispatch.flags import COMMANDS

    run_caller = Called(caller.prog, arguments.read(words, COMMANDS["run"][2], takes_command=False))
    runner = runner_of(run_caller)
    _options(run_caller, embedded=runner.embedded)
    return runner


def _passed_on(caller: Caller) -> list[str]:
    found = []
    for name in ("db", "orchesjob-bin", "ledger"):
        value = caller.value(name)
        if value is not None:
            found += [f"--{name}", value if name != "db" or "://" in value else os.path.abspath(value)]
    for option in caller.many("orchesjob-start-option"):
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
            "from bespeak.dispatch.cli import reserver_main; raise SystemExit(reserver_main())",
        ]
    return [sys.executable, "-P", "-m", "bespeak", *rest.split()]
