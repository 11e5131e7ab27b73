"""Wake-ups between processes on one machine: a FIFO for each sleeper, written to after COMMIT.

Watching the database file instead wakes sleepers before the commit can be seen, and polling costs either time or
processor. A FIFO has no path-length limit (a socket has), belongs to the file system's permissions, and a dead
sleeper shows itself: opening its FIFO for writing fails with ENXIO, and the next writer removes it. For the same
reason a new sleeper opens its FIFO under a hidden name first, and gives it the visible, never reused one afterwards.

Layout: ``<book>.wake/<checksum of topic>/<random>``. Two topics with one checksum only wake each other for nothing.

Whoever may write to the book's folder can put anything there, and so can a repository that has a book committed.
So no link is followed, everything is opened relative to a folder that was checked, and only FIFOs with one name
that belong to the book's people are written to or removed. Nothing else is changed, whatever lies there.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from selectors import BaseSelector
    from typing import Self

ALL_TOPICS = "*"
_HIDDEN = "."
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FIFO_FLAGS = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 1000
"""How often a new sleeper makes its topic's folder again when writers remove the empty one in between."""


def _folder_name(topic: str) -> str:
    return "all" if topic == ALL_TOPICS else f"{crc32(topic.encode()):08x}"


class _Folder:
    """An open folder of wake-ups, found to belong to the book's people.

    These are root, this process, the owner of the book's folder, and, where that folder was set up for a group
    (set-group-ID and group write permission), the group.
    """

    __slots__ = ("_group", "_path", "_users", "descriptor")

    def __init__(self, path: str, *, inside: int | None = None, mode: int | None = None) -> None:
        """Open a folder.

        Args:
            path: the folder.
            inside: the descriptor that ``path`` starts from; None for the working directory.
            mode: make the folder with these permissions if it is missing.

        Raises:
            OSError: it is missing, cannot be opened, is a link, or belongs to somebody else.
        """
        self._path = path
        made = mode is not None and _make(path, mode, inside)
        self.descriptor: int = self._open(inside)
        self._users: frozenset[int] = frozenset()
        self._group: int | None = None
        try:
            self._check("../.." if inside is not None else "..")
            if made and mode is not None:
                os.fchmod(self.descriptor, mode)
        except BaseException:
            os.close(self.descriptor)
            raise

    def topic(self, name: str, mode: int | None = None) -> _Folder:
        """Open the folder of a topic; make it, with ``mode``, if it is missing."""
        return _Folder(name, inside=self.descriptor, mode=mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self.descriptor)

    def _open(self, inside: int | None) -> int:
        try:
            return os.open(self._path, _FOLDER_FLAGS, dir_fd=inside)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise self._refusal("there is a file or a link in the place of a folder for wake-ups") from error
            raise

    def _check(self, book_folder: str) -> None:
        above = os.stat(book_folder, dir_fd=self.descriptor)
        self._users = frozenset((0, os.geteuid(), above.st_uid))
        if above.st_mode & stat.S_ISGID and above.st_mode & stat.S_IWGRP:
            self._group = above.st_gid
        if not self._belongs(os.fstat(self.descriptor)):
            raise self._refusal("a folder for wake-ups belongs to somebody else, or anybody may write to it")

    def _belongs(self, status: os.stat_result) -> bool:
        known = status.st_uid in self._users or status.st_gid == self._group
        return known and not status.st_mode & stat.S_IWOTH

    def _refusal(self, why: str) -> PermissionError:
        return PermissionError(errno.EPERM, why, self._path)

    def is_wake_up(self, status: os.stat_result) -> bool:
        """Tell whether this is a sleeper's FIFO. A second name shows one that was linked in from elsewhere."""
        return stat.S_ISFIFO(status.st_mode) and status.st_nlink == 1 and self._belongs(status)

    def require_wake_up(self, descriptor: int) -> None:
        """Make sure that a FIFO is the one that was made here a moment ago.

        Raises:
            PermissionError: it is something else.
        """
        if not self.is_wake_up(os.fstat(descriptor)):
            raise self._refusal("a new wake-up was replaced by something else")

    def look(self, name: str) -> os.stat_result:
        """Return what the name stands for; a link stands for itself."""
        return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    def remove(self, name: str) -> None:
        """Remove a FIFO."""
        os.unlink(name, dir_fd=self.descriptor)

    def remove_empty(self, name: str) -> None:
        """Remove the folder of a topic that nobody sleeps on."""
        try:
            os.rmdir(name, dir_fd=self.descriptor)
        except OSError:
            return


def _make(path: str, mode: int, inside: int | None) -> bool:
    try:
        os.mkdir(path, mode, dir_fd=inside)
    except FileExistsError:
        return False
    return True


def wake(root: str, topics: Iterable[str]) -> None:
    """Wake every listener of ``topics`` and of all topics. Never fails: a wake-up is a hint, not a fact.

    Args:
        root: the folder of the book's FIFOs.
        topics: what has changed.
    """
    try:
        with _Folder(root) as top:
            for name in dict.fromkeys(map(_folder_name, (*topics, ALL_TOPICS))):
                _wake_topic(top, name)
    except OSError:
        return


