"""Programs that a test starts and waits for, and the ports that they listen on."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Start = Callable[..., "subprocess.Popen[bytes]"]


def run(work: Any) -> Any:
    """Return what a coroutine returns."""
    return asyncio.run(work)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def programs(folder: Path) -> Iterator[Start]:
    """Start programs; what they print goes to files in ``folder``, and they end with the ``with``."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        with open(folder / f"program-{len(started)}.log", "wb") as log:
            process = subprocess.Popen(
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=os.environ | (env or {})
            )
        started.append(process)
        return process

    try:
        yield begin
    finally:
        for process in started:
            process.kill()
            process.wait()


def until(true: Callable[[], bool], program: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until a program is ready; what it said is the reason if it is not."""
    deadline = time.monotonic() + 40
    while not true():
        said = "".join(log.read_text(errors="replace")[-2000:] for log in folder.glob("program-*.log"))
        assert program.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def listens(port: int) -> bool:
    """Tell whether something listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
