"""Plans of merges against what git does, and against conflicts planted in merges that git makes without a word.

The merges are generated from real packages by scripted edits, so what was planted is known; what git makes of each is
asked of git. The same seed gives the same merges.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from harness import stats
from harness.bench import ROOT, support
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.bench import Bench

PACKAGES = ("click", "packaging", "jinja2")
_SEED = 7
_TIMED = 40


def measure(bench: Bench) -> Iterator[Line]:
    """Plan some thousand merges, and time some of them."""
    count = bench.pick(60, 720)
    support("mergejudge")  # what comes back from the other processes is of its types
    places = [(name, bench.path(name), count) for name in PACKAGES]
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        found = [verdict for verdicts in pool.map(_judged, places) for verdict in verdicts]
    yield from _git(found)
    yield from _planted(found)
    yield _own_history()
    yield _timed(places[0][1])


def _judged(place: tuple[str, str, int]) -> list[Any]:
    package, root, count = place
    histories = support("mergehistories")
    made = histories.Histories(package, _SEED)
    cases = histories.write(root, made.sources, made.cases(count))
    with support("mergejudge").Judge(root) as judge:
        return [judge.judge(case) for case in cases]


def _git(found: list[Any]) -> Iterator[Line]:
    conflicted = [one for one in found if one.conflicted]
    whole = [one for one in conflicted if not one.missed_files]
    note = f"{len(found)} merges, {len(conflicted)} of them in conflict"
    yield Line(
        "merges whose every conflict of git is in the plan",
        _percent(len(whole), len(conflicted)),
        "%",
        bar=Bar(100, at_least=True, unit="%"),
        note=note,
    )
    yield Line(
        "plans that say textual where git merges, or do not where it does not",
        float(sum(one.wrong_verdict for one in found)),
        "plans",
        bar=Bar(0, unit="plans"),
    )


def _planted(found: list[Any]) -> Iterator[Line]:
    planted = [one for one in found if one.planted]
    seen = [one for one in planted if one.found]
    claimed, wrong = sum(one.claimed for one in found), sum(len(one.claimed_wrongly) for one in found)
    kinds = Counter(one.label for one in planted)
    hits = Counter(one.label for one in seen)
    yield Line(
        "planted conflicts that git does not see: found (recall)",
        _percent(len(seen), len(planted)),
        "%",
        bar=Bar(99, at_least=True, unit="%"),
        note=", ".join(f"{label.replace('_', ' ')} {hits[label]} of {kinds[label]}" for label in sorted(kinds)),
    )
    yield Line(
        "such conflicts claimed as likely that were planted (precision)",
        _percent(claimed - wrong, claimed),
        "%",
        bar=Bar(99, at_least=True, unit="%"),
        note=f"{claimed} claimed in {len(found)} merges",
        detail={"wrong": [list(item) for one in found for item in one.claimed_wrongly]},
    )


def _own_history() -> Line:
    """Plan the merges that this project has made itself; a checkout without its history has none."""
    from bespeak.coord.merge.plan import Planner, revision_named
    from bespeak.git.repository import find

    listed = subprocess.run(
        ["git", "-C", ROOT, "rev-list", "--merges", "--parents", "HEAD"], check=False, capture_output=True, text=True
    )
    parents = [line.split()[1:3] for line in listed.stdout.splitlines()]
    conflicted = whole = claimed = 0
    for names in parents:
        with Planner(find(ROOT)) as planner:
            plan = planner.plan(*(revision_named(planner.git, name) for name in names))
        words = ["git", "-C", ROOT, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *names]
        paths = {
            name.decode() for name in subprocess.run(words, check=False, capture_output=True).stdout.split(b"\0")[1:]
        }
        known = {item.path for item in plan.items} | {item.address for item in plan.items} | {""}
        conflicted += bool(plan.conflicts)
        whole += paths <= known
        claimed += any(item.likely and not item.textual for item in plan.items)
    note = f"{len(parents)} merges, {conflicted} in conflict, {claimed} with a likely conflict that git does not see"
    return Line(
        "this project's own merges: every conflict of git is in the plan",
        _percent(whole, len(parents)),
        "%",
        bar=Bar(100, at_least=True, unit="%"),
        note=note,
    )


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 100.0


@dataclass(slots=True)
class _Times:
    ours: list[float]
    git: list[float]


def _timed(root: str) -> Line:
    """Time plans whose files have all been read before, and git's own trial of the same merges, in turn."""
    from bespeak.coord.merge.plan import Planner, revision_named
    from bespeak.git.repository import find

    times = _Times([], [])
    for number in range(1, _TIMED + 1):
        names = f"o{number}", f"t{number}"
        with Planner(find(root)) as planner:
            started = time.perf_counter()
            planner.plan(*(revision_named(planner.git, name) for name in names))
            times.ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        subprocess.run(["git", "-C", root, "merge-tree", "--write-tree", *names], check=False, capture_output=True)
        times.git.append(time.perf_counter() - started)
    return Line(
        "one plan, its files read before",
        stats.summary(times.ours).p50 * 1000,
        "ms",
        against="git merge-tree alone",
        theirs=stats.summary(times.git).p50 * 1000,
        times="slower",
    )
