"""Jobs that can be counted: every execution appends a line to a file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bespeak.base import process_identity
from bespeak.runner import exit_record, supervisors
from bespeak.runner.service import Runner

WAIT_SECONDS = 20
COMPILERS = [name for name in ("cc",) if shutil.which(name)]
"""The C compiler of this machine, if it has one."""


def compiled_supervisor(compiler: str, folder: Path) -> str:
    """Compile the supervisor of jobs; return where it is."""
    program = str(folder / "supervise.bin")
    source = os.path.join(os.path.dirname(supervisors.SCRIPT), "supervise.c")
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-O1", "-o", program, source], check=True, timeout=120)
    return program


def counting(tmp_path: Path, after: str = "") -> tuple[list[str], Path]:
    """Return a command that notes each of its executions, and where."""
    marks = tmp_path / "executions"
    return ["/bin/sh", "-c", f'echo run >>"$1"; {after}', "sh", str(marks)], marks


def executions(marks: Path) -> int:
    return len(marks.read_text().splitlines()) if marks.exists() else 0


def eventually(what):
    """Return the first true answer of ``what``; fail when there is none in time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        answer = what()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def gone(pid: int) -> bool:
    ticks = process_identity.began_ticks(pid)
    return ticks is None or not process_identity.alive(pid, ticks)


def stdout_of(runner: Runner, job) -> bytes:
    return Path(runner.paths.log(job.job_id, "stdout")).read_bytes()


def stderr_of(runner: Runner, job) -> bytes:
    return Path(runner.paths.log(job.job_id, "stderr")).read_bytes()


def run(runner: Runner, command, **options):
    """Start a command and return its ended job."""
    started = runner.start(f"key-{os.urandom(4).hex()}", command, **options)
    return runner.wait(started.job.job_id, WAIT_SECONDS)


def program(*words: str | bytes, crash_at: str = "", home: str | None = None, **options) -> subprocess.CompletedProcess:
    """Run the runner as a program."""
    environment = {**os.environ, "BESPEAK_CRASH_AT": crash_at}
    if home is not None:
        environment["ORCHESJOB_HOME"] = home
    command = [sys.executable, "-m", "bespeak.runner", *words]
    return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False, **options)


def served(runner: Runner, *requests: list[str], environ: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Have the helper of a dispatcher do requests that come all at once; return its answers in their order."""
    lines = "".join(json.dumps({"n": number, "argv": words}) + "\n" for number, words in enumerate(requests, start=1))
    environment = {**os.environ, "ORCHESJOB_HOME": runner.paths.home, **(environ or {})}
    command = [sys.executable, "-m", "bespeak.runner", "serve"]
    done = subprocess.run(command, env=environment, input=lines.encode(), capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return sorted(map(json.loads, done.stdout.splitlines()), key=lambda answered: answered["n"])


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """A runner with a home of its own, whose jobs do not outlive the test."""
    home = tmp_path / "home-of-jobs"
    monkeypatch.setenv("ORCHESJOB_HOME", str(home))
    runner = Runner()
    yield runner
    if os.path.exists(runner.paths.database):
        for job in runner.running():
            end(runner, job)
    runner.close()


def end(runner: Runner, job) -> None:
    """Kill all that is left of a job."""
    record = exit_record.read(runner.paths.record(job.job_id))
    if record is None or record.supervisor is None or not (record.supervisor_alive or record.target_alive):
        return
    for pid in process_identity.group_members(record.supervisor[0]):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
