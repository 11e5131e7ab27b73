"""When is it free next? From the present through everything that is booked; at worst behind all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from harness import books, stats
from harness.lines import Line

if TYPE_CHECKING:
    from harness.bench import Bench

_LONGER_THAN_ANY_GAP_US = 4 * HOUR_US


def measure(bench: Bench) -> Iterator[Line]:
    """Measure the forecast for a request that fits at once, and for one that fits only behind every booking."""
    size = bench.pick(100_000, 1_000_000)
    for resources in (5_000, 100):
        ahead = size // resources // 2
        with open_ledger(books.filled(bench, resources, size), now=books.clock_from_instant()) as ledger:
            for text, names, length_us in (
                ("free now", (books.name(1),), HOUR_US),
                (f"behind {ahead:,} bookings", (books.name(1),), _LONGER_THAN_ANY_GAP_US),
                (
                    f"3 resources, behind {3 * ahead:,} bookings",
                    tuple(map(books.name, range(3))),
                    _LONGER_THAN_ANY_GAP_US,
                ),
            ):
                request = Request(names, Holder("alice"), duration_us=length_us)
                samples = stats.repeated(partial(ledger.next_free, request), bench.pick(5, 20), warm=1)
                kept = stats.summary([value * 1000 for value in samples])
                what = f"next free of {resources:,} resources, {size:,} reservations: {text}"
                yield Line(what, kept.p50, "ms", detail=asdict(kept))
