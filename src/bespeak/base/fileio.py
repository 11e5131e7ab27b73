"""Reading and replacing files: regular files only, never blocking, with a signature of what was read.

A named pipe in place of a settings file must not hang a command, and "I may not look" must never be taken for "it
is not there": a gate that cannot see its settings would stand open. What is written goes into a new file of a random
name, so that nothing that somebody laid in the way is followed, shortened or overwritten.
"""

from __future__ import annotations

import errno
import os
import stat
import time

Signature = tuple[int, int, int, int, int]
"""What tells two versions of a file apart: mtime (ns), ctime (ns), size (bytes), inode, device."""

LIMIT_BYTES = 16 * 1024 * 1024
"""Settings and lab files larger than this are refused; nobody writes them by hand."""

_RACY_NS = 2_000_000_000
_OTHERS_MAY = 0o077
_EMPTY_LOOKS = 40
_EMPTY_PAUSE_SECONDS = 0.025


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


def stays_empty(path: str) -> bool:
    """Tell whether there is an empty file at ``path`` (a link is none), for longer than making a database takes."""
    for look in range(_EMPTY_LOOKS):
        if look:
            time.sleep(_EMPTY_PAUSE_SECONDS)
        if not empty_file(path):
            return False
    return True


def empty_file(path: str) -> bool:
    """Tell whether there is an empty regular file at ``path``; a link is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def settled(sign: Signature, now_ns: int) -> bool:
    """Tell whether a file was last touched long enough ago for its signature to prove that it is unchanged.

    File systems stamp with the tick of a clock; two writes within one tick leave the same signature.

    Args:
        sign: the signature taken when the file was read.
        now_ns: the present, in ns since 1970.
    """
    return max(sign[0], sign[1]) + _RACY_NS < now_ns


def open_regular(path: str, flags: int = os.O_RDONLY, mode: int = 0o600, *, follow: bool = True) -> int:
    """Open a regular file without ever blocking, and return its descriptor.

    Not for a database of SQLite: closing it would drop the locks that SQLite has on it in this process.

    Args:
        path: the file.
        flags: as for :func:`os.open`; never with ``O_TRUNC``.
        mode: the permissions of a new file.
        follow: accept a link.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    flags |= os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags, mode)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENODEV):  # a socket, a pipe nobody reads, a device that is not there
            raise _irregular(path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _irregular(path)
    os.set_blocking(descriptor, True)
    return descriptor


def _irregular(path: str) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", path)


def read_regular(path: str, limit: int | None = LIMIT_BYTES, *, follow: bool = True) -> tuple[bytes, Signature]:
    """Read a whole regular file.

    Args:
        path: the file.
        limit: the largest size accepted, in bytes; None for any.
        follow: accept a link.

    Returns:
        The content, and the signature that the file had when it was opened.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger than ``limit``.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening alone has an effect on some devices
        raise _irregular(path)
    descriptor = open_regular(path, follow=follow)
    with open(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        content = stream.read() if limit is None else stream.read(limit + 1)
    if limit is not None and len(content) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes", path)
    return content, _signature(status)


def read_own(path: str, limit: int = LIMIT_BYTES) -> bytes | None:
    """Read a file that this user wrote; None if it belongs to somebody else, or others have any right to it.

    Args:
        path: the file; a link is not followed.
        limit: the largest size accepted, in bytes.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger than ``limit``.
    """
    descriptor = open_regular(path, follow=False)
    with open(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid() or status.st_mode & _OTHERS_MAY:
            return None
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", path)
        return stream.read(limit)


def write_atomically(path: str, content: bytes, mode: int = 0o600, *, always: int = 0) -> None:
    """Put a new file in the place of ``path`` in one step; a link there is replaced, not followed.

    Args:
        path: the file.
        content: all of it.
        mode: its permissions, less what the umask takes.
        always: permissions that the umask does not take.

    Raises:
        OSError: it cannot be written, or there is something else than a file or a link.
    """
    try:
        found = os.lstat(path).st_mode
    except FileNotFoundError:
        pass
    else:
        if not stat.S_ISREG(found) and not stat.S_ISLNK(found):
            raise _irregular(path)
    temporary = f"{path}.{os.urandom(8).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
            if always:
                os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) | always)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
