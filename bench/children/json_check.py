"""Ask one JSON reservation backend one question; print seconds and peak memory. Run by the interpreter that has it.

python json_check.py bespeak|otto|pass FILE held|missing
"""

import inspect
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def main(kind: str, path: str, question: str) -> None:
    wanted = {"a1", "a2", "a3"} if question == "held" else {f"r{number:06}" for number in range(1, 40, 4)}
    lab = SimpleNamespace(name="demo", resources=wanted, hosts={})
    ask = one_pass(path) if kind == "pass" else question_of(kind, path, lab, refused=question == "missing")
    started = time.perf_counter()
    ask()
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "megabytes": peak_megabytes()}))


def peak_megabytes() -> float:
    """Return this program's own peak; ``ru_maxrss`` would begin with the size of the process that started it."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith("VmHWM"))


def one_pass(path: str) -> Any:
    def ask() -> None:
        with open(path) as file:
            json.load(file)

    return ask


def question_of(kind: str, path: str, lab: Any, *, refused: bool) -> Any:
    reservations = import_module(f"{kind}.reservations")
    make, refusal = reservations.JsonReservationBackend, reservations.MissingReservationError
    named = {"username": "alice"} if "username" in inspect.signature(make).parameters else {}
    backend = make(path=Path(path), **named)

    def ask() -> None:
        try:
            reservations.check_reservations(lab, "alice", backend)
        except refusal:
            if not refused:
                raise
        else:
            if refused:
                raise SystemExit("the refusal that is measured did not happen")

    return ask


if __name__ == "__main__":
    main(*sys.argv[1:])
