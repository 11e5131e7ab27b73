"""A lock that a start call holds for as long as any of its processes lives, whoever made the call.

A foreign runner behind ``sudo`` or ``docker exec`` may answer, and start the job, long after the dispatcher that called
it was killed. So the call's standard input is an empty file with a ``flock`` on it: the lock belongs to the open file,
which every process of the call has, and which even a program that closes all other descriptors keeps. The next
dispatcher starts nothing again while it is held. The embedded runner starts a job once by its key and needs no lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress

from bespeak.base.errors import UnavailableError
from bespeak.base.fileio import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.storage.interface import Engine

_LONGEST_NAME = 100
_HELD = (errno.EAGAIN, errno.EACCES)


def calls_folder(engine: Engine, environ: Mapping[str, str]) -> str:
    """Return where the locks of a store's calls are, the same for every dispatcher that may take a claim over."""
    if engine.dialect == "sqlite":
        return os.path.realpath(engine.name) + "-calls"
    from bespeak.base.paths import user_folder

    return os.path.join(user_folder(environ, "state"), "calls")


class CallLocks:
    """The locks of the calls for one store.

    Args:
        folder: where their files are; made when first needed.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def take(self, reservation_id: str) -> int | None:
        """Return a descriptor that holds the lock of a reservation's call, or None when a call is under way.

        Raises:
            UnavailableError: the file cannot be made or locked.
        """
        path = self._path(reservation_id)
        try:
            self._make_folder()
            while True:
                descriptor = open_regular(path, os.O_RDONLY | os.O_CREAT, 0o644, follow=False)
                if not _lock(descriptor):
                    return None
                if _is_at(descriptor, path):
                    return descriptor
                os.close(descriptor)  # it was removed between the two calls
        except OSError as error:
            raise UnavailableError(f"{path}: the start call cannot be locked: {error.strerror}") from error

    def is_held(self, reservation_id: str) -> bool:
        """Tell whether a process of an earlier start call is still alive; the file of one that has ended is removed.

        Raises:
            UnavailableError: the file cannot be locked.
        """
        return self._is_held(self._path(reservation_id))

    @staticmethod
    def _is_held(path: str) -> bool:
        try:
            descriptor = open_regular(path, follow=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise UnavailableError(f"{path}: the start call cannot be asked for: {error.strerror}") from error
        if not _lock(descriptor):
            return True
        try:
            if _is_at(descriptor, path):
                os.unlink(path)
        finally:
            os.close(descriptor)
        return False

    def discard(self, reservation_id: str) -> None:
        """Remove the file of a call that has ended; one that is under way, or another user's, stays."""
        with suppress(UnavailableError):
            self.is_held(reservation_id)

    def sweep(self) -> None:
        """Remove the files of calls that have ended and that nobody asked for again."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return  # there are none
        for name in names:
            with suppress(UnavailableError):  # another user's
                self._is_held(os.path.join(self._folder, name))

    def _path(self, reservation_id: str) -> str:
        name = reservation_id
        if len(name) > _LONGEST_NAME or not name.isascii() or not name.replace("-", "").isalnum():
            import hashlib

            name = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return os.path.join(self._folder, name)

    def _make_folder(self) -> None:
        """Make the folder, with the rights of the one it is in: whoever may use the store may use the locks."""
        if os.path.isdir(self._folder) and not os.path.islink(self._folder):
            return
        parent = os.path.dirname(self._folder)
        os.makedirs(parent, mode=0o700, exist_ok=True)
        try:
            os.mkdir(self._folder, 0o700)
        except FileExistsError:
            if os.path.isdir(self._folder) and not os.path.islink(self._folder):
                return
            raise
        os.chmod(self._folder, stat.S_IMODE(os.stat(parent).st_mode))


def _lock(descriptor: int) -> bool:
    """Take the lock and return True; when somebody has it, close the descriptor and return False."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in _HELD:
            return False
        raise
    return True


def _is_at(descriptor: int, path: str) -> bool:
    own = os.fstat(descriptor)
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino)
