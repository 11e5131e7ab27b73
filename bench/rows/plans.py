"""How far plans of merges can be believed: conflicts planted in real code, and the merges of real histories.

Both take the clones that ``--repos DIR`` names; without it, conflicts are planted in this checkout alone.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

from harness import replay
from harness.bench import ROOT
from harness.lines import Bar, Line
from harness.planted import Planter
from harness.planted_judge import Score, judge
from harness.real_code import CodeTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.bench import Bench
    from harness.planted_judge import Answer

LANGUAGES = ("python", "javascript", "typescript", "go", "rust", "java", "c", "cpp")
_SEED = 11
_BAR = Bar(0.9, at_least=True)
_MOST_TREES = 3
"""So many clones of a language are planted in."""


def measure(bench: Bench) -> Iterator[Line]:
    """Plant conflicts in each language, then replay the histories of the clones."""
    clones = clones_in(bench.repos) if bench.repos else [ROOT]
    answers = list(_answers(bench, clones))
    for language in LANGUAGES:
        mine = [one for one in answers if one.language == language]
        if mine:
            yield from _lines(language, mine)
    for kind in sorted({one.kind for one in answers}):
        score = Score.of([one for one in answers if one.kind == kind])
        yield Line(f"planted, {kind}: found", score.recall, "", note=_by_language(kind, answers))
    if bench.repos:
        yield from replay.lines(bench, clones)


def clones_in(folder: str) -> list[str]:
    """Return the clones in a folder: each a work tree or a bare repository, at most two levels down.

    Raises:
        SystemExit: there is none, so nothing would be measured.
    """
    found = []
    for root, folders, _ in os.walk(folder, followlinks=True):
        folders.sort()
        if os.path.exists(os.path.join(root, ".git")) or os.path.exists(os.path.join(root, "HEAD")):
            found.append(root)
            folders.clear()
        elif root.count(os.sep) - folder.rstrip(os.sep).count(os.sep) >= 2:
            folders.clear()
    if not found:
        raise SystemExit(f"--repos {folder}: no clone in it")
    return found


def _answers(bench: Bench, clones: list[str]) -> Iterator[Answer]:
    for language in LANGUAGES:
        taken = 0
        for root in sorted(clones, key=lambda root: -_files(root, language)):
            tree = CodeTree(root, language) if taken < _MOST_TREES and _files(root, language) else None
            if tree is not None and tree.enough:
                taken += 1
                cases = list(Planter(tree, _SEED).cases(bench.pick(1, 3)))
                yield from judge(bench.path(f"{language}-{taken}"), tree, cases)


def _files(root: str, language: str) -> int:
    from bespeak_symbols.native.registry import READERS

    suffixes = next(reader.suffixes for reader in READERS if reader.name == language)
    words = ["git", "-C", root, "ls-tree", "-r", "--name-only", "HEAD"]
    listed = subprocess.run(words, check=False, capture_output=True, text=True).stdout
    return sum(path.endswith(suffixes) for path in listed.splitlines())


def _lines(language: str, answers: list[Answer]) -> Iterator[Line]:
    score = Score.of(answers)
    missed = Counter(one.kind for one in answers if not one.found)
    alarms = Counter(one.kind for one in answers if one.alarms)
    yield Line(
        f"{language}: planted conflicts that are found (recall of {score.planted} in both orders)",
        score.recall,
        "",
        bar=_BAR,
        note=f"missed: {_counts(missed)}",
        detail={"missed": [one.told for one in answers if not one.found]},
    )
    yield Line(
        f"{language}: conflicts told that were planted (precision, with as many harmless twins)",
        score.precision,
        "",
        bar=_BAR,
        note=f"false: {_counts(alarms)}",
        detail={"false": [list(one.alarms) for one in answers if one.alarms]},
    )


def _counts(of: Counter[str]) -> str:
    return ", ".join(f"{kind} {of[kind]}" for kind in sorted(of)) or "none"


def _by_language(kind: str, answers: list[Answer]) -> str:
    parts = []
    for language in LANGUAGES:
        mine = [one for one in answers if (one.kind, one.language) == (kind, language)]
        if mine:
            parts.append(f"{language} {sum(one.found for one in mine)} of {len(mine)}")
    return ", ".join(parts)
