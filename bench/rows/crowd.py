"""Many at one place: thousands in one line, and the free time of a thousand resources."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bespeak.base.clock import HOUR_US
from bespeak.base.errors import BusyError
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from harness import books, stats
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.bench import Bench

_RESOURCES = 1_001


def measure(bench: Bench) -> Iterator[Line]:
    """Measure looking at a long line, being refused before it, looking from within it, and ``free``."""
    waiting = bench.pick(10_000, 100_000)
    path = books.with_line(bench, waiting)
    with open_ledger(path, now=lambda: books.INSTANT_US) as ledger:
        last = ledger.who("rig", waiting=waiting)[-1].id
        asked: dict[str, tuple[Callable[[], Any], float | None]] = {
            "who": (lambda: ledger.who("rig"), 100),
            "a refused reserve": (lambda: _refused(ledger), 50),
            "a look of the last": (lambda: ledger.queue_look(last), None),
        }
        for what, (ask, most_ms) in asked.items():
            ask()
            found = stats.summary([1000 * stats.seconds(ask) for _ in range(bench.pick(5, 20))])
            bar = None if most_ms is None else Bar(most_ms, unit="ms")
            yield Line(
                f"{what}, {waiting:,} waiting in one line, SQLite", found.p50, "ms", bar=bar, detail=asdict(found)
            )
    size = bench.pick(100_000, 1_000_000)
    with open_ledger(books.filled(bench, _RESOURCES, size), now=books.clock_from_instant()) as ledger:
        times = [stats.seconds(ledger.free) for _ in range(bench.pick(2, 5))]
    found = stats.summary(times)
    yield Line(f"free of {_RESOURCES:,} resources, {size:,} reservations", found.p50, "s", bar=Bar(0.5, unit="s"))


def _refused(ledger: Any) -> None:
    with suppress(BusyError):
        ledger.reserve(Request(("rig",), Holder("bob"), duration_us=HOUR_US))
