"""Reading the files of a repository: a pipe or a device in the place of a file never makes a command wait."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST = 65_536
_IN_WORK_TREE = (".gitattributes", ".gitignore")
"""Files of a work tree that git reads to know about others."""


def read_text(path: str, limit: int = _LONGEST) -> str:
    """Return the text of a small file, at most ``limit`` bytes of it; nothing if there is no such regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.fsdecode(os.read(descriptor, limit)).partition("\0")[0]
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def read_file(path: str) -> bytes:
    """Return the contents of a regular file that is no link.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no regular file", path)
        return file.read()


def is_endless(path: str) -> bool:
    """Tell whether whoever reads a path may wait for ever: it is, or leads to, a pipe or a device but ``/dev/null``."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return False
    mode = status.st_mode
    device = stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
    return stat.S_ISFIFO(mode) or (device and status.st_rdev != os.stat(os.devnull).st_rdev)


def first_endless(places: Iterable[str], work_tree: str) -> str | None:
    """Return a path at which git would wait for ever, or None.

    Args:
        places: files and folders in which everything is git's.
        work_tree: a folder in which git reads ignore rules and attributes only.
    """
    for place in places:
        for path in _everything_in(place):
            if is_endless(path):
                return path
    for folder, folders, names in os.walk(work_tree):
        if ".git" in folders:
            folders.remove(".git")
        for name in names:
            path = os.path.join(folder, name)
            if name in _IN_WORK_TREE and is_endless(path):
                return path
    return None


def _everything_in(folder: str) -> Iterator[str]:
    yield folder
    for above, _, names in os.walk(folder):
        yield from (os.path.join(above, name) for name in names)
