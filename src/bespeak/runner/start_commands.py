"""The commands that start and stop jobs: ``start``, ``rerun``, ``abort``, ``cancel`` and ``unlock``."""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Option, command
from bespeak.base import frozen, runner_alias
from bespeak.base.errors import UsageError, WrongStateError
from bespeak.base.fileio import write_atomically
from bespeak.runner import serialize
from bespeak.runner.cli import JOB_ID, ONE_JOB, RUN_KEY, check_text
from bespeak.runner.service import START_TIMEOUT_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bespeak.runner.cli import CommandContext, Values
    from bespeak.runner.model import JobStatus
    from bespeak.runner.service import Runner

_TIMEOUT = Option(
    ("--start-timeout",), "Wait at most this long until the command runs (default: 10); 0 returns at once.", "SECS"
)
_SYNC = Option(("--sync",), "Return when the job has ended.")
_REASON = Option(("--reason",), "Stored with the job.", "TEXT")
_GRACE = Option(("--grace-seconds",), "Time between SIGTERM and SIGKILL (default: 5).", "SECS")


@command(
    "start",
    examples=(
        ("start --run-key nightly -- /usr/local/bin/backup.sh", "unless a job of that key is running"),
        (
            "start --run-key import-2026-05-02 --strict --sync -- ./import.sh --date 2026-05-02",
            "once, ever, and wait for the end",
        ),
    ),
    options=(
        Option(("--run-key",), "Jobs of one key never run at the same time.", "KEY", required=True),
        _SYNC,
        Option(("--strict",), "Run once per key, ever: an ended job is returned too, unless unlocked."),
        _TIMEOUT,
        Option(
            ("--idempotency-key",), "The caller's own key: executed at most once under it, whatever happens.", "KEY"
        ),
        Option(("--env",), "Set a variable for the command; may be repeated.", "K=V", many=True),
        Option(("--cwd",), "Run in this folder.", "DIR"),
    ),
    tail="COMMAND",
    tail_at_word=True,
)
def start(context: CommandContext, values: Values) -> int:
    """Start a command, and print its job."""
    return context.answer(start_job(context.runner, values))


def start_job(runner: Runner, values: Values) -> dict[str, object]:
    """Start a command; return the answer."""
    started = runner.start(
        values["run_key"], list(values["tail"]), start_timeout_seconds=start_seconds(values), **start_options(values)
    )
    if values["sync"]:
        started = frozen.replace(started, job=runner.wait(started.job.job_id))
    mode = "sync" if values["sync"] else "async"
    return serialize.started_fields(started, runner.paths, mode=mode, strict=values["strict"])


def start_options(values: Values) -> dict[str, Any]:
    """Return what a start is told beside its key and its command, as :meth:`Runner.start` has it."""
    options: dict[str, Any] = {name: values[name] for name in ("strict", "idempotency_key", "cwd")}
    return options | {"environment": _environment(values["env"])}


def start_seconds(values: Values) -> float:
    """Return how long a start waits until the command runs.

    Raises:
        UsageError: it is no time.
    """
    return _seconds("--start-timeout", values["start_timeout"], START_TIMEOUT_SECONDS)


@command(
    "rerun",
    examples=(('rerun --run-key nightly --sync --reason "disk replaced"', "and wait for the end"),),
    options=(RUN_KEY, JOB_ID, _SYNC, _REASON, _TIMEOUT),
    one_of=ONE_JOB,
)
def rerun(context: CommandContext, values: Values) -> int:
    """Run the command of an ended job again."""
    runner = context.runner
    started = runner.rerun(
        run_key=values["run_key"],
        job_id=values["job_id"],
        reason=check_text("--reason", values["reason"]),
        start_timeout_seconds=_seconds("--start-timeout", values["start_timeout"], START_TIMEOUT_SECONDS),
    )
    if values["sync"]:
        started = frozen.replace(started, job=runner.wait(started.job.job_id))
    mode = "sync" if values["sync"] else "async"
    return context.answer({**serialize.started_fields(started, runner.paths, mode=mode, strict=False), "rerun": True})


