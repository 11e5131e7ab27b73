"""What plans say of planted conflicts and of their harmless twins, in both orders."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge.model import Verdict
from bespeak.coord.merge.plan import Planner, revision_named
from bespeak.git.repository import find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.planted import Case
    from harness.real_code import CodeTree

    Files = dict[str, bytes]

_WHO = b"committer t <t@example.org> 1700000000 +0000\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """One case in one order.

    Args:
        kind: that was planted.
        language: of the code.
        found: the plan tells a likely conflict.
        alarms: what the plan of the twin calls likely.
        reviewed: the twin is said to be worth a look.
        told: the case, and all that its plan tells, for whoever looks into a miss.
    """

    kind: str
    language: str
    found: bool
    alarms: tuple[str, ...]
    reviewed: bool
    told: str


@dataclass(frozen=True, slots=True)
class Score:
    """How many were planted and found, and how many alarms were false."""

    planted: int
    found: int
    false: int

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Score:
        """Return the score of some answers."""
        return cls(len(answers), sum(one.found for one in answers), sum(bool(one.alarms) for one in answers))

    @property
    def recall(self) -> float:
        """The share of the planted ones that were found."""
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """The share of the alarms that were planted."""
        told = self.found + self.false
        return self.found / told if told else 1.0


def judge(root: str, tree: CodeTree, cases: Sequence[Case]) -> Iterator[Answer]:
    """Write a repository with a base and four branches for each case, and plan its merges in both orders.

    Cases that git itself has a conflict in are left out.
    """
    _write(root, tree, cases)
    with Planner(find(root)) as planner:
        for number, case in enumerate(cases):
            for words in (("changer", "user"), ("user", "changer")):
                names = [f"{word}{number}" for word in words]
                plan = planner.plan(*(revision_named(planner.git, name) for name in names))
                twin = planner.plan(*(revision_named(planner.git, f"{name}-twin") for name in names))
                if Verdict.TEXTUAL in {plan.verdict, twin.verdict}:
                    continue
                told = [f"{one.kind} {one.confidence} {one.address} by {one.user}: {one.how}" for one in plan.items]
                alarms = [f"{one.kind} {one.address} by {one.user}: {one.how}" for one in twin.items if one.likely]
                yield Answer(
                    case.kind,
                    case.language,
                    plan.verdict == Verdict.SEMANTIC,
                    tuple(alarms),
                    twin.verdict == Verdict.REVIEW,
                    f"{root} {names[0]} {names[1]} {case.kind}: {told}",
                )


def _write(root: str, tree: CodeTree, cases: Sequence[Case]) -> None:
    os.makedirs(root)
    subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
    parts = [b"commit refs/heads/main\nmark :1\n", _WHO, b"data 4\nbase\n", *_files(tree.files | tree.projects)]
    for number, case in enumerate(cases):
        mark = number + 2
        parts += [b"commit refs/heads/base%d\nmark :%d\n" % (number, mark), _WHO, b"data 4\nbase\nfrom :1\n"]
        parts += _files(case.base)
        twin = case.user if case.harmless_user is None else case.harmless_user
        sides = {"changer": case.changer, "user": case.user, "changer-twin": case.harmless, "user-twin": twin}
        for name, files in sides.items():
            word, _, end = name.partition("-")
            ref = f"commit refs/heads/{word}{number}{'-' + end if end else ''}\n".encode()
            parts += [ref, _WHO, b"data 4\nside\nfrom :%d\n" % mark, *_files(files)]
    words = ["git", "-C", root, "fast-import", "--quiet"]
    subprocess.run(words, input=b"".join(parts), check=True)


def _files(files: Files) -> Iterable[bytes]:
    for path, text in files.items():
        yield b"M 100644 inline %s\ndata %d\n" % (path.encode(), len(text))
        yield text
        yield b"\n"
