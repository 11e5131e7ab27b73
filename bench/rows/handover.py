"""From the moment a holder gives something back until the process that waited in line for it has it."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from bespeak.base.clock import HOUR_US
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request, State
from harness import peers, stats
from harness.bench import child, support
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from bespeak.ledger.service import Ledger
    from harness.bench import Bench

_WANTED = "rack1"
_MILLI = 1_000


def measure(bench: Bench) -> Iterator[Line]:
    """Measure the hand-over on both engines, beside labgrid's reservations and call-dibs's line.

    bespeak's time begins before its release is called, that of a peer when its release command has ended.
    """
    rounds = bench.pick(40, 300)
    server = support("pgserver").Server(durable=True)
    try:
        ours = {
            "SQLite": _ours(bench.path("book.db"), rounds),
            "PostgreSQL": _ours(f"{server.url}&schema=bench_handover", rounds),
        }
    finally:
        server.stop()
    few = bench.pick(2, 10)
    theirs = {
        f"{peers.version('labgrid')} reserve --wait": _labgrid(bench, few),
        f"{peers.version('call-dibs')} claim --wait --poll 1": _dibs(bench, few),
    }
    for engine, samples in ours.items():
        kept = stats.summary(samples)
        what = f"release until a waiter has it, {engine}"
        for value, share, limit in ((kept.p50, "p50", 10), (kept.p99, "p99", 50)):
            yield Line(f"{what}, {share}", value, "ms", bar=Bar(limit, unit="ms"), detail=asdict(kept))
        for peer, waited in theirs.items():
            their = stats.summary(waited)
            yield Line(what, kept.p50, "ms", f"{peer}, {few} rounds", their.p50, detail=asdict(their))


def _ours(url: str, rounds: int) -> list[float]:
    command = [sys.executable, child("waiter.py"), url, _WANTED]
    with (
        open_ledger(url) as ledger,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as waiter,
    ):
        samples = [_round(ledger, waiter) for _ in range(rounds + 3)]
        if waiter.stdin is not None:
            waiter.stdin.close()
        return samples[3:]


def _round(ledger: Ledger, waiter: subprocess.Popen[str]) -> float:
    """Hold, wait until the other process waits in the queue, give back, and read when it had it (ms later)."""
    if waiter.stdin is None or waiter.stdout is None:
        raise RuntimeError("the waiter has no pipes")
    held = ledger.reserve(Request((_WANTED,), Holder("alice"), duration_us=HOUR_US))
    waiter.stdin.write("wait\n")
    waiter.stdin.flush()
    while not ledger.reservations(resources=(_WANTED,), states={State.WAITING}):
        time.sleep(0.002)
    time.sleep(0.02)  # it sleeps now
    released_ns = time.monotonic_ns()
    ledger.release(held.id, Holder("alice"))
    had_it_ns = int(waiter.stdout.readline())
    waiter.stdin.write("give back\n")
    waiter.stdin.flush()
    waiter.stdout.readline()
    return (had_it_ns - released_ns) / 1_000_000


def _labgrid(bench: Bench, rounds: int) -> list[float]:
    """Acquire a place, have another user reserve it with ``--wait``, release it, and wait for that process to end."""
    environment = peers.installed("labgrid")
    client = environment.program("labgrid-client")
    with peers.labgrid_coordinator(bench.path("labgrid"), 10) as address:

        def run(user: str, *words: str) -> list[str]:
            return [*(["/usr/bin/env", f"LG_USERNAME={user}"]), client, "-x", address, *words]

        samples = []
        for number in range(rounds):
            place = f"p{number:05}"
            env = peers.environ(bench.folder)
            subprocess.run(run("alice", "-p", place, "acquire"), check=True, capture_output=True, env=env)
            ask = run("bob", "reserve", "--wait", f"name={place}")
            with subprocess.Popen(ask, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as waiter:
                time.sleep(2 + random.random())
                _check(waiter.poll() is None, "labgrid's waiter did not wait")
                give = run("alice", "-p", place, "release")
                subprocess.run(give, check=True, capture_output=True, env=env)
                samples.append(stats.seconds(waiter.wait) * _MILLI)
                said = waiter.stdout.read() if waiter.stdout else ""
            token = re.search(r"Reservation '(\w+)'", said)
            _check(token is not None and waiter.returncode == 0, f"labgrid did not hand over: {said[-300:]}")
            cancel = run("bob", "cancel-reservation", token[1] if token else "")
            subprocess.run(cancel, check=True, capture_output=True, env=env)
        return samples


def _dibs(bench: Bench, rounds: int) -> list[float]:
    """Claim, have another owner claim with ``--wait``, release, and wait for that process to end."""
    dibs = peers.installed("call-dibs").program("dibs")
    env = peers.dibs_environ(bench.path("dibs"), (_WANTED,))
    samples = []
    for _ in range(rounds):
        subprocess.run([dibs, "claim", _WANTED, "--owner", "alice"], check=True, capture_output=True, env=env)
        ask = [dibs, "claim", _WANTED, "--owner", "bob", "--wait", "--poll", "1"]
        with subprocess.Popen(ask, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) as waiter:
            time.sleep(1 + random.random())
            _check(waiter.poll() is None, "call-dibs's waiter did not wait")
            give = [dibs, "release", _WANTED, "--owner", "alice"]
            subprocess.run(give, check=True, capture_output=True, env=env)
            samples.append(stats.seconds(waiter.wait) * _MILLI)
        give = [dibs, "release", _WANTED, "--owner", "bob"]
        subprocess.run(give, check=True, capture_output=True, env=env)
    return samples


def _check(fact: bool, otherwise: str) -> None:
    if not fact:
        raise RuntimeError(otherwise)
