"""Wake-ups between processes on one machine: a FIFO for each sleeper, written to after COMMIT.

Watching the database file instead wakes sleepers before the commit can be seen, and polling costs either time or
processor. A FIFO has no path-length limit (a socket has), belongs to the file system's permissions, and a dead
sleeper shows itself: opening its FIFO for writing fails with ENXIO, and the next writer removes it. For the same
reason a new sleeper opens its FIFO under a hidden name first, and gives it the visible, never reused one afterwards.

Layout: ``<book>.wake/<checksum of topic>/<random>``. Two topics with one checksum only wake each other for nothing.
"""

from __future__ import annotations

import errno
import os
import select
from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ALL_TOPICS = "*"
_HIDDEN = "."


def _folder(root: str, topic: str) -> str:
    if topic == ALL_TOPICS:
        return os.path.join(root, "all")
    return os.path.join(root, f"{crc32(topic.encode()):08x}")


def wake(root: str, topics: Iterable[str]) -> None:
    """Wake every listener of ``topics`` and of all topics. Never fails: a wake-up is a hint, not a fact.

    Args:
        root: the folder of the book's FIFOs.
        topics: what has changed.
    """
    if not os.path.isdir(root):
        return
    for topic in (*topics, ALL_TOPICS):
        folder = _folder(root, topic)
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            if not name.startswith(_HIDDEN):
                _poke(os.path.join(folder, name))


def _poke(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:
            _remove(path)
        return
    try:
        os.write(descriptor, b"!")
    except OSError:
        return  # a full FIFO has a wake-up waiting already
    finally:
        os.close(descriptor)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
        os.rmdir(os.path.dirname(path))
    except OSError:
        return


class FifoListener:
    """A sleeper on some topics of one book.

    Args:
        root: the folder of the book's FIFOs; made if missing.
        topics: what to be woken for; ``"*"`` for everything.
        folder_mode: permissions of new folders; FIFOs get the same without the execute bits.
    """

    def __init__(self, root: str, topics: Iterable[str], folder_mode: int = 0o700) -> None:
        self._paths: list[str] = []
        self._descriptors: list[int] = []
        self._poll = select.epoll()
        try:
            _make_folder(root, folder_mode)
            for topic in topics:
                self._add(_folder(root, topic), folder_mode)
        except BaseException:
            self.close()
            raise

    def _add(self, folder: str, mode: int) -> None:
        name = os.urandom(9).hex()
        hidden = os.path.join(folder, _HIDDEN + name)
        while True:
            _make_folder(folder, mode)
            try:
                os.mkfifo(hidden, mode & 0o666)
            except FileNotFoundError:
                continue  # a writer removed the empty folder in between
            break
        os.chmod(hidden, mode & 0o666)
        # Opened for reading and writing, the FIFO never reports that its last writer went away.
        descriptor = os.open(hidden, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._descriptors.append(descriptor)
        self._poll.register(descriptor, select.EPOLLIN)
        path = os.path.join(folder, name)
        os.rename(hidden, path)
        self._paths.append(path)

    def wait(self, timeout_seconds: float | None) -> bool:
        """Sleep until woken or until the time is over; True when woken."""
        events = self._poll.poll(timeout_seconds)
        for descriptor, _ in events:
            try:
                while len(os.read(descriptor, 4096)) == 4096:  # noqa: PLR2004 -- the buffer's size
                    pass
            except BlockingIOError:
                continue
        return bool(events)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._poll.fileno()

    def close(self) -> None:
        """Stop listening and remove the FIFOs."""
        for path in self._paths:
            _remove(path)
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._paths.clear()
        self._descriptors.clear()
        self._poll.close()


def _make_folder(path: str, mode: int) -> None:
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    from contextlib import suppress

    with suppress(FileNotFoundError):  # a writer removed the empty folder in between
        os.chmod(path, mode)
