"""A socket whose every operation ends at one deadline, in the shape that :mod:`http.client` expects of sockets.

A time-out of the socket alone begins anew with each byte, so a server that sends one now and then would be waited for
without an end.
"""

from __future__ import annotations

import io
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any


class DeadlineSocket:
    """A connected socket with a deadline.

    Args:
        sock: the socket, with TLS around it if there is any.
        until: the deadline, seconds of the monotonic clock.
    """

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self.until = until
        self._raw = _Reader(self)
        self._reader: io.BufferedReader | None = None

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send everything before the deadline."""
        del flags
        self._sock.settimeout(self.left_seconds())
        self._sock.sendall(data)

    def receive_into(self, buffer: Any) -> int:
        """Receive something before the deadline."""
        self._sock.settimeout(self.left_seconds())
        return self._sock.recv_into(buffer)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """Return a reader of the bytes that arrive."""
        self._raw = _Reader(self)  # the response closes its own
        self._reader = io.BufferedReader(self._raw)
        return self._reader

    def buffered(self) -> bool:
        """Tell whether something has arrived that the reader has not given out yet."""
        if self._reader is None:
            return False
        self._raw.at_once = True
        try:
            return bool(self._reader.peek(1))
        finally:
            self._raw.at_once = False

    def read_some(self, most: int) -> bytes:
        """Return what has arrived after the head of an answer; wait for something before the deadline."""
        return b"" if self._reader is None else self._reader.read1(most)

    def left_seconds(self) -> float:
        """Return how long it is until the deadline.

        Raises:
            TimeoutError: it has passed.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left

    def has_bytes(self, seconds: float) -> bool:
        """Tell whether something can be read, or the other side has hung up, within so long."""
        pending = getattr(self._sock, "pending", None)
        if pending is not None and pending():
            return True
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(max(seconds, 0.0) * 1000))

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._sock.fileno()

    def hang_up(self) -> None:
        """End the connection at once, also under a thread that reads from it."""
        try:
            self._sock.shutdown(2)
        except OSError:
            return

    def close(self) -> None:
        """Do nothing: http.client closes before an answer without an end has been read."""

    def end(self) -> None:
        """Close the socket."""
        self._sock.close()


class _Reader(io.RawIOBase):
    def __init__(self, of: DeadlineSocket) -> None:
        self._of = of
        self.at_once = False
        """Return nothing rather than wait."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.at_once and not self._of.has_bytes(0):
            return None
        return self._of.receive_into(buffer)
