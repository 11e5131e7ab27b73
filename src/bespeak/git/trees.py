"""Trees and commits made without a work tree: files replaced in a tree, and what was made kept in the repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bespeak.git.errors import GitError
from bespeak.git.process import last_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bespeak.git.process import Git


def mode_and_blob(git: Git, tree: str, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the mode and the id of the content of files of a tree, by path; what is not there is left out."""
    found = {}
    wanted = set(paths)
    if not wanted:
        return {}
    words = ("--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", tree, "--", *sorted(wanted))
    for line in git.run(*words).split(b"\0")[:-1]:
        facts, _, name = line.partition(b"\t")
        mode, _, blob = facts.decode("ascii").split(" ")
        found[os.fsdecode(name)] = mode, blob
    return {path: facts for path, facts in found.items() if path in wanted}


def tree_with(git: Git, tree: str, files: Mapping[str, bytes], moved: Mapping[str, str] | None = None) -> str:
    """Return the id of a tree in which some files have other contents; their modes stay.

    Args:
        git: with an index of its own.
        tree: a tree or commit.
        files: the contents, by path.
        moved: the path after of files that get another one, by their path before.
    """
    known = mode_and_blob(git, tree, (*files, *(moved or {})))
    lines = []
    for path, content in files.items():
        blob = git.run("hash-object", "-w", "--stdin", "--no-filters", data=content).decode("ascii").strip()
        known[path] = known.get(path, ("100644", ""))[0], blob
        lines.append((known[path][0], blob, path))
    for before, after in (moved or {}).items():
        lines += [("0", "0" * len(known[before][1]), before), (*known[before], after)]
    git.use_own_index()
    git.run("read-tree", tree)
    fed = b"".join(f"{mode} {blob}\t".encode("ascii") + os.fsencode(path) + b"\0" for mode, blob, path in lines)
    git.run("update-index", "-z", "--index-info", data=fed)
    return git.run("write-tree", "--missing-ok").decode("ascii").strip()


def commit(git: Git, tree: str, parents: Sequence[str], message: str, who: Mapping[str, str] | None = None) -> str:
    """Return the id of a new commit, which is thrown away with the private directory unless it is kept.

    Args:
        git: where.
        tree: what it holds.
        parents: in their order.
        message: of the commit.
        who: ``GIT_AUTHOR_NAME`` and its like; nobody in particular if it is not given.
    """
    words = [word for parent in parents for word in ("-p", parent)]
    data = message.encode("utf-8", "surrogateescape")
    done = git.try_("commit-tree", tree, *words, "-F", "-", data=data, more=who or {})
    if done.returncode:
        raise GitError(f"git commit-tree failed: {last_line(done.stderr)}")
    return done.stdout.decode("ascii").strip()


def keep(git: Git, made: str, known: Sequence[str]) -> None:
    """Put a commit that was made in the private directory, and all it needs, into the repository.

    Args:
        git: where it was made.
        made: the commit.
        known: commits that the repository has.
    """
    without = [f"^{one}" for one in known]
    names = git.run("rev-list", "--objects", "--no-object-names", made, *without)
    pack = git.run("pack-objects", "--stdout", "-q", data=names)
    done = git.try_("unpack-objects", "-q", data=pack, more={"GIT_OBJECT_DIRECTORY": git.store()})
    if done.returncode:
        raise GitError(f"the merge cannot be stored: {last_line(done.stderr)}")


def check_out(git: Git, tree: str, folder: str) -> None:
    """Write the files of a tree into an empty folder; no filter of the repository runs."""
    git.use_own_index()
    git.run("read-tree", tree)
    git.run("checkout-index", "--all", "--force", "-q", f"--prefix={folder}/")


def diff(git: Git, before: str, after: str) -> str:
    """Return the difference of two trees as a unified diff."""
    words = ("diff-tree", "-r", "-p", "--no-commit-id", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
    return git.run(*words, before, after).decode("utf-8", "replace")
