"""``log`` and ``watch``: what happened to the book, and what happens to it now."""

from __future__ import annotations

import sys

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import ids, timeparse
from bespeak.base.clock import FOREVER_US
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.ledger.actions import Action
from bespeak.ledger.serialize import log_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.ledger.actions import LogEntry

_LIMIT = 50


@command(
    "log",
    examples=(
        ("log", "the latest changes"),
        ("log --resource rack3 --limit 100", "what happened to rack3"),
        ("log --id 8f3a2c10", "what happened to one reservation"),
        ("log --follow", "the latest, then each new one"),
    ),
    options=(
        Option(("--resource",), "Only with this resource.", "RESOURCE", complete="resource"),
        Option(("--id",), "Only of this reservation.", "ID", complete="reservation"),
        Option(("--limit",), "At most so many, the latest (default 50).", "NUMBER", kind="int"),
        Option(("--after",), "Only after this entry, oldest first.", "SEQ", kind="int"),
        Option(("--follow",), "Then print each new one as it happens."),
    ),
)
def log(context: Context, values: Values) -> int:
    """Print changes of the book, oldest first; with ``--follow`` go on with each new one."""
    limit = _LIMIT if values["limit"] is None else values["limit"]
    if limit < 1:
        raise UsageError("--limit: at least 1")
    book = context.book()
    identifier = None if values["id"] is None else book.find(values["id"]).id
    after: int | None = values["after"]
    found = book.log(
        after_seq=after or 0,
        limit=limit,
        resource=values["resource"],
        reservation_id=identifier,
        newest_first=after is None,
    )
    if after is None:
        found.reverse()
    if not values["follow"]:
        if context.json:
            context.print_json({"entries": [log_json(entry) for entry in found]})
        else:
            context.print("\n".join(map(_line, found)) or "nothing has happened yet")
        return 0
    for entry in found:
        _emit(context, entry)
    last = found[-1].seq if found else after
    for entry in book.watch([values["resource"]] if values["resource"] else (), after_seq=last):
        if identifier in (None, entry.reservation_id):
            _emit(context, entry)
    return 0


@command(
    "watch",
    text="Runs until it is interrupted. Nothing is polled: a change is printed in the moment of its commit.",
    examples=(("watch", "everything"), ("watch rack3 --after 120", "one resource, beginning after log entry 120")),
    arguments=(Argument("RESOURCE", many=True, required=False, complete="resource"),),
    options=(Option(("--after",), "Begin after this entry of the log (default: now).", "SEQ", kind="int"),),
)
def watch(context: Context, values: Values) -> int:
    """Print one line of JSON for each change, as it happens."""
    context.json = True
    for entry in context.book().watch(values["resource"], after_seq=values["after"]):
        _emit(context, entry)
    return 0


def _emit(context: Context, entry: LogEntry) -> None:
    if context.json:
        context.print_json(log_json(entry))
    else:
        context.print(_line(entry))
    sys.stdout.flush()


def _line(entry: LogEntry) -> str:
    who = entry.who + (f" (by {entry.requested_by})" if entry.requested_by else "")
    of = ids.short_id(entry.reservation_id) if entry.reservation_id else "-"
    what = f"{entry.action.value} {_resources(entry)}{_changed(entry)}"
    return escape_unprintable(f"{entry.seq:>5}  {timeparse.show(entry.at_us):<23}  {of:8}  {who}  {what}")


def _resources(entry: LogEntry) -> str:
    """Return the resources of a row; of a move to others, those before and those after it."""
    before, after = entry.before.get("resources"), entry.after.get("resources")
    if entry.action is Action.MOVED and isinstance(before, list) and isinstance(after, list):
        return f"{', '.join(map(str, before))} to {', '.join(map(str, after))}"
    return ", ".join(entry.resources)


def _value(facts: dict[str, object], key: str) -> str:
    from bespeak.base.json_text import compact_utf8

    return compact_utf8(facts[key]) if key in facts else "nothing"


def _changed(entry: LogEntry) -> str:
    """Return what a reader wants to know of a change: the window, the new end, the reason."""
    after, before = entry.after, entry.before
    if entry.action is Action.POLICY_CHANGED:
        return "; ".join(
            f"{key} = {_value(after, key)} instead of {_value(before, key)}" for key in {**before, **after}
        )
    start, end, old = after.get("starts_us"), after.get("ends_us"), before.get("ends_us")
    text = ""
    if isinstance(start, int) and isinstance(end, int) and start < FOREVER_US:
        text = f": {timeparse.show(start)} to {timeparse.show(end)}"
    elif isinstance(end, int) and isinstance(old, int) and end < FOREVER_US:
        text = f": until {timeparse.show(end)} instead of {timeparse.show(old)}"
    note = after.get("ended_note") or after.get("purpose") or after.get("note") or after.get("reason")
    return f"{text} ({note})" if note else text
