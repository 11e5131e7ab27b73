"""What is made of a merge: the check of its files, the commit, and the branch that points to it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable
from bespeak.coord.errors import ClaimError
from bespeak.coord.merge.model import Relation
from bespeak.coord.merge.steps.model import Check
from bespeak.git import branches, trees
from bespeak.git.author import author
from bespeak.git.errors import GitError

if TYPE_CHECKING:
    from bespeak.coord.merge.steps.model import Outcome
    from bespeak.git.process import Git
    from bespeak.git.repository import Repository

_SHOWN_BYTES = 4000
"""So much of the end of what a check prints is shown."""


def target(git: Git, repository: Repository, branch: str) -> str:
    """Return where a branch points now, that is to point to the result; empty if it is new.

    Raises:
        ClaimError: no branch can have this name, or it is checked out.
    """
    try:
        tip = branches.tip(git, branch)
    except GitError as wrong:
        raise ClaimError(escape_unprintable(str(wrong))) from None
    _must_be_free(repository, branch)
    return tip


def _must_be_free(repository: Repository, branch: str) -> None:
    if where := branches.work_tree_with(repository, branch):
        raise ClaimError(
            f"Branch {escape_unprintable(branch)} is checked out ({escape_unprintable(where)}): name another one, "
            "and merge that with git where it is checked out"
        )


def must_contain(git: Git, outcome: Outcome, branch: str, tip: str) -> None:
    """Refuse to let a branch point to a result that lacks commits of it.

    Raises:
        ClaimError: it has some.
    """
    sides = (outcome.ours.commit, outcome.theirs.commit)
    if tip and all(git.try_("merge-base", "--is-ancestor", tip, side).returncode for side in sides):
        raise ClaimError(
            f"Branch {escape_unprintable(branch)} has commits that neither {escape_unprintable(outcome.ours.name)} nor "
            f"{escape_unprintable(outcome.theirs.name)} has: it is not moved"
        )


def changed_paths(git: Git, outcome: Outcome) -> list[str]:
    """Return the files in which the result differs from what is merged into."""
    after = outcome.tree or outcome.commit
    words = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-commit-id")
    return [os.fsdecode(name) for name in git.run(*words, outcome.ours.commit, after).split(b"\0") if name]


def checked(git: Git, outcome: Outcome, command: str) -> Outcome:
    """Return an outcome with what a command of the user says of the merged files.

    The command runs in a folder with the merged files, which is no repository and is removed afterwards.

    Args:
        git: where the files are.
        outcome: what came of the merge.
        command: for ``sh -c``.

    Raises:
        ClaimError: no shell can be started.
    """
    with tempfile.TemporaryDirectory(prefix="bespeak-merge-") as folder:
        trees.check_out(git, outcome.tree or outcome.commit, folder)
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=folder,
                env=_outside(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except OSError as failed:
            raise ClaimError(f"The check cannot be run: {failed.strerror}") from None
    told = done.stdout[-_SHOWN_BYTES:].decode("utf-8", "replace")
    return replace(outcome, check=Check(command, done.returncode, told))


def _outside() -> dict[str, str]:
    """Return the environment without what leads git back to the repository."""
    return {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}


def message(outcome: Outcome) -> str:
    """Return the message of the commit: what was merged, and what was done besides."""
    lines = [f"Merge {outcome.theirs.name} into {outcome.ours.name}", ""]
    if outcome.steps:
        lines += ["Beyond what git merges:", "", *(f"- {step.reason}" for step in outcome.steps)]
    if outcome.left:
        lines += ["", "Left to do:", "", *(f"- {left.address} ({left.kind})" for left in outcome.left)]
    return "\n".join(lines).rstrip() + "\n"


def commit(git: Git, repository: Repository, outcome: Outcome) -> Outcome:
    """Return an outcome whose commit is stored in the repository; no branch points to it yet.

    Raises:
        GitError: nobody has told git who makes it, or it cannot be stored.
    """
    if outcome.relation != Relation.DIVERGED:
        return outcome
    sides = (outcome.ours.commit, outcome.theirs.commit)
    made = trees.commit(git, outcome.tree, sides, message(outcome), author(repository))
    trees.keep(git, made, sides)
    return replace(outcome, commit=made)


def point(git: Git, repository: Repository, outcome: Outcome, branch: str, tip: str) -> Outcome:
    """Let a branch point to the result, if it is still where it was.

    Raises:
        ClaimError: it was checked out by now, or moved.
    """
    _must_be_free(repository, branch)
    if tip != outcome.commit:
        why = f"bespeak coord merge: {outcome.theirs.name} into {outcome.ours.name}"
        try:
            branches.move(git, branch, outcome.commit, tip, why)
        except GitError as failed:
            raise ClaimError(escape_unprintable(str(failed))) from None
    return replace(outcome, into=branch, was=tip)
