"""What a revision or a work tree holds, read through git itself: files by path, contents by id.

Contents are fetched from one ``git cat-file --batch`` that stays open; starting git for each file would cost more than
reading it. Links are no files of their own and are left out; a submodule is another repository, and is said to be.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.base.errors import BespeakError
from bespeak.git.errors import GitError, UnknownRevisionError
from bespeak.git.files import read_file
from bespeak.git.private_dir import object_format
from bespeak.git.process import Git, Watch
from bespeak.git.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

_AT_ONCE = 256
_LINK, _SUBMODULE = b"120000", b"160000"
_IN_TREE = re.compile(rb"(\d+) \w+ (\w+)\t([^\0]*)\0")
_IN_INDEX = re.compile(rb"(\d+) (\w+) \d\t([^\0]*)\0")


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a revision or of a work tree.

    Args:
        commit: its commit; the one that is checked out, for a work tree; empty if there is none yet.
        blobs: the id of the contents of each file, by path.
        loose: contents that are not in git, by id, for a work tree: the paths to read them from.
        unread: what is there but cannot be read: its path, and why.
        listed: the files as git lists them, without the changes of the work tree; None if there are none.
    """

    commit: str
    blobs: dict[str, str]
    loose: dict[str, str]
    unread: tuple[tuple[str, str], ...]
    listed: dict[str, str] | None = None


