"""Many real processes that use one book as hard as they can.

    python hammer.py URL PROCESSES SECONDS

The program imports once and forks; each child opens the book by itself. It prints one JSON line: how often each
operation succeeded, and the id and number of each grant that was acknowledged.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import traceback
from collections import Counter
from typing import Any

from bespeak.base.errors import BespeakError, UnavailableError
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Mode, Request

RESOURCES = [f"r{number:02}" for number in range(20)]
SECOND_US = 1_000_000
LEAST_STEPS = 30
MOST_MORE_SECONDS = 90.0
"""A busy machine gets so much longer for the least that each process has to do."""


class Worker:
    """One process: holds little, for long windows that it gives back soon."""

    def __init__(self, url: str, number: int) -> None:
        self.dice = random.Random(number)
        self.me = Holder(f"user{number}")
        self.book = open_ledger(url)
        self.mine: list[Any] = []
        self.done: Counter[str] = Counter()
        self.acknowledged: list[tuple[str, int]] = []

    def step(self) -> None:
        kinds = ["reserve", "queue", "later", "extend", "shorten", "kick", "release"]
        kind = "release" if len(self.mine) > 2 else self.dice.choices(kinds, [8, 8, 2, 3, 2, 1, 8])[0]
        try:
            if getattr(self, kind)():
                self.done[kind] += 1
        except UnavailableError:
            raise
        except BespeakError:
            self.done[f"{kind} refused"] += 1

    def request(self, **more: Any) -> Request:
        wanted = tuple(sorted(self.dice.sample(RESOURCES, self.dice.choice([1, 1, 2, 3]))))
        mode = Mode.SHARED if self.dice.random() < 0.2 else Mode.EXCLUSIVE
        window = {"duration_us": 600 * SECOND_US} | more
        return Request(wanted, self.me, mode=mode, purpose="wants " + " ".join(wanted), **window)

    def keep(self, granted: Any) -> bool:
        self.mine.append(granted)
        self.acknowledged.append((granted.id, granted.fencing_token))
        return True

    def reserve(self) -> bool:
        return self.keep(self.book.reserve(self.request()))

    def later(self) -> bool:
        starts_us = time.time_ns() // 1000 + self.dice.randrange(1000, 2000) * SECOND_US
        return self.keep(self.book.reserve(self.request(starts_us=starts_us, duration_us=20 * SECOND_US)))

    def queue(self) -> bool:
        return self.keep(self.book.queue(self.request(), timeout_us=self.dice.randrange(50_000, 800_000)))

    def pick(self) -> Any:
        return self.mine.pop(self.dice.randrange(len(self.mine))) if self.mine else None

    def release(self) -> bool:
        held = self.pick()
        return bool(held and self.book.release(held.id, self.me))

    def extend(self) -> bool:
        held = self.pick()
        return bool(held and self.keep_on(self.book.extend(held.id, self.me, duration_us=30 * SECOND_US)))

    def shorten(self) -> bool:
        held = self.pick()
        return bool(held and self.keep_on(self.book.shorten(held.id, self.me, duration_us=10 * SECOND_US)))

    def keep_on(self, held: Any) -> bool:
        self.mine.append(held)
        return True

    def kick(self) -> bool:
        there = self.book.who(self.dice.choice(RESOURCES))
        return bool(there and self.book.kick(there[0].id, self.me, "needed"))


def child(url: str, number: int, seconds: float, result: int) -> None:
    worker = Worker(url, number)
    deadline = time.monotonic() + seconds
    steps = 0
    while time.monotonic() < (deadline if steps >= LEAST_STEPS else deadline + MOST_MORE_SECONDS):
        worker.step()
        steps += 1
    worker.book.close()
    with os.fdopen(result, "w") as out:
        json.dump({"done": worker.done, "acknowledged": worker.acknowledged}, out)


def fork(url: str, number: int, seconds: float) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    status = 1
    try:
        os.close(reading)
        child(url, number, seconds, writing)
        status = 0
    except BaseException:  # noqa: BLE001 -- the parent reads it from stderr, and the status tells
        traceback.print_exc()
    finally:
        os._exit(status)


def main(url: str, processes: int, seconds: float) -> int:
    with open_ledger(url) as book:
        for name in RESOURCES[:3]:
            book.resource_set(name, Holder("setup"), capacity=3)
    if url.startswith("postgresql:"):
        import bespeak.storage.postgres.engine  # noqa: F401 -- imported once, before the forks
    children = [fork(url, number, seconds) for number in range(processes)]
    done: Counter[str] = Counter()
    acknowledged: list[tuple[str, int]] = []
    failed = 0
    for pid, reading in children:
        with os.fdopen(reading) as answers:
            text = answers.read()
        failed += os.waitpid(pid, 0)[1] != 0
        if text:
            answer = json.loads(text)
            done.update(answer["done"])
            acknowledged += answer["acknowledged"]
    print(json.dumps({"done": done, "acknowledged": acknowledged, "failed": failed}))
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
