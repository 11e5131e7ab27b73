"""What a newcomer meets first: ``make`` says what it does, how long it takes, and why it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with the files that `make` needs before anything is installed."""
    for name in (".ci/install.py", ".ci/timed.py", "Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def run(command: list[str | Path], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PIP_"))}
    return subprocess.run(
        command, cwd=folder, env=environment | variables, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_wrong_chapter_is_told_before_anything_is_installed(copy: Path) -> None:
    done = run(["make", "demo", "CHAPTER=boo", f"PYTHON={sys.executable}"], copy)
    assert done.returncode == 2
    assert "demo: no chapter 'boo'; the chapters are book, jobs, power, agents, server\n" in done.stderr
    assert not (copy / ".venv").exists()


def test_without_a_new_enough_python_one_line_says_so(copy: Path) -> None:
    done = run(["make", "test", "PYTHON="], copy)
    assert done.returncode == 2
    assert done.stderr.startswith("bespeak needs Python 3.11 or newer on PATH\n")


def test_installing_says_what_it_does_and_why_it_failed(copy: Path) -> None:
    script = [sys.executable, copy / ".ci" / "install.py", copy / ".venv"]
    done = run([*script, "--no-index", "no-such-package-as-this"], copy)
    assert done.returncode == 1
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("install: making ")
    assert second.startswith("install: fetching ")
    assert "No matching distribution found for no-such-package-as-this" in done.stderr
    assert done.stderr.endswith("install: pip failed; the lines above say why\n")


def test_a_long_command_says_how_long_it_took_the_last_time(copy: Path) -> None:
    line = [sys.executable, copy / ".ci" / "timed.py", "test", "every test", "about a year"]
    assert run([*line, "true"], copy).stdout == "test: every test; about a year\n"
    (copy / ".cache" / "durations" / "test").write_text("75.2")
    failed = run([*line, "false"], copy)
    assert (failed.returncode, failed.stdout) == (1, "test: every test; last time here 1 min 15 s\n")
    assert (copy / ".cache" / "durations" / "test").read_text() == "75.2"
