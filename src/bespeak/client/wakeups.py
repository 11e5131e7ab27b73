"""A sleeper on a book of a server: one request whose answer goes on, with a line for each wake-up.

A sleeper whose connection is lost has missed what happened meanwhile, so a reconnection counts as a wake-up: whoever
wakes looks again. So does a refusal: whoever looks is told that its credential or its right has ended. While the server
is away, waiting simply goes on.
"""

from __future__ import annotations

import http.client
import time
from _thread import allocate_lock
from contextlib import suppress

from bespeak.base.errors import BespeakError, NotAllowedError, UnavailableError
from bespeak.client.connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.client.requests import Requests

PATH = "/api/v1/wakeups"
WOKEN = b"wake"
ALIVE_SECONDS = 10.0
"""The server says so often that it is still there."""

_SILENT_SECONDS = 3.5 * ALIVE_SECONDS
_LINE_SECONDS = 5.0
_RETRY_SECONDS = 0.5
_OPEN_SECONDS = 10.0
_OK = 200
_NOT_SIGNED_IN = 401
_NOT_ALLOWED = 403
_LONGEST_SECONDS = 3600.0
_AT_ONCE = 65_536


class _NotSignedInError(UnavailableError):
    """The credential is missing, or counts no longer."""


class _Lines:
    """The lines of an answer that comes in pieces.

    ``http.client`` reads an answer in chunks only as a whole chunk with what follows it, and would wait for the next.

    Args:
        chunked: the answer is sent in chunks.
    """

    def __init__(self, *, chunked: bool) -> None:
        self._chunked = chunked
        self._raw = b""
        self._text = b""

    def take(self, piece: bytes) -> list[bytes]:
        """Return the lines that a piece completes."""
        self._raw += piece
        if self._chunked:
            while self._take_chunk():
                pass
        else:
            self._text, self._raw = self._text + self._raw, b""
        *lines, self._text = self._text.split(b"\n")
        return lines

    def _take_chunk(self) -> bool:
        """Move one whole chunk to the text; False if there is none."""
        head, newline, rest = self._raw.partition(b"\r\n")
        size = int(head.partition(b";")[0], 16) if newline else 0
        if not newline or len(rest) < size + 2:
            return False
        if size == 0:
            raise OSError("the server has ended the answer")
        self._text += rest[:size]
        self._raw = rest[size + 2 :]
        return True


class WakeUps:
    """Wake-ups for some topics of one book; see :class:`bespeak.storage.interface.Listener`.

    Args:
        requests: the way to the server.
        topics: what to be woken for.

    Raises:
        UnavailableError: the server cannot be asked.
        NotAllowedError: the caller may not look at one of the topics.
    """

    def __init__(self, requests: Requests, topics: Iterable[str]) -> None:
        from urllib.parse import urlencode

        self._requests = requests
        self._path = f"{PATH}?{urlencode([('topic', topic) for topic in topics])}"
        self._closing = allocate_lock()
        self._closed = False
        self._connection: Connection | None = None
        self._answer: http.client.HTTPResponse | None = None
        try:
            self._open()
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"book {requests.address.name}: {error}") from error

    def _open(self) -> None:
        """Ask for wake-ups; once this returns, none is missed."""
        connection = Connection(self._requests.address, endless=True)
        try:
            path = self._requests.address.prefix + self._path
            answer = connection.begin("GET", path, None, self._requests.headers(), time.monotonic() + _OPEN_SECONDS)
        except BaseException:
            connection.close()
            raise
        if answer.status != _OK:
            try:
                raise self._refusal(answer)
            finally:
                connection.close()
        with self._closing:
            self._answer = answer  # whose end would close what is read
            self._connection, self._lines = connection, _Lines(chunked=bool(answer.chunked))
            self._heard = time.monotonic()

    def _refusal(self, answer: http.client.HTTPResponse) -> BespeakError:
        """Return what an answer says that brings no wake-ups."""
        import json

        kind = {_NOT_SIGNED_IN: _NotSignedInError, _NOT_ALLOWED: NotAllowedError}.get(answer.status)
        told = f"status {answer.status}"
        with suppress(OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
            told = str(json.loads(answer.read(_AT_ONCE))["detail"])
        return UnavailableError(f"book {self._requests.address.name}: {told}") if kind is None else kind(told)

    def wait(self, timeout_seconds: float | None) -> bool:
        """Sleep until woken or until the time is over; True when woken, connected anew, or refused.

        Raises:
            UnavailableError: it was closed.
        """
        longest = _LONGEST_SECONDS if timeout_seconds is None else timeout_seconds
        deadline = time.monotonic() + max(longest, 0.0)
        while True:
            try:
                woken = self._take(deadline) if self._connection is not None else self._reconnect(deadline)
            except (OSError, http.client.HTTPException, BespeakError, ValueError, AttributeError) as error:
                if self._closed:
                    raise UnavailableError("closed while waiting") from None
                self._lose()
                woken = isinstance(error, (NotAllowedError, _NotSignedInError))
            if woken:
                return True
            if time.monotonic() >= deadline and timeout_seconds is not None:
                return False

    def _take(self, deadline: float) -> bool:
        """Wait for a line until the deadline; a server that says nothing for long is gone."""
        connection = self._connection
        sock = None if connection is None else connection.socket
        if sock is None:
            raise OSError("the connection is closed")
        silent_at = self._heard + _SILENT_SECONDS
        sock.until = time.monotonic() + _LINE_SECONDS
        if not sock.buffered() and not sock.has_bytes(min(deadline, silent_at) - time.monotonic()):
            if time.monotonic() >= silent_at:
                raise TimeoutError("the server says nothing")
            return False
        found = sock.read_some(_AT_ONCE)
        if not found:
            raise OSError("the server has ended the connection")
        self._heard = time.monotonic()
        return WOKEN in self._lines.take(found)

    def _reconnect(self, deadline: float) -> bool:
        pause = min(_RETRY_SECONDS, deadline - time.monotonic())
        if pause > 0:
            time.sleep(pause)
        if self._closed:
            raise OSError("closed")
        self._open()
        return True

    def _lose(self) -> None:
        with self._closing:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def fileno(self) -> int:
        """Return the descriptor of the connection."""
        connection = self._connection
        if connection is None or connection.socket is None:
            return -1
        return connection.socket.fileno()

    def close(self) -> None:
        """Stop listening; another thread that waits ends with an error."""
        self._closed = True
        connection = self._connection
        if connection is not None and connection.socket is not None:
            connection.socket.hang_up()
        self._lose()