@command(
    "abort",
    examples=(('abort --run-key nightly --reason "wrong disk"', "the reason stays with the job"),),
    options=(RUN_KEY, JOB_ID, _REASON, _GRACE),
    one_of=ONE_JOB,
)
def abort(context: CommandContext, values: Values) -> int:
    """Stop a running job."""
    from bespeak.runner.model import JobStatus

    return _stop(context, values, JobStatus.ABORTED, "aborted")


@command(
    "cancel",
    examples=(("cancel --run-key nightly", "the last attempt under the key"),),
    options=(RUN_KEY, JOB_ID, _REASON, _GRACE),
    one_of=ONE_JOB,
)
def cancel(context: CommandContext, values: Values) -> int:
    """Stop a running job; it reads CANCELLED."""
    from bespeak.runner.model import JobStatus

    return _stop(context, values, JobStatus.CANCELLED, "cancelled")


def _stop(context: CommandContext, values: Values, status: JobStatus, done: str) -> int:
    from bespeak.runner import stop

    grace_seconds = _seconds("--grace-seconds", values["grace_seconds"], stop.GRACE_SECONDS)
    reason = check_text("--reason", values["reason"])
    job = context.find(values)
    job, sent = stop.stop(context.runner, job, status, reason=reason, grace_seconds=grace_seconds)
    return context.answer(
        {**serialize.job_fields(job, context.runner.paths), done: True, **serialize.signal_fields(sent)}
    )


@command(
    "unlock",
    examples=(("unlock --run-key import-2026-05-02 --ttl 30m", "for one start within half an hour"),),
    options=(
        Option(("--run-key",), "The key, whose last job has ended.", "KEY", required=True, complete="run_key"),
        Option(("--reason",), "Stored with the execution that uses it.", "TEXT"),
        Option(("--ttl",), "Forget it after this time: seconds, or 30m, 2h, 1d.", "DURATION"),
    ),
)
def unlock(context: CommandContext, values: Values) -> int:
    """Allow one more strict execution of a run key."""
    override = context.runner.unlock(
        values["run_key"],
        reason=check_text("--reason", values["reason"]),
        ttl_seconds=None if values["ttl"] is None else _ttl_seconds(values["ttl"]),
    )
    return context.answer(serialize.override_fields(override))


@command(
    "alias",
    text="Programs that call orchesjob then call bespeak's runner: same command line, JSON and exit codes. An "
    "orchesjob that is something else is never replaced.",
    examples=(("alias --into ~/.local/bin", "a folder on PATH"),),
    options=(Option(("--into",), "The folder; it must exist.", "DIR", required=True),),
)
def alias(context: CommandContext, values: Values) -> int:
    """Write the script and print where it is."""
    folder = os.path.abspath(os.path.expanduser(values["into"]))
    path = os.path.join(folder, runner_alias.NAME)
    content = runner_alias.script(sys.executable)
    if not os.path.isdir(folder):
        raise UsageError(f"alias: --into {values['into']!a}: there is no such folder")
    if not os.path.lexists(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o777)
        with open(descriptor, "wb") as stream:
            stream.write(content)
    elif not runner_alias.is_alias(path) or os.path.islink(path):
        raise WrongStateError(f"{path} is not an alias of bespeak's runner, and stays as it is")
    else:
        write_atomically(path, content, 0o777)
    return context.answer({"file": path, "runner": "bespeak runner"})


def _seconds(flag: str, text: str | None, default: float) -> float:
    """Return a number of seconds, or a duration such as ``2m``, in seconds.

    Raises:
        UsageError: it is neither.
    """
    if text is None:
        return default
    from bespeak.base import timeparse
    from bespeak.base.clock import SECOND_US

    length_us = timeparse.optional(flag, text, timeparse.script_duration) or 0
    if length_us > timeparse.LONGEST_US:
        raise UsageError(f"{flag}: {text!r} is longer than a hundred years")
    return length_us / SECOND_US


def _ttl_seconds(text: str) -> int:
    seconds = int(_seconds("unlock: --ttl", text, 0))
    if seconds == 0:
        raise UsageError(f"unlock: --ttl {text!r} must be greater than zero")
    return seconds


def _environment(pairs: Sequence[str]) -> dict[str | bytes, str | bytes]:
    variables: dict[str | bytes, str | bytes] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"start: --env {name!a} is not NAME=VALUE")
        variables[name] = value
    return variables
