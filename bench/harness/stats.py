"""Small statistics over samples, and fair ways to take them.

Medians and percentiles, because a loaded machine makes outliers and a mean would report the load. Things that are
compared are measured in turn (A B C A B C ...), so that a machine that slows down in the middle slows all of them.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Samples = Sequence[float]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of samples; the unit is that of the samples."""

    p50: float
    p90: float
    p99: float
    least: float
    most: float
    count: int


def percentile(samples: Samples, share: float) -> float:
    """Return the nearest-rank percentile.

    Args:
        samples: at least one value, in any order.
        share: from 0 to 1.
    """
    ordered = sorted(samples)
    rank = max(0, math.ceil(share * len(ordered)) - 1)
    return ordered[rank]


def summary(samples: Samples) -> Summary:
    """Summarise at least one sample."""
    return Summary(
        p50=statistics.median(samples),
        p90=percentile(samples, 0.90),
        p99=percentile(samples, 0.99),
        least=min(samples),
        most=max(samples),
        count=len(samples),
    )


def in_turn(things: Mapping[str, Callable[[], float]], rounds: int, warm: int = 1) -> dict[str, list[float]]:
    """Take ``rounds`` samples of each thing, one after the other in each round.

    Args:
        things: functions that do the thing once and return what it took.
        rounds: how many samples of each are kept.
        warm: rounds before those, whose samples are dropped.
    """
    taken: dict[str, list[float]] = {name: [] for name in things}
    for number in range(warm + rounds):
        for name, thing in things.items():
            sample = thing()
            if number >= warm:
                taken[name].append(sample)
    return taken


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` took, in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def repeated(work: Callable[[], object], rounds: int, warm: int = 3) -> list[float]:
    """Return how long ``work`` took, in seconds, ``rounds`` times."""
    for _ in range(warm):
        work()
    return [seconds(work) for _ in range(rounds)]
