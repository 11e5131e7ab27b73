"""The gate in process: does the user hold the three resources of a lab, in a book with a million reservations?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from types import SimpleNamespace
from typing import TYPE_CHECKING

from bespeak.base.clock import DAY_US, HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.reservations.check import check_reservations
from bespeak.reservations.errors import MissingReservationError
from bespeak.reservations.ledger_backend import LedgerReservationBackend
from harness import books, stats
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.ledger.service import Ledger
    from harness.bench import Bench

_LAB = SimpleNamespace(name="demo", resources={books.name(1), books.name(2), books.name(3)}, hosts={})
_LONG_LAB = SimpleNamespace(name="long", resources={books.name(4), books.name(5), books.name(6)}, hosts={})
_MICRO = 1_000_000


def measure(bench: Bench) -> Iterator[Line]:
    """Measure the check, allowed and refused, and what a very long booking in the past does to it."""
    size = bench.pick(100_000, 1_000_000)
    with open_ledger(books.filled(bench, 5_000, size), now=books.clock_from_instant()) as ledger:
        _hold(ledger, "alice", sorted(_LAB.resources))
        _hold(ledger, "alice", sorted(_LONG_LAB.resources))
        for resource in _LONG_LAB.resources:
            _book_and_leave(ledger, resource)
        backend = LedgerReservationBackend(engine=ledger.engine)
        rounds = bench.pick(2_000, 10_000)
        samples = stats.in_turn(
            {
                "floor": lambda: stats.seconds(lambda: ledger.engine.read(lambda tx: tx.fetch_one("SELECT 1"))),
                "allowed": lambda: stats.seconds(lambda: check_reservations(_LAB, "alice", backend)),
                "refused": lambda: stats.seconds(lambda: _refused(lambda: check_reservations(_LAB, "bob", backend))),
                "long": lambda: stats.seconds(lambda: check_reservations(_LONG_LAB, "alice", backend)),
            },
            rounds,
            warm=50,
        )
    kept = {name: stats.summary([value * _MICRO for value in each]) for name, each in samples.items()}
    what = {
        "allowed": f"gate, 3 resources held, {size:,} reservations",
        "refused": "gate, 3 resources held by another, holders named",
        "long": "gate, 3 resources that once had a booking of 31 days",
    }
    for name, text in what.items():
        yield Line(
            text,
            kept[name].p50,
            "µs",
            against="an empty read transaction",
            theirs=kept["floor"].p50,
            times="slower",
            bar=Bar(50, unit="µs") if name == "allowed" else None,
            note=f"p99 {kept[name].p99:.0f} µs",
            detail=asdict(kept[name]),
        )


def _hold(ledger: Ledger, user: str, resources: list[str]) -> None:
    ledger.reserve(Request(tuple(resources), Holder(user), duration_us=HOUR_US))


def _book_and_leave(ledger: Ledger, resource: str) -> None:
    """Book 31 days beyond everything else and give them back: the index remembers the longest booking."""
    far = Request((resource,), Holder("carol"), starts_us=ledger.now_us() + 5_000 * DAY_US, duration_us=31 * DAY_US)
    ledger.release(ledger.reserve(far).id, Holder("carol"))


def _refused(check: Callable[[], None]) -> None:
    try:
        check()
    except MissingReservationError:
        return
    raise AssertionError("the check that is measured as refused was allowed")
