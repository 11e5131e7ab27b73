"""Dispatching: how late a start call is, how many a second, and what waiting costs; the published reserver beside it.

python bench/jobs.py [--quick]

The stub runner is a shell script that prints a job id, so that what is measured is the dispatcher; the embedded
runner really starts ``/bin/true``, durably, with its record and its supervisor.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bespeak.base import ids
from bespeak.jobs import store
from bespeak.jobs.locations import open_store
from bespeak.jobs.store import JobSpec
from harness import stats
from harness.bench import Bench, support
from harness.lines import Bar, Line, table
from harness.processes import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

STUB = '#!/bin/sh\necho \'{"job_id": "J"}\'\n'
STAMPING = '#!/bin/sh\n[ "$1" = start ] && date +%s.%N >>"$STAMPS"\necho \'{"job_id": "J"}\'\n'
OURS = [sys.executable, "-c", "from bespeak.jobs.cli import reserver_main; raise SystemExit(reserver_main())"]
PARALLEL = [sys.executable, "-c", "import sys; from bespeak.__main__ import main; raise SystemExit(main())", "job"]
"""The same under its own name: 32 starts at once, where the original, and so its name, makes one after the other."""
_REST_SECONDS = 40
"""Longer than the helper of the embedded runner stays without a request."""
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def measure(bench: Bench) -> Iterator[Line]:
    """Measure everything."""
    theirs = _theirs()
    yield from _late(bench, theirs)
    yield from _late_bodies(bench)
    yield from _throughput(bench, theirs)
    yield from _waiting(bench, theirs)
    yield from _programs(bench, theirs)


def _theirs() -> list[str]:
    peervenv = support("peervenv")
    environment = peervenv.environment(
        "orchesjob-reserver", ["orchesjob==1.1.0", "orchesjob-reserver==0.1.2"], python=peervenv.find_python((3, 12))
    )
    return [environment.program("orchesjob-reserver")]


def _script(bench: Bench, text: str) -> str:
    path = bench.path("runner")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


@contextmanager
def _running(words: list[str], url: str, runner: str, *args: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A dispatcher with a quiet log."""
    home = os.path.dirname(url)
    with subprocess.Popen(
        [*words, "run", "--db", url, "--orchesjob-bin", runner, *args],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"ORCHESJOB_HOME": home} | environ,
    ) as process:
        yield process
        process.terminate()
        process.communicate()


def _reserve(url: str, count: int, **fields: Any) -> None:
    engine = open_store(url)
    for number in range(count):
        store.reserve(engine, JobSpec(f"{ids.new_id()}-{number}", ["/bin/true"], **fields), ids.new_id())
    engine.close()


