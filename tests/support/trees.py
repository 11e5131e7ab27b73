"""Commands that start others, and what is left of them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

IMPATIENT = """
import sys, bespeak.cli.supervise as supervise
supervise.KILL_AFTER_SECONDS = 0.3
from bespeak.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""bespeak that gives a command little time to end."""

NOTE = "import os, sys\nopen(sys.argv[1], 'a').write(f'{os.getpid()}\\n')\n"
DAEMON = f"""
import os, signal, sys, time
if os.fork():
    time.sleep(300)
os.setsid()
if os.fork():
    os._exit(0)
{NOTE}
time.sleep(300)
"""
"""A program and a daemon that it has made in the classical way, whose process number goes to the file it is given."""

STUBBORN = f"""
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if __import__('os').fork() == 0:
    __import__('os').setsid()
{NOTE}
time.sleep(300)
"""
"""Two processes that do not end when told to."""

STOPPED = f"""
import os, signal, sys, time
child = os.fork()
{NOTE}
if child:
    time.sleep(300)
os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(300)
"""
"""A program with a child that is stopped."""

STORM = f"""
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
{NOTE}
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        for _ in range(4_000):
            if os.fork():
                os._exit(0)
            time.sleep(0.01)
        os._exit(0)
time.sleep(300)
"""
"""Four processes, each replaced by a new one all the time, in sessions of their own."""


def python(program: str, *args: object) -> list[str]:
    """Return the command line that runs ``program``."""
    return [sys.executable, "-I", "-c", program, *map(str, args)]


def lives(pid: int) -> bool:
    """Tell whether a process runs, or is stopped; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"


def noted(path: Path, count: int) -> list[int]:
    """Wait until ``count`` processes have written their numbers into ``path``; return these."""

    def found() -> list[int]:
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    wait_for(lambda: len(found()) >= count)
    return found()


def with_argument(text: str) -> list[int]:
    """Return the living processes whose command line has ``text`` in it."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(text.encode() == word for word in words) and lives(int(name)):
            found.append(int(name))
    return found


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something happens."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def kill(*pids: int) -> None:
    """End what a test has left on purpose."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
