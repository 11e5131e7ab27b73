"""The JSON backend with 100,000 entries: bespeak's and those of two releases of otto, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness import peers, stats
from harness.bench import child
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from harness.bench import Bench

ENTRIES = 100_000
_WHO = ("bespeak", "otto 0.5.2", "otto newest", "one pass")
_QUESTIONS = {"held": "all held", "missing": "10 missing"}


def measure(bench: Bench) -> Iterator[Line]:
    """Measure a check and a refusal: seconds from an unread file to the answer, and peak memory of the process."""
    path = bench.path("reservations.json")
    write_file(path)
    for question, text in _QUESTIONS.items():
        yield from _lines(f"JSON backend, {ENTRIES:,} entries, {text}", _taken(bench, path, question))


def _taken(bench: Bench, path: str, question: str) -> dict[str, list[dict[str, Any]]]:
    """Ask in turn; a peer whose refusal takes a quarter of a minute is asked fewer times, and in a quick run never."""
    peers_rounds = bench.pick(0 if question == "missing" else 1, 2)
    taken: dict[str, list[dict[str, Any]]] = {}
    for number in range(bench.pick(3, 5)):
        for who in _WHO:
            if number < peers_rounds or not who.startswith("otto"):
                taken.setdefault(who, []).append(_ask(who, path, question))
    return taken


def _lines(what: str, taken: dict[str, list[dict[str, Any]]]) -> Iterator[Line]:
    for field, unit, suffix, limit in (("seconds", "s", "", 0.3), ("megabytes", "MB", ": peak memory", 100)):
        kept = {who: stats.summary([each[field] for each in all_of]) for who, all_of in taken.items()}
        own = kept["bespeak"]
        worse, better = ("slower", "faster") if unit == "s" else ("more", "less")
        floor = kept["one pass"].p50
        bar = Bar(limit, unit=unit)
        yield Line(what + suffix, own.p50, unit, "json.load alone", floor, worse, bar, detail=asdict(own))
        for peer in (each for each in _WHO[1:-1] if each in taken):
            yield Line(what + suffix, own.p50, unit, peers.version(peer), kept[peer].p50, better)


def write_file(path: str) -> None:
    """Write a reservation file: 100,000 live and past entries of 200 users; alice holds three resources."""
    entries: list[dict[str, Any]] = [
        {
            "user": f"user{number % 200:03}",
            "resources": [f"r{number:06}"],
            "expires": "2020-01-01T00:00:00Z" if number % 4 == 0 else f"2099-01-{number % 28 + 1:02}T00:00:00Z",
        }
        for number in range(ENTRIES - 1)
    ]
    entries.append({"user": "alice", "resources": ["a1", "a2", "a3"]})
    with open(path, "w") as file:
        json.dump({"version": 1, "reservations": entries}, file)


def _ask(who: str, path: str, question: str) -> dict[str, Any]:
    environment = peers.installed("bespeak" if who == "one pass" else who)
    kind = {"bespeak": "bespeak", "one pass": "pass"}.get(who, "otto")
    done = subprocess.run(
        [environment.python, child("json_check.py"), kind, path, question],
        check=True,
        capture_output=True,
        text=True,
        env=peers.environ(os.path.dirname(path)),
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
