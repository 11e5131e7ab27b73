"""Backends of a PostgreSQL server are killed with -9 while processes write; what was answered is compared with the book.

    python backendkills.py SECONDS [PROCESSES]

The server keeps its log on the disk (fsync and synchronous commit are on). Each kill makes it recover, as an
out-of-memory kill does. Every process writes what nobody else touches, so the book must be what its answers say:
nothing acknowledged is missing, nothing reported as not made is there. The program prints one JSON line and ends with
1 where an answer was false.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pgserver
from repositories import git

from bespeak.base import ids
from bespeak.base.errors import OutcomeUnknownError, UnavailableError
from bespeak.coord.schema import COORD
from bespeak.coord.service import Coord
from bespeak.git.repository import find
from bespeak.jobs import store
from bespeak.jobs.locations import open_store
from bespeak.jobs.store import JobSpec
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.storage import open_engine

WRITERS = ("ledger", "claims", "jobs")
PROCESSES = 9
SECOND_US = 1_000_000
PAUSE_SECONDS = 0.01
RECOVERY_SECONDS = 60.0
Write = tuple[str, str, Callable[[], Any]]
"""What is written (``made`` or ``ended``), of what, and how."""


def ledger_writes(url: str, name: str) -> Iterator[Write]:
    """Reserve and give back: the first inserts, the second only updates."""
    me = Holder(name)
    with open_ledger(url) as book:
        for number in range(10**9):
            thing = f"{name}-{number}"
            request = Request((thing,), me, duration_us=3600 * SECOND_US, purpose=thing)
            yield "made", thing, lambda request=request: book.reserve(request)
            found = again(lambda thing=thing: book.who(thing))
            if found:
                yield "ended", thing, lambda held=found[0]: book.release(held.id, me)


def claims_writes(url: str, name: str) -> Iterator[Write]:
    """Claim and release."""
    coord = Coord(find(os.getcwd()), open_engine(url, [COORD]), name)
    for number in range(10**9):
        run = f"{name}-{number}"
        yield "made", run, lambda run=run: coord.reserve([f"{name}.py::f"], run_id=run)
        if again(lambda run=run: coord.engine.read(lambda tx: tx.fetch_one(_CLAIM, {"run": run}))):
            yield "ended", run, lambda run=run: coord.release_all(run_id=run)


def jobs_writes(url: str, name: str) -> Iterator[Write]:
    """Reserve a job and cancel it."""
    engine = open_store(url)
    for number in range(10**9):
        key = f"{name}-{number}"
        yield "made", key, lambda key=key: store.reserve(engine, JobSpec(key, ["/bin/true"]), ids.new_id())
        if again(lambda key=key: engine.read(lambda tx: tx.fetch_one(_JOB, {"key": key}))):
            yield "ended", key, lambda key=key: store.cancel(engine, run_key=key, reservation_id=None)


_CLAIM = "SELECT 1 FROM coord_reservations WHERE run_id = :run"
_JOB = "SELECT 1 FROM reservations WHERE run_key = :key"


def again(read: Callable[[], Any]) -> Any:
    """Read as soon as the server answers."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            return read()
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def answers(writes: Iterator[Write], until: float) -> Iterator[tuple[str, str, str]]:
    """Write until the time is over; yield what was written, of what, and the answer."""
    for kind, thing, write in writes:
        try:
            write()
        except OutcomeUnknownError:
            answer = "unknown"
        except UnavailableError:
            answer = "not made"
            time.sleep(PAUSE_SECONDS)
        else:
            answer = "acknowledged"
        yield kind, thing, answer
        if time.monotonic() > until:
            return


def child(number: int, url: str, until: float, result: str) -> None:
    writer = WRITERS[number % len(WRITERS)]
    writes = {"ledger": ledger_writes, "claims": claims_writes, "jobs": jobs_writes}[writer](url, f"w{number}")
    told = list(answers(writes, until))
    with open(result, "w", encoding="utf-8") as file:
        json.dump([writer, told], file)


