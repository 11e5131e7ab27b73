"""What git knows of two revisions: their bases, what each side changed, and what a merge of them would do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.git.errors import GitError
from bespeak.git.process import last_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.git.process import Git

_RENAMES = ("-M", "-l7000")
"""Renames as a merge looks for them."""
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--text", "-U0", "--diff-algorithm=histogram")
"""Changed lines without context, as a merge finds them."""
_CONFLICTED = 1
_STAGES = {"1": "base", "2": "ours", "3": "theirs"}
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_INDEX = re.compile(rb"^index ([0-9a-f]+)\.\.([0-9a-f]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that a side changed.

    Args:
        status: ``A``, ``D``, ``M``, ``R``, ``T`` as git has them.
        old: its path before; empty if it is new.
        new: its path after; empty if it is gone.
        old_blob: the id of its content before; empty if it is new.
        new_blob: the id of its content after.
        regular: it is a plain file after (before, if it is gone): no link, no submodule.
    """

    status: str
    old: str
    new: str
    old_blob: str
    new_blob: str
    regular: bool


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that were replaced: ``[first, beyond)`` before and after, from 1."""

    first: int
    beyond: int
    new_first: int
    new_beyond: int


@dataclass(frozen=True, slots=True)
class FileConflict:
    """One conflict that git reports.

    Args:
        path: as git reports it.
        type: in git's words: ``contents``, ``modify/delete``, ``binary``, ``file/directory``, ...
        message: git's own line.
        also: other paths that it names.
    """

    path: str
    type: str
    message: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What a merge would do.

    Args:
        tree: the id of the tree that comes out.
        clean: nothing is in conflict.
        stages: for each path in conflict the ids of its content: ``base``, ``ours``, ``theirs``.
        conflicts: what git says, in its order.
    """

    tree: str
    clean: bool
    stages: dict[str, dict[str, str]]
    conflicts: tuple[FileConflict, ...]


def bases(git: Git, ours: str, theirs: str) -> tuple[str, ...]:
    """Return the best common ancestors of two commits, as git orders them; none if their histories are unrelated.

    Raises:
        GitError: the history cannot be read.
    """
    found = git.try_("merge-base", "--all", ours, theirs)
    if found.returncode > 1:
        raise GitError(f"git merge-base failed: {last_line(found.stderr)}")
    return tuple(found.stdout.decode("ascii").split())


