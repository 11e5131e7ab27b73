"""Jobs under random faults: how often each body ran, and what the book says of it.

Dispatchers, their helpers, calls of runners and supervisors of jobs are killed; the book is locked; the disk of a
dispatcher is full for a while; a killed dispatcher seems to be of another boot, with a lease that does not end; clocks
are moved. Run as a program with the size that is to be believed::

    python tests/support/job_chaos.py --jobs 2000 --engine sqlite --runner embedded
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bespeak.base import ids
from bespeak.base.errors import UnavailableError
from bespeak.jobs import store
from bespeak.jobs.locations import open_store
from bespeak.jobs.schema import LOCK
from bespeak.jobs.store import JobSpec
from support.job_sites import PATIENCE_SECONDS, Dispatcher, Site

NOISY = """#!/bin/sh
# A wrapper around a runner, as people write them: it greets, and its exit code says little.
echo "Loading the profile of $(hostname) ..."
{runner} "$@"
code=$?
case $(date +%N) in *[012]) exit 1 ;; *[34]) echo "done" ;; esac
exit $code
"""
DISPATCHERS = 3
_FAR_US = 4_000_000_000_000_000
_LONG_S = 86_400
_STEPS = ("+600", "-600", "+7200", "-7200")


@dataclass
class Report:
    """What became of all jobs.

    Attributes:
        states: how many reservations are in each state.
        runs: how many bodies ran so often, by how often.
        lacking: keys of jobs that the book says were started, whose bodies never ran.
        faults: how many there were of each kind.
        seconds: how long it took.
    """

    states: Counter[str] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)
    lacking: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def at_most_once(self) -> bool:
        """Whether no body ran twice."""
        return max(self.runs, default=0) <= 1

    @property
    def exactly_once(self) -> bool:
        """Whether each job was started and its body ran once."""
        return set(self.states) == {"DISPATCHED"} and set(self.runs) == {1}


class Chaos:
    """One book with its dispatchers, and what happens to them.

    Args:
        site: the book.
        runner: ``embedded``, or a program.
        jobs: how many there are.
        seed: of what happens when.
        fake_clock: libfaketime, or None to leave clocks alone.
        fault_seconds: for how long things go wrong; then everybody may finish.
    """

    def __init__(
        self,
        site: Site,
        runner: str,
        jobs: int,
        *,
        seed: int = 1,
        fake_clock: str | None = None,
        fault_seconds: float = 300.0,
    ) -> None:
        self._fault_seconds = fault_seconds
        self._site = site
        self._runner = runner
        self._jobs = jobs
        self._chance = random.Random(seed)
        self._fake_clock = fake_clock
        self._out = os.path.join(site.folder, "out")
        self._offset = os.path.join(site.folder, "offset")
        self._engine = open_store(site.url)
        self._report = Report()
        self._running: list[Dispatcher] = []

    def run(self) -> Report:
        """Make the jobs, disturb everybody until each is decided, and count."""
        began = time.monotonic()
        self._reserve()
        self._move_clock("+0")
        self._running = [self._begin() for _ in range(DISPATCHERS)]
        faults = [self._kill_dispatcher, self._kill_child, self._lock_book, self._fill_disk, self._another_boot]
        faults += [self._kill_supervisors] * (self._runner == "embedded") + [self._step_clock] * bool(self._fake_clock)
        deadline = began + PATIENCE_SECONDS + self._jobs
        while self._undecided() and time.monotonic() < deadline:
            if time.monotonic() - began < self._fault_seconds:
                self._await_progress()
                self._chance.choice(faults)()
            else:
                time.sleep(0.2)
        for dispatcher in self._running:
            dispatcher.stop()
        self._count()
        self._engine.close()
        self._report.seconds = time.monotonic() - began
        return self._report

    def _reserve(self) -> None:
        for number in range(self._jobs):
            due = int(time.time()) + self._chance.randrange(0, 4)
            pause = "sleep 0.2; " if number % 10 == 0 else ""
            body = ["/bin/sh", "-c", f"{pause}echo k{number} >>{self._out}"]
            spec = JobSpec(f"k{number}", body, not_before=due, expires_at=due + _LONG_S)
            store.reserve(self._engine, spec, ids.new_id())

    def _begin(self) -> Dispatcher:
        environ = {}
        if self._fake_clock:
            environ = {"LD_PRELOAD": self._fake_clock, "FAKETIME_TIMESTAMP_FILE": self._offset}
            environ |= {"FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        words = ("--max-starts", "8", "--error-sleep", "0.05", "--poll-interval", "0.5")
        return self._site.run(*words, prog="bespeak job", runner=self._runner, wait=False, env=environ)

    def _undecided(self) -> int:
        sql = "SELECT COUNT(*) FROM reservations WHERE reservation_status IN ('RESERVED', 'DISPATCHING')"
        try:
            return int(self._engine.read(lambda tx: tx.fetch_one(sql))[0])
        except UnavailableError:
            return 1

    def _await_progress(self) -> None:
        """Wait until some jobs are decided: on a loaded machine nothing would ever be, between one kill and the next."""
        goal = self._undecided() - self._chance.randrange(1, 16)
        patience = time.monotonic() + self._chance.uniform(0.5, 3)
        while self._undecided() > max(goal, 0) and time.monotonic() < patience:
            time.sleep(0.05)

    def _victim(self) -> int:
        return self._chance.randrange(len(self._running))

    def _kill_dispatcher(self) -> None:
        number = self._victim()
        kill(self._running[number].process.pid)
        self._running[number].process.wait()
        self._running[number] = self._begin()
        self._report.faults["dispatchers killed"] += 1

    def _kill_child(self) -> None:
        """Kill the helper of the embedded runner, or a call of another one."""
        found = children(self._running[self._victim()].process.pid)
        if found:
            kill(self._chance.choice(found))
            self._report.faults["helpers and calls killed"] += 1

    def _kill_supervisors(self) -> None:
        """Kill supervisors, and now and then what makes them."""
        helpers = children(self._running[self._victim()].process.pid)
        found = [pid for helper in helpers for pid in children(helper)]
        servers = [pid for pid in found if is_server(pid)]
        found = [pid for server in servers for pid in children(server)] if servers else found
        for pid in [*found[:5], *self._chance.sample(servers, self._chance.randrange(len(servers) + 1))]:
            kill(pid)
            self._report.faults["servers of supervisors killed" if pid in servers else "supervisors killed"] += 1

    def _lock_book(self) -> None:
        """Hold the lock of every write for a while."""
        seconds = self._chance.uniform(0.2, 1.5)
        with contextlib.suppress(UnavailableError):
            self._engine.transact((LOCK,), lambda _: time.sleep(seconds))
        self._report.faults["books locked"] += 1

    def _fill_disk(self) -> None:
        """Let one dispatcher write no byte behind the end of what is written already, for a while."""
        pid = self._running[self._victim()].process.pid
        size = max((os.path.getsize(path) for path in self._files()), default=1 << 16)
        with contextlib.suppress(ProcessLookupError):
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(size, 1 << 16), before[1]))
            time.sleep(self._chance.uniform(0.1, 0.6))
            for one in (pid, *children(pid)):
                with contextlib.suppress(ProcessLookupError):
                    resource.prlimit(one, resource.RLIMIT_FSIZE, before)
            self._report.faults["disks full"] += 1

    def _files(self) -> list[str]:
        path = self._site.url.removeprefix("sqlite://")
        return [path + end for end in ("", "-wal") if os.path.exists(path + end)]

    def _another_boot(self) -> None:
        """Kill a dispatcher, and let it seem to be one of an earlier boot whose clock was far ahead."""
        number = self._victim()
        pid = self._running[number].process.pid
        kill(pid)
        self._running[number].process.wait()
        sql = "UPDATE dispatch_dispatchers SET process = 'another-' || process, lease_until_us = :far WHERE pid = :pid"
        with contextlib.suppress(UnavailableError):
            self._engine.transact((LOCK,), lambda tx: tx.execute(sql, {"far": _FAR_US, "pid": pid}))
            self._report.faults["boots changed"] += 1
        self._running[number] = self._begin()

    def _step_clock(self) -> None:
        """Move the clocks, and move them back: while they are behind, nothing is due."""
        self._move_clock(self._chance.choice(_STEPS))
        time.sleep(self._chance.uniform(0.1, 1.0))
        self._move_clock("+0")
        self._report.faults["clocks moved"] += 1

    def _move_clock(self, seconds: str) -> None:
        with open(self._offset + ".new", "w", encoding="ascii") as file:
            file.write(f"{seconds}s\n")
        os.replace(self._offset + ".new", self._offset)

    def _count(self) -> None:
        found = self._engine.read(lambda tx: tx.fetch_all("SELECT run_key, reservation_status FROM reservations"))
        self._report.states = Counter(str(status) for _, status in found)
        started = {str(key) for key, status in found if status == "DISPATCHED"}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (lacking := started - self._ran().keys()) and time.monotonic() < deadline:
            if self._runner != "embedded" and time.monotonic() > deadline - PATIENCE_SECONDS / 2:
                break
            time.sleep(0.1)
        ran = self._ran()
        self._report.lacking = sorted(lacking)
        self._report.runs = Counter(ran[str(key)] for key, _ in found)

    def _ran(self) -> Counter[str]:
        if not os.path.exists(self._out):
            return Counter()
        with open(self._out, encoding="ascii") as file:
            return Counter(file.read().split())


def children(pid: int) -> list[int]:
    """Return the children of a process, whichever of its threads made them."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
    return found


