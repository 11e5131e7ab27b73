"""Pipes and devices where git has files: one line says which, and nothing waits for ever."""

import os

import pytest

from bespeak.cli.main import main
from bespeak.git import files, ownership, process

READING = (
    "reserve a.py --run-id other",
    "check a.py",
    "symbols a.py",
    "symbols a.py --worktree",
    "symbols a.py --rev feature",
    "forecast",
    "forecast --worktree",
    "plan-merge main feature",
    "merge main feature --into made --with-conflicts",
    "reconcile --onto main feature",
    "guard commit",
    "guard install",
    "guard remove",
)
OFTEN = (
    "HEAD",
    "config",
    "index",
    "packed-refs",
    "shallow",
    "config.worktree",
    "info/exclude",
    "info/attributes",
    "objects/info/alternates",
    "objects/info/commit-graph",
    "refs/heads/feature",
    "logs/HEAD",
    "hooks/pre-commit",
    "COMMIT_EDITMSG",
    "MERGE_HEAD",
    "sharedindex.0000",
)


def read_all(capfd):
    for line in READING:
        code = main(["coord", *line.split()])
        said = capfd.readouterr().err
        assert code in range(11), line
        assert "Traceback" not in said
        yield line, code, said


def in_place_of(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path


@pytest.mark.parametrize("name", OFTEN)
def test_a_pipe_in_the_place_of_a_file_of_git(trapped, name, capfd):
    os.mkfifo(in_place_of(trapped.root / ".git" / name))
    for _ in read_all(capfd):
        pass


def test_a_pipe_in_the_place_of_an_object(trapped, capfd):
    blob = trapped.git("rev-parse", "main:a.py")
    os.mkfifo(in_place_of(trapped.root / ".git" / "objects" / blob[:2] / blob[2:]))
    found = {line: (code, said) for line, code, said in read_all(capfd)}
    assert found["symbols a.py"][0] == 1
    assert f"no regular file: {trapped.root}/.git/objects/{blob[:2]}" in found["symbols a.py"][1]
    assert found["plan-merge main feature"][0] == 1


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", "a.py", "new.py", "sub/.gitignore"])
def test_a_pipe_in_the_work_tree(trapped, name, capfd):
    os.mkfifo(in_place_of(trapped.root / name))
    for _ in read_all(capfd):
        pass


@pytest.mark.parametrize("name", ["refs/heads/feature", "HEAD", "packed-refs", "info/exclude"])
def test_a_link_to_a_device_without_end(trapped, name, capfd):
    in_place_of(trapped.root / ".git" / name).symlink_to("/dev/zero")
    for _ in read_all(capfd):
        pass


def test_a_socket_or_the_empty_device_is_no_reason_to_stop(trapped):
    """git has a socket of its own in its folder, and people link what shall be empty to ``/dev/null``."""
    import socket

    here = socket.socket(socket.AF_UNIX)
    os.chdir(trapped.root)
    here.bind("s")
    (trapped.root / "null").symlink_to("/dev/null")
    assert files.first_endless([str(trapped.root)], str(trapped.root)) is None
    here.close()


def test_a_slow_git_is_waited_for(trapped, monkeypatch):
    monkeypatch.setattr(process, "PATIENCE_SECONDS", 0.0001)
    assert main(["coord", "symbols", "a.py", "--worktree"]) == 0
    assert main(["coord", "plan-merge", "main", "feature"]) in {0, 7}


def test_settings_that_include_a_pipe_are_given_up(trapped, monkeypatch, capfd):
    """What is included can be anywhere, so only the time that it takes tells."""
    monkeypatch.setattr(ownership, "_LONGEST_SECONDS", 0.5)
    os.mkfifo(trapped.root.parent / "pipe")
    text = (trapped.root / ".git" / "config").read_text()
    (trapped.root / ".git" / "config").write_text(f"{text}[include]\n\tpath = {trapped.root.parent}/pipe\n")
    assert main(["coord", "symbols", "a.py"]) == 0
    assert main(["coord", "symbols", "a.py", "--worktree"]) == 9
    assert "git config did not answer within 0.5 s" in capfd.readouterr().err
