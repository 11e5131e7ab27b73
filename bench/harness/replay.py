"""The merges of real histories, planned again: parity with git, verdicts, time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.bench import child
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.bench import Bench

_REVIEW_PERCENT = 5


def lines(bench: Bench, clones: Sequence[str]) -> Iterator[Line]:
    """Plan the last merges of each clone; one line a clone, then the sums."""
    found = []
    for root in clones:
        report = replayed(root, bench.merges, bench.path("index"))
        if report["merges"]:
            found.append(report)
            yield Line(
                f"{report['name']} at {report['revision']}: conflict files of git that are in the plan",
                100.0 * report["known_files"] / report["files"] if report["files"] else 100.0,
                "%",
                bar=Bar(100, at_least=True, unit="%"),
                note=f"{report['files']} files; {report['merges']} merges: {_verdicts(report)}; "
                f"{report['seconds']:.1f} s, {report['megabytes']:.0f} MB",
                detail=report,
            )
    if found:
        yield from _sums(found)


def replayed(root: str, most: int, cache: str) -> dict[str, Any]:
    """Return what a process of its own says of the last merges of a clone."""
    words = [sys.executable, child("replay_merges.py"), root, str(most), cache]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(done.stdout)
    report["name"] = _name(root)
    return report


def _name(root: str) -> str:
    origin = subprocess.run(
        ["git", "-C", root, "config", "remote.origin.url"], check=False, capture_output=True, text=True
    ).stdout.strip()
    name = (origin or os.path.abspath(root)).removesuffix("/.git").removesuffix("/repo").removesuffix(".git")
    return "/".join(name.replace(":", "/").split("/")[-2:]) if origin else name.rpartition("/")[2].replace("+", "/")


def _verdicts(report: dict[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(report["verdicts"].items()))


def _sums(found: list[dict[str, Any]]) -> Iterator[Line]:
    verdicts: Counter[str] = Counter()
    for report in found:
        verdicts.update(report["verdicts"])
    merges = sum(verdicts.values())
    clean = merges - verdicts["textual"]
    note = f"{merges} merges of {len(found)} repositories"
    files, known = (sum(report[key] for report in found) for key in ("files", "known_files"))
    yield Line(
        f"all: conflict files of git that are in the plan, of {files}",
        100.0 * known / files if files else 100.0,
        "%",
        bar=Bar(100, at_least=True, unit="%"),
        note=note,
    )
    wrong = sum(report["wrong"] for report in found)
    yield Line(
        "all: plans whose verdict disagrees with git", float(wrong), "plans", bar=Bar(0, unit="plans"), note=note
    )
    yield Line(
        f"all: of {clean} merges that git makes by itself, those to look at",
        100.0 * verdicts["review"] / clean if clean else 0.0,
        "%",
        bar=Bar(_REVIEW_PERCENT, unit="%"),
        note=f"likely conflicts in {verdicts['semantic']}",
    )