def fork(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 -- the parent reads it from stderr, and the status tells
        traceback.print_exc()
    finally:
        os._exit(status)


def backends(folder: str) -> list[int]:
    """Return the server's processes that serve a client."""
    with open(os.path.join(folder, "data", "postmaster.pid"), encoding="ascii") as file:
        postmaster = int(file.readline())
    with open(f"/proc/{postmaster}/task/{postmaster}/children", encoding="ascii") as file:
        found = [int(word) for word in file.read().split()]
    return [pid for pid in found if b"[local]" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def kill_until(folder: str, until: float) -> int:
    """Kill a backend now and then; return how many."""
    dice, kills = random.Random(5), 0
    while time.monotonic() < until - 1:
        time.sleep(dice.uniform(0.2, 0.8))
        there = backends(folder)
        if there:
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(there), signal.SIGKILL)
                kills += 1
    return kills


_FOUND = {
    ("ledger", "made"): "SELECT purpose FROM ledger_reservations",
    ("ledger", "ended"): "SELECT purpose FROM ledger_reservations WHERE ended_us IS NOT NULL",
    ("claims", "made"): "SELECT run_id FROM coord_reservations",
    ("claims", "ended"): "SELECT run_id FROM coord_reservations WHERE released_us IS NOT NULL",
    ("jobs", "made"): "SELECT run_key FROM reservations",
    ("jobs", "ended"): "SELECT run_key FROM reservations WHERE reservation_status = 'CANCELLED'",
}


def judge(url: str, told: dict[str, list[list[str]]]) -> dict[str, Any]:
    """Compare the answers with the book."""
    engine = open_engine(url, ())
    found = {key: {row[0] for row in engine.read(lambda tx, sql=sql: tx.fetch_all(sql))} for key, sql in _FOUND.items()}
    engine.close()
    counts: Counter[str] = Counter()
    missing, present = [], []
    for writer, lines in told.items():
        for kind, thing, answer in lines:
            counts[answer] += 1
            counts[f"{answer}: {writer} {kind}"] += 1
            there = thing in found[writer, kind]
            if answer == "acknowledged" and not there:
                missing.append(f"{writer} {kind} {thing}")
            if answer == "not made" and there:
                present.append(f"{writer} {kind} {thing}")
    return {"counts": counts, "acknowledged_and_missing": missing, "not_made_and_present": present}


def attack(server: pgserver.Server, seconds: float, processes: int) -> dict[str, Any]:
    """Write and kill for so long; return what was seen."""
    url = f"{server.url}&schema=attacked"
    for component in ("ledger", "claims", "jobs"):
        {"ledger": open_ledger, "claims": lambda u: open_engine(u, [COORD]), "jobs": open_store}[component](url).close()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        git(folder, "init", "-q", "-b", "main")
        until = time.monotonic() + seconds
        results = [os.path.join(folder, f"told-{number}") for number in range(processes)]
        children = [fork(lambda n=n, r=r: child(n, url, until, r)) for n, r in enumerate(results)]
        kills = kill_until(server.folder, until)
        failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in children)
        told: dict[str, list[list[str]]] = {writer: [] for writer in WRITERS}
        for result in results:
            with contextlib.suppress(FileNotFoundError), open(result, encoding="utf-8") as file:
                writer, lines = json.load(file)
                told[writer] += lines
        os.chdir("/")
    return {"seconds": seconds, "kills": kills, "failed": failed} | again(lambda: judge(url, told))


def main() -> int:
    seconds, processes = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else PROCESSES
    server = pgserver.Server(durable=True)
    try:
        seen = attack(server, seconds, processes)
    finally:
        server.stop()
    print(json.dumps(seen))
    return int(bool(seen["failed"] or seen["acknowledged_and_missing"] or seen["not_made_and_present"]))


if __name__ == "__main__":
    raise SystemExit(main())
