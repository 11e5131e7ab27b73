"""The commands about many reservations: ``list`` and ``clean``. Both print as they read, so a million rows fit."""

from __future__ import annotations

import sys

from bespeak.clock import now
from bespeak.dispatch import jsonform, queries
from bespeak.dispatch.liveness import presence
from bespeak.dispatch.making import read_number
from bespeak.dispatch.model import Status
from bespeak.dispatch.place import open_store
from bespeak.dispatch.times import read_instant
from bespeak.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.dispatch.cli import Caller
    from bespeak.dispatch.model import Job

_DEFAULT_LIMIT = 50
_MOST = 10**12


def listing(caller: Caller) -> int:
    """Print reservations, newest first."""
    wanted = _list_filter(caller)
    limit = read_number(caller.value("limit") or str(_DEFAULT_LIMIT), "--limit", -_MOST, _MOST)
    engine = open_store(caller.url)
    try:
        found = queries.listing(engine, wanted, limit=None if limit < 0 else limit, after=caller.text("after"))
        _print_rows(found)
        _print_rest({"dispatcher": engine.read(presence)})
    finally:
        engine.close()
    return 0


def _list_filter(caller: Caller) -> queries.Filter:
    status = caller.value("status")
    if status is not None and status not in Status.__members__:
        raise UsageError(f"--status {status!a}: one of {', '.join(Status)}")
    now_us = now()
    since, until = caller.value("since"), caller.value("until")
    return queries.Filter(
        status=status,
        key_prefix=caller.text("key-prefix"),
        created_since=None if since is None else read_instant(since, "--since", now_us),
        created_before=None if until is None else read_instant(until, "--until", now_us),
        metadata=dict(_pair(text) for text in caller.many("metadata")),
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--metadata {text!a}: expected NAME=VALUE")
    return name, value


def _print_rows(found: Iterable[Job]) -> None:
    """Print the opening of the answer and its rows, in the layout that ``json.dumps(indent=2)`` has."""
    write = sys.stdout.write
    write('{\n  "reservations": [')
    separator = "\n"
    for job in found:
        write(separator + "    " + jsonform.text(jsonform.job_json(job)).replace("\n", "\n    "))
        separator = ",\n"
    write("]" if separator == "\n" else "\n  ]")


def _print_rest(rest: dict[str, object]) -> None:
    for name, value in rest.items():
        sys.stdout.write(f",\n  {jsonform.text(name)}: {jsonform.text(value)}")
    sys.stdout.write("\n}\n")


def clean(caller: Caller) -> int:
    """Delete reservations that are over, and print them."""
    wanted = _clean_filter(caller)
    dry = caller.on("dry-run")
    engine = open_store(caller.url)
    counted = 0

    def gone() -> Iterable[Job]:
        nonlocal counted
        batches = ([job] for job in queries.listing(engine, wanted, limit=None)) if dry else None
        for batch in batches or queries.delete(engine, wanted):
            counted += len(batch)
            yield from batch

    try:
        if caller.on("summary"):
            counted = queries.count(engine, wanted) if dry else sum(1 for _ in gone())
            jsonform.write({"deleted": 0 if dry else counted, "dry_run": dry, "matched": counted})
            return 0
        _print_rows(gone())
        _print_rest({"deleted": 0 if dry else counted, "dry_run": dry, "matched": counted})
    finally:
        engine.close()
    return 0


def _clean_filter(caller: Caller) -> queries.Filter:
    ranges = [name for name in ("before", "after") if caller.value(name) is not None]
    others = ranges + (["all"] if caller.on("all") else [])
    single = [name for name in ("job-id", "reservation-id") if caller.value(name) is not None]
    if single and (others or len(single) > 1 or caller.value("run-key") is not None):
        raise UsageError(f"--{single[0]} cannot be combined with other selection options")
    if not single and not others:
        raise UsageError("Specify --all, --job-id, --reservation-id, --before, or --after.")
    now_us = now()
    bounds = {name: read_instant(caller.value(name) or "", "--" + name, now_us) for name in ranges}
    return queries.Filter(
        run_key=caller.text("run-key"),
        job_id=caller.text("job-id"),
        reservation_id=caller.text("reservation-id"),
        updated_since=bounds.get("after"),
        updated_before=bounds.get("before"),
        terminal=True,
    )