def is_server(pid: int) -> bool:
    """Tell whether a process makes supervisors."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().endswith(b"\0--serve\0")
    return False


def kill(pid: int) -> None:
    """Kill a process, if it still is there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def noisy(site: Site, runner: str) -> str:
    """Return a wrapper around a runner that says more than it was asked."""
    return site.stub("noisy", NOISY.replace("{runner}", runner))


def main() -> int:
    """Run once with the size that was typed; 1 if a body ran twice, or did not run once with the embedded runner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--runner", default="embedded", help="embedded, or the path of an orchesjob")
    parser.add_argument("--noisy", action="store_true", help="put a noisy wrapper around it")
    parser.add_argument("--fake-clock", help="the path of libfaketime, to move clocks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault-seconds", type=float, default=300.0, help="then everybody may finish")
    typed = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        os.environ["HOME"] = folder
        url = None
        if typed.engine == "postgresql":
            from support import pgserver

            server = pgserver.Server()
            stack.callback(server.stop)
            url = server.url
        site = Site(folder, url)
        os.makedirs(os.path.join(folder, "home"), exist_ok=True)
        stack.callback(site.close)
        runner = noisy(site, typed.runner) if typed.noisy else typed.runner
        chaos = Chaos(
            site,
            runner,
            typed.jobs,
            seed=typed.seed,
            fake_clock=typed.fake_clock,
            fault_seconds=typed.fault_seconds,
        )
        report = chaos.run()
    print(
        f"{typed.jobs} jobs, {typed.engine}, {'noisy ' * typed.noisy}{os.path.basename(typed.runner)}, seed {typed.seed}"
    )
    print(f"states {dict(report.states)}; bodies by how often they ran {dict(report.runs)}")
    print(f"faults {dict(report.faults)}; {report.seconds:.0f} s; started but never ran: {len(report.lacking)}")
    is_well = report.exactly_once if typed.runner == "embedded" and not typed.noisy else report.at_most_once
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
