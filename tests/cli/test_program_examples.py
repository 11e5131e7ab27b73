"""The examples in the help of ``bespeak job`` and ``bespeak runner`` work as they stand.

Only the user's command is replaced; what serves, waits until something happens, or asks other hosts is not run.
"""

import json
import os
import re
import shlex

import pytest

from bespeak.jobs import cli as jobs
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder
from bespeak.runner import cli as runner

SERVES = ("run", "wait", "watch", "fleet")
CODES = {"result": 5, "health": 1}
ORDER = (
    "reserve",
    "status",
    "result",
    "health",
    "list",
    "schedule",
    "schedules",
    "unschedule",
    "pause",
    "resume",
    "reschedule",
    "cancel",
    "requeue",
    "clean",
    "install",
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ORCHESJOB_HOME", str(tmp_path / "jobs"))
    monkeypatch.setenv("BESPEAK_LEDGER", str(tmp_path / "book"))
    monkeypatch.chdir(tmp_path)


def words(line):
    return shlex.split(re.sub(r" -- (?!--).*", " -- true", line))


def test_those_of_jobs(home, capfd):
    examples = {command.name: command.examples for _, command in jobs.PROGRAM.commands()}
    assert set(examples) == {*ORDER, *SERVES}
    with open_ledger(os.environ["BESPEAK_LEDGER"]) as book:
        book.inventory_add(["board1", "board2"], Holder("root"), {"labels": {"arch": "arm64", "ram": 8}})
    for name in ORDER:
        for line, _ in examples[name]:
            code = jobs.main(words(line))
            told = capfd.readouterr()
            assert code == (1 if "--all-sites" in line else CODES.get(name, 0)), (line, told)
            if "--print" not in line and "--text" not in line:
                json.loads(told.err if code == 5 else told.out)


def test_dispatching_once_is_an_example_that_ends(home, capfd):
    assert jobs.main(["reserve", "--run-key", "k", "--", "true"]) == 0
    assert jobs.main(["run", "--once"]) == 0
    assert "reserver_started" in capfd.readouterr().out


def test_those_of_the_runner(home, capfd):
    examples = {command.name: command.examples for _, command in runner.PROGRAM.commands()}
    assert runner.main(["start", "--run-key", "nightly", "--sync", "--", "true"]) == 0
    assert runner.main(["start", "--run-key", "import-2026-05-02", "--sync", "--", "true"]) == 0
    os.makedirs(os.path.expanduser("~/.local/bin"))
    for name in ("alias", "unlock", "start", "status", "result", "logs", "rerun"):
        for line, _ in examples.pop(name):
            assert runner.main(words(line)) == 0, (line, capfd.readouterr())
    for name in ("abort", "cancel", "clean"):
        for line, _ in examples.pop(name):
            assert runner.main(["start", "--run-key", "nightly", "--", "sleep", "60"]) == 0
            assert runner.main(words(line)) == 0, (line, capfd.readouterr())
    assert not examples
    assert runner.main(["cancel", "--run-key", "nightly"]) in (0, 3, 4)
