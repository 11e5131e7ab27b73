"""The commands for recurring jobs: ``schedule``, ``schedules`` and ``unschedule``."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, cast

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.clock import FOREVER_US, SECOND_US, now
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.jobs import schedules
from bespeak.jobs.cli import check_text
from bespeak.jobs.commands.create import HOW_IT_RUNS, command_extras, read_tags, start_options
from bespeak.jobs.commands.needs import NEEDS, read_needs
from bespeak.jobs.contract_times import read_duration, read_number
from bespeak.jobs.locations import open_store
from bespeak.jobs.serialize import EXTRA_NAMES
from bespeak.recurrence import cron, local_zone_name

if TYPE_CHECKING:
    from bespeak.base.timezones import Zone
    from bespeak.jobs.cli import CommandContext
    from bespeak.jobs.schedules import Schedule

_LONGEST_NAME = 200
_SHOWN = 10
_MOST_SHOWN = 1000


@command(
    "schedule",
    text="A dispatcher makes an ordinary reservation for each occurrence; its run key is NAME@INSTANT. A time that the "
    "clocks skip is the instant at which they have gone on by as much; one that they show twice is the first of the "
    "two. The next ten occurrences are shown, with their offset. What an occurrence needs is booked when it is due; "
    "one that cannot have it within a minute is not started.",
    examples=(
        ("schedule backup --cron '0 2 * * *' --zone Europe/Berlin -- /usr/local/bin/backup.sh", "each night at two"),
        ("schedule soak --cron '0 20 * * fri' --overlap skip --catch-up one --jitter 5m -- make soak", "never twice"),
        ("schedule flash --cron '0 1 * * *' --needs rack3 --for 2h -- /jobs/flash.sh", "each while rack3 is held"),
        ("schedule backup --cron '30 3 * * *' --replace -- /usr/local/bin/backup.sh", "at another time"),
    ),
    arguments=(Argument("NAME"),),
    options=(
        Option(("--cron",), "Five fields: minute, hour, day, month, weekday.", "EXPRESSION", required=True),
        Option(("--zone",), "Of whose clocks; default the machine's.", "ZONE"),
        Option(("--overlap",), "While the one before has not ended: skip (default), queue or replace.", "HOW"),
        Option(("--catch-up",), "Of what nobody was there to start: none (default), one or all.", "WHICH"),
        Option(("--jitter",), "Move each occurrence by less than this, always by the same.", "DURATION"),
        Option(("--replace",), "Change the schedule of this name."),
        *NEEDS,
        *HOW_IT_RUNS,
        Option(("--site",), "Which dispatchers take it.", "NAME"),
    ),
    tail="COMMAND",
)
def schedule(context: CommandContext) -> int:
    """Store a recurring job, and show when it comes."""
    wanted = _wanted(context)
    engine = open_store(context.url)
    try:
        made = schedules.save(engine, wanted, replace_existing=context.on("replace"))
    finally:
        engine.close()
    context.answer({"schedule": schedule_json(made, _SHOWN)})
    return 0


def _wanted(context: CommandContext) -> Schedule:
    name = _name(context)
    if not name or len(name) > _LONGEST_NAME or "@" in name:
        raise UsageError(f"NAME {name!a}: from 1 to {_LONGEST_NAME} characters without @")
    if not context.command:
        raise UsageError("schedule requires command after --")
    expression = context.text("cron") or ""
    cron.check(expression)
    zone = context.text("zone") or local_zone_name()
    cron.zone_named(zone)
    jitter = context.value("jitter")
    for word in context.command:
        check_text(word, "COMMAND")
    return schedules.Schedule(
        name=name,
        cron=expression,
        zone=zone,
        overlap=schedules.Overlap(_choice(context, "overlap", schedules.Overlap.SKIP, tuple(schedules.Overlap))),
        catch_up=schedules.CatchUp(_choice(context, "catch-up", schedules.CatchUp.NONE, tuple(schedules.CatchUp))),
        jitter_us=0 if jitter is None else read_duration(jitter, "--jitter"),
        command=tuple(context.command),
        options=tuple(start_options(context)),
        site=context.text("site") or "",
        extras=_extras(context),
        created_us=0,
        next_us=FOREVER_US,
        last_us=None,
        paused=False,
    )


def _extras(context: CommandContext) -> dict[str, object]:
    tags = read_tags(context)
    return command_extras(context) | read_needs(context) | ({"tags": list(tags)} if tags else {})


def _name(context: CommandContext) -> str:
    name = context.value("name") or ""
    check_text(name, "NAME")
    return name


def _choice(context: CommandContext, name: str, default: str, known: tuple[str, ...]) -> str:
    found = context.value(name) or default
    if found not in known:
        raise UsageError(f"--{name} {found!a}: one of {', '.join(known)}")
    return found


def schedule_json(of: Schedule, shown: int) -> dict[str, object]:
    """Return a schedule with its next occurrences."""
    zone = cron.zone_named(of.zone)
    upcoming = islice(cron.instants(of.cron, zone, now()), shown)
    return {
        "name": of.name,
        "cron": of.cron,
        "says": cron.explained(of.cron),
        "zone": of.zone or None,
        "overlap": of.overlap.value,
        "catch_up": of.catch_up.value,
        "jitter_seconds": of.jitter_us / SECOND_US,
        "command": list(of.command),
        "orchesjob_start_options": list(of.options),
        "site": of.site or None,
        "paused": of.paused,
        **{name: of.extras[name] for name in ("tags", *EXTRA_NAMES) if name in of.extras},
        "last": None if of.last_us is None else of.key(of.last_us),
        "next": [_local(of.starts_us(at_us), zone) for at_us in upcoming],
    }


def _local(instant_us: int, zone: Zone) -> str:
    offset = zone.at(instant_us // SECOND_US)[0]
    return datetime.fromtimestamp(instant_us / SECOND_US, timezone(timedelta(seconds=offset))).isoformat()


@command(
    "schedules",
    examples=(("schedules --next 3 --text", "for people"),),
    options=(
        Option(("--site",), "Only of this site.", "NAME"),
        Option(("--next",), "Show so many occurrences of each; default 10.", "N"),
    ),
)
def listing(context: CommandContext) -> int:
    """Print the recurring jobs, by name."""
    shown = read_number(context.value("next") or str(_SHOWN), "--next", 0, _MOST_SHOWN)
    engine = open_store(context.url)
    try:
        found = engine.read(lambda tx: schedules.listing(tx, context.text("site")))
    finally:
        engine.close()
    if context.as_text:
        _print_table(found, shown)
        return 0
    context.answer({"schedules": [schedule_json(each, shown) for each in found]})
    return 0


def _print_table(found: list[Schedule], shown: int) -> None:
    """Print a line for each occurrence; only the first of a recurring job says which it is."""
    rows = [("NAME", "NEXT", "WHEN")]
    for each in found:
        form = schedule_json(each, max(shown, 1))
        coming = ["paused"] if each.paused else cast("list[str]", form["next"])
        name, when = escape_unprintable(each.name), escape_unprintable(f"{form['says']} {each.zone}".strip())
        rows += [(name, coming[0] if coming else "never", when), *(("", one, "") for one in coming[1:])]
    wide = max(len(name) for name, _, _ in rows)
    for name, one, when in rows:
        print(f"{name:<{wide}}  {one:<25}  {when}".rstrip())


@command(
    "unschedule",
    text="The reservations that it has made stay; cancel --key-prefix NAME@ cancels those that wait.",
    examples=(("unschedule backup", "no more occurrences"),),
    arguments=(Argument("NAME"),),
)
def unschedule(context: CommandContext) -> int:
    """Delete a recurring job."""
    engine = open_store(context.url)
    try:
        gone = schedules.remove(engine, _name(context))
    finally:
        engine.close()
    context.answer({"removed": True, "schedule": schedule_json(gone, 0)})
    return 0
