"""``resource maintenance`` and ``resource mark``: when a resource is not given out, and whether it is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import ids, timeparse
from bespeak.base.clock import FOREVER_US
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BusyError, UsageError
from bespeak.cli import converters, formatting
from bespeak.cli.resource import PATTERNS
from bespeak.ledger.inventory.name_ranges import expand
from bespeak.ledger.inventory.serialize import entry_json
from bespeak.ledger.maintenance import END, MOVE, REFUSE
from bespeak.ledger.model import Health, State
from bespeak.ledger.serialize import plan_json, reservation_json, window_json

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.maintenance import Hit, Plan, Window

REASON = Option(("--reason",), "Why; whoever is refused reads it.", "TEXT")


@command(
    "resource maintenance",
    text="Within the window nobody has the resources, nor a whole or a part of them: it wins over bookings. "
    "Reservations in the way are named, and nothing is planned, unless --end or --move says what becomes of them; "
    "each has its row in the log. Without resources or a time, prints what is planned.",
    examples=(
        ("resource maintenance", "what is planned"),
        ("resource maintenance rack3 --at '2030-05-01 08:00' --for 4h --reason 'new firmware'", "plan it"),
        ("resource maintenance rack3 --for 30m --move", "now; who booked that time gets another"),
        ("resource maintenance rack3 --cancel", "it is over, or not needed"),
    ),
    arguments=(PATTERNS,),
    options=(
        Option(("--at",), "From when (default: now).", "TIME"),
        Option(("--for",), "How long, or forever.", "DURATION"),
        Option(("--until",), "Until when, instead of --for: a time, or forever.", "TIME"),
        REASON,
        Option(("--end",), "End reservations in the way; what has begun keeps the time before."),
        Option(("--move",), "Give them the first time that they would be granted behind it; end what has begun."),
        Option(("--cancel",), "Cancel the maintenance of now and later."),
    ),
)
def maintenance(context: Context, values: Values) -> int:
    """Plan, cancel or print maintenance."""
    names = [name for word in values["resource"] for name in expand(word)]
    duration_us, ends_us = converters.ending(values)
    timed = duration_us is not None or ends_us is not None
    if values["end"] and values["move"]:
        raise UsageError("--end and --move exclude each other")
    if values["cancel"]:
        if timed or not names:
            raise UsageError("--cancel takes resources, and no time")
        done = context.book().maintenance_cancel(names, context.holder())
        return _print(context, done, "cancelled: ")
    if not timed:
        if values["at"] is not None:
            raise UsageError("resource maintenance: say until when, with --for or --until")
        return _print(context, context.book().maintenance_list(names), "")
    if not names:
        raise UsageError("resource maintenance: say of which resources")
    converters.start("--at", values["at"])
    book = context.book()
    starts_us = converters.start_by_the_book(book, values)
    ends_us = converters.end_by_the_book(book, values, ends_us)
    if ends_us is None and duration_us is not None:
        first_us = book.now_us() if starts_us is None else starts_us
        ends_us = min(first_us + duration_us, FOREVER_US)
    hit = END if values["end"] else MOVE if values["move"] else REFUSE
    planned = book.maintenance_add(
        names, context.holder(), starts_us=starts_us, ends_us=ends_us or 0, reason=values["reason"] or "", hit=hit
    )
    if not planned.made:
        _refuse(planned)
    context.done = "the maintenance was planned"
    return _print_plan(context, planned)


@command(
    "resource mark",
    text="What is sick or offline is given to nobody until it is ok again. Who holds it now keeps it. `resource "
    "check` says so of what fails.",
    examples=(
        ("resource mark rack3 sick --reason 'does not boot'", "nobody gets it"),
        ("resource mark rack3 ok", "it is well again"),
    ),
    arguments=(
        Argument("RESOURCE", complete="resource"),
        Argument("STATE", choices=tuple(one.value for one in Health)),
    ),
    options=(Option(("--reason",), "What is wrong.", "TEXT"),),
)
def mark(context: Context, values: Values) -> int:
    """Say whether a resource is well, and print who has it now or later."""
    name = values["resource"]
    book = context.book()
    (entry,) = book.resource_mark([name], context.holder(), health=values["state"], reason=values["reason"] or "")
    now_us = book.now_us()
    who = [] if values["state"] == Health.OK.value else [one for one in book.who(name) if not one.in_queue]
    note = f" ({entry.properties.health_note})" if entry.properties.health_note else ""
    lines = [f"{name} is {entry.resource.health.value}{note}"]
    lines += [f"  {_verb(one.state(now_us))} {one.holder}: {formatting.sentence(one, now_us)}" for one in who]
    shown = {**entry_json(entry), "reservations": [reservation_json(one, now_us) for one in who]}
    context.answer(shown, "\n".join(map(escape_unprintable, lines)))
    return 0


def _verb(state: State) -> str:
    return "held by" if state is State.ACTIVE else "booked by"


def _print(context: Context, windows: list[Window], verb: str) -> int:
    text = "\n".join(escape_unprintable(verb + _line(window)) for window in windows)
    context.answer({"maintenance": [window_json(one) for one in windows]}, text or "no maintenance is planned")
    return 0


def _print_plan(context: Context, planned: Plan) -> int:
    now_us = context.book().now_us()
    lines = [_line(window) for window in planned.windows] + [f"  {_became(hit, now_us)}" for hit in planned.hits]
    context.answer(plan_json(planned, now_us), "\n".join(map(escape_unprintable, lines)))
    return 0


def _refuse(planned: Plan) -> None:
    """Say which reservations are in the way.

    Raises:
        BusyError: always.
    """
    named = "; ".join(_who(hit) for hit in planned.hits)
    hint = "add --end to end them, or --move to give them another time"
    raise BusyError(f"in the way: {named}", hint=hint, reservations=[hit.before.id for hit in planned.hits])


def _who(hit: Hit) -> str:
    of = hit.before
    begin = timeparse.show(of.starts_us)
    return f"{of.holder} has {formatting.names(of)} from {begin} {formatting.until(of.ends_us)} ({ids.short_id(of.id)})"


def _became(hit: Hit, now_us: int) -> str:
    what = "ends now"
    if hit.after.state(now_us) is not State.ENDED:
        moved = hit.after.starts_us != hit.before.starts_us
        begin = f"moves to {timeparse.show(hit.after.starts_us)}" if moved else "ends"
        what = (
            f"{begin} {formatting.until(hit.after.ends_us)}" if moved else f"ends {timeparse.show(hit.after.ends_us)}"
        )
    return f"{_who(hit)}: {what}"


def _line(window: Window) -> str:
    reason = f" ({window.reason})" if window.reason else ""
    begin = timeparse.show(window.starts_us)
    return f"{window.resource}: maintenance from {begin} {formatting.until(window.ends_us)}{reason}"
