"""The runner as a program: ``bespeak runner start|status|result|logs|abort|cancel|rerun|unlock|clean``.

Same command line, JSON and exit codes as the published ``orchesjob``, plus ``result``, ``cancel``, ``logs --follow``,
``--idempotency-key``, ``--env`` and ``--cwd``. Every error is one JSON object on standard error.
"""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Program
from bespeak.errors import BespeakError, LockedError, NotFoundError, UsageError, WrongStateError
from bespeak.runner import commands, present
from bespeak.runner.arguments import help_text, overview, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bespeak.runner.arguments import Arguments
    from bespeak.runner.model import Job, JobStatus
    from bespeak.runner.service import Runner

OK, ERROR, USAGE, NOT_FOUND, WRONG_STATE, LOCKED = range(6)
_BROKEN_PIPE = 141
_INTERRUPTED = 130
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MOST_TTL_SECONDS = 100 * 366 * 86_400


PROGRAM = Program(
    "bespeak runner",
    "Run a command once under a key, and never lose how it ended.",
    (),
    shared=(),
    main="bespeak.runner.cli:main",
)


def main(argv: Sequence[str] | None = None, prog: str = "bespeak runner") -> int:
    """Run one command and return its exit code.

    Args:
        argv: the words after the program; by default those of this process.
        prog: the program's name in help.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words, prog)
    except BespeakError as error:
        return _fail(error)
    except BrokenPipeError:
        # Whoever read the answer has gone. The interpreter would try to flush once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        return _fail(BespeakError(f"{error.filename or 'the system'}: {error.strerror or error}"))


def _run(words: list[str], prog: str) -> int:
    if not words:
        raise UsageError(f"a command is required: {', '.join(c.name for c in commands.COMMANDS)}; see {prog} --help")
    if words[0] in ("-h", "--help"):
        print(overview(commands.COMMANDS, prog), flush=True)
        return OK
    if words[0] == "--version":
        from bespeak import __version__

        print(f"{prog} {__version__}", flush=True)
        return OK
    command = next((command for command in commands.COMMANDS if command.name == words[0]), None)
    if command is None:
        raise UsageError(f"unknown command {words[0]!r}; known: {', '.join(c.name for c in commands.COMMANDS)}")
    arguments = parse(command, words[1:])
    if arguments is None:
        print(help_text(command, prog), flush=True)
        return OK
    from bespeak.runner.service import Runner

    runner = Runner()
    try:
        return _HANDLERS[command.name](runner, arguments)
    finally:
        runner.close()


def _fail(error: BespeakError) -> int:
    print(present.dumps_line({"error": str(error)}), file=sys.stderr, flush=True)
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, NotFoundError):
        return NOT_FOUND
    if isinstance(error, WrongStateError):
        return WRONG_STATE
    return LOCKED if isinstance(error, LockedError) else ERROR


def _print(value: object) -> int:
    print(present.dumps(value), flush=True)
    return OK


def _names(arguments: Arguments) -> dict[str, str | None]:
    return {"run_key": arguments.text("--run-key"), "job_id": arguments.text("--job-id")}


def _find(runner: Runner, arguments: Arguments) -> Job:
    return runner.find(**_names(arguments), idempotency_key=arguments.text("--idempotency-key"))


def _start(runner: Runner, arguments: Arguments) -> int:
    from bespeak.runner.service import START_TIMEOUT_SECONDS

    strict = arguments.given("--strict")
    started = runner.start(
        arguments.text("--run-key") or "",
        arguments.command,
        strict=strict,
        idempotency_key=arguments.text("--idempotency-key"),
        environment=_environment(arguments.many("--env")),
        cwd=arguments.text("--cwd"),
        start_timeout_seconds=arguments.seconds("--start-timeout", START_TIMEOUT_SECONDS),
    )
    sync = arguments.given("--sync")
    if sync:
        started.job = runner.wait(started.job.job_id)
    mode = "sync" if sync else "async"
    return _print(present.started_fields(started, runner.paths, mode=mode, strict=strict))


def _rerun(runner: Runner, arguments: Arguments) -> int:
    from bespeak.runner.service import START_TIMEOUT_SECONDS

    started = runner.rerun(
        **_names(arguments),
        reason=_text(arguments, "--reason"),
        start_timeout_seconds=arguments.seconds("--start-timeout", START_TIMEOUT_SECONDS),
    )
    sync = arguments.given("--sync")
    if sync:
        started.job = runner.wait(started.job.job_id)
    mode = "sync" if sync else "async"
    return _print({**present.started_fields(started, runner.paths, mode=mode, strict=False), "rerun": True})


def _status(runner: Runner, arguments: Arguments) -> int:
    if arguments.given("--running"):
        try:
            jobs = runner.running()
        except NotFoundError:
            jobs = []
        return _print([_status_fields(runner, job) for job in jobs])
    if arguments.given("--all"):
        run_key = arguments.text("--run-key")
        if run_key is None:
            raise UsageError("status: --all needs --run-key")
        return _print([_status_fields(runner, job) for job in runner.history(run_key)])
    return _print(_status_fields(runner, _find(runner, arguments)))


def _status_fields(runner: Runner, job: Job) -> dict[str, object]:
    return present.status_fields(job, runner.paths, runner.override(job.run_key))


def _result(runner: Runner, arguments: Arguments) -> int:
    job = _find(runner, arguments)
    answer = _status_fields(runner, job)
    if arguments.given("--logs"):
        from bespeak.runner import output

        answer["stdout"] = output.text(runner, job.job_id, "stdout")
        answer["stderr"] = output.text(runner, job.job_id, "stderr")
    return _print(answer)


def _logs(runner: Runner, arguments: Arguments) -> int:
    from bespeak.runner import output

    stream = arguments.text("--stream") or "stdout"
    if stream not in ("stdout", "stderr"):
        raise UsageError(f"logs: --stream {stream!r} is neither stdout nor stderr")
    job = _find(runner, arguments)
    output.copy(runner, job.job_id, stream, sys.stdout.fileno(), follow=arguments.given("--follow"))
    return OK


def _abort(runner: Runner, arguments: Arguments) -> int:
    from bespeak.runner.model import JobStatus

    return _stop(runner, arguments, JobStatus.ABORTED, "aborted")


def _cancel(runner: Runner, arguments: Arguments) -> int:
    from bespeak.runner.model import JobStatus

    return _stop(runner, arguments, JobStatus.CANCELLED, "cancelled")


def _stop(runner: Runner, arguments: Arguments, status: JobStatus, done: str) -> int:
    from bespeak.runner import stop

    grace_seconds = arguments.seconds("--grace-seconds", stop.GRACE_SECONDS)
    reason = _text(arguments, "--reason")
    job = _find(runner, arguments)
    job, sent = stop.stop(runner, job, status, reason=reason, grace_seconds=grace_seconds)
    return _print({**present.job_fields(job, runner.paths), done: True, **present.signal_fields(sent)})


def _unlock(runner: Runner, arguments: Arguments) -> int:
    ttl = arguments.text("--ttl")
    override = runner.unlock(
        arguments.text("--run-key") or "",
        reason=_text(arguments, "--reason"),
        ttl_seconds=None if ttl is None else _ttl_seconds(ttl),
    )
    return _print(present.override_fields(override))


def _clean(runner: Runner, arguments: Arguments) -> int:
    from bespeak.runner.clean import Selection, clean

    _check_selection(arguments)
    selection = Selection(
        after_us=_instant_us(arguments, "--after"),
        before_us=_instant_us(arguments, "--before"),
        run_key=arguments.text("--run-key"),
        job_id=arguments.text("--job-id"),
    )
    dry_run = arguments.given("--dry-run")
    items: list[dict[str, object]] = []
    errors = 0
    for job, done in clean(runner, selection, dry_run=dry_run):
        errors += not done
        if done:
            selected = present.instant("selected_at", job.finished_us)
            items.append({"job_id": job.job_id, "run_key": job.run_key, **selected})
    answer: dict[str, object] = {"deleted": len(items), "errors": errors}
    if items or errors:
        answer |= {"dry_run": dry_run, "items": items}
    return _print(answer)


def _check_selection(arguments: Arguments) -> None:
    times = [name for name in ("--before", "--after") if arguments.given(name)]
    if arguments.given("--job-id"):
        others = [*times, *(name for name in ("--all", "--run-key") if arguments.given(name))]
        if others:
            raise UsageError(f"clean: --job-id cannot be combined with {others[0]}")
    elif arguments.given("--all"):
        if times:
            raise UsageError(f"clean: --all cannot be combined with {times[0]}")
    elif not times:
        raise UsageError("clean: one of --before, --after, --all, --job-id is required")


def _instant_us(arguments: Arguments, name: str) -> int | None:
    text = arguments.text(name)
    if text is None:
        return None
    from datetime import datetime

    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000_000)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"clean: {name} {text!r} is not a time such as 2026-06-01 or 2026-06-01T12:00+02:00") from None


def _ttl_seconds(text: str) -> int:
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    sign, digits = (number[:1], number[1:]) if number[:1] in ("-", "+") else ("", number)
    if not (digits.isascii() and digits.isdigit()):
        raise UsageError(f"unlock: --ttl {text!r} is not a duration such as 90, 30m, 2h or 1d")
    seconds = int(digits[:20]) * _UNITS[unit]
    if sign == "-" or seconds == 0:
        raise UsageError(f"unlock: --ttl {text!r} must be more than nothing")
    if seconds > _MOST_TTL_SECONDS:
        raise UsageError(f"unlock: --ttl {text!r} is more than 100 years")
    return seconds


def _text(arguments: Arguments, name: str) -> str | None:
    """Return a text that is to be stored; what is not UTF-8 cannot be."""
    text = arguments.text(name)
    if text is not None and not _is_text(text):
        raise UsageError(f"{name} {text!a}: it is not valid UTF-8")
    return text


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _environment(pairs: list[str]) -> dict[str | bytes, str | bytes]:
    variables: dict[str | bytes, str | bytes] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"start: --env {name!a} is not NAME=VALUE")
        variables[name] = value
    return variables


_HANDLERS: dict[str, Callable[[Runner, Arguments], int]] = {
    "start": _start,
    "status": _status,
    "result": _result,
    "logs": _logs,
    "abort": _abort,
    "cancel": _cancel,
    "rerun": _rerun,
    "unlock": _unlock,
    "clean": _clean,
}
