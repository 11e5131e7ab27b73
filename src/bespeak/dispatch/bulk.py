"""The commands about many reservations: ``list`` and ``clean``. Both print as they read, so a million rows fit."""

from __future__ import annotations

import os
import sys

from bespeak.argv.declarations import Option, command
from bespeak.clock import now
from bespeak.dispatch import jsonform, queries
from bespeak.dispatch.liveness import presence
from bespeak.dispatch.model import Status
from bespeak.dispatch.place import open_store, store_url
from bespeak.dispatch.times import read_instant, read_number
from bespeak.errors import UsageError
from bespeak.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from bespeak.dispatch.cli import CommandContext
    from bespeak.dispatch.model import Job

_DEFAULT_LIMIT = 50
_MOST = 10**12
_OFFERED = 500


@command(
    "list",
    examples=(
        ("list --status RESERVED --limit 10", "the ten newest that wait"),
        ("list --key-prefix nightly- --text", "for people"),
    ),
    options=(
        Option(("--status",), "Only this state.", "STATUS", complete="status"),
        Option(("--limit",), "At most so many; default 50, negative for all.", "N"),
        Option(("--after",), "The page after this reservation.", "ID", complete="reservation_id"),
        Option(("--since",), "Created at or after.", "DATETIME"),
        Option(("--until",), "Created before.", "DATETIME"),
        Option(("--key-prefix",), "Run keys that begin so.", "TEXT", complete="run_key"),
        Option(("--metadata",), "Metadata that says so; may be repeated.", "NAME=VALUE", many=True),
    ),
)
def listing(context: CommandContext) -> int:
    """Print reservations, newest first."""
    wanted = _list_filter(context)
    limit = read_number(context.value("limit") or str(_DEFAULT_LIMIT), "--limit", -_MOST, _MOST)
    engine = open_store(context.url)
    try:
        found = queries.listing(engine, wanted, limit=None if limit < 0 else limit, after=context.text("after"))
        _print_rows(context, found)
        _print_rest(context, {"dispatcher": engine.read(presence)})
    finally:
        engine.close()
    return 0


def _list_filter(context: CommandContext) -> queries.Filter:
    status = context.value("status")
    if status is not None and status not in Status.__members__:
        raise UsageError(f"--status {status!a}: one of {', '.join(Status)}")
    now_us = now()
    since, until = context.value("since"), context.value("until")
    return queries.Filter(
        status=status,
        key_prefix=context.text("key-prefix"),
        created_since=None if since is None else read_instant(since, "--since", now_us),
        created_before=None if until is None else read_instant(until, "--until", now_us),
        metadata=dict(_pair(text) for text in context.many("metadata")),
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--metadata {text!a}: expected NAME=VALUE")
    return name, value


def _print_rows(context: CommandContext, found: Iterable[Job]) -> None:
    """Print the opening of the answer and its rows, in the layout that ``json.dumps(indent=2)`` has."""
    write = sys.stdout.write
    if context.as_text:
        write(f"{'STATE':<15}  {'RESERVATION ID':<36}  RUN KEY\n")
        for job in found:
            write(f"{job.reservation_status:<15}  {safe(job.reservation_id):<36}  {safe(job.run_key)}\n")
        return
    write('{\n  "reservations": [')
    separator = "\n"
    for job in found:
        write(separator + jsonform.text_at("    ", jsonform.job_json(job)))
        separator = ",\n"
    write("]" if separator == "\n" else "\n  ]")


def _print_rest(context: CommandContext, rest: dict[str, object]) -> None:
    if context.as_text:
        context.answer(rest)
        return
    for name, value in rest.items():
        sys.stdout.write(f",\n  {jsonform.text(name)}: {jsonform.text(value)}")
    sys.stdout.write("\n}\n")


@command(
    "clean",
    examples=(
        ("clean --before 2026-06-01 --dry-run", "what would be deleted"),
        ("clean --run-key nightly --all --summary", "and only count"),
    ),
    options=(
        Option(("--before",), "Updated before.", "DATETIME"),
        Option(("--after",), "Updated at or after.", "DATETIME"),
        Option(("--all",), "All that are over."),
        Option(("--job-id",), "One, by the runner's job id.", "ID"),
        Option(("--reservation-id",), "One, by its id.", "ID", complete="reservation_id"),
        Option(("--run-key",), "Only this run key.", "KEY", complete="run_key"),
        Option(("--dry-run",), "Show, delete nothing."),
        Option(("--summary",), "Print counts only."),
    ),
)
def clean(context: CommandContext) -> int:
    """Delete reservations that are over, and print them."""
    wanted = _clean_filter(context)
    dry = context.on("dry-run")
    engine = open_store(context.url)
    counted = 0

    def gone() -> Iterable[Job]:
        nonlocal counted
        batches = ([job] for job in queries.listing(engine, wanted, limit=None)) if dry else None
        for batch in batches or queries.delete(engine, wanted):
            counted += len(batch)
            yield from batch

    try:
        if context.on("summary"):
            counted = queries.count(engine, wanted) if dry else sum(1 for _ in gone())
            context.answer({"deleted": 0 if dry else counted, "dry_run": dry, "matched": counted})
            return 0
        _print_rows(context, gone())
        _print_rest(context, {"deleted": 0 if dry else counted, "dry_run": dry, "matched": counted})
    finally:
        engine.close()
    return 0


def _clean_filter(context: CommandContext) -> queries.Filter:
    ranges = [name for name in ("before", "after") if context.value(name) is not None]
    others = ranges + (["all"] if context.on("all") else [])
    single = [name for name in ("job-id", "reservation-id") if context.value(name) is not None]
    if single and (others or len(single) > 1 or context.value("run-key") is not None):
        raise UsageError(f"--{single[0]} cannot be combined with other selection options")
    if not single and not others:
        raise UsageError("Specify --all, --job-id, --reservation-id, --before, or --after.")
    now_us = now()
    bounds = {name: read_instant(context.value(name) or "", "--" + name, now_us) for name in ranges}
    return queries.Filter(
        run_key=context.text("run-key"),
        job_id=context.text("job-id"),
        reservation_id=context.text("reservation-id"),
        updated_since=bounds.get("after"),
        updated_before=bounds.get("before"),
        terminal=True,
    )


def _known(click_context: Any, field: str) -> dict[str, str]:
    """Return run keys or ids of the latest reservations, for completion; completion never makes a database."""
    parsed = click_context.params
    url = store_url(
        parsed.get("shared_db"), parsed.get("shared_ledger"), os.environ, click_context.find_root().info_name
    )
    if "://" not in url and not os.path.exists(url):
        return {}
    engine = open_store(url)
    try:
        jobs = queries.listing(engine, queries.Filter(), limit=_OFFERED)
        return {str(getattr(job, field)): str(job.reservation_status) for job in jobs}
    finally:
        engine.close()


def _resources(click_context: Any) -> dict[str, str]:
    from bespeak.ledger import open_ledger
    from bespeak.settings import ledger_url

    url = ledger_url(click_context.params.get("shared_ledger"))
    if "://" not in url and not os.path.exists(url):
        return {}
    with open_ledger(url) as ledger:
        return {resource.name: resource.description for resource in ledger.resource_list()}


SOURCES = {
    "run_key": lambda context: _known(context, "run_key"),
    "reservation_id": lambda context: _known(context, "reservation_id"),
    "resource": _resources,
    "status": lambda _: dict.fromkeys(Status.__members__, ""),
    "kind": lambda _: dict.fromkeys(("systemd", "supervisor"), ""),
}
"""What completes values."""
