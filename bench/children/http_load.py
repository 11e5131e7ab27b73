"""Reserve over HTTP on many connections at once for some seconds, with as little of a client as there can be.

python http_load.py SOCKET CLIENTS SECONDS [TOKEN]
"""

import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator

HOUR_US = 3_600_000_000
RESOURCES = 5_000
WARM = 10
BASE_US = time.time_ns() // 1000 + 24 * HOUR_US
"""The first window of every resource; the windows of all clients follow on each other without a gap."""


class Client:
    """One connection that sends a request as soon as the last one was answered."""

    def __init__(self, place: str, number: int, clients: int, head: str) -> None:
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(place)
        self._bodies = self._requests(number, clients)
        self._head = head
        self._answer = b""
        self._sent_at = 0.0
        self.made = 0
        self.times_ms: list[float] = []

    @staticmethod
    def _requests(number: int, clients: int) -> Iterator[bytes]:
        count = number
        while True:
            turn, resource = divmod(count, RESOURCES)
            asked = {
                "resources": [f"r{resource:05}"],
                "starts_us": BASE_US + turn * HOUR_US,
                "duration_us": HOUR_US,
                "purpose": "load",
            }
            yield json.dumps(asked).encode()
            count += clients

    def send(self) -> None:
        """Send the next request."""
        body = next(self._bodies)
        self._answer = b""
        self._sent_at = time.perf_counter()
        self.connection.sendall(f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def receive(self) -> bool:
        """Take what came; True once an answer is complete."""
        self._answer += self.connection.recv(65536)
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end:
            return False
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return False
        if not head.startswith(b"HTTP/1.1 201"):
            raise SystemExit(self._answer.decode())
        self.made += 1
        self.times_ms.append((time.perf_counter() - self._sent_at) * 1000)
        return True


def main(place: str, clients: str, seconds: str, token: str = "") -> None:
    head = "POST /api/v1/reservations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer {token}\r\n" if token else ""
    every = [Client(place, number, int(clients), head) for number in range(int(clients))]
    ready = selectors.DefaultSelector()
    for client in every:
        ready.register(client.connection, selectors.EVENT_READ, client)
        for _ in range(WARM):
            client.send()
            while not client.receive():
                pass
        client.made, client.times_ms = 0, []
    print("ready", flush=True)
    sys.stdin.readline()
    until = time.perf_counter() + float(seconds)
    for client in every:
        client.send()
    while time.perf_counter() < until:
        for key, _ in ready.select():
            if key.data.receive():
                key.data.send()
    times = [value for client in every for value in client.times_ms]
    print(json.dumps({"operations": sum(client.made for client in every), "pairs_ms": times}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
