"""The commands that make reservations: ``reserve`` and ``requeue``."""

from __future__ import annotations

import json
import os
import re

from bespeak.argv.declarations import Option, command
from bespeak.base import ids
from bespeak.base.clock import FOREVER_US, SECOND_US, now
from bespeak.base.errors import UsageError
from bespeak.base.frozen import replace
from bespeak.jobs import resource_scope, serialize, store
from bespeak.jobs.cli import ONE_JOB, RESERVATION_ID, RUN_KEY, check_text
from bespeak.jobs.commands.needs import NEEDS, booking_of, booking_of_new, read_needs
from bespeak.jobs.concurrency import TAG_FORM
from bespeak.jobs.contract_times import read_duration, read_instant, read_number
from bespeak.jobs.locations import DOCUMENTED_PROGRAM, open_store
from bespeak.jobs.model import Status
from bespeak.storage.ownership import is_shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Never

    from bespeak.jobs.cli import CommandContext
    from bespeak.jobs.store import StoredJob
    from bespeak.storage.interface import Engine

_MOST_RETRIES = 1000
_LONGEST_KEY = 4096
_NICEST = 19
_REFERENCE = r"env:[A-Za-z_][A-Za-z0-9_]*|file:/(?!/)[^\n]*"
"""A value of ``--env`` that says where the value is; ``file:///x`` and ``file:x.db`` are values."""

HOW_IT_RUNS = (
    Option(("--retry",), "Run the command again up to N times when it fails.", "N"),
    Option(("--retry-delay",), "Pause between these; default 1s.", "DURATION"),
    Option(("--run-timeout",), "End it, with all its processes, when it has run for so long.", "DURATION"),
    Option(("--nice",), "Run it at this lower priority, 1 to 19.", "N"),
    Option(("--memory-max",), "End it when it needs more than this, through systemd; such as 512M.", "SIZE"),
    Option(("--cpu",), "Give it so much of one processor, through systemd; 200 is two.", "PERCENT"),
    Option(("--tag",), "What run --max-per-tag counts it by; may be repeated.", "TAG", many=True),
    Option(
        ("--env",),
        "Set for the command; may be repeated. env:NAME and file:/PATH are looked up at the start, where it runs.",
        "NAME=VALUE",
        many=True,
    ),
    Option(("--cwd",), "Where the command runs.", "FOLDER"),
)
"""The options of a job that say how its command runs; recurring jobs have them too."""


@command(
    "reserve",
    text="Booking a known run key again changes nothing and prints its reservation. The first word that is no option "
    "begins the command. In a book that several accounts may write, a job runs as the account of the dispatcher that "
    "starts it: one of your own account, or one that was told to accept your jobs (run --accept-from).",
    examples=(
        ("reserve --run-key nightly --not-before '2030-05-04T02:00:00+09:00' -- /usr/local/bin/backup.sh", "at two"),
        ("reserve --run-key soak --not-before +5m --needs rack3 --for 2h -- make soak", "while rack3 is held"),
        (
            "reserve --run-key flash --any 2 --label 'arm64 and ram>=4' --for 1h -- make flash",
            "with two boards of a kind",
        ),
        ("reserve --run-key import --retry 3 --retry-delay 1m -- ./import.sh", "again if it fails"),
    ),
    options=(
        Option(("--run-key",), "Idempotency key; a known one returns its reservation.", "KEY", required=True),
        Option(("--not-before",), "Epoch seconds, ISO 8601, 'tomorrow 2:00', or a delay such as +5m.", "DATETIME"),
        Option(("--expires-at",), "Never start it after this.", "DATETIME"),
        Option(("--metadata-json",), "An object that is stored with it.", "JSON"),
        *NEEDS,
        *HOW_IT_RUNS,
        Option(("--site",), "Which dispatchers may take it.", "NAME"),
    ),
    tail="COMMAND",
    tail_at_word=True,
)
def reserve(context: CommandContext) -> int:
    """Store a reservation, or print the one that its run key has."""
    spec = _spec(context)
    engine = open_store(context.url)
    try:
        _check_limits(context, engine, spec)
        # The documented program stores what can never start, and calls it expired.
        refuse_late = context.prog != DOCUMENTED_PROGRAM
        answer = store.reserve(engine, spec, ids.new_id(), refuse_late=refuse_late)
        if answer.job.next_us >= FOREVER_US and answer.job.extras.get("needs") and not answer.job.booking_id:
            answer = replace(answer, job=booking_of_new(context, engine, answer.job))
        if answer.created and context.prog != DOCUMENTED_PROGRAM and engine.dialect == "sqlite" and is_shared(engine):
            context.warn(
                "several accounts may write this book: a dispatcher of yours starts this job, or one that was told to"
                " accept jobs of yours, as its own account (run --accept-from)"
            )
    finally:
        engine.close()
    form: dict[str, object] = {"created": answer.created, "reservation": serialize.job_json(answer.job)}
    if answer.same_request is not None:
        form["same_request"] = answer.same_request
    if answer.warning is not None:
        form["warning"] = answer.warning
    form["dispatcher"] = answer.dispatcher
    context.answer(form)
    return 0


