"""The embedded runner: what a start costs, in process and as a program, what a running job holds, and history.

The floor is ``posix_spawn`` of the same command; the peer is the published orchesjob, on the same calls.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bespeak.base.ids import new_id
from bespeak.runner import store, validation
from bespeak.runner.model import JobStatus
from bespeak.runner.service import Runner
from harness import peers, stats
from harness.bench import support
from harness.lines import Bar, Line
from harness.processes import whole

if TYPE_CHECKING:
    from bespeak.storage.interface import Transaction
    from harness.bench import Bench

COMMAND = "/bin/true"
_ORCHESJOB = "orchesjob==1.1.0"
_SPAWN = f"posix_spawn {COMMAND} and wait"
_TWICE = Bar(2.0, of_ratio=True)
_HALF = Bar(0.5, at_least=True, of_ratio=True)
_MOST_KIB = Bar(2048, unit="KiB")
_JOBS_HELD = 20
_SLEEP = ("/bin/sleep", "600")


def measure(bench: Bench) -> Iterator[Line]:
    """Measure starts, throughput, memory and the effect of history."""
    yield from _in_process(bench, "an empty book", 0)
    yield from _in_process(bench, "history", bench.pick(20_000, 1_000_000))
    yield from _throughput(bench)
    yield from _programs(bench)
    yield from _memory(bench)


def _in_process(bench: Bench, name: str, history: int) -> Iterator[Line]:
    runner = _runner(bench, history)
    environ = dict(os.environ)

    def start(timeout_seconds: float) -> float:
        took = stats.seconds(lambda: runner.start(new_id(), [COMMAND], start_timeout_seconds=timeout_seconds))
        _let_end(runner)
        return took

    samples = stats.in_turn(
        {
            "accepted": lambda: start(0),
            "running": lambda: start(10),
            "spawn": lambda: whole([COMMAND], environ),
        },
        bench.pick(50, 300),
        warm=5,
    )
    runner.close()
    kept = {key: stats.summary([value * 1000 for value in each]) for key, each in samples.items()}
    note = f"{history:,} earlier jobs" if history else name
    for key, what in (("accepted", "stored durably and spawned"), ("running", "and seen to run")):
        yield Line(f"start in process, {what}", kept[key].p50, "ms", _SPAWN, kept["spawn"].p50, "slower", _TWICE, note,
                   asdict(kept[key]))  # fmt: skip


def _let_end(runner: Runner) -> None:
    """Wait until the started supervisor is gone, so that one sample does not slow the next."""
    while runner._children:  # noqa: SLF001 - there is no other way to see it without asking the book
        runner.reap()
        time.sleep(0.0005)


def _throughput(bench: Bench) -> Iterator[Line]:
    count = bench.pick(200, 2000)
    environ = dict(os.environ)
    spawned = count / stats.seconds(lambda: [whole([COMMAND], environ) for _ in range(count)])
    runner = _runner(bench, 0)

    def starts() -> None:
        for _ in range(count):
            runner.start(new_id(), [COMMAND], start_timeout_seconds=0)
        _let_end(runner)

    ours = count / stats.seconds(starts)
    runner.close()
    yield Line("starts until all have ended, one caller", ours, "/s", f"{_SPAWN}, one after the other", spawned, "more",
               _HALF, f"{count:,} jobs")  # fmt: skip


def _programs(bench: Bench) -> Iterator[Line]:
    python = peers.installed("bespeak").python
    theirs = _orchesjob().program("orchesjob")
    homes = {"ours": bench.path("ours"), "theirs": bench.path("theirs")}
    for home in homes.values():
        os.makedirs(home)

    def call(words: list[str], home: str) -> Callable[[], float]:
        return lambda: whole([word.replace("@", new_id()) for word in words], peers.environ(home, ORCHESJOB_HOME=home))

    start = ["start", "--run-key", "@", "--", COMMAND]
    known = ["start", "--run-key", "known", "--", COMMAND]
    for name, program in (("ours", [python, "-m", "bespeak.runner"]), ("theirs", [theirs])):
        call([*program, *known], homes[name])()
    status = ["status", "--run-key", "known"]
    samples = stats.in_turn(
        {
            "bare": call([python, "-c", "pass"], homes["ours"]),
            "start": call([python, "-m", "bespeak.runner", *start], homes["ours"]),
            "orchesjob start": call([theirs, *start], homes["theirs"]),
            "status": call([python, "-m", "bespeak.runner", *status], homes["ours"]),
            "orchesjob status": call([theirs, *status], homes["theirs"]),
        },
        bench.pick(7, 25),
    )
    kept = {key: stats.summary([value * 1000 for value in each]) for key, each in samples.items()}
    for what in ("start", "status"):
        yield Line(f"`bespeak runner {what}`, whole process", kept[what].p50, "ms", "python -c pass", kept["bare"].p50,
                   "slower", Bar(5.0, of_ratio=True), detail=asdict(kept[what]))  # fmt: skip
        peer = kept[f"orchesjob {what}"]
        yield Line(f"`bespeak runner {what}`", kept[what].p50, "ms", f"`orchesjob {what}`", peer.p50, "faster",
                   detail=asdict(peer))  # fmt: skip


def _memory(bench: Bench) -> Iterator[Line]:
    runner = _runner(bench, 0)
    jobs = [runner.start(new_id(), _SLEEP).job for _ in range(_JOBS_HELD)]
    home = bench.path("memory")
    os.makedirs(home)
    environ = peers.environ(home, ORCHESJOB_HOME=home)
    theirs = _orchesjob()
    pids = []
    try:
        for number in range(_JOBS_HELD):
            whole([theirs.program("orchesjob"), "start", "--run-key", str(number), "--", *_SLEEP], environ)
        pids = _workers(home)
        for what, field in (("resident", "Rss"), ("proportional share", "Pss")):
            ours = _mean_kib([job.worker_pid or 0 for job in jobs], field)
            yield Line(f"supervisor of a running job, {what}", ours, "KiB", "orchesjob's", _mean_kib(pids, field),
                       "faster", _MOST_KIB, "ratio: smaller")  # fmt: skip
    finally:
        for leader in [*(job.worker_pid or 0 for job in jobs), *pids]:
            _end(leader)
        _let_end(runner)
        runner.close()


def _workers(home: str) -> list[int]:
    import json
    import subprocess

    environ = peers.environ(home, ORCHESJOB_HOME=home)
    command = [_orchesjob().program("orchesjob"), "status", "--running"]
    jobs = json.loads(subprocess.run(command, env=environ, check=True, capture_output=True).stdout)
    return [job[name] for job in jobs for name in ("worker_pid",)]


def _mean_kib(pids: list[int], field: str) -> float:
    sizes = []
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            sizes += [int(line.split()[1]) for line in file if line.startswith(f"{field}:")]
    return sum(sizes) / len(sizes)


def _end(supervisor: int) -> None:
    """Kill a supervisor and its command, which is its only child."""
    try:
        with open(f"/proc/{supervisor}/task/{supervisor}/children") as file:
            children = [int(pid) for pid in file.read().split()]
    except OSError:
        return
    for pid in [*children, supervisor]:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue


def _runner(bench: Bench, history: int) -> Runner:
    runner = Runner(bench.path("home"))
    runner.start("first", [COMMAND])
    _let_end(runner)
    if history:
        runner.transact("history", lambda tx: _fill(tx, history))
    return runner


def _fill(tx: Transaction, count: int) -> None:
    for number in range(count):
        job = validation.new_job(
            f"history-{number}", [COMMAND], now_us=number, environment={}, cwd=None, strict=False, idempotency_key=None
        )
        store.insert(tx, job.replace(status=JobStatus.SUCCEEDED, exit_code=0, finished_us=number, updated_us=number))


def _orchesjob() -> Any:
    peervenv = support("peervenv")
    return peervenv.environment("orchesjob", [_ORCHESJOB], python=peervenv.find_python((3, 12)))
