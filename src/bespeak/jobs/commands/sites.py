"""``list --all-sites``: one line for each site of the book, and what a line of the morning view looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import DAY_US, SECOND_US, iso, now
from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UsageError
from bespeak.jobs.contract_times import read_instant
from bespeak.jobs.locations import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bespeak.jobs.cli import CommandContext

HEADER = ("SITE", "DISPATCHER", "RAN", "FAILED", "LOST", "NEXT", "LAST ERROR")
_LONGEST_CELL = 60
_NOT_TOGETHER = ("status", "limit", "after", "until", "key-prefix", "site")


def since_s(context: CommandContext) -> int:
    """Return since when to count, seconds since 1970; by default for a day."""
    now_us = now()
    text = context.value("since")
    return (now_us - DAY_US) // SECOND_US if text is None else read_instant(text, "--since", now_us)


def list_sites(context: CommandContext) -> int:
    """Print how each site is doing; 1 if somebody has to look at one."""
    from bespeak.jobs.site_summary import summaries

    for name in _NOT_TOGETHER:
        if context.value(name) is not None or context.many("metadata"):
            raise UsageError("--all-sites takes --since and --failed only")
    since = since_s(context)
    engine = open_store(context.url)
    try:
        found = engine.read(lambda tx: summaries(tx, since))
    finally:
        engine.close()
    shown = [each for each in found if not (context.on("failed") and each.ok)]
    is_ok = all(each.ok for each in found)
    forms = [each.json() for each in shown]
    if context.as_text:
        print_table(HEADER, [cells(form) for form in forms])
    else:
        context.answer({"ok": is_ok, "since": iso(since * SECOND_US), "sites": forms})
    return 0 if is_ok else 1


def cells(form: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the line of one site, as JSON has it."""
    upcoming, bad = form["next"], form["last_error"]
    return (
        form["site"] or "-",
        ", ".join(form["why"]) or form["dispatcher"],
        str(form["ran"]),
        str(form["failed"] + form["not_started"]),
        str(form["lost"]),
        "-" if not upcoming else f"{upcoming['run_key']} {upcoming['at'] or 'now'}",
        "-" if not bad else f"{bad['run_key']} {bad['at']} {bad['error']}",
    )


def print_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print lines in columns; a long cell is cut, but for the last of a line."""
    rows = [
        [_cell(text, whole=number == len(line) - 1) for number, text in enumerate(line)] for line in (header, *lines)
    ]
    widths = [max(len(row[number]) for row in rows) for number in range(len(header))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _cell(text: str, *, whole: bool) -> str:
    line = escape_unprintable(" ".join(text.split()))
    return line if whole or len(line) <= _LONGEST_CELL else line[: _LONGEST_CELL - 1] + "…"
