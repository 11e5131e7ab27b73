"""``coord merge``: what it writes and what it does not, which branches it moves, and how it exits."""

import os
import subprocess
import sys

import pytest

from bespeak.coord.merge.steps import result
from support.repositories import git

F = "def f(a):\n    return a + 1\n"
USE = "from a import f\n\n\ndef new():\n    return f(1)\n"


@pytest.fixture(autouse=True)
def somebody(monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.org")


@pytest.fixture
def semantic(forked):
    """A merge that git does and that would not work: one step mends it."""
    return forked.fork({"a.py": F}, {"a.py": F.replace("f(", "ff(")}, {"b.py": USE})


@pytest.fixture
def textual(forked):
    return forked.fork({"a.txt": "1\n"}, {"a.txt": "2\n"}, {"a.txt": "3\n"})


def everything(forked):
    """Return what is in the repository and its work tree, but for caches of ours."""
    objects = forked.git("count-objects", "-v")
    return objects, forked.git("for-each-ref"), forked.git("status", "--porcelain"), forked.git("rev-parse", "HEAD")


def test_a_step_is_printed_with_its_reason_and_patch(semantic, run):
    before = everything(semantic)
    answer = run("merge", "main", "feature", "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == (
        "1. rename_followed a.py::f\n"
        "   main renamed a.py::f to ff: what feature wrote uses the new name.\n"
        "diff --git a/b.py b/b.py\n"
        "index 76fc66f..4f1dd3c 100644\n"
        "--- a/b.py\n"
        "+++ b/b.py\n"
        "@@ -1,5 +1,5 @@\n"
        "-from a import f\n"
        "+from a import ff\n"
        " \n"
        " \n"
        " def new():\n"
        "-    return f(1)\n"
        "+    return ff(1)\n"
        "\n"
        "Nothing was written\n"
    )
    assert everything(semantic) == before


def test_the_result_is_a_commit_with_both_parents_and_no_branch_moves(semantic, run):
    before = everything(semantic)
    answer = run("merge", "main", "feature", "--json").json
    commit = answer["commit"]
    assert semantic.git("rev-parse", f"{commit}^1", f"{commit}^2").split() == [
        semantic.git("rev-parse", name) for name in ("main", "feature")
    ]
    assert semantic.git("show", f"{commit}:b.py") == USE.replace(" f", " ff").strip()
    assert semantic.git("log", "-1", "--format=%an <%ae>%n%s", commit) == (
        "Somebody <somebody@example.org>\nMerge feature into main"
    )
    assert "- main renamed a.py::f to ff" in semantic.git("log", "-1", "--format=%b", commit)
    assert everything(semantic)[1:] == before[1:]
    assert [step["kind"] for step in answer["steps"]] == ["rename_followed"]
    assert (answer["left"], answer["check"], answer["into"], answer["relation"]) == ([], None, None, "diverged")
    semantic.git("fsck", "--strict")


def test_a_new_branch_is_made_and_then_moved_on(semantic, run):
    answer = run("merge", "main", "feature", "--into", "merged")
    commit = semantic.git("rev-parse", "merged")
    assert answer.out.endswith(f"✅ {commit} (1 step(s) beyond git's merge; merged points to it)\n")
    semantic.git("branch", "-f", "merged", "main")
    found = run("merge", "main", "feature", "--into", "merged", "--json").json
    assert (found["into"], found["into_before"]) == ("merged", semantic.git("rev-parse", "main"))
    assert semantic.git("rev-parse", "merged") == found["commit"]


@pytest.mark.parametrize("how", ["checked out", "in another work tree", "with commits of its own", "no name"])
def test_a_branch_that_must_not_be_moved_is_refused(semantic, run, tmp_path, how):
    name = {"checked out": "main", "no name": "a..b"}.get(how, "merged")
    if how == "in another work tree":
        semantic.git("worktree", "add", "-q", "-b", "merged", str(tmp_path / "tree"), "main")
    if how == "with commits of its own":
        commit = semantic.git("commit-tree", "-m", "more", "-p", "main", "main^{tree}")
        semantic.git("branch", "merged", commit)
    before = everything(semantic)
    answer = run("merge", "main", "feature", "--into", name)
    assert (answer.code, answer.out) == (1, "")
    words = {"with commits of its own": "has commits that neither", "no name": "no branch can be called a..b"}
    assert words.get(how, f"Branch {name} is checked out") in answer.err
    assert everything(semantic) == before


def test_a_branch_that_moved_meanwhile_is_left_where_it_is(semantic, run, monkeypatch):
    semantic.git("branch", "merged", "main")
    commit = result.commit

    def slow(git_, repository, outcome):
        semantic.git("branch", "-f", "merged", "feature")
        return commit(git_, repository, outcome)

    monkeypatch.setattr(result, "commit", slow)
    answer = run("merge", "main", "feature", "--into", "merged")
    assert (answer.code, answer.out) == (1, "")
    assert "branch merged was not moved" in answer.err
    assert semantic.git("rev-parse", "merged") == semantic.git("rev-parse", "feature")


def test_killed_before_the_branch_is_moved_leaves_it_untouched(semantic, run):
    semantic.git("branch", "merged", "main")
    killed = (
        "import os, signal, sys\n"
        "from bespeak.git import branches\n"
        "from bespeak.cli.main import main\n"
        "branches.move = lambda *words: os.kill(os.getpid(), signal.SIGKILL)\n"
        "main(['coord', 'merge', 'main', 'feature', '--into', 'merged'])\n"
    )
    done = subprocess.run([sys.executable, "-c", killed], cwd=semantic.root, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (-9, b"")
    assert semantic.git("rev-parse", "merged") == semantic.git("rev-parse", "main")
    assert semantic.git("status", "--porcelain") == ""
    assert run("merge", "main", "feature", "--into", "merged").code == 0
    assert semantic.git("rev-parse", "merged^2") == semantic.git("rev-parse", "feature")


def test_what_is_left_is_named_and_nothing_is_written(textual, run):
    before = everything(textual)
    answer = run("merge", "main", "feature", "--into", "merged")
    assert (answer.code, answer.err) == (7, "")
    assert answer.out == (
        "❌ left to you: contents a.txt\n"
        "   Both sides changed the same lines: merge them by hand.\n"
        "Nothing was written\n"
    )
    found = run("merge", "main", "feature", "--json")
    assert (found.code, found.json["commit"], found.json["left"][0]["address"]) == (7, None, "a.txt")
    assert everything(textual) == before


def test_marks_of_conflicts_are_written_if_asked_for(textual, run):
    answer = run("merge", "main", "feature", "--into", "merged", "--with-conflicts")
    assert answer.code == 7
    assert textual.git("show", "merged:a.txt") == "<<<<<<< main\n2\n=======\n3\n>>>>>>> feature"
    assert "- a.txt (contents)" in textual.git("log", "-1", "--format=%b", "merged")
    assert run("merge", "main", "feature", "--with-conflicts").code == 1


@pytest.mark.parametrize(("command", "code"), [("grep -q ff b.py && ! git rev-parse 2>&1", 0), ("echo no; exit 3", 7)])
def test_the_check_of_the_user_decides(semantic, run, command, code):
    answer = run("merge", "main", "feature", "--into", "merged", "--check", command, "--json")
    assert answer.code == code
    assert answer.json["check"]["command"] == command
    assert bool(answer.json["commit"]) == (code == 0)
    assert ("merged" in semantic.git("branch", "--list")) == (code == 0)
    if code:
        assert (answer.json["check"]["exit_code"], answer.json["check"]["output"]) == (3, "no\n")
        said = run("merge", "main", "feature", "--check", command).out
        assert said.startswith("no\n❌ check exited 3: echo no; exit 3\n")


def test_claims_of_others_are_in_the_way_of_a_branch(semantic, run):
    assert run("reserve", "b.py", "--run-id", "other").code == 0
    answer = run("merge", "main", "feature", "--into", "merged", "--run-id", "me")
    assert (answer.code, answer.out) == (7, "")
    assert "another run has claimed" in answer.err
    assert "merged" not in semantic.git("branch", "--list")
    assert run("merge", "main", "feature", "--into", "merged", "--run-id", "other").code == 0


def test_a_bare_repository_will_do(semantic, run, tmp_path, monkeypatch):
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(semantic.root), str(bare))
    monkeypatch.chdir(bare)
    assert run("merge", "main", "feature", "--into", "main").code == 0
    assert git(bare, "show", "main:b.py") == USE.replace(" f", " ff").strip()


def test_nothing_of_the_repository_runs(semantic, run):
    trap = semantic.root.parent / "ran"
    hooks = semantic.root / ".git" / "hooks"
    for name in ("reference-transaction", "pre-merge-commit", "commit-msg", "post-merge", "post-commit"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {trap}\n")
        os.chmod(hooks / name, 0o755)
    semantic.git("config", "commit.gpgsign", "true")
    semantic.git("config", "gpg.program", f"{hooks}/post-commit")
    trap.unlink(missing_ok=True)
    assert run("merge", "main", "feature", "--into", "merged", "--check", "true").code == 0
    assert not trap.exists()


def test_what_needs_no_merge(semantic, run):
    semantic.git("branch", "old", "main~1")
    assert run("merge", "main", "old").out.startswith("✅ main has all of old already: nothing to merge\n")
    answer = run("merge", "old", "main", "--into", "merged")
    assert answer.out.startswith("✅ Fast-forward: old only has to move on to main\n")
    assert semantic.git("rev-parse", "merged") == semantic.git("rev-parse", "main")


def test_histories_without_a_common_commit_are_refused(semantic, run):
    commit = semantic.git("commit-tree", "-m", "alone", "main^{tree}")
    answer = run("merge", "main", commit)
    assert (answer.code, answer.out) == (1, "")
    assert "have no commit in common" in answer.err
