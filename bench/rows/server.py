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

from harness import stats
from harness.bench import child, support
from harness.lines import Bar, Line
from rows import pages
from rows.clients import together

if TYPE_CHECKING:
    from harness.bench import Bench

CLIENTS = 32
_BAR = Bar(1_500.0, at_least=True, unit="reservations/s")


def measure(bench: Bench) -> Iterator[Line]:
    """Measure reservations a second from 32 connections, and the page *now*."""
    seconds = str(bench.pick(3, 10))
    server = support("pgserver").Server(durable=True)
    try:
        books = {"SQLite": bench.path("book.db"), "PostgreSQL": f"{server.url}&schema=bench_server"}
        for engine, url in books.items():
            with serving(url) as place:
                found = together(
                    [[sys.executable, child("http_load.py"), place, str(CLIENTS), seconds]], float(seconds)
                )
            yield _line(engine, found, _BAR if engine == "SQLite" else None)
    finally:
        server.stop()
    resources, url = bench.pick(1_000, 5_000), bench.path("pages.db")
    pages.fill(url, resources)
    with serving(url) as place:
        yield from pages.lines(place, resources, bench.pick(10, 50))


def _line(engine: str, found: dict[str, Any], bar: Bar | None) -> Line:
    kept = stats.summary(found["pairs_ms"])
    return Line(
        f"{CLIENTS} connections reserve over HTTP, durable, {engine}",
        found["rate"],
        "reservations/s",
        bar=bar,
        note=f"one answer p50 {kept.p50:.1f}, p99 {kept.p99:.0f} ms; client and server share the processors",
        detail={"answers": len(found["pairs_ms"]), "p50_ms": kept.p50, "p99_ms": kept.p99},
    )


@contextmanager
def serving(url: str) -> Iterator[str]:
    """Serve a book with a process of its own; gives the path of its Unix socket."""
    with tempfile.TemporaryDirectory(prefix="bsp-") as folder:
        command = [sys.executable, "-m", "bespeak", "--ledger", url, "--json", "serve", "--port", "0"]
        command += ["--socket", os.path.join(folder, "s")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout is None:
                raise RuntimeError("no pipe")
            yield str(json.loads(process.stdout.readline())["socket"])
        finally:
            process.terminate()
            process.wait()
