"""Run one function in many real processes at the same instant.

    python crowd.py FUNCTION PROCESSES URL [ARGUMENT...]

The functions are those of ``storage_jobs``. The program imports once, forks, lets all children go at once, and
prints the list of what they returned as JSON; a child that died by a signal counts as ``"signal N"``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from typing import Any


def crowd(function: str, processes: int, *args: object, **environment: str) -> list[Any]:
    """Run ``storage_jobs.function(number, *args)`` in so many processes and return their answers."""
    command = [sys.executable, __file__, function, str(processes), *map(str, args)]
    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=200, env=os.environ | environment
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stderr == ""
    answers: list[Any] = json.loads(ran.stdout)
    return answers


def _child(function: Any, number: int, args: list[str], start: int, result: int) -> None:
    os.read(start, 1)
    with os.fdopen(result, "w") as out:
        json.dump(function(number, *args), out)


def _fork(function: Any, number: int, args: list[str], start: tuple[int, int]) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    status = 1
    try:
        os.close(reading)
        os.close(start[1])
        _child(function, number, args, start[0], writing)
        status = 0
    except BaseException:  # noqa: BLE001 -- the test reads it from stderr, and the status tells
        traceback.print_exc()
    finally:
        os._exit(status)


def main() -> int:
    import storage_jobs

    name, processes, *args = sys.argv[1:]
    if args and args[0].startswith("postgresql:"):
        import bespeak.storage.postgres.engine  # noqa: F401 -- imported once, before the forks
    start = os.pipe()
    children = [_fork(getattr(storage_jobs, name), number, args, start) for number in range(int(processes))]
    os.close(start[0])
    os.close(start[1])  # all begin now
    answers: list[Any] = []
    failed = False
    for pid, reading in children:
        with os.fdopen(reading) as lines:
            text = lines.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        failed = failed or code > 0
        answers.append(json.loads(text) if text else f"signal {-code}")
    print(json.dumps(answers))
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
