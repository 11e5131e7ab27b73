"""The page *now* with thousands of resources: how long it takes, and how much it sends."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from harness import stats
from harness.lines import Bar, Line

_HELD_OF = 3
_MOST_MS = 100.0
_MOST_KB = 300.0
_KB = 1_000


class _Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, place: str) -> None:
        super().__init__("localhost", timeout=60)
        self._place = place

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._place)


def fill(url: str, resources: int) -> None:
    """Make a book in which two of three resources are held, and every fourth is booked later too."""
    with open_ledger(url, durable=False) as book:
        now_us = book.now_us()
        for number in range(resources):
            name, who = f"lab{number % 7}-rack{number}", Holder(f"user{number % 40}")
            if number % _HELD_OF:
                length_us = HOUR_US * (2 + number % 9)
                book.reserve(Request((name,), who, duration_us=length_us, purpose="nightly regression of the loader"))
            else:
                book.resource_set(name, who)
            if number % 4 == 0:
                book.reserve(Request((name,), who, starts_us=now_us + 20 * HOUR_US, duration_us=HOUR_US))


def lines(place: str, resources: int, rounds: int) -> Iterator[Line]:
    """Measure the page of a served book.

    Args:
        place: the Unix socket of the server.
        resources: how many the book has.
        rounds: how often the page is asked for, after the first time.
    """
    connection = _Local(place)
    took, size = [], 0
    for _ in range(rounds + 1):
        began = time.perf_counter()
        connection.request("GET", "/now", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        size = len(answer.read())
        took.append((time.perf_counter() - began) * 1000)
        if answer.status != http.client.OK:
            raise RuntimeError(f"/now answered {answer.status}")
    connection.close()
    kept = stats.summary(took[1:])
    yield Line(
        f"page now with {resources:,} resources, asked and read",
        kept.p50,
        "ms",
        bar=Bar(_MOST_MS, unit="ms"),
        note=f"p99 {kept.p99:.0f} ms; the first time, with every row made, {took[0]:.0f} ms",
    )
    yield Line(f"page now with {resources:,} resources, compressed", size / _KB, "KB", bar=Bar(_MOST_KB, unit="KB"))
