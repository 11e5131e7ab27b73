"""Which folders clients of a server may name.

A server reads with the rights of its account, which are wider than those of whoever asks. What a folder's name means
is settled once, links resolved, and only what lies in a folder that is served, or is a work tree of a repository that
is, may be opened. The files of git inside a folder say where its repository is, so those are not believed either.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bespeak.git.repository import around

if TYPE_CHECKING:
    from bespeak.git.repository import Repository

_LONGEST = 4096


def served(folder: str, roots: tuple[str, ...]) -> str | None:
    """Return the real path of a folder if it is served, else None.

    Args:
        folder: an absolute path.
        roots: the folders that are served, absolute.
    """
    try:
        real = os.path.realpath(folder)
        homes = tuple(os.path.realpath(root) for root in roots)
    except ValueError:
        return None
    inside, found = _within(real, homes), around(real)
    if found is None:
        return real if inside else None
    common = os.path.realpath(found.common_dir)
    if common in _repositories(homes):
        return real if inside or _is_registered(found, common) else None
    return real if inside and _within(common, homes) and _within(os.path.realpath(found.git_dir), homes) else None


def _within(path: str, homes: tuple[str, ...]) -> bool:
    return any(path == home or path.startswith(home.rstrip("/") + "/") for home in homes)


def _repositories(homes: tuple[str, ...]) -> set[str]:
    return {os.path.realpath(found.common_dir) for home in homes if (found := around(home)) is not None}


def _is_registered(found: Repository, common: str) -> bool:
    """Whether a repository knows a folder as its work tree, too; the folder says so of itself."""
    if os.path.join(found.root, ".git") == common:
        return True
    try:
        with open(os.path.join(found.git_dir, "gitdir"), encoding="utf-8", errors="surrogateescape") as file:
            registered = file.read(_LONGEST).strip()
    except OSError:
        return False
    root, name = os.path.split(os.path.join(found.git_dir, registered))
    return name == ".git" and os.path.realpath(root) == found.root
