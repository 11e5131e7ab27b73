"""Each chapter of the demo can be played alone, without noise, and checks itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = ("book", "jobs", "power", "agents", "server")


def demo(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "examples" / "demo.py", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ), cwd=cwd)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_plays_alone_and_shows_no_noise(chapter: str, tmp_path: Path) -> None:
    played = demo(chapter, cwd=tmp_path)
    assert played.returncode == 0, played.stdout + played.stderr
    story = played.stdout.partition("== 1/1")[2]
    assert "$ bespeak " in story
    for noise in (r"acting as", r"[0-9a-f]{20}", r'\{"', r"partial", r"Traceback", re.escape(str(tmp_path))):
        assert re.search(noise, story) is None, f"{noise}\n{story}"


@pytest.mark.parametrize("more", [(), ("--check",)])
def test_a_wrong_chapter_is_one_line_that_names_them(more: tuple[str, ...]) -> None:
    refused = demo("boo", *more)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "demo: no chapter 'boo'; the chapters are book, jobs, power, agents, server\n"


def test_make_plays_the_chapters_that_there_are() -> None:
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("demo:"))
    assert [chapter for chapter in CHAPTERS if chapter not in line] == []
