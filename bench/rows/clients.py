"""Sixteen processes that reserve and release on 5,000 resources as fast as they can, every commit durable."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bespeak.base.clock import MINUTE_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from harness import books, peers, stats
from harness.bench import child, support
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from harness.bench import Bench

CLIENTS = 16
RESOURCES = 5_000
_BARS = {"SQLite": 1_500.0, "PostgreSQL": 3_000.0}


def measure(bench: Bench) -> Iterator[Line]:
    """Measure operations a second on both engines, beside labgrid."""
    seconds = str(bench.pick(3, 10))
    server = support("pgserver").Server(durable=True)
    try:
        sqlite = bench.path("book.db")
        found = {
            "SQLite": _ours(sqlite, seconds),
            "PostgreSQL": _ours(f"{server.url}&schema=bench_clients", seconds),
        }
    finally:
        server.stop()
    places = bench.pick(1_000, RESOURCES)
    theirs = labgrid(bench, places, seconds)
    for engine, result in found.items():
        kept = stats.summary(result["pairs_ms"])
        yield Line(
            f"{CLIENTS} processes on {RESOURCES:,} resources, durable, {engine}",
            result["rate"],
            "operations/s",
            f"{peers.version('labgrid')}, nothing durable, {places:,} places",
            theirs["rate"],
            "more",
            Bar(_BARS[engine], at_least=True, unit="operations/s"),
            f"a pair p50 {kept.p50:.1f}, p99 {kept.p99:.0f} ms",
            {"pairs": len(result["pairs_ms"]), "p50_ms": kept.p50, "p99_ms": kept.p99},
        )


def _ours(url: str, seconds: str) -> dict[str, Any]:
    """Declare the resources in one transaction each hundred, then let the clients go."""
    with open_ledger(url) as ledger:
        for start in range(0, RESOURCES, 500):
            names = tuple(books.name(number) for number in range(start, start + 500))
            made = ledger.reserve(Request(names, Holder("alice"), duration_us=MINUTE_US))
            ledger.release(made.id, Holder("alice"))
    share = RESOURCES // CLIENTS
    commands = [
        [sys.executable, child("hold_loop.py"), url, str(n), "0", str(share * CLIENTS), seconds] for n in range(CLIENTS)
    ]
    return together(commands, float(seconds))


def labgrid(bench: Bench, places: int, seconds: str, clients: int = CLIENTS) -> dict[str, Any]:
    """Let so many clients acquire and release places of labgrid's coordinator."""
    share = places // clients
    with peers.labgrid_coordinator(bench.path("labgrid"), places) as address:
        python = peers.installed("labgrid").python
        ranges = [(str(share * n), str(share * (n + 1))) for n in range(clients)]
        return together(
            [[python, child("labgrid_load.py"), address, *each, seconds] for each in ranges], float(seconds)
        )


def together(commands: Sequence[Sequence[str]], seconds: float) -> dict[str, Any]:
    """Start the commands, let them go at once when all are ready, and add up what they did."""
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for command in commands
    ]
    for process in running:
        if process.stdout is None or process.stdout.readline().strip() != "ready":
            raise RuntimeError("a client did not get ready")
    for process in running:
        if process.stdin is not None:
            process.stdin.write("go\n")
            process.stdin.flush()
    answers = [json.loads(process.communicate()[0].splitlines()[-1]) for process in running]
    return {
        "rate": sum(answer["operations"] for answer in answers) / seconds,
        "pairs_ms": [value for answer in answers for value in answer["pairs_ms"]],
    }
