"""The reference of coord cannot lag behind: examples of the help are run, and JSON keys compared, in a repository."""

import json
import re
import shlex
from pathlib import Path

import pytest

from bespeak.cli.main import main
from support.commands import COMMANDS as EVERY
from support.repositories import git

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
SOURCE = "def compute_total(items):\n    return sum(items)\n\n\ndef charge():\n    return compute_total([])\n"
COMMANDS = [command for command in EVERY if command.name.startswith("coord ")]


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "billing.py").write_text(SOURCE)
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "Makefile").write_text("test:\n\t@true\n")
    git(tmp_path, "add", "src", "Makefile")
    git(tmp_path, "commit", "-q", "-m", "billing")
    for branch in ("feature", "feature-a", "feature-b", "release", "origin/main"):
        git(tmp_path, "branch", branch)
    monkeypatch.chdir(tmp_path)

    def run_(line):
        capfd.readouterr()
        code = main(shlex.split(line))
        return code, capfd.readouterr().out

    return run_


def held(run, address, run_id):
    return json.loads(run(f"coord reserve {address} --run-id {run_id} --json")[1])["reservation_id"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_examples_of_the_help_work(command, run, monkeypatch):
    monkeypatch.setenv("BESPEAK_RUN_ID", "agent-42")
    for line, _ in command.examples:
        if command.name == "coord watch":
            continue
        mine, other = held(run, "src/x.py", "agent-42"), held(run, "src/y.py", "other")
        assert run(line.replace("sha256:0a1b2c", mine).replace("ID", other))[0] == 0, line
        for name in ("agent-42", "other"):
            run(f"coord release --mine --run-id {name}")


LINES = {
    "coord reserve": ("coord reserve src/billing.py::compute_totl --run-id me", 0),
    "coord check": ("coord check src/billing.py --run-id me", 7),
    "coord release": ("coord release {id} --run-id other", 0),
    "coord heartbeat": ("coord heartbeat {id} --run-id other", 0),
    "coord list": ("coord list", 0),
    "coord intent": ("coord intent src/a.py --op move --run-id me", 0),
    "coord depend": ("coord depend {mine} --on {id} --run-id me", 0),
    "coord dag": ("coord dag", 0),
    "coord symbols": ("coord symbols src/billing.py::compute_total --callers", 0),
    "coord watch": ("coord watch --after 0 --count 1", 0),
    "coord gc": ("coord gc", 0),
}


def documented(name):
    page = (REFERENCE / "json.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {name}\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)[1]
    return json.loads(re.search(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[1])


def same_keys(shown, printed, where):
    if isinstance(shown, dict):
        assert set(shown) == set(printed), where
        for key in shown:
            same_keys(shown[key], printed[key], f"{where}.{key}")
    elif isinstance(shown, list) and shown and printed and shown[0] != "...":
        same_keys(shown[0], printed[0], f"{where}[]")


@pytest.mark.parametrize("name", LINES)
def test_a_command_prints_the_keys_that_the_page_shows(name, run):
    other, mine = held(run, "src/billing.py", "other"), held(run, "src/z.py", "me")
    line, code = LINES[name]
    done = run(line.format(id=other, mine=mine) + " --json")
    assert done[0] == code
    assert done[1].count("\n") == 1
    same_keys(documented(name), json.loads(done[1]), name)


def test_every_option_operation_and_relation_is_explained():
    page = (REFERENCE / "coord.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"`{command.name}" in page, command.name
    for word in ("same", "contains", "inside", "overlaps", "satisfied", "ready", "blocked", "already_released"):
        assert f"`{word}`" in page, word
