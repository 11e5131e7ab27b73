"""What a revision or a work tree holds, read through git itself: files by path, contents by id.

Contents are fetched from one ``git cat-file --batch`` that stays open; starting git for each file would cost more than
reading it. Links are no files of their own and are left out; a submodule is another repository, and is said to be.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess

from bespeak.coord.errors import ClaimError
from bespeak.coord.symbols.model import Unread
from bespeak.errors import BespeakError
from bespeak.text import safe
from bespeak.values import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

    from bespeak.git.repository import Repository

_AT_ONCE = 256
_LINK, _SUBMODULE = "120000", "160000"


@value
class Listing:
    """The files of a revision or of a work tree.

    Args:
        commit: its commit; the one that is checked out, for a work tree; empty if there is none yet.
        blobs: the id of the contents of each file, by path.
        loose: contents that are not in git, by id, for a work tree: the paths to read them from.
        unread: what is there but cannot be read.
    """

    commit: str
    blobs: dict[str, str]
    loose: dict[str, str]
    unread: tuple[Unread, ...]


def command(repository: Repository, *words: str) -> list[str]:
    """Return a command line of git for a repository, wherever it is run."""
    place = ("--git-dir", repository.git_dir, "--work-tree", repository.root)
    return ["git", *place, "-c", "core.quotePath=false", *words]


def environment() -> dict[str, str]:
    """Return the environment for git: no lock taken, nothing fetched, messages in English."""
    return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}


def _run(repository: Repository, *words: str) -> bytes:
    done = subprocess.run(
        command(repository, *words), check=False, capture_output=True, cwd=repository.root, env=environment()
    )
    if done.returncode:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no word why"])[-1]
        raise BespeakError(f"git {words[0]} failed: {safe(last)}")
    return done.stdout


def commit_of(repository: Repository, revision: str) -> str:
    """Return the commit that a revision names.

    Raises:
        ClaimError: it names none.
    """
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    if "\0" not in revision and revision:
        asked = subprocess.run(
            command(repository, *words), check=False, capture_output=True, cwd=repository.root, env=environment()
        )
        found = asked.stdout.decode("ascii", "replace").strip()
        if asked.returncode == 0 and found:
            return found
    raise ClaimError(f"no such revision: {safe(revision) or 'empty'}")


def revision(repository: Repository, name: str) -> Listing:
    """Return the files of a revision: a branch, a tag, a commit id, ``HEAD~2``.

    Raises:
        ClaimError: there is no such revision.
    """
    commit = commit_of(repository, name)
    blobs: dict[str, str] = {}
    unread: list[Unread] = []
    for line in _run(repository, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
        about, _, name_bytes = line.partition(b"\t")
        mode, _, blob = about.decode("ascii").split(" ")
        _enter(mode, blob, name_bytes, blobs, unread)
    return Listing(commit, blobs, {}, tuple(unread))


def _enter(mode: str, blob: str, name: bytes, blobs: dict[str, str], unread: list[Unread]) -> None:
    try:
        path = name.decode("utf-8")
    except UnicodeDecodeError:
        unread.append(Unread(name.decode("utf-8", "replace"), "its name is no UTF-8 text"))
        return
    if mode == _SUBMODULE:
        unread.append(Unread(path, "a submodule: another repository"))
    elif mode != _LINK:
        blobs[path] = blob


def worktree(repository: Repository) -> Listing:
    """Return the files of the work tree as they are: changed and new ones too, ignored ones not."""
    try:
        commit = commit_of(repository, "HEAD")
    except ClaimError:
        commit = ""
    blobs: dict[str, str] = {}
    unread: list[Unread] = []
    for line in _run(repository, "ls-files", "-s", "-z", "--full-name").split(b"\0")[:-1]:
        about, _, name = line.partition(b"\t")
        mode, blob, _ = about.decode("ascii").split(" ")
        _enter(mode, blob, name, blobs, unread)
    others = _run(repository, "ls-files", "-o", "-z", "--exclude-standard", "--full-name").split(b"\0")[:-1]
    changed = _run(repository, "diff-files", "--name-only", "-z", "--ignore-submodules=all").split(b"\0")[:-1]
    loose: dict[str, str] = {}
    algorithm = "sha256" if _uses_sha256(repository) else "sha1"
    for name in sorted({*others, *changed}):
        _enter_loose(repository.root, name, algorithm, blobs, loose, unread)
    return Listing(commit, dict(sorted(blobs.items())), loose, tuple(unread))


def _enter_loose(
    root: str, name: bytes, algorithm: str, blobs: dict[str, str], loose: dict[str, str], unread: list[Unread]
) -> None:
    try:
        path = name.decode("utf-8")
    except UnicodeDecodeError:
        unread.append(Unread(name.decode("utf-8", "replace"), "its name is no UTF-8 text"))
        return
    blobs.pop(path, None)
    full = os.path.join(root, path)
    try:
        if not stat.S_ISREG(os.lstat(full).st_mode):
            return
        content = read_file(full)
    except FileNotFoundError:
        return
    except OSError as failed:
        unread.append(Unread(path, f"cannot be read: {failed.strerror}"))
        return
    blob = blob_id(content, algorithm)
    blobs[path] = blob
    loose[blob] = path


def _uses_sha256(repository: Repository) -> bool:
    return _run(repository, "rev-parse", "--show-object-format").strip() == b"sha256"


def blob_id(content: bytes, algorithm: str) -> str:
    """Return the id that git gives to a content."""
    whole = hashlib.new(algorithm, b"blob %d\0" % len(content), usedforsecurity=False)
    whole.update(content)
    return whole.hexdigest()


def read_file(path: str) -> bytes:
    """Return the contents of a file that is no link.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        return file.read()


class Blobs:
    """The contents that git has, by id. Starts git when the first is asked for; close it after use."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._process: subprocess.Popen[bytes] | None = None

    def get(self, blob: str) -> bytes | None:
        """Return a content; None if this clone does not have it."""
        return next(iter(self.many((blob,))))[1]

    def many(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in the order asked for, each with its id."""
        process = self._started()
        if process.stdin is None or process.stdout is None:
            raise BespeakError("git cat-file has no pipes")
        for start in range(0, len(blobs), _AT_ONCE):
            # Few enough that the questions fit the pipe: git may block on its answers while we still ask.
            asked = blobs[start : start + _AT_ONCE]
            process.stdin.write("".join(blob + "\n" for blob in asked).encode("ascii", "replace"))
            process.stdin.flush()
            for blob in asked:
                yield blob, _answer(process.stdout)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                command(self._repository, "cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._repository.root,
                env=environment(),
            )
        return self._process

    def close(self) -> None:
        """End git."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None and process.stdout is not None:
            process.stdin.close()
            process.stdout.close()
            process.wait()


def _answer(pipe: IO[bytes]) -> bytes | None:
    head: bytes = pipe.readline()
    words = head.split()
    if not head:
        raise BespeakError("git cat-file ended too early")
    if len(words) != 3 or not words[2].isdigit():  # noqa: PLR2004 id, type and size
        return None
    size = int(words[2])
    content: bytes = pipe.read(size + 1)
    if len(content) != size + 1:
        raise BespeakError("git cat-file ended too early")
    return content[:size] if words[1] == b"blob" else None
