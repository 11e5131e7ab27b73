"""Claims among a hundred thousand active ones: reserving, checking, and foreseeing what collides.

No other tool that claims symbols for agents is on the package index, so the comparison is with what the simplest of
them do: a file for each claim, all of them read at each question.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from bespeak.coord.service import Coord
from bespeak.coord.symbol_index import open_index
from bespeak.git.repository import find
from harness import claims, peers, stats
from harness.bench import ROOT, support
from harness.lines import Bar, Line
from harness.processes import Repeated

if TYPE_CHECKING:
    from harness.bench import Bench

_RESERVE_MS, _FORECAST_SECONDS, _HOOK, _ORDINARY = 1.0, 2.0, 2.5, 5.0
_OURS, _FILES = "one symbol", "a file for each claim"


def measure(bench: Bench) -> Iterator[Line]:
    """Measure both engines with as many claims, then whole processes, then two agents at once."""
    size = bench.pick(20_000, 100_000)
    server = support("pgserver").Server(durable=True)
    try:
        urls = {"SQLite": bench.path("book.db"), "PostgreSQL": f"{server.url}&schema=bench_claims"}
        for engine, url in urls.items():
            with _coord(bench, url, [claims.symbol(number) for number in range(size)]) as coord:
                yield from _reserving(bench, coord, engine, size)
        yield from _forecasts(bench, server.url, size)
        yield from _barrier(bench, {"SQLite": bench.path("b.db"), "PostgreSQL": f"{server.url}&schema=bench_barrier"})
    finally:
        server.stop()
    yield from _processes(bench, size)


@contextmanager
def _coord(bench: Bench, url: str, places: Sequence[str], root: str | None = None) -> Iterator[Coord]:
    coord = Coord(find(root or _repository(bench)), claims.filled(url, places), claims.REPO)
    try:
        yield coord
    finally:
        coord.close()


def _repository(bench: Bench) -> str:
    root = bench.path("repo")
    os.makedirs(root)
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


def _reserving(bench: Bench, coord: Coord, engine: str, size: int) -> Iterator[Line]:
    """Measure a durable reservation and a check, with as many claims as there are."""
    chance = random.Random(3)

    def wanted(count: int) -> list[str]:
        return [claims.symbol(chance.randrange(size)) for _ in range(count)]

    things: dict[str, Callable[[], object]] = {
        _OURS: lambda: coord.reserve(wanted(1), run_id="me"),
        "ten symbols": lambda: coord.reserve(wanted(10), run_id="me"),
        "check": lambda: coord.check(wanted(1), run_id="me"),
    }
    rounds = bench.pick(30, 60)
    taken = stats.in_turn({name: partial(_milliseconds, thing) for name, thing in things.items()}, rounds, warm=5)
    if engine == "SQLite":
        # By itself: whoever reads a hundred thousand files leaves the next one a cold processor and disk.
        taken[_FILES] = [1000 * took for took in stats.repeated(_files(bench, size), rounds // 6, warm=1)]
    kept = {name: stats.summary(samples) for name, samples in taken.items()}
    of = f"{size:,} active claims, {engine}"
    bar = Bar(_RESERVE_MS, unit="ms")
    detail = asdict(kept[_OURS])
    note = f"p99 {kept[_OURS].p99:.2f} ms"
    if _FILES in kept:
        theirs = kept[_FILES].p50
        yield Line(f"coord reserve, durable, {of}", kept[_OURS].p50, "ms", _FILES, theirs, "faster", bar, note, detail)
    else:
        yield Line(f"coord reserve, durable, {of}", kept[_OURS].p50, "ms", bar=bar, note=note, detail=detail)
    for name, what in (("ten symbols", "coord reserve of ten symbols, durable"), ("check", "coord check")):
        yield Line(f"{what}, {of}", kept[name].p50, "ms", detail=asdict(kept[name]))


def _milliseconds(thing: Callable[[], object]) -> float:
    return 1000 * stats.seconds(thing)


def _files(bench: Bench, size: int) -> Callable[[], object]:
    """Return what looks for a conflict as a tool does that keeps each claim in a JSON file."""
    folder = bench.path("claims")
    os.makedirs(folder)
    for number in range(size):
        with open(os.path.join(folder, f"{number}.json"), "w") as file:
            json.dump({"run_id": f"run-{number}", "addresses": [claims.symbol(number)], "expires_at": 2e9}, file)

    def look() -> list[str]:
        wanted = claims.symbol(size // 2)
        found = []
        for entry in os.scandir(folder):
            with open(entry.path) as file:
                held = json.load(file)
            if wanted in held["addresses"] and held["expires_at"] > 1e9:
                found.append(held["run_id"])
        return found

    return look


def _forecasts(bench: Bench, server: str, size: int) -> Iterator[Line]:
    """Measure forecasts over this project's own sources, with claims at random and where they hurt most."""
    rounds = bench.pick(2, 5)
    chance = random.Random(5)
    with open_index(find(ROOT)) as index:
        snapshot = index.snapshot("HEAD")
        facts = ((path, snapshot.facts(path)) for path in snapshot.paths)
        symbols = [f"{path}::{symbol.name}" for path, said in facts if said for symbol in said.symbols]
    half = size // 2
    files = [f"src/d{number % 100}/m{number}.py" for number in range(half)]
    shapes = {
        f"on {len(symbols):,} symbols of this project at random": [chance.choice(symbols) for _ in range(size)],
        "all on one symbol": [symbols[0]] * size,
        "half on one folder, half on files in it": ["src/"] * half + files,
        "half on one pattern, half on files that match": ["src/**/*.py"] * half + files,
        "on nested folders": ["/".join("d" * (1 + number % 990)) + "/" for number in range(size)],
    }
    for number, (shape, places) in enumerate(shapes.items()):
        urls = {"SQLite": bench.path("forecast.db")}
        if not number:
            urls["PostgreSQL"] = f"{server}&schema=bench_forecast"
        for engine, url in urls.items():
            with _coord(bench, url, places, ROOT) as coord:
                found = coord.forecast()  # which reads what nobody has read before
                started = time.process_time()
                kept = stats.summary(stats.repeated(coord.forecast, rounds, warm=0))
                cpu = (time.process_time() - started) / rounds
            what = f"coord forecast, {size:,} claims {shape}, {engine}"
            note = f"{found.total:,} conflicts; processor time {cpu:.2f} s"
            detail = asdict(kept) | {"cpu_s": cpu, "counts": found.counts, "reasons": found.reasons}
            yield Line(what, kept.p50, "s", bar=Bar(_FORECAST_SECONDS, unit="s"), note=note, detail=detail)


