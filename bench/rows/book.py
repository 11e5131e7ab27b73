"""The book in process: reserve and release, each a durable commit, among a million past and future reservations."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from harness import books, peers, stats
from harness.bench import child, support
from harness.lines import Bar, Line
from harness.machine import synced_file

if TYPE_CHECKING:
    from harness.bench import Bench

FEW, MANY = 100, 5_000
_FLAT = 1.25
_BACK_TO_BACK, _BATCH = 15_000, 1_000


def measure(bench: Bench) -> Iterator[Line]:
    """Measure a pair of commits with few and many resources, in turn, beside labgrid with as many places."""
    size = bench.pick(100_000, 1_000_000)
    ours, floor = _ours(bench, size)
    for resources, summary in ours.items():
        yield Line(
            f"reserve + release, durable, {resources:,} resources, {size:,} reservations",
            summary.p50,
            "ms",
            "two fsyncs of 4 KiB",
            2 * floor.p50,
            "slower",
            Bar(1, unit="ms"),
            f"p99 {summary.p99:.2f} ms",
            asdict(summary),
        )
    yield Line(
        f"the same: {MANY:,} resources beside {FEW}",
        ours[MANY].p50,
        "ms",
        f"{FEW} resources",
        ours[FEW].p50,
        "slower",
        Bar(_FLAT, of_ratio=True),
        "flat",
    )
    yield from _next_free(bench)
    for places in bench.pick((100,), (100, 5_000)):
        theirs = _labgrid(bench, places)
        yield Line(
            f"reserve + release, {places:,} resources",
            ours[places].p50,
            "ms",
            f"{peers.version('labgrid')}, nothing durable, {places:,} places",
            theirs.p50,
            detail=asdict(theirs),
        )


def _next_free(bench: Bench) -> Iterator[Line]:
    """Measure the question for the next free time, behind bookings that leave no gap."""
    yield _next_free_on(bench, "SQLite", bench.path("booked.db"))
    server = support("pgserver").Server(durable=False)
    try:
        yield _next_free_on(bench, "PostgreSQL", f"{server.url}&schema=bench_booked")
    finally:
        server.stop()


def _next_free_on(bench: Bench, engine: str, url: str) -> Line:
    alice = Holder("alice")
    with open_ledger(url, now=lambda: books.INSTANT_US) as ledger:
        for first in range(0, _BACK_TO_BACK, _BATCH):
            starts = [books.INSTANT_US + number * HOUR_US for number in range(first, first + _BATCH)]
            ledger.reserve_many([Request(("rig",), alice, starts_us=at, duration_us=HOUR_US) for at in starts])
        wanted = Request(("rig",), alice, duration_us=HOUR_US)
        assert ledger.next_free(wanted) == books.INSTANT_US + _BACK_TO_BACK * HOUR_US
        asked = {"ask": lambda: 1000 * stats.seconds(lambda: ledger.next_free(wanted))}
        found = stats.summary(stats.in_turn(asked, bench.pick(10, 50), warm=2)["ask"])
    return Line(
        f"next free behind {_BACK_TO_BACK:,} bookings, {engine}",
        found.p50,
        "ms",
        bar=Bar(20, unit="ms"),
        detail=asdict(found),
    )


def _ours(bench: Bench, size: int) -> tuple[dict[int, stats.Summary], stats.Summary]:
    paths = {resources: books.filled(bench, resources, size) for resources in (FEW, MANY)}
    ledgers = {number: open_ledger(path, now=books.clock_from_instant()) for number, path in paths.items()}
    chance = random.Random(7)

    def pair(resources: int) -> float:
        ledger, name = ledgers[resources], books.name(chance.randrange(resources))
        request = Request((name,), Holder("alice"), duration_us=HOUR_US)
        return 1000 * stats.seconds(lambda: ledger.release(ledger.reserve(request).id, Holder("alice")))

    with synced_file(bench.folder) as sync:
        things = {
            str(FEW): lambda: pair(FEW),
            str(MANY): lambda: pair(MANY),
            "sync": lambda: 1000 * stats.seconds(sync),
        }
        samples = stats.in_turn(things, bench.pick(300, 2_000), warm=20)
    for ledger in ledgers.values():
        ledger.close()
    return {number: stats.summary(samples[str(number)]) for number in (FEW, MANY)}, stats.summary(samples["sync"])


def _labgrid(bench: Bench, places: int) -> stats.Summary:
    with peers.labgrid_coordinator(bench.path("labgrid"), places) as address:
        command = [peers.installed("labgrid").python, child("labgrid_load.py"), address, "0", str(places)]
        done = subprocess.run(
            [*command, str(bench.pick(2, 5))], check=True, capture_output=True, text=True, input="go\n"
        )
    return stats.summary(json.loads(done.stdout.splitlines()[-1])["pairs_ms"])
