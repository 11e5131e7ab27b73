"""The installed programs that are measured: bespeak as a user has it, and its peers."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from harness.bench import support

_PORT = 20_408
_REQUIREMENTS = {
    "bespeak": [],
    "otto 0.5.2": ["otto-sh==0.5.2"],
    "otto newest": ["otto-sh", "typer<0.28"],
    "labgrid": ["labgrid>=26,<27"],
    "call-dibs": ["call-dibs"],
}


@cache
def installed(name: str) -> Any:
    """Return the environment of ``name`` (see ``tests/support/peervenv.py``); bespeak's is not editable."""
    folder = name.replace(" ", "-").replace(".", "")
    extras = "postgres" if name == "bespeak" else None
    return support("peervenv").environment(f"bench-{folder}", _REQUIREMENTS[name], bespeak=extras)


def version(name: str) -> str:
    """Return name and version of an installed peer."""
    package = "otto-sh" if name.startswith("otto") else name
    return f"{package} {installed(name).version(package)}"


def environ(home: str, **extra: str) -> dict[str, str]:
    """Return a small environment with a home of its own."""
    return {"PATH": os.defpath, "HOME": home, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **extra}


def dibs_environ(folder: str, resources: Sequence[str]) -> dict[str, str]:
    """Make a ledger of call-dibs for ``resources`` and return the environment that names it."""
    os.makedirs(folder)
    with open(os.path.join(folder, "resources.json"), "w") as file:
        json.dump(dict.fromkeys(resources, "measured"), file)
    return environ(folder, DIBS_DIR=folder)


@contextmanager
def labgrid_coordinator(folder: str, places: int) -> Iterator[str]:
    """Run labgrid's coordinator with ``places`` places in ``folder``; yields its address."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "places.yaml"), "w") as file:
        file.writelines(
            f"p{number:05}:\n  aliases: []\n  comment: ''\n  tags: {{name: p{number:05}}}\n  matches: []\n"
            for number in range(places)
        )
    address = f"127.0.0.1:{_PORT + places % 1000 + os.getpid() % 500}"
    environment = installed("labgrid")
    process = subprocess.Popen(
        [environment.program("labgrid-coordinator"), "-l", address],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environ(folder),
    )
    try:
        _until_it_answers(environment, address, folder)
        yield address
    finally:
        process.kill()
        process.wait()


def _until_it_answers(environment: Any, address: str, folder: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ask = [environment.program("labgrid-client"), "-x", address, "places"]
        if subprocess.run(ask, check=False, capture_output=True, env=environ(folder)).returncode == 0:
            return
        time.sleep(0.2)
    raise RuntimeError("labgrid's coordinator did not answer within a minute")
