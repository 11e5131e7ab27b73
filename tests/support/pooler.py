"""A connection pooler in transaction mode: whoever begins a transaction gets the session that has rested longest.

Speaks just enough of PostgreSQL's protocol, over a Unix socket, to a server that trusts its clients. Settings, LISTEN
and prepared statements stay behind in the session where they were made, as with real poolers.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import struct
import tempfile
import threading
from typing import Any

SESSIONS = 3
_ASKS_FOR_TLS = (80877103, 80877104)


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = source.recv(size - len(found))
        if not more:
            raise ConnectionError
        found += more
    return found


def _message(source: socket.socket) -> bytes:
    head = _exactly(source, 5)
    return head + _exactly(source, struct.unpack("!I", head[1:])[0] - 4)


def _greeting(source: socket.socket) -> bytes:
    while True:
        head = _exactly(source, 4)
        rest = _exactly(source, struct.unpack("!I", head)[0] - 4)
        if struct.unpack("!I", rest[:4])[0] not in _ASKS_FOR_TLS:
            return head + rest
        source.sendall(b"N")


class Pooler:
    """Stands before the server in ``folder``."""

    def __init__(self, server_folder: str) -> None:
        self._server = os.path.join(server_folder, ".s.PGSQL.5432")
        self.folder = tempfile.mkdtemp(prefix="bpp-", dir="/tmp")
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(os.path.join(self.folder, ".s.PGSQL.5432"))
        self._door.listen()
        self._sessions: queue.Queue[socket.socket] = queue.Queue()
        self._welcome = b""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The URL of the database behind it."""
        return f"postgresql:///postgres?host={self.folder}&user=postgres"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _open(self, greeting: bytes) -> bytes:
        """Open the sessions; return what the server says to a new client, with a backend's number that is none."""
        for _ in range(SESSIONS):
            session = socket.socket(socket.AF_UNIX)
            session.connect(self._server)
            session.sendall(greeting)
            welcome = b""
            while True:
                part = _message(session)
                welcome += part[:5] + struct.pack("!I", 1) + part[9:] if part[:1] == b"K" else part
                if part[:1] == b"Z":
                    break
            self._sessions.put(session)
        return welcome

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            greeting = _greeting(client)
            self._welcome = self._welcome or self._open(greeting)
            client.sendall(self._welcome)
            first = _message(client)
            while first[:1] != b"X":
                session = self._sessions.get()
                try:
                    _Turn(client, session).run(first)
                finally:
                    self._sessions.put(session)
                first = _message(client)

    def close(self) -> None:
        """Let nobody else in, and end the sessions."""
        self._door.close()
        while not self._sessions.empty():
            self._sessions.get().close()
        os.unlink(os.path.join(self.folder, ".s.PGSQL.5432"))
        os.rmdir(self.folder)


class _Turn:
    """One transaction of a client in one session."""

    def __init__(self, client: socket.socket, session: socket.socket) -> None:
        self._client = client
        self._session = session
        self._unanswered = 0

    def run(self, first: bytes) -> None:
        self._forward(first)
        state = b"T"
        while self._unanswered or state != b"I":
            for ready in select.select([self._client, self._session], [], [])[0]:
                if ready is self._client:
                    self._forward(_message(self._client))
                    continue
                answer = _message(self._session)
                self._client.sendall(answer)
                if answer[:1] == b"Z":
                    self._unanswered -= 1
                    state = answer[5:6]

    def _forward(self, message: Any) -> None:
        self._unanswered += message[:1] in {b"Q", b"S"}
        self._session.sendall(message)
