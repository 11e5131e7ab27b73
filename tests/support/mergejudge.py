"""What a plan says of a generated merge, beside what git says and what was planted."""

import os
import subprocess
from dataclasses import dataclass

from bespeak.coord.merge.plan import Planner, revision_named
from bespeak.git.repository import find


@dataclass(frozen=True)
class Verdict:
    """One merge judged.

    Args:
        label: what kind of case it is.
        conflicted: git reports a conflict.
        missed_files: paths that git reports and the plan does not have.
        wrong_verdict: the plan says clean where git does not, or the other way round.
        planted: a conflict was planted that git does not see.
        found: and the plan has it, as likely.
        claimed: how many likely conflicts the plan has that git does not see.
        claimed_wrongly: those of them that nobody planted.
    """

    label: str
    conflicted: bool
    missed_files: tuple
    wrong_verdict: bool
    planted: bool
    found: bool
    claimed: int
    claimed_wrongly: tuple


class Judge:
    """Plans generated merges in one repository, and compares."""

    def __init__(self, root):
        self._root = root
        self._planner = Planner(find(root))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._planner.__exit__(None, None, None)

    def judge(self, case):
        """Return what a plan says of a case, against the truth."""
        ours, theirs = (revision_named(self._planner.git, name) for name in case.names)
        plan = self._planner.plan(ours, theirs)
        paths, clean = self._git(case)
        known = {item.path for item in plan.items} | {item.address.partition("::")[0] for item in plan.items}
        claimed = [item for item in plan.items if item.likely and not item.textual]
        right = [item for item in claimed if item.kind in case.kinds and item.address == case.address]
        return Verdict(
            case.label,
            not clean,
            tuple(sorted(paths - known)),
            clean == (plan.verdict == "textual"),
            bool(case.kinds),
            bool(right),
            len(claimed),
            tuple((case.number, item.kind, item.address, item.user) for item in claimed if item not in right),
        )

    def _git(self, case):
        words = ["git", "-C", self._root, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"]
        done = subprocess.run([*words, *case.names], capture_output=True, check=False)
        return {os.fsdecode(name) for name in done.stdout.split(b"\0")[1:] if name}, done.returncode == 0
