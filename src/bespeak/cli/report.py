"""``report``: how the book was used, as a table, CSV, JSON or one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Option, command
from bespeak.base import timeparse
from bespeak.base.clock import DAY_US, duration_text, iso
from bespeak.base.errors import UsageError
from bespeak.cli import converters
from bespeak.cli.output import table
from bespeak.cli.show import LABEL, labelled
from bespeak.operations import report as service

if TYPE_CHECKING:
    from bespeak.cli.context import Context, Values
    from bespeak.operations.report import Use

_USUAL_US = 30 * DAY_US
_FORMATS = ("table", "csv", "json", "html")
_HEADERS = ("HOLDS", "HOURS", "SHARE", "WAITS", "WAITED", "LONGEST", "NO-SHOWS")


@command(
    "report",
    text="Use is what was held until now, counted for each resource; a share is of all its seats. Waiting is time in "
    "the queue. A no-show was promised or booked, and not taken up. Without times it is about the last 30 days.",
    examples=(
        ("report", "which resources were used most"),
        ("report --by user --from '2026-11-01 0:00' --to '2026-12-01 0:00' --format csv", "a month, for a spreadsheet"),
        ("report --by week --format html", "one page with plots; nothing is loaded from elsewhere"),
    ),
    options=(
        Option(("--by",), "By resource (default), user, team or week.", "WHAT"),
        Option(("--day",), "Only this day: today, yesterday, mon, 2040-05-01.", "DAY"),
        Option(("--from",), "From when on.", "TIME"),
        Option(("--to",), "Until when (default: now).", "TIME"),
        LABEL,
        Option(("--format",), "table (default), csv, json or html.", "FORMAT"),
    ),
)
def report(context: Context, values: Values) -> int:
    """Add up how the book was used, and print it."""
    by, form = values["by"] or "resource", "json" if context.json else values["format"] or "table"
    if by not in service.BY:
        raise UsageError(f"--by: {by!a} is not one of {', '.join(service.BY)}")
    if form not in _FORMATS:
        raise UsageError(f"--format: {form!a} is not one of {', '.join(_FORMATS)}")
    begins_us, ends_us = converters.span(values)
    book = context.book_to_look_at()
    now_us = book.now_us()
    to_us = now_us if ends_us is None else ends_us
    from_us = to_us - _USUAL_US if begins_us is None else begins_us
    names = labelled(book, values["label"], ())
    lines = service.report_of(book, by, names, from_us=from_us, to_us=to_us)
    if form == "json":
        context.print_json(
            {"by": by, "from": iso(from_us), "to": iso(to_us), "lines": [service.use_json(one) for one in lines]}
        )
        return 0
    headers, cells = (by.upper(), *_HEADERS), [_cells(one) for one in lines]
    title = f"Use by {by}, {timeparse.show(from_us)} to {timeparse.show(to_us)}"
    if form == "html":
        from bespeak.operations.report_page import page

        context.print(page(lines, title, headers, cells).rstrip("\n"))
    elif form == "csv":
        context.print(_csv(by, lines))
    else:
        context.print(f"{title}\n{table(headers, cells)}" if cells else f"{title}: nothing")
    return 0


def _cells(of: Use) -> tuple[str, ...]:
    share = "-" if of.share is None else f"{of.share:.1%}"
    waited = "-" if not of.waits else duration_text(of.waited_us) or "0s"
    longest = "-" if not of.waits else duration_text(of.longest_wait_us) or "0s"
    return of.name, str(of.holds), f"{of.hours:.1f}", share, str(of.waits), waited, longest, str(of.no_shows)


def _csv(by: str, lines: list[Use]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((by, "holds", "hours", "share", "waits", "waited_hours", "longest_wait_hours", "no_shows"))
    for of in lines:
        share = "" if of.share is None else f"{of.share:.4f}"
        waited = f"{of.waited_us / 3.6e9:.4f}", f"{of.longest_wait_us / 3.6e9:.4f}"
        name = "'" + of.name if of.name[:1] in "=+-@" else of.name  # a spreadsheet would run it
        writer.writerow((name, of.holds, f"{of.hours:.4f}", share, of.waits, *waited, of.no_shows))
    return text.getvalue().rstrip("\n")
