"""The commands that change a reservation that waits: ``reschedule``, ``pause`` and ``resume``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Option, command
from bespeak.base.clock import now
from bespeak.base.errors import UsageError
from bespeak.jobs import reschedule as service
from bespeak.jobs import serialize
from bespeak.jobs.cli import ONE_JOB, RESERVATION_ID, RUN_KEY
from bespeak.jobs.commands.query import JobRef
from bespeak.jobs.contract_times import read_instant
from bespeak.jobs.locations import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.jobs.cli import CommandContext
    from bespeak.jobs.store import StoredJob
    from bespeak.storage.interface import Engine

SCHEDULE = Option(("--schedule",), "A recurring job.", "NAME")


@command(
    "reschedule",
    text="Only a reservation that waits has another time; one that is over is made to wait by requeue.",
    examples=(
        ("reschedule --run-key nightly --not-before 'tomorrow 2:00'", "a day later"),
        ("reschedule --run-key nightly --now", "at once"),
    ),
    options=(
        RUN_KEY,
        RESERVATION_ID,
        Option(("--not-before",), "The new start: as for reserve.", "DATETIME"),
        Option(("--now",), "Start it at once."),
        Option(("--expires-at",), "Never start it after this; without it never too late.", "DATETIME"),
    ),
    one_of=ONE_JOB,
)
def reschedule(context: CommandContext) -> int:
    """Give a reservation that waits another time."""
    start, end = context.value("not-before"), context.value("expires-at")
    if (start is None) == (not context.on("now")):
        raise UsageError("reschedule: say one of --not-before and --now")
    now_us = now()
    not_before = None if start is None else read_instant(start, "--not-before", now_us)
    expires_at = None if end is None else read_instant(end, "--expires-at", now_us)
    return _answer(
        context,
        "rescheduled",
        lambda engine, which: service.reschedule(
            engine,
            run_key=which.run_key,
            reservation_id=which.reservation_id,
            not_before=not_before,
            expires_at=expires_at,
        ),
    )


@command(
    "pause",
    text="A paused reservation still expires at its time.",
    examples=(("pause --run-key nightly", "keep it from being started"),),
    options=(RUN_KEY, RESERVATION_ID, SCHEDULE),
    one_of=(*ONE_JOB, "--schedule"),
)
def pause(context: CommandContext) -> int:
    """Keep a reservation that waits from being started."""
    if context.value("schedule") is not None:
        return _pause_schedule(context, paused=True)
    return _answer(
        context,
        "paused",
        lambda engine, which: service.pause(engine, run_key=which.run_key, reservation_id=which.reservation_id),
    )


@command(
    "resume",
    examples=(("resume --run-key nightly", "at its time, or at once if that has passed"),),
    options=(RUN_KEY, RESERVATION_ID, SCHEDULE),
    one_of=(*ONE_JOB, "--schedule"),
)
def resume(context: CommandContext) -> int:
    """Let a paused reservation start."""
    if context.value("schedule") is not None:
        return _pause_schedule(context, paused=False)
    return _answer(
        context,
        "resumed",
        lambda engine, which: service.resume(engine, run_key=which.run_key, reservation_id=which.reservation_id),
    )


def _pause_schedule(context: CommandContext, *, paused: bool) -> int:
    from bespeak.jobs import schedules
    from bespeak.jobs.commands.schedule import schedule_json

    engine = open_store(context.url)
    try:
        found = schedules.pause(engine, context.text("schedule") or "", paused=paused)
    finally:
        engine.close()
    context.answer({"paused" if paused else "resumed": True, "schedule": schedule_json(found, 0 if paused else 10)})
    return 0


def _answer(context: CommandContext, done: str, change: Callable[[Engine, JobRef], StoredJob]) -> int:
    engine = open_store(context.url)
    try:
        answer = change(engine, JobRef(context))
    finally:
        engine.close()
    context.answer({done: True, "reservation": serialize.job_json(answer.job), "dispatcher": answer.dispatcher})
    return 0
