"""On what kind of file system a folder is, as the kernel says."""

from __future__ import annotations

import os

_MOUNTS = "/proc/self/mountinfo"
_SEPARATOR = "-"


def kind_of(folder: str, mounts: str | None = None) -> str | None:
    """Return the kind of the file system that a folder is on, such as ``ext4`` or ``nfs4``; None if nobody says.

    Args:
        folder: an existing folder.
        mounts: what the kernel says of the mounts; by default it is asked.
    """
    if mounts is None:
        try:
            with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as stream:
                mounts = stream.read()
        except OSError:
            return None
    real = os.path.realpath(folder)
    best, kind = "", None
    for line in mounts.splitlines():
        words = line.split(" ")
        if _SEPARATOR not in words:
            continue
        point = words[4].encode("latin-1", "replace").decode("unicode_escape") if "\\" in words[4] else words[4]
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):  # of two on one point, the later one lies above
            best, kind = point, words[words.index(_SEPARATOR) + 1]
    return kind