def one_base(git: Git, found: Sequence[str]) -> str:
    """Return the tree or commit that git's merge takes for the base.

    For several bases that is what comes of merging them with each other, conflict marks and all; for none it is
    the empty tree.
    """
    if not found:
        return git.run("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()
    commits = list(reversed(found))
    merged = commits[0]
    for number, other in enumerate(commits[1:], 2):
        tree = trial(git, merged, other).tree
        if number == len(commits):
            return tree
        merged = git.run("commit-tree", tree, "-p", merged, "-p", other, "-m", "base").decode("ascii").strip()
    return merged


def entries(git: Git, base: str, side: str) -> tuple[Entry, ...]:
    """Return the files in which two trees differ, in order; renames as a merge finds them."""
    raw = git.run("diff-tree", "-r", "-z", "--raw", "--no-commit-id", "--full-index", *_RENAMES, base, side)
    words = raw.split(b"\0")
    found: list[Entry] = []
    index = 0
    while index + 1 < len(words):
        facts = words[index].decode("ascii").lstrip(":").split()
        status = facts[4][0]
        old = _text(words[index + 1])
        new = _text(words[index + 2]) if status in "RC" else old
        index += 3 if status in "RC" else 2
        found.append(_entry(status, old, new, facts))
    return tuple(found)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _entry(status: str, old: str, new: str, facts: Sequence[str]) -> Entry:
    old_mode, new_mode, old_blob, new_blob = facts[:4]
    added, gone = status in "AC", status == "D"
    return Entry(
        "A" if added else status,
        "" if added else old,
        "" if gone else new,
        "" if added or not old_mode.startswith("100") else old_blob,
        "" if gone or not new_mode.startswith("100") else new_blob,
        (old_mode if gone else new_mode).startswith("100"),
    )


def trial(git: Git, ours: str, theirs: str) -> Trial:
    """Merge two commits without a work tree.

    Raises:
        GitError: git cannot.
    """
    git.use_settings()
    words = ("merge-tree", "--write-tree", "-z", "--messages", "--allow-unrelated-histories")
    done = git.try_(*words, ours, theirs)
    if done.returncode not in {0, _CONFLICTED}:
        raise GitError(f"git merge-tree failed: {last_line(done.stderr)}")
    return parse_trial(done.stdout, clean=not done.returncode)


def parse_trial(text: bytes, *, clean: bool) -> Trial:
    """Read what ``merge-tree -z --messages`` prints."""
    words = [_text(word) for word in text.split(b"\0")]
    tree, index = words[0].strip(), 1
    stages: dict[str, dict[str, str]] = {}
    while index < len(words) and words[index].strip():
        facts, _, path = words[index].partition("\t")
        _, blob, stage = facts.split(" ")
        stages.setdefault(path, {})[_STAGES[stage]] = blob
        index += 1
    conflicts: list[FileConflict] = []
    index += 1
    while index + 1 < len(words) and words[index].strip().isdigit():
        count = int(words[index])
        paths = words[index + 1 : index + 1 + count]
        kind, message = words[index + 1 + count : index + 3 + count]
        index += 3 + count
        if kind.startswith("CONFLICT") and paths:
            conflicts.append(FileConflict(paths[0], _type(kind, message), message.strip(), tuple(paths[1:])))
    return Trial(tree, clean, stages, tuple(conflicts))


def _type(kind: str, message: str) -> str:
    """Return git's word for a conflict; the message is more exact about two files of one name."""
    if message.startswith("CONFLICT (add/add)"):
        return "add/add"
    return kind.partition("(")[2].rpartition(")")[0] or kind


def hunks(git: Git, before: str, after: str) -> tuple[Hunk, ...]:
    """Return the lines in which two blobs differ, by the algorithm that a merge uses."""
    if before == after:
        return ()
    return parse_hunks(git.run("diff", *_PLAIN, before, after))


def all_hunks(git: Git, base: str, side: str) -> dict[tuple[str, str], tuple[Hunk, ...]]:
    """Return the lines in which the files of two trees differ, by the ids of the blobs before and after.

    Only of files that are in both, under one name or two: as :func:`hunks` of each, from one process.
    """
    words = ("diff-tree", "-r", "-p", "--no-commit-id", "--full-index", "--diff-filter=MR", *_RENAMES, *_PLAIN)
    found: dict[tuple[str, str], tuple[Hunk, ...]] = {}
    # Lines of files begin with a sign, so what begins with a word is a head.
    for part in git.run(*words, base, side).split(b"\ndiff --git "):
        if blobs_of := _INDEX.search(part):
            before, after = (name.decode("ascii") for name in blobs_of.groups())
            found[before, after] = parse_hunks(part)
    return found


def parse_hunks(text: bytes) -> tuple[Hunk, ...]:
    """Read the hunks of a diff without context."""
    found = []
    for match in _HUNK.finditer(text):
        old, old_count, new, new_count = (1 if word is None else int(word) for word in match.groups())
        first, new_first = old + (old_count == 0), new + (new_count == 0)
        found.append(Hunk(first, first + old_count, new_first, new_first + new_count))
    return tuple(found)


def lines_with(git: Git, commit: str, word: str, suffixes: Sequence[str]) -> tuple[tuple[str, bytes], ...] | None:
    """Return the lines of a commit's files that have a word, each with its path; None if git cannot tell.

    Args:
        git: where the commit is.
        commit: whose files are looked through.
        word: as it stands in the line.
        suffixes: of the files to look in.
    """
    words = ("grep", "-n", "-z", "-w", "-F", "-I", "--no-color", "--full-name", "-e", word, commit, "--")
    done = git.try_(*words, *(f"*{suffix}" for suffix in suffixes))
    if done.returncode > 1 or done.stderr:
        return None
    found = []
    for line in done.stdout.split(b"\n"):
        path, _, rest = line.partition(b"\0")
        if rest:
            found.append((_text(path).partition(":")[2], rest.partition(b"\0")[2]))
    return tuple(found)


def blobs(git: Git, wanted: Iterable[str]) -> dict[str, bytes]:
    """Return the content of blobs by id; what is none, or is not there, is left out."""
    names = list(dict.fromkeys(name for name in wanted if name))
    if not names:
        return {}
    text = git.run("cat-file", "--batch", data="".join(f"{name}\n" for name in names).encode("ascii"))
    found: dict[str, bytes] = {}
    start = 0
    for name in names:
        end = text.index(b"\n", start)
        head = text[start:end].split(b" ")
        start = end + 1
        if head[-1] == b"missing":
            continue
        size = int(head[2])
        if head[1] == b"blob":
            found[name] = text[start : start + size]
        start += size + 1
    return found


def listing(git: Git, tree: str, paths: Iterable[str] = ()) -> dict[str, str]:
    """Return the ids of all plain files of a tree, or of those at some paths, by path."""
    found = {}
    for line in git.run("ls-tree", "-r", "-z", "--full-tree", tree, "--", *paths).split(b"\0")[:-1]:
        facts, _, name = line.partition(b"\t")
        mode, _, blob = facts.decode("ascii").split(" ")
        if mode.startswith("100"):
            found[_text(name)] = blob
    return found


def overlaps(one: Iterable[Hunk], two: Iterable[Hunk]) -> list[tuple[Hunk, Hunk]]:
    """Return the pairs of hunks that a merge cannot keep apart: they overlap, or touch, in the lines before."""
    others = sorted(two, key=lambda hunk: hunk.first)
    found = []
    for hunk in sorted(one, key=lambda hunk: hunk.first):
        for other in others:
            if other.first > hunk.beyond:
                break
            if other.beyond >= hunk.first:
                found.append((hunk, other))
    return found