def _barrier(bench: Bench, urls: dict[str, str]) -> Iterator[Line]:
    """Let two agents claim one symbol at the same instant, again and again: exactly one of them has to be told."""
    rounds = bench.pick(20, 60)
    for engine, url in urls.items():
        script = os.path.join(ROOT, "tests", "support", "claiming.py")
        words = [sys.executable, script, "crowd", _repository(bench), url, "2", str(rounds)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        right = sum(sorted(told) == [0, 1] for told in json.loads(done.stdout))
        yield Line(
            f"two agents at a barrier, {engine}: rounds of {rounds} in which exactly one is told",
            right,
            "rounds",
            bar=Bar(rounds, at_least=True, unit="rounds"),
        )


def _processes(bench: Bench, size: int) -> Iterator[Line]:
    """Measure the commands as whole processes, in a repository with as many claims."""
    root = _repository(bench)
    book = os.path.join(root, ".git", "bespeak", "coord.sqlite3")
    os.makedirs(os.path.dirname(book), mode=0o700)
    claims.filled(book, [claims.symbol(number) for number in range(size)], repo="").close()
    program = peers.installed("bespeak").program("bespeak")
    environ = peers.environ(root, BESPEAK_RUN_ID="me", PWD=root)

    def timed(*words: str) -> Repeated:
        return Repeated([program, "coord", *words], environ, root)

    here = os.getcwd()
    things = {
        "bare": Repeated([peers.installed("bespeak").python, "-c", "pass"], environ, root),
        "check": timed("check", "src/free.py::f"),
        "reserve": timed("reserve", "src/mine.py::f", "--ttl", "60"),
        "forecast --depth 0": timed("forecast", "--depth", "0", "--run-id", "me"),
    }
    try:
        samples = stats.in_turn(things, bench.pick(5, 25))
    finally:
        os.chdir(here)
    kept = {name: stats.summary([value * 1000 for value in each]) for name, each in samples.items()}
    cpu = {name: stats.summary([value * 1000 for value in each.cpu[1:]]).p50 for name, each in things.items()}
    for name, limit in (("check", _HOOK), ("reserve", _ORDINARY), ("forecast --depth 0", None)):
        bar = None if limit is None else Bar(limit, of_ratio=True)
        note = f"{size:,} active claims; processor time {cpu[name]:.0f} ms, {cpu[name] / cpu['bare']:.1f}x"
        yield Line(
            f"`bespeak coord {name}`",
            kept[name].p50,
            "ms",
            "`python -c pass`",
            kept["bare"].p50,
            "slower",
            bar,
            note,
            asdict(kept[name]) | {"cpu_ms": cpu[name]},
        )