def _wake_topic(top: _Folder, topic: str) -> None:
    try:
        with top.topic(topic) as folder:
            removed = [_poke(folder, name) for name in os.listdir(folder.descriptor) if not name.startswith(_HIDDEN)]
    except OSError:
        return
    if any(removed):
        top.remove_empty(topic)


def _poke(folder: _Folder, name: str) -> bool:
    """Wake one sleeper; return whether its FIFO was removed because the sleeper is dead."""
    try:
        if not folder.is_wake_up(folder.look(name)):
            return False
        descriptor = os.open(name, os.O_WRONLY | _FIFO_FLAGS, dir_fd=folder.descriptor)
    except OSError as error:
        return error.errno == errno.ENXIO and _bury(folder, name)
    try:
        if folder.is_wake_up(os.fstat(descriptor)):
            os.write(descriptor, b"!")
    except OSError:
        return False  # a full FIFO has a wake-up waiting already
    finally:
        os.close(descriptor)
    return False


def _bury(folder: _Folder, name: str) -> bool:
    try:
        folder.remove(name)
    except OSError:
        return False
    return True


class FifoListener:
    """A sleeper on some topics of one book.

    Args:
        root: the folder of the book's FIFOs; made if missing.
        topics: what to be woken for; ``"*"`` for everything.
        folder_mode: permissions of new folders; FIFOs get the same without the execute bits.

    Raises:
        OSError: no FIFO can be made there, or the folder is a link or somebody else's.
    """

    def __init__(self, root: str, topics: Iterable[str], folder_mode: int = 0o700) -> None:
        self._root = root
        self._fifos: list[tuple[str, str, int]] = []
        self._poll = select.poll()
        self._selector: BaseSelector | None = None
        self._closed = False
        try:
            with _Folder(root, mode=folder_mode) as top:
                for topic in topics:
                    self._add(top, _folder_name(topic), folder_mode)
        except BaseException:
            self.close()
            raise

    def _add(self, top: _Folder, topic: str, mode: int) -> None:
        name = os.urandom(9).hex()
        for _ in range(_TRIES):
            try:
                with top.topic(topic, mode) as folder:
                    os.mkfifo(_HIDDEN + name, mode & 0o666, dir_fd=folder.descriptor)
                    self._open(folder, topic, name, mode & 0o666)
            except FileNotFoundError:
                continue  # a writer removed the empty folder in between
            return
        raise FileNotFoundError(errno.ENOENT, "the folder of wake-ups is removed again and again", self._root)

    def _open(self, folder: _Folder, topic: str, name: str, mode: int) -> None:
        # Opened for reading and writing, the FIFO never reports that its last writer went away.
        descriptor = os.open(_HIDDEN + name, os.O_RDWR | _FIFO_FLAGS, dir_fd=folder.descriptor)
        try:
            folder.require_wake_up(descriptor)
            os.fchmod(descriptor, mode)
            inside = folder.descriptor
            os.rename(_HIDDEN + name, name, src_dir_fd=inside, dst_dir_fd=inside)
        except BaseException:
            os.close(descriptor)
            raise
        self._fifos.append((topic, name, descriptor))
        self._poll.register(descriptor, select.POLLIN)

    def wait(self, timeout_seconds: float | None) -> bool:
        """Sleep until woken or until the time is over; True when woken.

        Raises:
            ValueError: the listener is closed.
        """
        if self._closed:
            raise ValueError("this listener is closed")
        woken = self._woken(timeout_seconds)
        for descriptor in woken:
            try:
                while len(os.read(descriptor, 4096)) == 4096:  # noqa: PLR2004 -- the buffer's size
                    pass
            except BlockingIOError:
                continue
        return bool(woken)

    def _woken(self, timeout_seconds: float | None) -> list[int]:
        if self._selector is not None:
            # Whoever waits on its descriptor is told anew only after it was asked itself.
            return [key.fd for key, _ in self._selector.select(timeout_seconds)]
        # Rounded up: what is due in half a millisecond must not make the caller look a hundred times.
        wait_ms = None if timeout_seconds is None else max(0, -int(-timeout_seconds * 1000 // 1))
        return [descriptor for descriptor, _ in self._poll.poll(wait_ms)]

    def fileno(self) -> int:
        """Return the descriptor to wait on; there is one where the system has epoll or kqueue."""
        if self._selector is None:
            from selectors import EVENT_READ, DefaultSelector

            self._selector = DefaultSelector()
            for _, _, descriptor in self._fifos:
                self._selector.register(descriptor, EVENT_READ)
        number: int = self._selector.fileno()  # type: ignore[attr-defined]
        return number

    def close(self) -> None:
        """Stop listening and remove the FIFOs."""
        self._closed = True
        for topic, name, descriptor in self._fifos:
            try:
                self._remove(topic, name, descriptor)
            except OSError:
                pass
            finally:
                self._poll.unregister(descriptor)
                os.close(descriptor)
        self._fifos.clear()
        if self._selector is not None:
            self._selector.close()
            self._selector = None

    def _remove(self, topic: str, name: str, descriptor: int) -> None:
        with _Folder(self._root) as top:
            with top.topic(topic) as folder:
                if os.path.samestat(folder.look(name), os.fstat(descriptor)):
                    folder.remove(name)
            top.remove_empty(topic)
