"""The server: durable reservations over HTTP from many connections at once, on both engines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness import peers, stats
from harness.bench import child, support
from harness.lines import Bar, Line
from harness.processes import whole
from rows import pages
from rows.clients import labgrid, together

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.bench import Bench

CLIENTS = 32
_FAR_BAR = Bar(2.0, of_ratio=True)
_EVENT_BAR = Bar(250.0, unit="ms")
_BAR = Bar(1_500.0, at_least=True, unit="reservations/s")


def measure(bench: Bench) -> Iterator[Line]:
    """Measure reservations a second from 32 connections, commands from afar, events, and the page *now*."""
    seconds = str(bench.pick(3, 10))
    places = bench.pick(320, 5_000)
    theirs = labgrid(bench, places, seconds, CLIENTS)
    server = support("pgserver").Server(durable=True)
    try:
        books = {"SQLite": bench.path("book.db"), "PostgreSQL": f"{server.url}&schema=bench_server"}
        for engine, url in books.items():
            with serving(url) as place:
                found = together(
                    [[sys.executable, child("http_load.py"), place["socket"], str(CLIENTS), seconds]], float(seconds)
                )
            peer = f"{peers.version('labgrid')}, nothing durable, {places:,} places, {CLIENTS} clients"
            yield _line(engine, found, _BAR if engine == "SQLite" else None, peer, theirs["rate"])
    finally:
        server.stop()
    yield from distant_commands(bench)
    yield from listeners(bench)
    resources, url = bench.pick(1_000, 5_000), bench.path("pages.db")
    pages.fill(url, resources)
    with serving(url) as place:
        yield from pages.lines(place["socket"], resources, bench.pick(10, 50))


def listeners(bench: Bench) -> Iterator[Line]:
    """Measure how long after a reservation is asked for the last of many listeners has the event."""
    count, rounds = bench.pick(200, 1_000), bench.pick(5, 20)
    with serving(bench.path("events.db")) as place:
        done = subprocess.run(
            [sys.executable, child("event_listeners.py"), place["socket"], str(count), str(rounds)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    kept = stats.summary(json.loads(done.stdout)["last_ms"])
    yield Line(
        f"reserve, until the last of {count:,} listeners has the event",
        kept.p50,
        "ms",
        bar=_EVENT_BAR,
        note=f"p99 {kept.p99:.0f} ms; the listeners are one process on the same processors",
    )


def distant_commands(bench: Bench) -> Iterator[Line]:
    """Measure commands on the book of a server over https against the same on its file, each a process of its own."""
    home = bench.path("home")
    environ = {**os.environ, "HOME": home, "XDG_STATE_HOME": f"{home}/state"}
    environ.pop("BESPEAK_LEDGER", None)
    bespeak, url = [sys.executable, "-m", "bespeak"], bench.path("book.db")
    made = subprocess.run(
        [*bespeak, "--ledger", url, "token", "create", "--user", "bench", "--json"],
        env=environ, check=True, capture_output=True, text=True,
    )  # fmt: skip
    with serving(url, "--tls-self", environ=environ) as place:
        far = {
            **environ,
            "BESPEAK_LEDGER": f"{place['url']}?ca={place['certificate']}",
            "BESPEAK_TOKEN": str(json.loads(made.stdout)["token"]),
        }
        near = {**environ, "BESPEAK_LEDGER": url}
        whole([*bespeak, "reserve", "rack1", "--for", "1h"], far)
        whole([*bespeak, "reserve", "rack2", "--for", "1h"], near)  # in the name of this account
        for word, rest in (("list", ((), ())), ("extend", (("rack1", "--for", "1m"), ("rack2", "--for", "1m")))):
            things = {
                "https": _process([*bespeak, word, *rest[0]], far),
                "file": _process([*bespeak, word, *rest[1]], near),
            }
            samples = stats.in_turn(things, bench.pick(5, 25))
            kept = {name: stats.summary([value * 1000 for value in each]) for name, each in samples.items()}
            yield Line(
                f"`bespeak {word}` over https",
                kept["https"].p50,
                "ms",
                "the same on the file",
                kept["file"].p50,
                "slower",
                _FAR_BAR,
            )


def _process(command: list[str], environ: dict[str, str]) -> Callable[[], float]:
    return lambda: whole(command, environ)


def _line(engine: str, found: dict[str, Any], bar: Bar | None, peer: str, theirs: float) -> Line:
    kept = stats.summary(found["pairs_ms"])
    return Line(
        f"{CLIENTS} connections reserve over HTTP, durable, {engine}",
        found["rate"],
        "reservations/s",
        peer,
        theirs,
        "more",
        bar,
        note=f"one answer p50 {kept.p50:.1f}, p99 {kept.p99:.0f} ms; client and server share the processors",
        detail={"answers": len(found["pairs_ms"]), "p50_ms": kept.p50, "p99_ms": kept.p99},
    )


@contextmanager
def serving(url: str, *more: str, environ: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Serve a book with a process of its own; gives its address: ``socket``, ``url``, and ``certificate`` of TLS."""
    with tempfile.TemporaryDirectory(prefix="bsp-") as folder:
        command = [sys.executable, "-m", "bespeak", "--ledger", url, "--json", "serve", "--port", "0"]
        command += ["--socket", os.path.join(folder, "s"), *more]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
        try:
            if process.stdout is None:
                raise RuntimeError("no pipe")
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait()
