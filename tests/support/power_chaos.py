"""Cycles of a plug while answers are lost, delayed and doubled, holds are lost and processes killed.

``python tests/support/power_chaos.py 1000 --seed 7`` plays 1,000 cycles and prints what happened. Each cycle is one
process or one executor with a book, a gate and a plug on a socket. After each, :func:`verdict` asks three questions:

- Is the host off because of the cycle? Then the report or, after SIGKILL, the log alone must say so.
- Did the plug get an order of the cycle after somebody else had taken the host? None may arrive.
- Does the log have the beginning of the cycle, and its end unless the process was killed outright?
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bespeak.host.power import power_control_from_spec
from bespeak.ledger.actions import Action
from bespeak.lifecycle.actions import power_action
from support.switching import ALICE, BOB, Lab
from support.trusting import trust

REQUESTS = 9
"""About as many as an undisturbed cycle makes: the state before, off, read twice, on, read twice, the state after."""
_DELAY_SECONDS = 0.05
_PATIENCE_SECONDS = 120


class Fault(Enum):
    """What happens at one request of a cycle."""

    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    DELAYED = "answer delayed"
    DOUBLED = "answer doubled"
    REFUSED = "HTTP 500, obeyed"
    HOLD_LOST = "hold lost"
    SIGINT = "SIGINT"
    SIGTERM = "SIGTERM"
    SIGHUP = "SIGHUP"
    SIGKILL = "SIGKILL"


SIGNALS = (Fault.SIGINT, Fault.SIGTERM, Fault.SIGHUP, Fault.SIGKILL)
_ON_THE_WIRE = (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.DELAYED, Fault.DOUBLED, Fault.REFUSED)


@dataclass
class Cycle:
    """One cycle: what is to go wrong at which request, and what the plug saw.

    Attributes:
        faults: by the number of the request, from 1.
        on: whether the plug is on.
        orders: what the cycle ordered, in order.
        taken: somebody else has the host now.
        late: orders of the cycle that arrived after that.
        seen: how many requests came.
        happened: the faults that did happen.
    """

    faults: dict[int, Fault]
    on: bool = True
    orders: list[str] = field(default_factory=list)
    taken: bool = False
    late: list[str] = field(default_factory=list)
    seen: int = 0
    happened: list[Fault] = field(default_factory=list)
    hold_is_lost: Callable[[], None] = lambda: None
    process: subprocess.Popen[str] | None = None

    @property
    def wants_a_process(self) -> bool:
        """Whether something is to be killed."""
        return any(fault in SIGNALS for fault in self.faults.values())


class ChaoticPlug(ThreadingHTTPServer):
    """A relay of the first Shelly generation, which does to each request what the cycle in hand says."""

    daemon_threads = True

    def __init__(self) -> None:
        plug = self
        self.cycle = Cycle({})
        self.lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                plug.serve(self)

            def log_message(self, *args: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the play."""

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, or not."""
        with self.lock:
            cycle = self.cycle
            cycle.seen += 1
            fault = cycle.faults.get(cycle.seen)
            if fault is not None:
                cycle.happened.append(fault)
            if fault is not Fault.REQUEST_LOST:
                self._obey(cycle, handler.path)
            if fault is Fault.HOLD_LOST and not cycle.taken:
                cycle.hold_is_lost()
                cycle.taken = True
            if fault in SIGNALS and cycle.process is not None:
                cycle.process.send_signal(getattr(signal, fault.name))
        if fault in {Fault.REQUEST_LOST, Fault.ANSWER_LOST}:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        if fault is Fault.DELAYED:
            time.sleep(_DELAY_SECONDS)
        self._answer(handler, 500 if fault is Fault.REFUSED else 200, 2 if fault is Fault.DOUBLED else 1)

    @staticmethod
    def _obey(cycle: Cycle, path: str) -> None:
        for order in ("on", "off"):
            if path.endswith(f"turn={order}"):
                if cycle.taken:
                    cycle.late.append(order)
                cycle.orders.append(order)
                cycle.on = order == "on"

    def _answer(self, handler: BaseHTTPRequestHandler, code: int, times: int) -> None:
        text = json.dumps({"ison": self.cycle.on})
        answer = f"HTTP/1.1 {code} x\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}"
        handler.wfile.write(answer.encode() * times)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def end(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.thread.join()
        self.server_close()


@dataclass(frozen=True)
class Report:
    """What whoever started the cycle was told, and what the log has."""

    ok: bool
    left_off: bool
    said: str
    log: list[Any]


class Chaos:
    """A book, a lab file, a plug.

    Args:
        folder: where all files are.
        plug: the plug of the only host.
    """

    def __init__(self, folder: Path, plug: ChaoticPlug) -> None:
        self.folder = folder
        self.plug = plug
        self.lab = Lab(f"sqlite:///{folder}/book.db")
        settings = {"type": "http", "url": plug.url, "model": "shelly1", "cycle_delay": 0.02, "timeout": 60}
        self.settings: dict[str, object] = dict(settings)
        (folder / ".bespeak").mkdir()
        (folder / ".bespeak" / "settings.toml").write_text(
            '[reservations]\nbackend = "ledger"\n[ledger]\nurl = "book.db"\n'
        )
        table = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
        (folder / "lab.toml").write_text(
            f'[[hosts]]\nid = "r1"\nlabs = ["bench"]\nresources = ["rack1"]\n[hosts.power_control]\n{table}\n'
        )
        trust(folder)

    def play(self, cycle: Cycle) -> tuple[Report, list[str]]:
        """Do one cycle; return what was told of it, and what is wrong."""
        before = {entry.seq for entry in self.lab.log()}
        held = self.lab.hold(ALICE)
        taken: list[Any] = []

        def hold_is_lost() -> None:
            self.lab.book.kick(held.id, BOB, "needed")
            taken.append(self.lab.hold(BOB))

        cycle.hold_is_lost = hold_is_lost
        self.plug.cycle = cycle
        told = self._in_a_process(cycle) if cycle.wants_a_process else self._here()
        self.plug.cycle = Cycle({}, on=cycle.on)
        for each, holder in ((held, ALICE), *((one, BOB) for one in taken)):
            if not (each is held and taken):
                self.lab.book.release(each.id, holder)
        log = [entry for entry in self.lab.log() if entry.seq not in before]
        report = Report(*told, log)
        return report, list(verdict(cycle, report))

    def _here(self) -> tuple[bool, bool, str]:
        host = self.lab.host(control=power_control_from_spec(self.settings))
        (outcome,) = self.lab.do(power_action("cycle"), host)
        return outcome.ok, outcome.left_off, outcome.text

    def _in_a_process(self, cycle: Cycle) -> tuple[bool, bool, str]:
        words = [sys.executable, "-m", "bespeak", "--as-user", "alice", "--json", "-l", "bench", "power", "cycle", "r1"]
        with self.plug.lock:  # no request is answered before its process is known
            cycle.process = subprocess.Popen(
                words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        out, err = cycle.process.communicate(timeout=_PATIENCE_SECONDS)
        if cycle.process.returncode == -signal.SIGKILL:
            return False, False, ""
        try:
            (one,) = json.loads(out)["results"]
        except (ValueError, KeyError):
            return False, False, f"no report (exit code {cycle.process.returncode}): {out}{err}"
        return one["ok"], one["left_off"], f"{one['text']}\n{err}"


def verdict(cycle: Cycle, report: Report) -> Iterator[str]:
    """Yield what the cycle must not have done."""
    killed = Fault.SIGKILL in cycle.happened
    began = [entry for entry in report.log if entry.action is Action.ACTING]
    ended = [entry for entry in report.log if entry.action is Action.ACTED]
    if cycle.late:
        yield f"ordered {cycle.late} in another's time"
    if cycle.orders and not began:
        yield "nothing in the log says that it began"
    if began and not ended and not killed:
        yield "nothing in the log says how it ended"
    if report.ok and not cycle.on and not cycle.taken:
        yield "reported as done, and the host is off"
    if "no report" in report.said:
        yield report.said
    if cycle.on or cycle.taken or killed or not cycle.orders:
        return
    if not report.left_off:
        yield f"left off, and not said: {report.said}"
    if not any(word in str(entry.after.get("text")) for entry in ended for word in ("left off", "may be off")):
        yield "left off, and the log does not say it"


def plan(chance: random.Random) -> Cycle:
    """Return a cycle in which one to four requests go wrong, at most one of them by a signal or a lost hold."""
    faults = {chance.randint(1, REQUESTS): chance.choice(_ON_THE_WIRE) for _ in range(chance.randint(0, 3))}
    faults[chance.randint(1, REQUESTS)] = chance.choice((*_ON_THE_WIRE, Fault.HOLD_LOST, Fault.HOLD_LOST, *SIGNALS))
    return Cycle(faults)


@contextmanager
def chaos(folder: Path) -> Iterator[Chaos]:
    """Set the scene in ``folder``, and clear it."""
    plug = ChaoticPlug()
    made = Chaos(folder, plug)
    try:
        yield made
    finally:
        made.lab.book.close()
        plug.end()


def main() -> int:
    """Play as many cycles as asked for; return 1 if one of them did what it must not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cycles", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    faults: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"HOME": folder, "XDG_CONFIG_HOME": f"{folder}/config", "XDG_DATA_HOME": f"{folder}/data"}
        with chaos(Path(folder)) as scene:
            for number in range(given.cycles):
                cycle = plan(chance)
                wanted = dict(cycle.faults)
                _, found = scene.play(cycle)
                faults.update(fault.value for fault in cycle.happened)
                ends["taken away" if cycle.taken else "on" if cycle.on else "left off"] += 1
                for line in found:
                    wrong += 1
                    print(f"cycle {number}: {line}; planned {wanted}, orders {cycle.orders}", flush=True)
    print(json.dumps({"cycles": given.cycles, "seed": given.seed, "wrong": wrong, "ends": ends, "faults": faults}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
