"""A repository with two branches that a test fills: files as they are in the base, on ours and on theirs."""

import os
import subprocess

import pytest

from bespeak.coord.merge.plan import plan
from bespeak.git.repository import find
from support.repositories import git


class Forked:
    """A repository whose branches ``main`` (ours) and ``feature`` (theirs) leave one commit."""

    def __init__(self, root):
        self.root = root
        root.mkdir()
        git(root, "init", "-q", "-b", "main")

    def git(self, *words):
        return git(self.root, *words)

    def commit(self, files, message="change"):
        """Write files (None: remove) and commit them."""
        for name, text in files.items():
            path = self.root / name
            if text is None:
                self.git("rm", "-q", "--", name)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def fork(self, base, ours, theirs):
        """Commit a base and two sides of it."""
        self.commit(base, "base")
        self.git("branch", "feature")
        self.commit(ours, "ours")
        self.git("checkout", "-q", "feature")
        self.commit(theirs, "theirs")
        self.git("checkout", "-q", "main")
        return self

    def plan(self, ours="main", theirs="feature", **options):
        return plan(find(str(self.root)), ours, theirs, **options)

    def items(self, **options):
        """Return the items as (kind, address, ours_change, theirs_change)."""
        return [(one.kind, one.address, one.ours_change, one.theirs_change) for one in self.plan(**options).items]

    def conflicted(self, ours="main", theirs="feature"):
        """Return the paths that git itself reports, and whether it merges."""
        words = ["git", "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs]
        done = subprocess.run(words, cwd=self.root, capture_output=True, check=False)
        return {os.fsdecode(name) for name in done.stdout.split(b"\0")[1:] if name}, done.returncode == 0


@pytest.fixture
def forked(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    made = Forked(tmp_path / "repo")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def repo(forked):
    """The repository in which commands are run."""
    return forked.root
