"""The command that deletes reservations that are over, prints them as it goes, and shrinks the file: ``clean``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.argv.declarations import Option, command
from bespeak.base.clock import now
from bespeak.base.errors import UsageError
from bespeak.jobs import queries
from bespeak.jobs.commands.query import print_rest, print_rows
from bespeak.jobs.contract_times import read_instant
from bespeak.jobs.locations import open_store
from bespeak.jobs.queries import Filter
from bespeak.storage.vacuum import refuse_vacuum, vacuum_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.jobs.cli import CommandContext
    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine


@command(
    "clean",
    examples=(
        ("clean --before 2026-06-01 --dry-run", "what would be deleted"),
        ("clean --run-key nightly --all --summary", "and only count"),
        ("clean --before -30d --summary --vacuum", "and give the space back"),
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
        Option(("--vacuum",), "Then give free space of the SQLite file back to the system; also alone."),
    ),
)
def clean(context: CommandContext) -> int:
    """Delete reservations that are over, and print them."""
    dry, vacuum = context.on("dry-run"), context.on("vacuum")
    if dry and vacuum:
        raise UsageError("--vacuum cannot be combined with --dry-run, which changes nothing")
    wanted = None if vacuum and not _is_selecting(context) else _filter(context)
    engine = open_store(context.url)
    try:
        if vacuum:
            refuse_vacuum(engine)
        counted = 0 if wanted is None else _delete(context, engine, wanted, dry=dry)
        rest: dict[str, object] = {"deleted": 0 if dry else counted, "dry_run": dry, "matched": counted}
        if vacuum:
            before, after = vacuum_file(engine)
            rest["vacuum"] = {"bytes_before": before, "bytes_after": after}
        if wanted is None or context.on("summary"):
            context.answer(rest)
        else:
            print_rest(context, rest)
    finally:
        engine.close()
    return 0


def _delete(context: CommandContext, engine: Engine, wanted: Filter, *, dry: bool) -> int:
    """Delete what is meant, or only look; print it unless only counts are wanted; return how many there were."""
    if context.on("summary"):
        return queries.count(engine, wanted) if dry else queries.delete_unseen(engine, wanted)
    counted = 0

    def gone() -> Iterable[JobReservation]:
        nonlocal counted
        batches = ([job] for job in queries.listing(engine, wanted, limit=None)) if dry else None
        for batch in batches or queries.delete(engine, wanted):
            counted += len(batch)
            yield from batch

    print_rows(context, gone())
    return counted


def _is_selecting(context: CommandContext) -> bool:
    names = ("before", "after", "job-id", "reservation-id", "run-key")
    return context.on("all") or any(context.value(name) is not None for name in names)


def _filter(context: CommandContext) -> Filter:
    ranges = [name for name in ("before", "after") if context.value(name) is not None]
    others = ranges + (["all"] if context.on("all") else [])
    single = [name for name in ("job-id", "reservation-id") if context.value(name) is not None]
    if single and (others or len(single) > 1 or context.value("run-key") is not None):
        raise UsageError(f"--{single[0]} cannot be combined with other selection options")
    if not single and not others:
        raise UsageError("Specify --all, --job-id, --reservation-id, --before, or --after.")
    now_us = now()
    bounds = {name: read_instant(context.value(name) or "", "--" + name, now_us) for name in ranges}
    return Filter(
        run_key=context.text("run-key"),
        job_id=context.text("job-id"),
        reservation_id=context.text("reservation-id"),
        updated_since=bounds.get("after"),
        updated_before=bounds.get("before"),
        terminal=True,
    )
