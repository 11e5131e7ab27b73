"""Whether git would work in a repository: it refuses those of other users, unless the user said otherwise.

A repository that wholly belongs to the caller is one that git accepts; asking it would cost a process. In every other
case git itself is asked, without naming the repository, because only then it looks: its rules for root, for sudo and
for the user's ``safe.directory`` are its own.
"""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import UnavailableError
from bespeak.git.errors import GitError, NotOwnedError
from bespeak.git.private_dir import must_be_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

    from bespeak.git.repository import Repository

_ASSUMED = "GIT_TEST_ASSUME_DIFFERENT_OWNER"
"""git takes every repository for another user's."""
_KEPT = (
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    _ASSUMED,
)
_PLACE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
_NO_FETCH = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}
"""Versions of git that do not know the first cannot fetch for lack of a protocol; no setting is above that."""


def program() -> str:
    """Return the path of git, from the absolute folders of ``PATH``: a relative one may lead into a repository.

    Raises:
        UnavailableError: there is none.
    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, "git")
        if os.path.isabs(folder) and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise UnavailableError("git cannot be run: there is none in PATH")


def environment() -> dict[str, str]:
    """Return the caller's environment without what steers git, and with what keeps it quiet."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    return kept | _NO_FETCH | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def in_place(repository: Repository, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in the repository itself, found as git finds it. Only for what reads no object and no index.

    Raises:
        GitError: a pipe or a device is where git reads a file.
        UnavailableError: git cannot be run, or does not answer.
    """
    import subprocess

    _must_not_wait(repository)
    env = environment() | {name: text for name, text in os.environ.items() if name.startswith("GIT_CONFIG_")}
    if _is_named(repository):
        env |= {name: os.environ[name] for name in _PLACE if name in os.environ}
    command = [program(), "--no-pager", "-c", "core.fsmonitor=false", *words]
    try:
        return subprocess.run(
            command,
            cwd=repository.root,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(
            f"git {words[0]} did not answer within {_LONGEST_SECONDS} s in {escape_unprintable(repository.root)}"
        ) from None
    except OSError as error:
        raise UnavailableError(f"git cannot be run: {error.strerror or error}") from None


def _must_not_wait(repository: Repository) -> None:
    """Refuse a repository in which git waits for ever before it has read its settings."""
    for folder in (repository.git_dir, repository.common_dir):
        for name in _READ_FIRST:
            must_be_plain(os.path.join(folder, name))


_READ_FIRST = ("HEAD", "commondir", "config", "config.worktree")
"""What git opens to find a repository and to know its settings."""
_LONGEST_SECONDS = 20
"""It reads a few settings; what takes longer waits for something that never comes."""


def _is_named(repository: Repository) -> bool:
    """Tell whether the environment names this repository, as git does for hooks."""
    named = os.environ.get("GIT_DIR")
    return bool(named) and os.path.realpath(os.path.join(repository.root, named or "")) == repository.git_dir


def check(repository: Repository) -> None:
    """Refuse a repository in which git would not work.

    Raises:
        NotOwnedError: it is another user's.
        GitError: git does not find it where its files are.
    """
    if _is_own(repository):
        return
    asked = in_place(repository, "rev-parse", "--absolute-git-dir")
    if asked.returncode:
        raise refusal(asked.stderr)
    if os.path.realpath(os.fsdecode(asked.stdout.rstrip(b"\n"))) != repository.git_dir:
        raise GitError(f"git takes another repository for that of {escape_unprintable(repository.root)}")


def refusal(said: bytes) -> GitError | NotOwnedError:
    """Return the error for what git said before it gave up: its own first line."""
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.startswith("fatal: ")]
    text = escape_unprintable(lines[0].removeprefix("fatal: ").strip()) if lines else "git failed and did not say why"
    return NotOwnedError(text) if "dubious ownership" in text or "unsafe repository" in text else GitError(text)


def _is_own(repository: Repository) -> bool:
    if _ASSUMED in os.environ:
        return False
    user = os.geteuid()
    parts = (repository.root, os.path.join(repository.root, ".git"), repository.git_dir, repository.common_dir)
    return all(_owner(path) in {user, None} for path in parts) and _owner(repository.git_dir) == user


def _owner(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None
