"""Running git: in a directory of our own over the repository, with nothing that the repository could name.

Nothing that git makes stays, neither in the work tree nor the index nor the object store: objects of a merge that is
only tried go to the private directory, which is removed at the end.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UnavailableError
from bespeak.git import ownership, private_dir
from bespeak.git.errors import GitError, UnknownRevisionError
from bespeak.git.files import first_endless, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from bespeak.git.repository import Repository

PATIENCE_SECONDS = 0.5
"""How long git may be silent before we look whether it waits for something that never comes."""

_PIPE = subprocess.PIPE
_MERGES_WITHOUT_A_TREE = (2, 38)
_SETTINGS = (
    r"^(core\.(filemode|ignorecase|symlinks|precomposeunicode|trustctime|checkstat|autocrlf|eol|excludesfile"
    r"|sparsecheckout|sparsecheckoutcone)"
    r"|(merge|diff)\.(renames|renamelimit)|merge\.(directoryrenames|renormalize|conflictstyle)"
    r"|branch\..*\.(remote|merge|pushremote)|remote\..*\.(fetch|push)|remote\.pushdefault|push\.default)$"
)
"""What decides how files and names are read, and names no program."""
_UNKNOWN = (b"unknown revision", b"ambiguous argument", b"Needed a single revision", b"bad revision")
_IN_COMMON = ("objects", "refs", "logs", "info", "reftable", "worktrees", "packed-refs", "shallow")
_IN_OWN = ("HEAD", "index", "refs", "logs")


class Git:
    """git in one repository; a context manager.

    Args:
        repository: where.
        folder: a private directory that another process made and keeps; None to make one when it is needed.
    """

    def __init__(self, repository: Repository, folder: str | None = None) -> None:
        self.repository = repository
        self._given = folder
        self._made: str | None = None
        self._env: dict[str, str] = {}
        self._has_settings = False
        self._version: tuple[int, ...] | None = None

    @property
    def folder(self) -> str:
        """The private directory.

        Raises:
            NotOwnedError: the repository is another user's.
            GitError: something in it is no regular file.
        """
        if self._given is not None:
            return self._given
        if self._made is None:
            ownership.check(self.repository)
            self._made = private_dir.make(self.repository)
        return self._made

    def close(self) -> None:
        """Remove what was made."""
        made, self._made = self._made, None
        self._env = {}
        if made is not None:
            private_dir.remove(made)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _environment(self) -> dict[str, str]:
        if not self._env:
            root, env = self.repository.root, os.environ
            objects = env.get("GIT_OBJECT_DIRECTORY") or os.path.join(self.repository.common_dir, "objects")
            more = env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
            index = env.get("GIT_INDEX_FILE") or os.path.join(self.repository.git_dir, "index")
            self._env = ownership.environment() | {
                "GIT_DIR": self.folder,
                "GIT_WORK_TREE": root,
                "GIT_INDEX_FILE": os.path.join(root, index),
                "GIT_OBJECT_DIRECTORY": os.path.join(self.folder, "objects"),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(
                    [_quoted(os.path.join(root, objects)), *([more] if more else [])]
                ),
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
            }
            for role in ("AUTHOR", "COMMITTER"):
                self._env |= {f"GIT_{role}_NAME": "plan", f"GIT_{role}_EMAIL": "plan@localhost"}
        return self._env

    def start(
        self,
        *words: str,
        stdin: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        more: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start git with pipes; ``more`` is added to its environment.

        Raises:
            UnavailableError: there is no git.
        """
        env = self._environment() | dict(more or {})
        command = [ownership.program(), "--no-pager", *words]
        try:
            return subprocess.Popen(
                command, cwd=self.repository.root, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr
            )
        except OSError as error:
            raise UnavailableError(f"git cannot be run: {error.strerror or error}") from None

    def try_(
        self, *words: str, data: bytes | None = None, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git whatever comes of it; ``more`` is added to its environment.

        Raises:
            UnavailableError: there is no git.
            GitError: it would wait for ever.
        """
        if data is None:
            return self._try(words, subprocess.DEVNULL, more)
        import tempfile

        try:
            # Not a pipe: `communicate` sends no more of its input once it was interrupted by a timeout.
            with tempfile.TemporaryFile(dir=self.folder) as given:
                given.write(data)
                given.seek(0)
                return self._try(words, given.fileno(), more)
        except OSError as error:
            raise UnavailableError(f"{self.folder}: git's input cannot be written: {error.strerror or error}") from None

    def _try(
        self, words: tuple[str, ...], stdin: int, more: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[bytes]:
        with self.start(*words, stdin=stdin, more=more) as process:
            try:
                out, err = self._communicate(process)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def _communicate(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
        patience = PATIENCE_SECONDS
        while True:
            try:
                return process.communicate(timeout=patience)
            except subprocess.TimeoutExpired:
                self.must_not_wait()
                patience *= 4

    def must_not_wait(self) -> None:
        """Look whether git waits for something that never comes.

        Raises:
            GitError: there is a pipe or a device where it expects a file.
        """
        common, own = self.repository.common_dir, self.repository.git_dir
        stores = read_text(os.path.join(common, "objects", "info", "alternates")).splitlines()
        places = [os.path.join(common, name) for name in _IN_COMMON] + [os.path.join(own, name) for name in _IN_OWN]
        places += [os.path.join(common, "objects", store) for store in stores]
        if (path := first_endless(places, self.repository.root)) is not None:
            raise GitError(f"no regular file: {escape_unprintable(path)}")

    def run(self, *words: str, data: bytes | None = None) -> bytes:
        """Run git and return what it prints.

        Raises:
            GitError: it fails.
        """
        done = self.try_(*words, data=data)
        if done.returncode:
            raise GitError(f"git {words[0]} failed: {last_line(done.stderr)}")
        return done.stdout

    def commit_of(self, revision: str) -> str:
        """Return the id of the commit that a revision names.

        Raises:
            UnknownRevisionError: it names none.
        """
        if not revision or "\0" in revision:
            raise UnknownRevisionError(revision)
        if "@{" in revision:  # what follows a branch is told by settings
            self.use_settings()
        found = self.try_("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        commit = found.stdout.decode("ascii", "replace").strip()
        if found.returncode or not commit:
            said = found.stderr.strip()
            known = not said or any(word in said for word in _UNKNOWN)
            raise UnknownRevisionError(revision, "" if known else last_line(said))
        return commit

    def use_settings(self) -> None:
        """Let the user's and the repository's settings count that decide how files and names are read."""
        if self._has_settings:
            return
        self._has_settings = True
        folder = self.folder
        told = ownership.in_place(self.repository, "config", "-z", "--get-regexp", _SETTINGS).stdout
        pairs = []
        for each in os.fsdecode(told).split("\0")[:-1]:
            name, separator, text = each.partition("\n")
            value = text if separator else "true"
            if name == "core.excludesfile":
                value = os.path.expanduser(value)
                if not os.path.isfile(value) or not os.path.isabs(value):
                    continue
            pairs.append((name, value))
        private_dir.add_settings(folder, pairs)

    def commit_tree_of(self, revision: str) -> str:
        """Return the id of the tree of a revision."""
        return self.run("rev-parse", "--verify", f"{revision}^{{tree}}").decode("ascii").strip()

    def use_own_index(self) -> None:
        """Let git read and write an index of its own, so that trees can be made; the repository's is left alone."""
        self._environment()["GIT_INDEX_FILE"] = os.path.join(self.folder, "own-index")

    def store(self) -> str:
        """Return the object store of the repository, for what is to be kept there."""
        objects = os.environ.get("GIT_OBJECT_DIRECTORY") or os.path.join(self.repository.common_dir, "objects")
        return os.path.join(self.repository.root, objects)

    @property
    def version(self) -> tuple[int, ...]:
        """The version of git, as numbers."""
        if self._version is None:
            words = self.run("version").decode("ascii", "replace").split()
            parts = words[2].split(".") if len(words) > 2 else []  # noqa: PLR2004 "git version 2.39.5"
            self._version = tuple(int(part) for part in parts if part.isdigit())
        return self._version

    def must_merge(self) -> None:
        """Refuse a git that cannot merge without a work tree.

        Raises:
            UnavailableError: it is too old.
        """
        if self.version < _MERGES_WITHOUT_A_TREE:
            shown = ".".join(str(part) for part in self.version)
            raise UnavailableError(f"git {shown} cannot try a merge (merge-tree --write-tree); 2.38 or newer can")


class Watch:
    """Looks whether a git that stays open waits for ever; it is then ended, and ``reason`` says why.

    Args:
        git: where it runs.
        process: what is watched.
    """

    def __init__(self, git: Git, process: subprocess.Popen[bytes]) -> None:
        self._git = git
        self._process = process
        self._over = threading.Event()
        self._asked_at = 0.0
        self.reason: GitError | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def asked(self) -> None:
        """A question was put to it."""
        self._asked_at = time.monotonic()

    def answered(self) -> None:
        """It has answered."""
        self._asked_at = 0.0

    def close(self) -> None:
        """Watch no longer."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        patience = PATIENCE_SECONDS
        while not self._over.wait(patience):
            since = self._asked_at
            if not since or time.monotonic() - since < patience:
                patience = PATIENCE_SECONDS
                continue
            try:
                self._git.must_not_wait()
            except GitError as waits:
                self.reason = waits
                self._process.kill()
                return
            patience *= 4


def hooks_folder(repository: Repository) -> str:
    """Return the folder in which git looks for hooks, absolute.

    Raises:
        NotOwnedError: the repository is another user's.
        GitError: git fails.
    """
    ownership.check(repository)
    asked = ownership.in_place(repository, "rev-parse", "--git-path", "hooks")
    if asked.returncode:
        raise ownership.refusal(asked.stderr)
    return os.path.realpath(os.path.join(repository.root, os.fsdecode(asked.stdout).removesuffix("\n")))


def last_line(text: bytes) -> str:
    """Return the last line of what git said on stderr, safe to print."""
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return escape_unprintable(lines[-1].strip()) if lines else "it said nothing"


def _quoted(path: str) -> str:
    """Return a path as git reads it in a list of folders."""
    if os.pathsep not in path and not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
