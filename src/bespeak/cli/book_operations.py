"""``backup``, ``restore``, ``ledger move`` and ``prune``: looking after a book as a whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bespeak.argv.declarations import Argument, Option, command
from bespeak.base import timeparse
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.cli import converters

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values

_FILE = Argument("FILE")
_REPLACE = Option(("--replace",), "Throw away what is there now.")


def _url(context: Context) -> str:
    from bespeak.settings import ledger_url

    context.book().close()  # says where it is if there is none, and whether it is trusted
    context.forget_book()
    return ledger_url(context.ledger_flag)


def _counts(rows: dict[str, int]) -> dict[str, int]:
    return {"reservations": rows["ledger_reservations"], "log_entries": rows["ledger_log"]}


@command(
    "backup",
    text="The copy is consistent, also while others write, and appears under its name when it is whole and on disk. "
    "Whatever engine the book is on, the file is an ordinary SQLite book: look at it with --ledger FILE.",
    examples=(
        ("backup tonight.sqlite3", "a copy of the book"),
        ("backup tonight.sqlite3 --replace", "in the place of last night's"),
    ),
    arguments=(_FILE,),
    options=(_REPLACE,),
)
def backup(context: Context, values: Values) -> int:
    """Copy the book to a file."""
    from bespeak.operations import backup as service

    made = service.backup(_url(context), values["file"], replace=values["replace"])
    shown = escape_unprintable(made.path)
    counts = f"{made.rows['ledger_reservations']} reservations, {made.rows['ledger_log']} log entries"
    context.answer(
        {"path": made.path, "size_bytes": made.size_bytes, **_counts(made.rows)},
        f"backup {shown}: {counts}",
    )
    return 0


@command(
    "restore",
    text="Into an empty book, or with --replace in the place of all that is in it now. It is one transaction: whoever "
    "has the book open sees one or the other. Numbers of grants go on behind the greatest that was ever given out.",
    examples=(
        ("restore tonight.sqlite3 --replace", "as it was then"),
        ("--ledger copy.sqlite3 restore tonight.sqlite3", "into a new book"),
    ),
    arguments=(_FILE,),
    options=(_REPLACE,),
)
def restore(context: Context, values: Values) -> int:
    """Fill the book from a backup."""
    from bespeak.operations import backup as service
    from bespeak.settings import ledger_place

    place = ledger_place(context.ledger_flag)
    rows = service.restore(place.url, values["file"], context.holder(), replace=values["replace"])
    counts = f"{rows['ledger_reservations']} reservations, {rows['ledger_log']} log entries"
    context.answer({"book": place.shown, **_counts(rows)}, f"restored {escape_unprintable(place.shown)}: {counts}")
    return 0


@command(
    "ledger move",
    text="Ids, numbers and the log stay. Nobody writes while it is copied, and the copy is compared row by row. From "
    "then on the old book can be looked at, and refuses every write with a line that says where it is now.",
    examples=(("ledger move --to elsewhere.sqlite3", "or --to postgresql://host/database, and back"),),
    options=(
        Option(("--to",), "The new place: a path or postgresql://...; nothing or an empty book is there.", "URL"),
    ),
)
def move(context: Context, values: Values) -> int:
    """Move the book to another place or engine."""
    if not values["to"]:
        raise UsageError("ledger move: say where to, with --to")
    from bespeak.base.paths import book_url
    from bespeak.operations import relocate

    to, rows = relocate.relocate(_url(context), book_url(values["to"], "--to", None), context.holder())
    counts = f"{rows['ledger_reservations']} reservations, {rows['ledger_log']} log entries"
    text = f"moved to {escape_unprintable(to)}: {counts}"
    context.answer(
        {"to": to, **_counts(rows)}, f"{text}\nname it in the settings or BESPEAK_LEDGER; the old one is read-only now"
    )
    return 0


@command(
    "prune",
    text="Reservations that ended longer ago than that go with their log, and names that nobody declared and nothing "
    "mentions any more. Nothing that is held, booked or waited for is touched, and no resource that was declared.",
    examples=(
        ("prune --older-than 90d --dry-run", "how much it would be"),
        ("prune --older-than 90d", "keep three months"),
    ),
    options=(
        Option(("--older-than",), "Keep what ended within so long; must be given.", "DURATION"),
        Option(("--dry-run",), "Only count."),
    ),
)
def prune(context: Context, values: Values) -> int:
    """Remove what has been over for long."""
    kept_us = converters.duration("--older-than", values["older_than"])
    if kept_us is None:
        raise UsageError("prune: say what to keep, with --older-than")
    from bespeak.ledger.prune import prune as remove

    book = context.book()
    before_us = max(book.now_us() - kept_us, 0)
    found = remove(book, context.holder(), before_us=before_us, dry_run=values["dry_run"])
    done = "would remove" if values["dry_run"] else "removed"
    text = f"{done} {found.reservations} reservations that ended before {timeparse.show(before_us)}"
    names = "" if values["dry_run"] else f", {len(found.resources)} names"
    context.answer(
        {**asdict(found), "dry_run": bool(values["dry_run"]), "before_us": before_us},
        f"{text}, {found.log_entries} log entries{names}",
    )
    return 0
