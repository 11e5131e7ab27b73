"""Plan the last merges of a clone again and print what came of it as JSON: root, how many at most, scratch folder.

The clone itself is only read: the symbol index is written into a clone that shares its objects.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter

from bespeak.coord.merge.plan import Planner, revision_named
from bespeak.git.repository import find


def main(origin: str, most: str, root: str) -> None:
    """Plan the merges, newest first."""
    subprocess.run(["git", "clone", "-q", "--bare", "--shared", origin, root], check=True)
    verdicts: Counter[str] = Counter()
    report: dict[str, int] = {"merges": 0, "files": 0, "known_files": 0, "wrong": 0}
    told = []
    started = time.process_time()
    with Planner(find(root, bare=True)) as planner:
        for merge, ours, theirs in _merges(root, most):
            plan = planner.plan(*(revision_named(planner.git, name) for name in (ours, theirs)))
            verdicts[plan.verdict] += 1
            paths, clean = _git(root, ours, theirs)
            known = {item.path for item in plan.items} | {item.address.partition("::")[0] for item in plan.items}
            report["merges"] += 1
            report["files"] += len(paths)
            report["known_files"] += len(paths & known)
            report["wrong"] += clean == (plan.verdict == "textual")
            told += [
                {
                    "merge": merge,
                    "kind": one.kind,
                    "address": one.address,
                    "user": one.user,
                    "line": one.line,
                    "confidence": one.confidence,
                    "how": one.how,
                }
                for one in plan.items
                if plan.verdict in {"semantic", "review"}
            ]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    whole: dict[str, object] = report | {
        "revision": _git_text(root, "rev-parse", "--short", "HEAD"),
        "seconds": time.process_time() - started,
        "megabytes": usage.ru_maxrss / 1024,
        "verdicts": dict(verdicts),
        "told": told,
    }
    json.dump(whole, sys.stdout)


def _merges(root: str, most: str) -> list[list[str]]:
    words = ("rev-list", "--merges", "--parents", "--min-parents=2", "--max-parents=2", f"--max-count={most}", "HEAD")
    return [line.split() for line in _git_text(root, *words).splitlines()]


def _git(root: str, ours: str, theirs: str) -> tuple[set[str], bool]:
    words = ["git", "-C", root, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs]
    done = subprocess.run(words, check=False, capture_output=True)
    return {os.fsdecode(name) for name in done.stdout.split(b"\0")[1:] if name}, not done.returncode


def _git_text(root: str, *words: str) -> str:
    return subprocess.run(["git", "-C", root, *words], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
