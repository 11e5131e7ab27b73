"""Reading git's files: as git itself would answer, in every kind of work tree."""

import os
import subprocess
import sys
import time

import pytest

from bespeak.base import process_identity
from bespeak.base.errors import NoContextError
from bespeak.coord import locations, run_id
from bespeak.git import repository
from bespeak.git.branch import current_branch
from support.repositories import git


def said(folder, *words):
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def same_as_git(folder):
    found = repository.find(str(folder), {})
    assert found.root == said(folder, "rev-parse", "--show-toplevel")
    assert found.common_dir == said(folder, "rev-parse", "--path-format=absolute", "--git-common-dir")
    assert found.git_dir == said(folder, "rev-parse", "--absolute-git-dir")
    return found


def test_a_plain_clone_with_and_without_commits(repo):
    assert current_branch(same_as_git(repo)) == "main"
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    git(repo, "checkout", "-qb", "feature/x")
    assert current_branch(same_as_git(repo / "src" / "sub")) == "feature/x"
    git(repo, "checkout", "-q", "--detach")
    assert current_branch(same_as_git(repo)) == said(repo, "rev-parse", "--short", "HEAD")


def test_work_trees_see_one_book(repo, tmp_path):
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    git(repo, "worktree", "add", "-q", str(tmp_path / "wt"), "-b", "other")
    there = same_as_git(tmp_path / "wt")
    assert current_branch(there) == "other"
    assert locations.locate_book(there, None).url == locations.locate_book(repository.find(str(repo), {}), None).url


def test_a_submodule_and_a_separate_git_dir(repo, tmp_path):
    git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "elsewhere"), str(tmp_path / "tree"))
    same_as_git(tmp_path / "tree")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    git(tmp_path / "tree", "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "sub")
    same_as_git(tmp_path / "tree" / "sub")


def test_inside_a_hook(repo, tmp_path):
    found = repository.find(str(repo), {"GIT_DIR": ".git"})
    assert (found.root, current_branch(found)) == (str(repo), "main")
    work = repository.find(str(tmp_path), {"GIT_DIR": str(repo / ".git"), "GIT_WORK_TREE": str(repo)})
    assert work.root == str(repo)
    with pytest.raises(NoContextError):
        repository.find(str(tmp_path), {"GIT_DIR": "/nowhere"})


def test_a_broken_git_file_is_no_repository(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / ".git").write_bytes(b"gitdir: \xff\x00nowhere")
    with pytest.raises(NoContextError):
        repository.find(str(tmp_path / "x"), {})


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/team/repo.git",
        "https://user:secret@example.org/team/repo",
        "ssh://git@example.org:22/team/repo.git",
        "git@example.org:team/repo.git",
        "git@EXAMPLE.org:/team/repo",
    ],
)
def test_all_ways_to_an_origin_are_one_name(repo, url):
    git(repo, "remote", "add", "origin", url)
    assert repository.name_of(repository.find(str(repo), {})) == "example.org/team/repo"


def test_a_shared_book_keeps_repositories_apart(repo, tmp_path, monkeypatch):
    found = repository.find(str(repo), {})
    monkeypatch.setenv("BESPEAK_LEDGER", str(tmp_path / "book"))
    assert locations.locate_book(found, None).repo == ""
    monkeypatch.setenv("BESPEAK_LEDGER", "postgresql:///x")
    assert (locations.locate_book(found, None).url, locations.locate_book(found, None).repo) == (
        "postgresql:///x",
        str(repo / ".git"),
    )
    assert locations.locate_book(found, str(tmp_path / "b")).url == str(tmp_path / "b")
    monkeypatch.setenv("BESPEAK_COORD_REPOSITORY", "ours")
    assert locations.locate_book(found, None).repo == "ours"


def test_a_bare_repository_says_that_it_is_bare(tmp_path):
    git(tmp_path, "init", "-q", "--bare", "b.git")
    with pytest.raises(NoContextError, match="a bare repository has no files to claim"):
        repository.find(str(tmp_path / "b.git"), {})


def test_a_book_is_missing_only_when_there_is_certainly_none(tmp_path):
    assert locations.BookLocation(str(tmp_path / "no" / "book")).missing
    assert not locations.BookLocation("postgresql:///x").missing
    (tmp_path / "file").write_text("")
    assert not locations.BookLocation(str(tmp_path / "file" / "book")).missing
    os.symlink("/nowhere/book", tmp_path / "link")
    assert not locations.BookLocation(str(tmp_path / "link")).missing


_PRINT = "import os; {}from bespeak.coord.run_id import default_run_id; print(default_run_id())"


def _run_id_of(start=""):
    return subprocess.check_output([sys.executable, "-c", _PRINT.format(start)], text=True).strip()


@pytest.mark.parametrize(("above", "eldest"), [({50: (40, 0), 40: (1, 7)}, 50), ({50: (0, 0)}, 50), ({50: (1, 7)}, 9)])
def test_a_session_led_from_outside_is_known_by_its_eldest_process_here(monkeypatch, above, eldest):
    processes = {9: (50, 0)} | above
    monkeypatch.setattr(os, "getsid", lambda _: 0)
    monkeypatch.setattr(os, "getpid", lambda: 9)
    monkeypatch.setattr(process_identity, "parent_and_session", processes.__getitem__)
    monkeypatch.setattr(process_identity, "began_ticks", lambda pid: pid * 1000)
    assert run_id.session_id().endswith(f"-{eldest}-{eldest}000")


def test_a_session_keeps_an_id_when_its_leader_has_ended(tmp_path):
    told = tmp_path / "ids"
    script = '(while kill -0 $$ 2>/dev/null; do sleep 0.02; done; "$0" -c "$1"; "$0" -c "$1") >"$2" &'
    leader = subprocess.Popen(
        ["sh", "-c", script, sys.executable, _PRINT.format(""), str(told)], start_new_session=True
    )
    leader.wait()
    deadline = time.monotonic() + 60
    while not (told.exists() and told.read_text().count("\n") == 2) and time.monotonic() < deadline:
        time.sleep(0.02)
    first, second = told.read_text().splitlines()
    assert first == second
    assert first.endswith(f"-{leader.pid}-ended")


def test_the_run_id_is_that_of_the_session(monkeypatch):
    first = run_id.default_run_id()
    assert first.startswith("session-")
    assert first == run_id.default_run_id()
    assert _run_id_of() == first
    assert _run_id_of("os.setsid(); ") not in {first, "unknown"}
    monkeypatch.setenv("BESPEAK_RUN_ID", "agent-7")
    assert run_id.default_run_id() == "agent-7"


@pytest.mark.parametrize("name", ["CLAUDE_CODE_SESSION_ID", "CODEX_THREAD_ID"])
def test_the_session_of_a_coding_agent_names_the_run_over_all_sessions_of_the_system(name, monkeypatch):
    monkeypatch.setenv(name, "a7")
    assert run_id.default_run_id() == "a7"
    assert _run_id_of("os.setsid(); ") == "a7"
    monkeypatch.setenv("BESPEAK_RUN_ID", "given")
    assert run_id.default_run_id() == "given"


def test_an_agent_inside_an_agent_of_another_kind_is_neither_of_them(monkeypatch):
    monkeypatch.setenv("CODEX_THREAD_ID", "outer")
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "inner")
    assert run_id.default_run_id().startswith("session-")
