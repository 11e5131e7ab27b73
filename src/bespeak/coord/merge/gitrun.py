"""Running git for a plan: nothing it makes stays, neither in the work tree nor the index nor the object store.

A merge that is only tried writes objects. They go to a folder of their own, which borrows from the repository's
store and is removed at the end.
"""

from __future__ import annotations

import os
import subprocess
import tempfile

from bespeak.coord.errors import ClaimError
from bespeak.errors import UnavailableError
from bespeak.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from bespeak.git.repository import Repository

_MERGES_WITHOUT_A_TREE = (2, 38)
_LEFT_OUT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


class Git:
    """git in one repository, with a passing object store; a context manager.

    Args:
        repository: where.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._folder = tempfile.TemporaryDirectory(prefix="bespeak-merge-")
        self._env = {name: text for name, text in os.environ.items() if name not in _LEFT_OUT}
        theirs = self._env.get("GIT_OBJECT_DIRECTORY") or os.path.join(repository.common_dir, "objects")
        others = self._env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
        self._env |= {
            "LC_ALL": "C",
            "GIT_OBJECT_DIRECTORY": self._folder.name,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join([_quoted(theirs), *([others] if others else [])]),
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }
        for role in ("AUTHOR", "COMMITTER"):
            self._env |= {f"GIT_{role}_NAME": "plan", f"GIT_{role}_EMAIL": "plan@localhost"}
        self._version: tuple[int, ...] | None = None

    def close(self) -> None:
        """Remove what was made."""
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def try_(self, *words: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run git whatever comes of it.

        Raises:
            UnavailableError: there is no git.
        """
        where = [f"--git-dir={self._repository.git_dir}", f"--work-tree={self._repository.root}"]
        try:
            return subprocess.run(
                ["git", *where, *words],
                cwd=self._repository.root,
                env=self._env,
                input=b"" if data is None else data,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise UnavailableError(f"git cannot be run: {error.strerror or error}") from None

    def run(self, *words: str, data: bytes | None = None) -> bytes:
        """Run git and return what it prints.

        Raises:
            ClaimError: it fails.
        """
        done = self.try_(*words, data=data)
        if done.returncode:
            raise ClaimError(f"git {words[0]} failed: {last_line(done.stderr)}")
        return done.stdout

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


def last_line(text: bytes) -> str:
    """Return the last line of what git said on stderr, safe to print."""
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return safe(lines[-1].strip()) if lines else "it said nothing"


def _quoted(path: str) -> str:
    """Return a path as git reads it in a list of folders."""
    if os.pathsep not in path and not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