def _spec(context: CommandContext) -> store.JobSpec:
    run_key = context.text("run-key")
    if not run_key:
        raise UsageError("--run-key is required" if run_key is None else "--run-key must not be empty")
    if len(run_key) > _LONGEST_KEY:
        raise UsageError(f"--run-key: longer than {_LONGEST_KEY} characters")
    if not context.command:
        raise UsageError("reserve requires command after --")
    now_us = now()
    instants = {name: _instant(context, name, now_us) for name in ("not-before", "expires-at")}
    return store.JobSpec(
        run_key,
        context.command,
        not_before=instants["not-before"],
        expires_at=instants["expires-at"],
        metadata=_metadata(context.value("metadata-json")),
        options=start_options(context),
        site=context.text("site") or "",
        extras=_extras(context),
        tags=read_tags(context),
    )


def _check_limits(context: CommandContext, engine: Engine, spec: store.JobSpec) -> None:
    """Refuse limits that this host cannot keep, where it is surely this account and host that starts the job.

    Raises:
        UsageError: the job cannot be limited.
    """
    from bespeak.jobs.commands.query import runner_of

    if engine.dialect != "sqlite" or is_shared(engine) or not runner_of(context).embedded:
        return
    refusal = resource_scope.Scopes(os.environ).refusal(spec.extras)
    if refusal:
        raise UsageError(refusal)


def read_tags(context: CommandContext) -> tuple[str, ...]:
    """Return what limits count a job by."""
    return tuple(dict.fromkeys(check_tag(tag, "--tag") for tag in context.many("tag")))


def check_tag(tag: str, flag: str) -> str:
    """Return a tag that is well formed.

    Raises:
        UsageError: it is not.
    """
    if not re.fullmatch(TAG_FORM, tag):
        raise UsageError(f"{flag} {tag!a}: letters, digits and . _ : - only, 100 at most")
    return tag


def _instant(context: CommandContext, name: str, now_us: int) -> int | None:
    text = context.value(name)
    return None if text is None else read_instant(text, "--" + name, now_us)


def start_options(context: CommandContext) -> list[str]:
    """Return what is passed to the runner's ``start``."""
    options = context.many("orchesjob-start-option")
    for option in options:
        check_text(option, "--orchesjob-start-option")
    return options


def _metadata(text: str | None) -> dict[str, object] | None:
    """Read ``--metadata-json`` strictly: what JSON does not have (NaN) or UTF-8 cannot say is refused."""
    if text is None:
        return None

    def no_constant(name: str) -> Never:
        raise ValueError(f"{name} is no JSON")

    try:
        found = json.loads(text, parse_constant=no_constant)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise UsageError("--metadata-json: has a lone surrogate, which no text encoding can carry") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--metadata-json: must be a JSON object: {error}") from None
    if not isinstance(found, dict):
        raise UsageError("--metadata-json: must be a JSON object")
    return found


