"""Exactly once under random kills, and truth under raced cancels.

``BESPEAK_DISPATCH_KILL_JOBS`` sets how many jobs the first test reserves; the suite's number is small, two thousand is
the one to believe.
"""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter

import pytest

from bespeak.base import ids
from bespeak.base.errors import WrongStateError
from bespeak.jobs import store
from bespeak.jobs.locations import open_store
from bespeak.jobs.store import JobSpec
from support.job_sites import PATIENCE_SECONDS, Dispatcher, Site

JOBS = int(os.environ.get("BESPEAK_DISPATCH_KILL_JOBS", "200"))
RACES = 1500


def children(pid: int) -> list[int]:
    """Return the children of a process, whichever of its threads made them."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
    return found


def supervisors(helper: int) -> list[int]:
    """Return the supervisors that stay with jobs and are still children of a living helper."""
    found = []
    for pid in children(helper):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            if b"/supervise." in file.read():
                found.append(pid)
    return found


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def undecided(engine) -> int:
    sql = "SELECT COUNT(*) FROM reservations WHERE reservation_status IN ('RESERVED', 'DISPATCHING')"
    return engine.read(lambda tx: tx.fetch_one(sql))[0]


def test_random_kills_of_three_dispatchers_lose_and_double_nothing(any_site: Site, book_engine: str) -> None:
    jobs = JOBS if book_engine == "sqlite" else JOBS // 2
    out = os.path.join(any_site.folder, "out")
    chance = random.Random(11)
    engine = open_store(any_site.url)
    for number in range(jobs):
        pause = "sleep 0.2; " if number % 10 == 0 else ""
        due = int(time.time()) + chance.randrange(0, 4)
        store.reserve(
            engine,
            JobSpec(
                f"k{number}", ["/bin/sh", "-c", f"{pause}echo k{number} >>{out}"], not_before=due, expires_at=due + 3600
            ),
            ids.new_id(),
        )

    def begin() -> Dispatcher:
        return any_site.run(
            "--max-starts", "8", "--error-sleep", "0.05", prog="bespeak job", runner="embedded", wait=False
        )

    running = [begin() for _ in range(3)]
    kills = shells = 0
    deadline = time.monotonic() + 4 * PATIENCE_SECONDS
    while undecided(engine) and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.02, 0.4))
        number = chance.randrange(len(running))
        process = running[number].process
        helpers = children(process.pid)
        kind = chance.random()
        jobs_shells = [pid for helper in helpers for pid in supervisors(helper)]
        for pid in jobs_shells[:5]:
            kill(pid)
            shells += 1
        if helpers and kind < 0.4:
            kill(chance.choice(helpers))
        else:
            kill(process.pid)
            process.wait()
            running[number] = begin()
        kills += 1
    for dispatcher in running:
        dispatcher.stop()
    assert undecided(engine) == 0
    states = Counter(
        row[0] for row in engine.read(lambda tx: tx.fetch_all("SELECT reservation_status FROM reservations"))
    )
    engine.close()
    assert states == {"DISPATCHED": jobs}
    assert kills > 0
    print(f"{kills} kills of dispatchers and helpers, {shells} of supervisors")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with open(out, encoding="ascii") as file:
            counts = Counter(file.read().split())
        if len(counts) == jobs:
            break
        time.sleep(0.05)
    assert [key for key, count in counts.items() if count > 1] == []
    missing = {f"k{number}" for number in range(jobs)} - counts.keys()
    assert not missing, [
        any_site.call("status", "--run-key", key, "--include-job", runner="embedded").out for key in missing
    ]


@pytest.mark.timeout(300)
def test_raced_cancels_are_never_both_acknowledged_and_started(any_site: Site) -> None:
    engine = open_store(any_site.url)
    keys = [f"k{number}" for number in range(RACES)]
    for key in keys:
        store.reserve(engine, JobSpec(key, ["/bin/true"]), ids.new_id())
    cancelled: set[str] = set()
    doors = [open_store(any_site.url) for _ in range(2)]

    def cancel(door, some: list[str]) -> None:
        for key in some:
            with contextlib.suppress(WrongStateError):
                answer = store.cancel(door, run_key=key, reservation_id=None)
                if answer.job.reservation_status == "CANCELLED":
                    cancelled.add(key)

    # From the middle outwards, so that cancels and starts meet whatever their speeds are.
    middle = sorted(keys, key=lambda key: abs(int(key[1:]) - RACES // 2))
    threads = [threading.Thread(target=cancel, args=(door, middle[n::2])) for n, door in enumerate(doors)]
    runner = any_site.stub(
        "quick",
        '#!/bin/sh\n[ "$1" = start ] || exit 1\necho "start - $3" >>"$STUB_LOG"\nprintf \'{"job_id": "%s"}\' "$3"\n',
    )
    dispatchers = [any_site.run("--max-starts", "2", runner=runner) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + 3 * PATIENCE_SECONDS
    while undecided(engine) and time.monotonic() < deadline:
        time.sleep(0.05)
    for dispatcher in dispatchers:
        dispatcher.stop()
    for door in (*doors, engine):
        door.close()
    started = Counter(any_site.starts())
    assert cancelled
    assert started
    assert cancelled.isdisjoint(started)
    assert cancelled | set(started) == set(keys)
    assert max(started.values()) == 1
