"""How often git is started: it costs more than most answers, above all where a hook waits for one."""

import io
import os
import shutil

import pytest

from bespeak.cli.main import main

COUNTS = {
    "reserve a.py --run-id other": [],
    "check a.py": [],
    "list": [],
    "guard commit": ["diff"],
    "guard install": ["rev-parse", "rev-parse"],  # where the hooks are, and whether others get them with the files
    "symbols a.py": ["rev-parse", "ls-tree", "cat-file"],
    "symbols b.py": ["rev-parse", "ls-tree"],
    "symbols a.py --worktree": ["config", "rev-parse", "ls-files", "ls-files", "diff-files"],
}


@pytest.fixture
def started(trapped, tmp_path, monkeypatch):
    """Return what git was started for since this was last asked."""
    log = tmp_path / "started"
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    def told():
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        words = [line.replace("-c core.fsmonitor=false ", "").split() for line in lines]
        return [each[1] for each in words]

    return told


def test_no_command_starts_git_more_often_than_it_has_to(started):
    for line, commands in COUNTS.items():
        main(["coord", *line.split()])
        assert started() == commands, line


def test_an_edit_starts_none(started, trapped, monkeypatch):
    read = io.TextIOWrapper(io.BytesIO(b'{"file_path": "%s"}' % os.fsencode(trapped.root / "a.py")))
    monkeypatch.setattr("sys.stdin", read)
    assert main(["coord", "guard", "edit"]) == 0
    assert started() == []
