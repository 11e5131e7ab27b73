"""``bespeak runner alias``: an ``orchesjob`` that is bespeak's own runner."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bespeak.base import runner_alias
from bespeak.jobs.runner_client.location import find_runner
from support.jobs import eventually, program


def test_the_alias_runs_jobs_and_is_recognised(tmp_path: Path) -> None:
    made = program("alias", "--into", str(tmp_path))
    assert made.returncode == 0, made.stderr
    path = str(tmp_path / "orchesjob")
    assert json.loads(made.stdout)["file"] == path
    environ = {**os.environ, "ORCHESJOB_HOME": str(tmp_path / "home")}
    words = [path, "start", "--run-key", "k", "--sync", "--", "/bin/sh", "-c", "exit 3"]
    started = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    assert (started.returncode, json.loads(started.stdout)["exit_code"]) == (0, 3)
    for found in (
        find_runner(None, {"PATH": str(tmp_path)}),
        find_runner(path, {}),
        find_runner(None, {"ORCHESJOB_BIN": path}),
    ):
        assert found.embedded
    again = program("alias", "--into", str(tmp_path))
    assert again.returncode == 0


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_is_no_alias_stays(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "orchesjob"
    original = tmp_path / "original"
    original.write_text("#!/bin/sh\necho original\n")
    if kind == "file":
        shutil.copy(original, path)
    elif kind == "link":
        original.write_bytes(runner_alias.script("/usr/bin/python3"))
        path.symlink_to(original)
    else:
        path.mkdir()
    before = original.read_bytes()
    done = program("alias", "--into", str(tmp_path))
    assert done.returncode == 4
    assert "is not an alias" in json.loads(done.stderr)["error"]
    assert original.read_bytes() == before
    assert kind != "file" or path.read_bytes() == before
    assert not find_runner(str(path) if kind == "file" else "/nowhere", {}).embedded


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = program("alias", "--into", str(tmp_path / "none"))
    assert done.returncode == 2
    assert str(tmp_path / "none") in json.loads(done.stderr)["error"]


def test_status_answers_for_a_reservation_that_waits(tmp_path: Path) -> None:
    assert program("alias", "--into", str(tmp_path)).returncode == 0
    environ = {**os.environ, "ORCHESJOB_HOME": str(tmp_path / "home")}
    environ.pop("ORCHESJOB_RESERVER_HOME", None)

    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(words, env=environ, capture_output=True, text=True, check=False)

    def state(key: str) -> object:
        found = call(str(tmp_path / "orchesjob"), "status", "--run-key", key)
        return json.loads(found.stdout)["status"] if found.returncode == 0 else found.returncode

    job = [sys.executable, "-m", "bespeak", "job"]
    assert state("k") == 3
    assert not (tmp_path / "home" / "reserver.sqlite3").exists()
    for key in ("k", "gone"):
        made = call(*job, "reserve", "--run-key", key, "--not-before", "2090-01-01", "--", "true")
        assert made.returncode == 0, made.stderr
    assert state("k") == "RESERVED"
    assert call(*job, "cancel", "--run-key", "gone").returncode == 0
    assert state("gone") == "CANCELLED"
    assert state("other") == 3
    assert call(*job, "reschedule", "--run-key", "k", "--now").returncode == 0
    assert call(*job, "run", "--once").returncode == 0
    eventually(lambda: state("k") == "SUCCEEDED")