class Objects:
    """The files and contents that a repository has. Starts git when it is needed; close it after use.

    Args:
        repository: where.
        folder: a private git directory that another process keeps; None for one of its own.
    """

    def __init__(self, repository: Repository, folder: str | None = None) -> None:
        self._repository = repository
        self._git = Git(repository, folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: Watch | None = None
        self._format = ""

    def revision(self, name: str) -> Listing:
        """Return the files of a revision: a branch, a tag, a commit id, ``HEAD~2``.

        Raises:
            UnknownRevisionError: there is no such revision.
        """
        commit = self._git.commit_of(name)
        found = _Found()
        found.enter_all(_IN_TREE, self._git.run("ls-tree", "-r", "-z", "--full-tree", commit))
        return Listing(commit, found.blobs, {}, tuple(found.unread))

    def worktree(self) -> Listing:
        """Return the files of the work tree as they are: changed and new ones too, ignored ones not."""
        git = self._git
        git.use_settings()
        try:
            commit = git.commit_of("HEAD")
        except UnknownRevisionError:
            commit = ""
        found = _Found()
        found.enter_all(_IN_INDEX, git.run("ls-files", "-s", "-z", "--full-name"))
        others = git.run("ls-files", "-o", "-z", "--exclude-standard", "--full-name").split(b"\0")[:-1]
        changed = git.run("diff-files", "--name-only", "-z", "--ignore-submodules=all").split(b"\0")[:-1]
        if not others and not changed:
            return Listing(commit, found.blobs, {}, tuple(found.unread))
        listed, loose = dict(found.blobs), dict[str, str]()
        for name in sorted({*others, *changed}):
            if (path := found.leave(name)) is not None:
                self._enter_loose(path, found, loose)
        return Listing(commit, dict(sorted(found.blobs.items())), loose, tuple(found.unread), listed)

    def _enter_loose(self, path: str, found: _Found, loose: dict[str, str]) -> None:
        try:
            content = self._work_tree_file(path)
        except FileNotFoundError:
            return
        except OSError as failed:
            found.unread.append((path, f"cannot be read: {failed.strerror}"))
            return
        if content is not None:
            blob = self.id_of(content)
            found.blobs[path] = blob
            loose[blob] = path

    def _work_tree_file(self, path: str) -> bytes | None:
        """Return a file of the work tree; None if it is no regular file, or lies behind a link."""
        full = os.path.join(self._repository.root, path)
        folder = os.path.dirname(full)
        if os.path.realpath(folder) != folder or not stat.S_ISREG(os.lstat(full).st_mode):
            return None
        return read_file(full)

    def loose(self, path: str, blob: str) -> bytes | None:
        """Return a file of the work tree; None if it is not what it was when its id was taken."""
        try:
            content = self._work_tree_file(path)
        except (OSError, ValueError):
            return None
        return content if content is not None and self.id_of(content) == blob else None

    def id_of(self, content: bytes) -> str:
        """Return the id that git gives to a content in this repository."""
        if not self._format:
            self._format = object_format(self._repository)
        return blob_id(content, self._format)

    def get(self, blob: str) -> bytes | None:
        """Return a content; None if this clone does not have it."""
        return next(iter(self.many((blob,))))[1]

    def many(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in the order asked for, each with its id; None for what this clone does not have."""
        if not blobs:
            return
        process, watch = self._started()
        if process.stdin is None or process.stdout is None:
            raise BespeakError("git cat-file has no pipes")
        for start in range(0, len(blobs), _AT_ONCE):
            # Few enough that the questions fit the pipe: git may block on its answers while we still ask.
            asked = blobs[start : start + _AT_ONCE]
            process.stdin.write("".join(blob + "\n" for blob in asked).encode("ascii", "replace"))
            process.stdin.flush()
            for blob in asked:
                watch.asked()
                content = _answer(process.stdout, watch)
                watch.answered()
                yield blob, content

    def _started(self) -> tuple[subprocess.Popen[bytes], Watch]:
        if self._process is None or self._watch is None:
            self._process = self._git.start("cat-file", "--batch", stderr=subprocess.DEVNULL)
            self._watch = Watch(self._git, self._process)
        return self._process, self._watch

    def recipe(self) -> tuple[str, str, tuple[str, ...]]:
        """Return how another process opens the same while this one keeps it: module, function, arguments."""
        where = self._repository
        return __name__, reopen.__name__, (where.root, where.git_dir, where.common_dir, self._git.folder)

    def close(self) -> None:
        """End git."""
        process, self._process = self._process, None
        watch, self._watch = self._watch, None
        if process is not None and process.stdin is not None and process.stdout is not None:
            process.stdin.close()
            process.stdout.close()
            process.wait()
        if watch is not None:
            watch.close()
        self._git.close()


def reopen(root: str, git_dir: str, common_dir: str, folder: str) -> Objects:
    """Open what :meth:`Objects.recipe` tells of."""
    return Objects(Repository(root, git_dir, common_dir), folder)


class _Found:
    """Files while they are listed."""

    def __init__(self) -> None:
        self.blobs: dict[str, str] = {}
        self.unread: list[tuple[str, str]] = []

    def enter_all(self, line: re.Pattern[bytes], listing: bytes) -> None:
        """Add what git lists.

        Args:
            line: finds the mode, the id and the name of each.
            listing: as git prints it.
        """
        rows = line.findall(listing)
        names = b"\0".join([row[2] for row in rows])
        paths: Sequence[str | None]
        try:
            paths = names.decode("utf-8").split("\0")
        except UnicodeDecodeError:
            paths = [self._path(row[2]) for row in rows]
        ids = b"\0".join([row[1] for row in rows]).decode("ascii").split("\0")
        for (mode, _, _), blob, path in zip(rows, ids, paths, strict=True) if rows else ():
            if path is None or mode == _LINK:
                continue
            if mode == _SUBMODULE:
                self.unread.append((path, "a submodule: another repository"))
            else:
                self.blobs[path] = blob

    def leave(self, name: bytes) -> str | None:
        """Drop what git has under a name; return the path, None if it is no text."""
        path = self._path(name)
        if path is not None:
            self.blobs.pop(path, None)
        return path

    def _path(self, name: bytes) -> str | None:
        try:
            return name.decode("utf-8")
        except UnicodeDecodeError:
            self.unread.append((name.decode("utf-8", "replace"), "its name is no UTF-8 text"))
            return None


def blob_id(content: bytes, algorithm: str) -> str:
    """Return the id that git gives to a content."""
    whole = hashlib.new(algorithm, b"blob %d\0" % len(content), usedforsecurity=False)
    whole.update(content)
    return whole.hexdigest()


def _answer(pipe: IO[bytes], watch: Watch) -> bytes | None:
    head: bytes = pipe.readline()
    words = head.split()
    if not head:
        raise _ended(watch)
    if len(words) != 3 or not words[2].isdigit():  # noqa: PLR2004 id, type and size
        return None
    size = int(words[2])
    content: bytes = pipe.read(size + 1)
    if len(content) != size + 1:
        raise _ended(watch)
    return content[:size] if words[1] == b"blob" else None


def _ended(watch: Watch) -> GitError:
    watch.close()
    return watch.reason or GitError("git cat-file ended too early")
