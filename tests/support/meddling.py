"""A network between a client and its server that loses, delays and doubles requests and answers."""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import contextmanager, suppress

FAULTS = ("none", "none", "none", "lose the request", "lose the answer", "double", "delay", "cut the answer")
_LIMIT = 30.0


class Meddler:
    """Takes connections on a port of this machine and passes requests on to a server, not always well.

    Args:
        target: the path of the server's Unix socket, or its host and port.
        seed: of the faults.
        faults: what is done with a request, each as often as it is named.
    """

    def __init__(self, target: str | tuple[str, int], seed: int, faults=FAULTS) -> None:
        self._target = target
        self._random = random.Random(seed)
        self._faults = faults
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.done: dict[str, int] = dict.fromkeys(faults, 0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(_LIMIT)
            while request := _one_message(client):
                if request.startswith(b"GET "):
                    self._tunnel(client, request)
                    return
                fault = self._random.choice(self._faults)
                self.done[fault] += 1
                if not self._pass(client, request, fault):
                    return

    def _pass(self, client: socket.socket, request: bytes, fault: str) -> bool:
        """Pass one request on; False where the connection is to end."""
        if fault == "lose the request":
            return False
        if fault == "delay":
            time.sleep(self._random.uniform(0.0, 0.05))
        if fault == "double":
            other = threading.Thread(target=self._ask, args=(request,))
            other.start()
            answer = self._ask(request)
            other.join()
        else:
            answer = self._ask(request)
        if fault == "lose the answer" or not answer:
            return False
        if fault == "cut the answer":
            client.sendall(answer[: self._random.randrange(1, len(answer))])
            return False
        client.sendall(answer)
        return True

    def _ask(self, request: bytes) -> bytes:
        try:
            with self._connected() as server:
                server.sendall(request)
                return _one_message(server)
        except OSError:
            return b""

    def _connected(self) -> socket.socket:
        server = socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET)
        server.settimeout(_LIMIT)
        server.connect(self._target)
        return server

    def _tunnel(self, client: socket.socket, request: bytes) -> None:
        """Pass an answer without an end."""
        with self._connected() as server:
            server.sendall(request)
            while piece := server.recv(65_536):
                client.sendall(piece)

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()


def _one_message(sock: socket.socket) -> bytes:
    """Return one request or answer as it came; empty where the other side has hung up."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = sock.recv(65_536)
        if not piece:
            return b""
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    while len(body) < length:
        piece = sock.recv(65_536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


@contextmanager
def meddling(target: str | tuple[str, int], seed: int, faults=FAULTS):
    """Have a network that meddles for as long as the block runs."""
    meddler = Meddler(target, seed, faults)
    try:
        yield meddler
    finally:
        meddler.close()
