"""Another user's repository: git's own rules, in git's own words, and nothing is read or written before they count."""

import os
import shutil
import tempfile

import pytest

from bespeak.cli.main import main
from bespeak.git import ownership
from bespeak.git.errors import NotOwnedError
from bespeak.git.repository import find
from support.repositories import git

NOBODY = 65_534
READING = (
    "symbols a.py",
    "symbols a.py --worktree",
    "forecast --rev HEAD",
    "forecast --worktree",
    "plan-merge main feature",
    "merge main feature --dry-run",
    "reconcile --onto main feature",
    "guard commit",
    "guard install",
    "guard remove",
)


@pytest.fixture
def theirs(trapped, monkeypatch):
    """A repository that belongs to another user; where only root could make one, git is told that it does."""
    main(["coord", "reserve", "a.py", "--run-id", "other"])
    if os.geteuid() == 0:
        for folder, folders, names in os.walk(trapped.root):
            for name in (*folders, *names, ""):
                os.chown(os.path.join(folder, name), NOBODY, NOBODY, follow_symlinks=False)
    else:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    return trapped


def refused(line, capfd):
    capfd.readouterr()
    code = main(["coord", *line.split()])
    said = capfd.readouterr().err
    assert "\n" not in said.rstrip("\n")
    return code == 6 and "detected dubious ownership in repository at" in said


def test_it_is_refused_in_one_line(theirs, capfd):
    hooks = sorted(os.listdir(theirs.root / ".git" / "hooks"))
    for line in READING:
        assert refused(line, capfd), line
    assert sorted(os.listdir(theirs.root / ".git" / "hooks")) == hooks


def test_what_the_user_calls_safe_is(theirs, capfd):
    git(theirs.root, "config", "--global", "safe.directory", str(theirs.root))
    for line in READING:
        assert not refused(line, capfd), line


def test_what_the_repository_calls_safe_is_not(theirs, capfd):
    theirs_config = theirs.root / ".git" / "config"
    theirs_config.write_text(theirs_config.read_text() + "[safe]\n\tdirectory = *\n")
    assert refused("symbols a.py", capfd)


def test_the_environment_of_the_user_counts_as_for_git(theirs, capfd, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "*")
    assert not refused("symbols a.py", capfd)


def test_whoever_became_root_by_sudo_is_still_the_owner(theirs, capfd, monkeypatch):
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    accepts = os.geteuid() == 0
    assert refused("symbols a.py", capfd) is not accepts


def test_a_repository_named_by_the_environment_is_not_asked_about(theirs, capfd, monkeypatch):
    """As git does: whoever names one has chosen it."""
    monkeypatch.setenv("GIT_DIR", str(theirs.root / ".git"))
    assert not refused("symbols a.py", capfd)


def test_another_repository_in_the_environment_changes_nothing(theirs, monkeypatch, tmp_path):
    where = find(str(theirs.root), {})
    git(tmp_path, "init", "-q", "mine")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "mine" / ".git"))
    with pytest.raises(NotOwnedError):
        ownership.check(where)


def test_a_git_folder_that_git_does_not_see_is_none(theirs):
    """Git would go on to the folder above; what is looked at must be what it judged."""
    inner = theirs.root / "inner"
    (inner / ".git").mkdir(parents=True)
    (inner / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    if os.geteuid() == 0:
        os.chown(inner, NOBODY, NOBODY)
    git(theirs.root, "config", "--global", "safe.directory", "*")
    with pytest.raises(Exception, match="git takes another repository for that of"):
        ownership.check(find(str(inner), {}))


def test_somebody_without_rights_over_roots_repository(monkeypatch):
    folder = tempfile.mkdtemp(prefix="bespeak-owners-")
    try:
        os.chmod(folder, 0o755)
        git(folder, "init", "-q")
        where = find(folder, {})
        ownership.check(where)
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
        else:
            monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        try:
            with pytest.raises(NotOwnedError, match="dubious ownership"):
                ownership.check(where)
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
    finally:
        shutil.rmtree(folder)
