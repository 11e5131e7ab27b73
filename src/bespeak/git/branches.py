"""Making and moving branches with compare-and-swap, and telling which are checked out somewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bespeak.git.branch import current_branch
from bespeak.git.errors import GitError
from bespeak.git.files import read_text
from bespeak.git.process import last_line
from bespeak.git.repository import Repository, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.git.process import Git

_HEADS = "refs/heads/"
_BUSY = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
"""Files that name a branch to which a work tree goes back."""


def tip(git: Git, branch: str) -> str:
    """Return the commit that a branch points to; empty if there is none.

    Raises:
        GitError: no branch can have this name.
    """
    ref = _HEADS + branch
    if branch.startswith("-") or branch == "HEAD" or git.try_("check-ref-format", ref).returncode:
        raise GitError(f"no branch can be called {branch}")
    return git.try_("rev-parse", "--verify", "--quiet", "--end-of-options", ref).stdout.decode("ascii").strip()


def work_tree_with(repository: Repository, branch: str) -> str:
    """Return the git directory of a work tree that has a branch checked out, or goes back to it; empty if none has."""
    for git_dir in _work_trees(repository):
        own = Repository(repository.root, git_dir, repository.common_dir)
        busy = (read_text(os.path.join(git_dir, name)).strip().removeprefix(_HEADS) for name in _BUSY)
        if branch in {current_branch(own), *map(readable, busy)}:
            return git_dir
    return ""


def _work_trees(repository: Repository) -> Iterator[str]:
    common = repository.common_dir
    bare = read_text(os.path.join(common, "config")).replace(" ", "").find("bare=true") >= 0
    if not bare:
        yield common
    folder = os.path.join(common, "worktrees")
    if os.path.isdir(folder):
        yield from (os.path.join(folder, name) for name in sorted(os.listdir(folder)))


def move(git: Git, branch: str, commit: str, old: str, why: str) -> None:
    """Let a branch point to a commit, if it still points where it did.

    Args:
        git: where.
        branch: its name.
        commit: the new one.
        old: the one that it pointed to; empty if there was no such branch.
        why: for the reflog.

    Raises:
        GitError: it points elsewhere by now, or cannot be written.
    """
    expected = old or "0" * len(commit)
    done = git.try_("update-ref", "--no-deref", "-m", why, _HEADS + branch, commit, expected)
    if done.returncode:
        raise GitError(f"branch {branch} was not moved: {last_line(done.stderr)}")
