"""Wake-ups between processes on one machine: a FIFO for each sleeper, written to after COMMIT.

Watching the database file instead wakes sleepers before the commit can be seen, and polling costs either time or
processor. A FIFO has no path-length limit (a socket has), belongs to the file system's permissions, and a dead
sleeper shows itself: opening its FIFO for writing fails with ENXIO, and the next writer removes it.

Layout: ``<book>.wake/<hash of topic>/<pid>-<n>``.
"""

from __future__ import annotations

import errno
import os
import select
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ALL_TOPICS = "*"
_numbers = count()


def _folder(root: str, topic: str) -> str:
    if topic == ALL_TOPICS:
        return os.path.join(root, "all")
    from hashlib import blake2b

    return os.path.join(root, blake2b(topic.encode(), digest_size=12).hexdigest())


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
        _make_folder(root, folder_mode)
        for topic in topics:
            self._add(_folder(root, topic), folder_mode)

    def _add(self, folder: str, mode: int) -> None:
        path = os.path.join(folder, f"{os.getpid()}-{next(_numbers)}")
        while True:
            _make_folder(folder, mode)
            try:
                os.mkfifo(path, mode & 0o666)
            except FileNotFoundError:
                continue  # a writer removed the empty folder in between
            except FileExistsError:
                os.unlink(path)  # left by a dead process that had our number
                continue
            break
        os.chmod(path, mode & 0o666)
        # Opened for reading and writing, the FIFO never reports that its last writer went away.
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._paths.append(path)
        self._descriptors.append(descriptor)
        self._poll.register(descriptor, select.EPOLLIN)

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
        os.chmod(path, mode)
    except FileExistsError:
        return