def _extras(context: CommandContext) -> dict[str, object]:
    return command_extras(context) | read_needs(context)


def command_extras(context: CommandContext) -> dict[str, object]:
    """Return how the command runs, beyond what orchesjob-reserver 0.1 knows: ``env``, ``cwd``, ``retry`` ..."""
    extras: dict[str, object] = {}
    settings = dict(_setting(text) for text in context.many("env"))
    references = {name: value for name, value in settings.items() if re.fullmatch(_REFERENCE, value)}
    literal = {name: value for name, value in settings.items() if name not in references}
    extras |= {"env": literal} if literal else {}
    extras |= {"env_from": references} if references else {}
    cwd = context.text("cwd")
    if cwd is not None:
        if not cwd.startswith("/"):
            raise UsageError(f"--cwd {cwd!a}: must be an absolute path, because the job starts elsewhere")
        extras["cwd"] = cwd
    retry = context.value("retry")
    if retry is not None:
        extras["retry"] = read_number(retry, "--retry", 0, _MOST_RETRIES)
        extras["retry_delay_seconds"] = read_duration(context.value("retry-delay") or "1s", "--retry-delay") / SECOND_US
    elif context.value("retry-delay") is not None:
        raise UsageError("--retry-delay needs --retry")
    limit, nice = context.value("run-timeout"), context.value("nice")
    if limit is not None:
        extras["run_timeout_seconds"] = read_duration(limit, "--run-timeout", smallest_us=SECOND_US) / SECOND_US
    if nice is not None:
        extras["nice"] = read_number(nice, "--nice", 1, _NICEST)
    memory, percent = context.value("memory-max"), context.value("cpu")
    if memory is not None:
        extras[resource_scope.MEMORY] = resource_scope.read_memory(memory, "--memory-max")
    if percent is not None:
        extras[resource_scope.CPU] = resource_scope.read_percent(percent, "--cpu")
    return extras


def _setting(text: str) -> tuple[str, str]:
    check_text(text, "--env")
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or not name.isascii():
        raise UsageError(f"--env {text!a}: expected NAME=VALUE")
    return name, value


@command(
    "requeue",
    examples=(("requeue --run-key nightly --not-before +10m", "ten minutes from now"),),
    options=(
        RUN_KEY,
        RESERVATION_ID,
        Option(("--not-before",), "Not before this; default at once.", "DATETIME"),
        Option(("--expires-at",), "Never after this; default no end.", "DATETIME"),
        Option(("--force",), "Also one whose dispatcher died; start without asking the runner first."),
    ),
    one_of=ONE_JOB,
)
def requeue(context: CommandContext) -> int:
    """Make a reservation that is over wait again; what it needs is booked anew, or nothing changes."""
    from bespeak.jobs.commands.query import JobRef, give_back_of

    which = JobRef(context)
    now_us = now()
    not_before, expires_at = (_instant(context, name, now_us) for name in ("not-before", "expires-at"))
    engine = open_store(context.url)
    try:
        job = store.look(engine, run_key=which.run_key, reservation_id=which.reservation_id).job
        store.check_requeue(engine, job, not_before, expires_at, force=context.on("force"))
        job = replace(job, not_before=not_before)
        booking = None
        if job.extras.get("needs"):
            if job.reservation_status != Status.DISPATCHING:
                give_back_of(context, job)  # it is over, and a dispatcher may be giving this back right now
            booking = booking_of(context, job)
        answer: StoredJob = store.requeue(
            engine, job, not_before=not_before, expires_at=expires_at, booking=booking, force=context.on("force")
        )
    finally:
        engine.close()
    context.answer({"requeued": True, "reservation": serialize.job_json(answer.job), "dispatcher": answer.dispatcher})
    return 0