def _late(bench: Bench, theirs: list[str]) -> Iterator[Line]:
    """One reservation for each of some whole seconds; the stub writes down when it was called."""
    count = bench.pick(10, 60)
    found = {}
    for name, words in (("ours", OURS), ("theirs", theirs)):
        stamps, runner = bench.path("stamps"), _script(bench, STAMPING)
        url = bench.path("reserver.sqlite3")
        first = int(time.time()) + 3
        for number in range(count):
            subprocess.run(
                [*words, "reserve", "--db", url, "--run-key", f"k{number}", "--not-before", str(first + number), "--",
                 "/bin/true"], check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        with _running(words, url, runner, STAMPS=stamps):
            time.sleep(max(first + count + 3 - time.time(), 0))
        with open(stamps, encoding="ascii") as file:
            found[name] = [(float(text) % 1 if name == "ours" else float(text) - first - number) * 1000
                           for number, text in enumerate(file.read().split())]  # fmt: skip
    ours, peer = stats.summary(found["ours"]), stats.summary(found["theirs"])
    note = f"{count} of them; the stub itself takes about 2 ms to say when it was called"
    yield Line("due until the start call, p50", ours.p50, "ms", "orchesjob-reserver 0.1.2, poll 2 s", peer.p50,
               bar=Bar(5, unit="ms"), note=note)  # fmt: skip
    yield Line("due until the start call, p99", stats.percentile(found["ours"], 0.99), "ms", bar=Bar(20, unit="ms"))


def _late_bodies(bench: Bench) -> Iterator[Line]:
    """Jobs of the embedded runner that write down when they run: one a second, and after the helper has left."""
    yield from _body_lines(bench, bench.pick(10, 60), 1, "one a second")
    yield from _body_lines(bench, bench.pick(1, 4), _REST_SECONDS, f"{_REST_SECONDS} s apart, so that no helper waits")


def _body_lines(bench: Bench, count: int, apart_seconds: int, note: str) -> Iterator[Line]:
    ours, floor = _body_delays_ms(bench, count, apart_seconds)
    for name, share, most in (("p50", 0.5, 5), ("p95", 0.95, 20)):
        yield Line(f"due until the body runs, embedded runner, {name}", stats.percentile(ours, share), "ms",
                   "sleeping until then and posix_spawn", stats.percentile(floor, share), "slower",
                   Bar(most, unit="ms"), f"{count} of them, {note}")  # fmt: skip


def _body_delays_ms(bench: Bench, count: int, apart_seconds: int) -> tuple[list[float], list[float]]:
    """Return how late the bodies of jobs ran, and the same commands that this process spawns between them."""
    url, stamps, spawned = bench.path("reserver.sqlite3"), bench.path("stamps"), bench.path("spawned")
    due = [int(time.time()) + 3 + apart_seconds * number for number in range(count)]
    engine = open_store(url)
    for moment in due:
        store.reserve(engine, JobSpec(f"k{moment}", _stamping(stamps), not_before=moment), ids.new_id())
    engine.close()
    with _running(PARALLEL, url, "embedded"):
        for moment in due:
            time.sleep(max(moment + 0.5 - time.time(), 0))
            whole(_stamping(spawned), dict(os.environ))
        time.sleep(2)
    return _delays_ms(stamps, due), _delays_ms(spawned, [moment + 0.5 for moment in due])


def _stamping(path: str) -> list[str]:
    return ["/bin/sh", "-c", f"date +%s.%N >>{path}"]


def _delays_ms(path: str, due: list[Any]) -> list[float]:
    with open(path, encoding="ascii") as file:
        return [(float(text) - moment) * 1000 for text, moment in zip(file, due, strict=True)]


def _throughput(bench: Bench, theirs: list[str]) -> Iterator[Line]:
    count = bench.pick(500, 5_000)
    stub = _script(bench, STUB)
    floor = count / sum(whole([stub], dict(os.environ)) for _ in range(count))
    spawn = count / sum(whole(["/bin/true"], dict(os.environ)) for _ in range(count))
    peer = _drain(bench, theirs, stub, bench.pick(200, 1_000))
    ours = _drain(bench, PARALLEL, stub, count)
    yield Line("starts a second, stub", ours, "/s", "orchesjob-reserver 0.1.2", peer, "more", note=f"{count:,} due")
    yield Line("starts a second, stub", ours, "/s", "spawning the stub, one at a time", floor, "more")
    embedded = _drain(bench, PARALLEL, "embedded", count)
    yield Line("starts a second, embedded runner", embedded, "/s", "posix_spawn /bin/true and wait", spawn, "more",
               Bar(0.5, at_least=True, of_ratio=True))  # fmt: skip


def _drain(bench: Bench, words: list[str], runner: str, count: int) -> float:
    """Return how many a second a dispatcher starts of ``count`` that are due."""
    url = bench.path("reserver.sqlite3")
    if words is PARALLEL:
        _reserve(url, count)
    else:
        subprocess.run([*words, "list", "--db", url], check=True, stdout=subprocess.DEVNULL)
        _as_theirs(url, count)
    done, began, ended = 0, 0.0, 0.0
    with _running(words, url, runner) as process:
        while done < count and process.stdout is not None:
            event = json.loads(process.stdout.readline())["event"]
            if event == "orchesjob_start_call" and not began:
                began = time.monotonic()
            done += event in ("dispatch_succeeded", "dispatch_failed")
        ended = time.monotonic()
    return count / (ended - began)


def _as_theirs(url: str, count: int, not_before: int | None = None) -> None:
    import sqlite3

    connection = sqlite3.connect(url)
    connection.executemany(
        "INSERT INTO reservations (reservation_id, run_key, command_json, reservation_status, not_before, created_at,"
        " updated_at) VALUES (?, ?, '[\"/bin/true\"]', 'RESERVED', ?, ?, ?)",
        ((f"r{n}", f"k{n}", not_before, int(time.time()) - 60, int(time.time()) - 60) for n in range(count)),
    )
    connection.commit()
    connection.close()


def _waiting(bench: Bench, theirs: list[str]) -> Iterator[Line]:
    """What a dispatcher costs that has nothing to do, with a hundred thousand reservations for the far future."""
    count = bench.pick(20_000, 100_000)
    seconds = bench.pick(20.0, 60.0)
    found = {}
    for name, words in (("ours", OURS), ("theirs", theirs)):
        url = bench.path("reserver.sqlite3")
        subprocess.run([*words, "list", "--db", url], check=True, stdout=subprocess.DEVNULL)
        _as_theirs(url, count, 4_000_000_000)
        with _running(words, url, "/bin/true") as process:
            time.sleep(3)
            before = _cpu_seconds(process.pid)
            time.sleep(seconds)
            used = _cpu_seconds(process.pid) - before
            with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
                memory = int(file.read().split()[1]) * _PAGE_KIB / 1024
        found[name] = (100 * used / seconds, memory)
    note = f"{count:,} reservations for the far future"
    yield Line("idle processor", found["ours"][0], "%", "orchesjob-reserver 0.1.2", found["theirs"][0], "less",
               Bar(0.2, unit="%"), note)  # fmt: skip
    yield Line("idle memory", found["ours"][1], "MiB", "orchesjob-reserver 0.1.2", found["theirs"][1], "less",
               Bar(25, unit="MiB"), note)  # fmt: skip


def _cpu_seconds(pid: int) -> float:
    """Return what a process has used, to the nanosecond, for what is idle uses less than a tick."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def _programs(bench: Bench, theirs: list[str]) -> Iterator[Line]:
    url, peer_url = bench.path("reserver.sqlite3"), bench.path("reserver.sqlite3")
    environ = dict(os.environ)
    for words, place in ((OURS, url), (theirs, peer_url)):
        whole([*words, "reserve", "--db", place, "--run-key", "k", "--", "/bin/true"], environ)
    status = ["status", "--run-key", "k", "--db"]

    def reserve(words: list[str], place: str) -> float:
        return whole([*words, "reserve", "--run-key", ids.new_id(), "--db", place, "--", "x"], environ)

    samples = stats.in_turn(
        {
            "bare": lambda: whole([sys.executable, "-c", "pass"], environ),
            "status": lambda: whole([*OURS, *status, url], environ),
            "list": lambda: whole([*OURS, "list", "--db", url], environ),
            "reserve": lambda: reserve(OURS, url),
            "their status": lambda: whole([*theirs, *status, peer_url], environ),
            "their reserve": lambda: reserve(theirs, peer_url),
        },
        bench.pick(10, 40),
    )
    kept = {name: stats.summary([value * 1000 for value in each]).p50 for name, each in samples.items()}
    for name in ("status", "reserve", "list"):
        yield Line(f"job {name}, whole process", kept[name], "ms", "bare python", kept["bare"], "slower",
                   Bar(5, of_ratio=True))  # fmt: skip
    for name in ("status", "reserve"):
        yield Line(f"job {name}, whole process", kept[name], "ms", "orchesjob-reserver 0.1.2", kept[f"their {name}"])


def main() -> int:
    """Measure and print."""
    bench = Bench(quick="--quick" in sys.argv[1:])
    try:
        print(table(list(measure(bench))))
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
