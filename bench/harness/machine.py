"""What ran the benchmarks, and what a reader has to know before the figures."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness import stats

CAVEATS = """
Figures are medians (p50) unless a line says otherwise, of one machine in one run. Trust ratios, not absolutes.
What is compared in a line was measured in the same run: processes and in-process calls in turn (A B A B ...), load \
tests one after the other. Each side is installed as its own documentation says, in an environment of its own.
The peers are different systems. labgrid keeps its acquisitions in memory and writes a file every 15 s, so nothing it \
acknowledges is durable; call-dibs keeps one file a resource, without times, and syncs none; otto only reads. \
bespeak's figures are of commits that survive power loss, unless a line says otherwise.
Books are filled by bulk SQL, with the rows and indexes that the same reservations made one by one would have. The \
history is uniform (every resource has its share), which that of a real lab is not.
A benchmark that shares its machine with other work measures that work too; each section says how much.
""".strip().splitlines()


def facts(folder: str) -> list[str]:
    """Return what the machine is, and how fast it syncs a file in ``folder``."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    with synced_file(folder) as sync:
        synced = stats.summary(stats.repeated(sync, 100)).p50
    return [
        f"{os.cpu_count()} CPUs ({_processor()}), {_memory_gib():.0f} GiB, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        f"load average at the start {load}",
        f"write and fsync of 4 KiB: {synced * 1000:.2f} ms",
    ]


@contextmanager
def synced_file(folder: str) -> Iterator[Callable[[], None]]:
    """Yield a function that writes and syncs 4 KiB of a file in ``folder``: the floor of a durable commit."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        descriptor = file.fileno()
        block = b"\0" * 4096

        def write() -> None:
            os.pwrite(descriptor, block, 0)
            os.fsync(descriptor)

        yield write


class OtherWork:
    """How much of the machine other people's processes used since this was made."""

    def __init__(self) -> None:
        self._busy, self._every = _ticks()
        self._own = _own_seconds()

    def share(self) -> float:
        """Return their share of all processors; this process and the children it has waited for do not count."""
        busy, every = _ticks()
        own_ticks = (_own_seconds() - self._own) * os.sysconf("SC_CLK_TCK")
        return max(0.0, busy - self._busy - own_ticks) / max(every - self._every, 1)


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _ticks() -> tuple[int, int]:
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
