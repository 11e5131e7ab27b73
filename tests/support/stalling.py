"""A way to PostgreSQL that can stall, as a network does: a proxy that stops moving bytes, or loses what comes."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from typing import Any


class Stalling:
    """Stands before the server in ``folder``, on a TCP port of this machine.

    While it is frozen nothing moves and nobody new is answered, although every connection is up; while it is lossy,
    what comes is taken and thrown away. What was held back in between is delivered when it thaws.
    """

    def __init__(self, server_folder: str) -> None:
        self._server = os.path.join(server_folder, ".s.PGSQL.5432")
        self._door = socket.create_server(("127.0.0.1", 0))
        self._open = threading.Event()
        self._open.set()
        self._lossy = False
        self._away = False
        self._closed = False
        self.held_back = threading.Event()
        """Somebody has sent something that was not delivered."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """The port to connect to."""
        return int(self._door.getsockname()[1])

    def freeze(self) -> None:
        """Move nothing in either direction from now on."""
        self._open.clear()

    def lose(self) -> None:
        """Throw away what comes from either side from now on, and answer nobody new."""
        self._lossy = True

    def go_away(self) -> None:
        """Cut every connection, and every new one at once."""
        self._away = True

    def thaw(self) -> None:
        """Be a good network again. A connection that has lost bytes is cut, because it cannot go on."""
        self._lossy = self._away = False
        self.held_back.clear()
        self._open.set()

    def close(self) -> None:
        """Let nobody else in, and end what there is."""
        self._closed = True
        self._open.set()
        self._door.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if not self._open.is_set():
            self.held_back.set()
        self._open.wait()
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._server)
            self._move(client, server)

    def _move(self, client: Any, server: Any) -> None:
        lost = False
        while not self._closed and not self._away:
            for ready in select.select([client, server], [], [], 0.05)[0]:
                data = ready.recv(65536)
                if ready is client and (self._lossy or not self._open.is_set()):
                    self.held_back.set()
                self._open.wait()
                if self._lossy:
                    lost = True
                elif lost or not data:
                    return
                else:
                    (server if ready is client else client).sendall(data)
