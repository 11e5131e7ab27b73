"""The symbol index: a large repository for the first time, again, and after a change; and how true its graph is."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness import sources, stats
from harness.bench import child, support
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from harness.bench import Bench

_PRECISION = Bar(0.98, at_least=True)


def measure(bench: Bench) -> Iterator[Line]:
    """Measure the index and the graph of made-up files, then judge the graph by programs and by traced packages."""
    yield from _index(bench)
    yield from _corpus(bench)
    yield from _traced(bench)


def _index(bench: Bench) -> Iterator[Line]:
    files = bench.pick(2_000, 10_000)
    folder = bench.path("many")
    size = sources.write(folder, files)
    total = f"{files:,} Python files, {size / 1e6:.0f} MB"
    cold = _asked(folder)
    yield Line(f"index of {total}, for the first time", cold["open"], "s", detail=cold)
    warm = [_asked(folder) for _ in range(bench.pick(3, 7))]
    opened = stats.summary([each["open"] for each in warm])
    yield Line(f"the same again, in a new process: {cold['read']:,.0f} contents read before, now none", opened.p50, "s")
    with open(os.path.join(folder, sources.path_of(files // 2)), "a", encoding="utf-8") as file:
        file.write("\n\ndef one_more() -> None:\n    return None\n")
    changed = _asked(folder, "--worktree")
    yield Line(f"with a change to one file, not committed: {changed['read']:,.0f} read", changed["open"], "s")
    sources.git(folder, "commit", "-q", "-a", "-m", "one more")
    after = _asked(folder)
    yield Line(f"after it was committed: {after['read']:,.0f} read", after["open"], "s")
    sources.git(folder, "commit", "-q", "--allow-empty", "-m", "nothing")
    symbol = f"{sources.path_of(files // 3)}::measure_{files // 3}"
    first = _asked(folder, symbol)
    note = f"{first['edges']:,.0f} edges, {first['resolved']:,.0f} files resolved"
    yield Line("who calls one function, for the first time", first["into"], "s", note=note)
    yield Line("the same again, in a new process", _asked(folder, symbol)["into"], "s")
    deep = _asked(folder, symbol, "--depth", "3")
    yield Line(f"all {deep['reached']:,.0f} symbols within three calls of it", deep["reach"], "s")


def _asked(folder: str, *words: str) -> dict[str, float]:
    """Open the index in a process of its own; return what took how long (seconds) and how much there was."""
    done = subprocess.run(
        [sys.executable, child("symbols.py"), folder, *words], check=True, capture_output=True, text=True
    )
    return {name: float(value) for name, value in (line.split("=") for line in done.stdout.split())}


def _corpus(bench: Bench) -> Iterator[Line]:
    corpus = support("corpus")
    for language in corpus.languages():
        score = corpus.score(language, bench.path(language))
        count = f"{len(corpus.programs(language))} programs, {len(score.true)} calls written by hand"
        yield Line(f"{language}: calls called certain that are calls, of {count}", score.precision, "", bar=_PRECISION)
        stated = Bar(corpus.stated_recall(language), at_least=True)
        sure = f"{score.certain_recall:.2f} among the certain ones"
        yield Line(f"{language}: calls that are found", score.recall, "", bar=stated, note=sure)


def _traced(bench: Bench) -> Iterator[Line]:
    traced = support("traced")
    for package in traced.SCENARIOS:
        module = importlib.import_module(package)
        folder = os.path.dirname(str(module.__file__))
        result = traced.compare(package, folder, bench.path(package))
        what = f"{package}: of {len(result.observed)} calls seen by sys.setprofile, those in the graph"
        yield Line(what, result.share, "")
        judged = f"{len(result.right) + len(result.wrong)} could be judged"
        yield Line(
            f"{package}: certain edges that were seen to be true", result.precision, "", bar=_PRECISION, note=judged
        )
