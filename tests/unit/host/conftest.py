"""Devices of the tests' own: real sockets, real processes, behaviours a device can have."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Answer = tuple[int, str] | Callable[[BaseHTTPRequestHandler], None]


class Plug(ThreadingHTTPServer):
    """A web server that answers as a device would, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        plug = self
        self.asked: list[str] = []
        self.headers_seen: list[dict[str, str]] = []
        self.orders: list[tuple[str, str, str]] = []
        self.answer: Callable[[str, BaseHTTPRequestHandler], Answer] = lambda path, handler: (404, "")
        self.released = threading.Event()
        self.reads_bodies = False
        """Whether bodies are taken from the wire for ``orders``; else the answer may read them itself."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                plug.asked.append(self.path)
                plug.headers_seen.append(dict(self.headers))
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) if plug.reads_bodies else b""
                plug.orders.append((self.command, self.path, body.decode()))
                answer = plug.answer(self.path, self)
                if callable(answer):
                    answer(self)
                    return
                code, text = answer
                self.send_response(code)
                if code == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="plug"')
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 - the base class's names

            def log_message(self, *args: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def relay(self, *, delay: float = 0.0, obey: bool = True) -> dict[str, bool]:
        """Behave as a Shelly of the first generation; the state follows an order after ``delay`` seconds."""
        state = {"on": False}
        orders: list[tuple[float, bool]] = []

        def answer(path: str, handler: BaseHTTPRequestHandler) -> Answer:
            if "turn=" in path and obey:
                orders.append((time.monotonic() + delay, "turn=on" in path))
            for order in [one for one in orders if one[0] <= time.monotonic()]:
                orders.remove(order)
                state["on"] = order[1]
            return 200, json.dumps({"ison": state["on"]})

        self.answer = answer
        return state

    def end(self) -> None:
        self.released.set()
        self.shutdown()
        self.thread.join()
        self.server_close()


@pytest.fixture
def plug() -> Iterator[Plug]:
    server = Plug()
    yield server
    server.end()


@pytest.fixture
def black_hole() -> Iterator[tuple[str, int]]:
    """The address of a TCP and UDP port that accepts and never says anything."""
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    yield "127.0.0.1", port
    tcp.close()
    udp.close()


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def run(work: Any) -> Any:
    """Run a coroutine to its end."""
    return asyncio.run(work)


def wait_for(path: Path) -> str:
    """Return the content of a file as soon as it has any."""
    while not (path.exists() and path.read_text()):
        time.sleep(0.01)
    return path.read_text()


HERE = os.path.dirname(__file__)
