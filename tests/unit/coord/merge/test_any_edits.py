"""Merges of blindly edited files in every language: whatever comes, git's conflicts are in the plan, and nothing breaks."""

import os
import random
from types import SimpleNamespace

import pytest

from support.mergehistories import Case, write
from support.mergejudge import Judge

CORPUS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "corpus")
LANGUAGES = ("python", "javascript", "typescript", "go", "rust", "java", "c", "cpp")
MERGES = 14


def sources(language):
    """Return the files of one program of the corpus of a language, the longest."""
    root = os.path.join(CORPUS, language)
    programs = {}
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            full = os.path.join(folder, name)
            program = os.path.relpath(full, root).split(os.sep)[0]
            if os.path.isdir(os.path.join(root, program)) and name != "edges.txt":
                with open(full, encoding="utf-8") as file:
                    programs.setdefault(program, {})[os.path.relpath(full, os.path.join(root, program))] = file.read()
    return max(programs.values(), key=lambda files: sum(map(len, files.values())))


def edited(rng, text):
    """Return a text with a few lines left out, doubled, swapped or changed, or cut off."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        what = rng.randrange(5)
        if what == 0:
            del lines[at : at + rng.randint(1, 4)]
            lines = lines or [""]
        elif what == 1:
            lines[at:at] = lines[at : at + rng.randint(1, 6)]
        elif what == 2:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif what == 3:
            lines[at] = lines[at].replace("(", "(x, ", 1) if rng.random() < 0.5 else lines[at] + " )]}"
        else:
            words = lines[at].split(" ")
            rng.shuffle(words)
            lines[at] = " ".join(words)
    return "\n".join(lines).encode()


def side(rng, files):
    changed = {}
    for path in rng.sample(sorted(files), min(2, len(files))):
        roll = rng.random()
        if roll < 0.1:
            changed[path] = None
        elif roll < 0.2:
            folder, name = os.path.split(path)
            changed[path] = None
            changed[os.path.join(folder, "moved_" + name)] = edited(rng, files[path])
        else:
            changed[path] = edited(rng, files[path])
    return changed


@pytest.mark.parametrize("language", LANGUAGES)
def test_blind_edits(language, tmp_path):
    rng = random.Random(language)
    files = sources(language)
    cases = [Case(number, "any", side(rng, files), side(rng, files)) for number in range(1, MERGES + 1)]
    write(str(tmp_path / "repo"), SimpleNamespace(files=files), cases)
    with Judge(str(tmp_path / "repo")) as judge:
        found = [judge.judge(case) for case in cases]
    assert [one for one in found if one.missed_files or one.wrong_verdict] == []
    assert any(one.conflicted for one in found)
