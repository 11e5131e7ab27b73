"""Reading the files people write: regular files only, never blocking, with a signature of what was read.

A named pipe in place of a settings file must not hang a command, and "I may not look" must never be taken for "it
is not there": a gate that cannot see its settings would stand open.
"""

from __future__ import annotations

import os
import stat

Signature = tuple[int, int, int, int, int]
"""What tells two versions of a file apart: mtime (ns), ctime (ns), size (bytes), inode, device."""

LIMIT_BYTES = 16 * 1024 * 1024
"""Settings and lab files larger than this are refused; nobody writes them by hand."""

_RACY_NS = 2_000_000_000


def _signature(status: os.stat_result) -> Signature:
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)


def signature(path: str) -> Signature | None:
    """Return the signature of what is at ``path`` (links followed), or None if nothing is there.

    Raises:
        OSError: there may be something, but it cannot be looked at.
    """
    try:
        return _signature(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def settled(sign: Signature, now_ns: int) -> bool:
    """Tell whether a file was last touched long enough ago for its signature to prove that it is unchanged.

    File systems stamp with the tick of a clock; two writes within one tick leave the same signature.

    Args:
        sign: the signature taken when the file was read.
        now_ns: the present, in ns since 1970.
    """
    return max(sign[0], sign[1]) + _RACY_NS < now_ns


def read_regular(path: str, limit: int | None = LIMIT_BYTES) -> tuple[bytes, Signature]:
    """Read a whole regular file.

    Args:
        path: the file; links are followed.
        limit: the largest size accepted, in bytes; None for any.

    Returns:
        The content, and the signature that the file had when it was opened.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger than ``limit``.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path!r} is not a regular file")
        if limit is not None and status.st_size > limit:
            raise OSError(f"{path!r} is larger than {limit} bytes")
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(), _signature(status)
    finally:
        os.close(descriptor)
