"""The git repository that somebody works in, read from its files: starting git would cost more than the answer."""

from __future__ import annotations

import os

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import NoContextError
from bespeak.base.frozen import frozen
from bespeak.git.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Repository:
    """One work tree.

    Args:
        root: its top folder, links resolved.
        git_dir: what is its own: ``HEAD``, the index.
        common_dir: what all work trees of the clone share.
    """

    root: str
    git_dir: str
    common_dir: str


def readable(name: str) -> str:
    """Return a name as text that a book can hold; git's names of branches and files are bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def find(folder: str, environ: Mapping[str, str] | None = None, *, bare: bool = False) -> Repository:
    """Return the repository around ``folder``.

    Args:
        folder: an absolute path.
        bare: one without a work tree will do; its root is then its git directory.
        environ: the environment; ``GIT_DIR`` and ``GIT_WORK_TREE`` count as they do for git.

    Raises:
        NoContextError: there is none.
    """
    env = os.environ if environ is None else environ
    named = env.get("GIT_DIR")
    if named:
        git_dir = os.path.realpath(os.path.join(folder, named))
        root = os.path.join(folder, env.get("GIT_WORK_TREE") or _top(folder))
        found = _at(os.path.realpath(root), git_dir)
    else:
        found = around(folder)
    if found is None and bare:
        found = _bare_around(folder)
    if found is None:
        if _is_bare(folder):
            raise NoContextError(
                f"a bare repository has no files to claim; use one of its work trees: {escape_unprintable(folder)}"
            )
        raise NoContextError(f"not a git repository (or any folder above): {escape_unprintable(folder)}")
    return found


def _bare_around(folder: str) -> Repository | None:
    top = os.path.realpath(folder)
    while not _is_bare(top):
        top, below = os.path.dirname(top), top
        if top == below:
            return None
    return _at(top, top)


def _is_bare(folder: str) -> bool:
    return all(os.path.exists(os.path.join(folder, name)) for name in ("HEAD", "objects", "refs"))


def around(folder: str) -> Repository | None:
    """Return the repository whose work tree ``folder`` is in, by the ``.git`` in it or above it."""
    top = os.path.realpath(folder)
    while True:
        git = os.path.join(top, ".git")
        if os.path.isdir(git):
            found = _at(top, git)
        else:
            where = read_text(git)
            linked = os.path.join(top, where.removeprefix("gitdir:").strip())
            found = _at(top, os.path.realpath(linked)) if where.startswith("gitdir:") else None
        if found is not None:
            return found
        above = os.path.dirname(top)
        if above == top:
            return None
        top = above


def _top(folder: str) -> str:
    """Return the folder around ``folder`` that has a ``.git``, else itself: git calls hooks in the top folder."""
    found = around(folder)
    return folder if found is None else found.root


def _at(root: str, git_dir: str) -> Repository | None:
    if not os.path.lexists(os.path.join(git_dir, "HEAD")):
        return None
    shared = read_text(os.path.join(git_dir, "commondir")).strip()
    return Repository(root, git_dir, os.path.realpath(os.path.join(git_dir, shared)) if shared else git_dir)


def name_of(repository: Repository) -> str:
    """Return the name of a repository in a book that many repositories share.

    All clones of one origin have one name; a repository without an origin is known by its place on this machine.
    """
    section = ""
    for line in read_text(os.path.join(repository.common_dir, "config")).splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text
        elif section == '[remote "origin"]' and text.partition("=")[0].strip() == "url":
            return plain_url(text.partition("=")[2].strip().strip('"'))
    return repository.common_dir


def plain_url(url: str) -> str:
    """Return the host and path of a git URL, so that every way to write it, and every user, gives the same name."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme != "file":
        host, _, path = rest.partition("/")
        host = host.rpartition("@")[2]
    elif not separator and ":" in url.partition("/")[0]:
        host, _, path = url.partition(":")
        host = host.rpartition("@")[2]
    else:
        return (rest if separator else url).removesuffix("/").removesuffix(".git")
    return f"{host.partition(':')[0].lower()}/{path.strip('/').removesuffix('.git')}"
