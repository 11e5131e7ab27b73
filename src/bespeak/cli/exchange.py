"""``export`` and ``import``: reservations as files of other programs, and back."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import BusyError, NotFoundError, UsageError
from bespeak.base.fileio import read_regular
from bespeak.cli import formatting
from bespeak.cli.converters import SKIP_CONFLICTS
from bespeak.ledger.serialize import booking_json, reservation_json
from bespeak.operations import exchange

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values

_FORMAT = Option(("--format",), "json, csv, ical or otto (default: by the file's name, else json).", "FORMAT")
_ENDINGS = {".csv": "csv", ".ics": "ical", ".ical": "ical"}


@command(
    "export",
    text="What is held and booked, in the order of its start. JSON, CSV and iCalendar come back as they were with "
    "import; otto's form has only what is held now.",
    examples=(("export --format csv", "for a spreadsheet"), ("export --format ical", "for a calendar program")),
    options=(_FORMAT,),
)
def export(context: Context, values: Values) -> int:
    """Print the reservations that have not ended, as a file."""
    form = _form(values["format"], "")
    if context.json and form != "json":
        raise UsageError(f"--json and --format {form} exclude each other")
    book = context.book_to_look_at()
    now_us = book.now_us()
    found = sorted(book.reservations(), key=lambda one: (one.starts_us, one.seq))
    items = [exchange.of_reservation(one) for one in found if not one.waiting and one.keepalive_us is None]
    text = exchange.dump(form, items, now_us)
    if context.json:
        context.print_json(json.loads(text))
    else:
        context.print(text.rstrip("\n"))
    return 0


@command(
    "import",
    text="All are reserved in one step, or none: what is in the way is listed first. What is over is left out, what "
    "has begun begins now. Others' reservations are made in their name, and the log says by whom.",
    examples=(
        ("import reservations.csv", "what export has written"),
        ("import lab.ics --resource rack3 --skip-conflicts", "a calendar of one rack"),
        ("import places.yaml --format labgrid", "the places that somebody has acquired"),
    ),
    arguments=(Argument("FILE"),),
    options=(
        Option(
            ("--format",),
            "json, csv, ical or otto (default: by the file's name, else json); "
            "labgrid, jenkins or dibs: what is held there.",
            "FORMAT",
        ),
        Option(
            ("--resource",), "What events of a calendar mean that name none; may be repeated.", "RESOURCE", many=True
        ),
        SKIP_CONFLICTS,
    ),
)
def import_(context: Context, values: Values) -> int:
    """Reserve what a file says."""
    form = _form(values["format"], values["file"], *exchange.READ_ONLY)
    items = exchange.load(form, _text(values["file"]), values["resource"])
    book = context.book(create=True)
    items, renamed = exchange.plainly_named(items, {one.name for one in book.resource_list()})
    for name, plain in sorted(renamed.items()):
        context.warn(f"{name!a} is imported as {plain!a}: a new book has no second name for it")
    wanted = exchange.requests(items, context.holder().name, book.now_us())
    over = len(items) - len(wanted)
    batch = book.reserve_many(wanted, skip_conflicts=values["skip_conflicts"]) if wanted else None
    done, obstacles = (batch.done, batch.obstacles) if batch else ((), ())
    if obstacles and not done:
        lines = [formatting.in_the_way(one.conflicts[0]) for one in obstacles[:20]]
        raise BusyError(
            f"{len(obstacles)} of {len(wanted)} cannot be had, so nothing was written: {'; '.join(lines)}",
            conflicts=[booking_json(each) for one in obstacles for each in one.conflicts],
            hint="--skip-conflicts leaves these out",
        )
    now_us = book.now_us()
    asked = sum(one.is_awaiting for one in done)
    await_ = f"; {asked} of them await approval" if asked else ""
    context.answer(
        {"reservations": [reservation_json(one, now_us) for one in done], "skipped": len(obstacles), "over": over},
        f"imported {len(done)} reservations; {len(obstacles)} were in the way, {over} are over{await_}",
    )
    return 0


def _form(named: str | None, path: str, *others: str) -> str:
    form = named or _ENDINGS.get(os.path.splitext(path)[1].lower(), "json")
    if form not in (*exchange.FORMATS, *others):
        raise UsageError(f"--format: {form!a} is not one of {', '.join((*exchange.FORMATS, *others))}")
    return form


def _text(path: str) -> str:
    try:
        content = sys.stdin.buffer.read() if path == "-" else read_regular(path)[0]
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {escape_unprintable(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{escape_unprintable(path)} cannot be read: {error}") from None
