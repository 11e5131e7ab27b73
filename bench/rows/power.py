"""Two hundred hosts at once: wall time against the slowest device, and what one dead device does to the others.

The devices are plugs behind HTTP, each with an address of its own on loopback and as slow as a real one; the interlock,
the log and reading back are part of what is measured. In the last row all hosts are behind one OpenSSH server, where
commands switch them, eight at a time.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bespeak.host import PowerOnlyHost, SshOptions, UnixHost
from bespeak.host.factory import HostLab
from bespeak.host.power import power_control_from_spec
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Holder, Request
from bespeak.lifecycle.actions import power_action
from bespeak.lifecycle.audit import AuditLog
from bespeak.lifecycle.executor import Executor
from bespeak.lifecycle.interlock import Interlock
from bespeak.reservations.evaluation import ReservationState
from bespeak.reservations.identity import ResolvedIdentity
from bespeak.reservations.ledger_backend import LedgerReservationBackend
from harness.bench import support
from harness.lines import Bar, Line

if TYPE_CHECKING:
    from bespeak.lifecycle.model import Outcome
    from harness.bench import Bench

HOSTS = 200
_SLOWEST_SECONDS = 8.0
_DEAD_SECONDS = 20.0
_LATE = 60.0


@dataclass(slots=True)
class _Device:
    """A plug that answers at once, and is on ``delay`` seconds after it was told; None never answers."""

    delay: float | None
    on_at: float | None = None


class _Plugs:
    """All devices behind one server; the path begins with the device's number."""

    def __init__(self, delays: list[float | None]) -> None:
        self._devices = [_Device(delay) for delay in delays]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            device = self._devices[int(path[1:].partition("?")[0])]
            if device.delay is None:
                await asyncio.sleep(_LATE)
                return
            if "turn=on" in path:
                device.on_at = time.monotonic() + device.delay
            body = json.dumps({"ison": device.on_at is not None and device.on_at <= time.monotonic()}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def measure(bench: Bench) -> Iterator[Line]:
    """Switch two hundred hosts on, with and without a dead one among them."""
    del bench  # the time is the devices', so there is nothing to make smaller
    delays: list[float | None] = [0.5 + (_SLOWEST_SECONDS - 0.5) * n / (HOSTS - 1) for n in range(HOSTS)]
    alive, _ = asyncio.run(_switch(delays))
    yield Line(
        f"{HOSTS} hosts on, each seen to be on",
        alive,
        against="the slowest device alone",
        theirs=_SLOWEST_SECONDS,
        times="slower",
        unit="s",
        bar=Bar(1.5, of_ratio=True),
    )
    _, others = asyncio.run(_switch([*delays[:-1], None]))  # the dead one is a device of its own
    yield Line(
        f"the same with one that never answers: the other {HOSTS - 1}",
        others,
        against="none dead",
        theirs=alive,
        times="slower",
        unit="s",
        bar=Bar(1.2, of_ratio=True),
    )

    yield Line(
        f"{HOSTS} hosts behind one SSH controller on, each seen to be on",
        _behind_one_controller(delays),
        against="the slowest device alone",
        theirs=_SLOWEST_SECONDS,
        times="slower",
        unit="s",
    )


async def _switch(delays: list[float | None]) -> tuple[float, float]:
    """Switch all devices on; return when the last was done, and when the last living one was, in seconds."""
    server = await asyncio.start_server(_Plugs(delays).answer, "0.0.0.0", 0, backlog=HOSTS)
    port = server.sockets[0].getsockname()[1]
    try:
        return await _execute([_host(number, port) for number in range(len(delays))])
    finally:
        server.close()


async def _execute(hosts: list[PowerOnlyHost]) -> tuple[float, float]:
    """Switch hosts on; return when the last was done, and when the last that could be switched was, in seconds."""
    done: list[float] = []
    began = 0.0

    def note(outcome: Outcome) -> None:
        if outcome.ok:
            done.append(time.monotonic() - began)

    with tempfile.TemporaryDirectory() as folder, open_ledger(f"{folder}/book") as book:
        book.reserve(Request(("rack",), Holder("alice")))
        state = ReservationState(
            LedgerReservationBackend(engine=book.engine), ResolvedIdentity("alice", "--as-user"), skip_check=False
        )
        executor = Executor(
            Interlock(state, "bench"), AuditLog(lambda: book, Holder("alice")), at_once=HOSTS, on_done=note
        )
        began = time.monotonic()
        await executor.execute(power_action("on"), hosts)
        return time.monotonic() - began, max(done)


def _behind_one_controller(delays: list[float | None]) -> float:
    """Switch hosts on by commands on one OpenSSH server; return when the last was seen to be on, in seconds."""
    with tempfile.TemporaryDirectory() as folder, support("openssh").server(Path(folder)) as sshd:
        options = SshOptions(user=sshd.user, port=sshd.port, key=sshd.key, agent=False, known_hosts=sshd.known_hosts)
        lab = HostLab("bench", {"ctl": UnixHost("ctl", ip="127.0.0.1", ssh=options)})
        hosts = [_commanded(number, delay or 0.0, folder) for number, delay in enumerate(delays)]
        for host in hosts:
            host._lab = lab  # noqa: SLF001 - the contract's name for the way back

        async def work() -> tuple[float, float]:
            try:
                return await _execute(hosts)
            finally:
                await lab.close()

        whole, last = asyncio.run(work())
        seen = len(list(Path(folder).glob("*.on")))
        if seen != len(hosts):
            raise RuntimeError(f"only {seen} of {len(hosts)} hosts were switched on")
        return max(whole, last)


def _commanded(number: int, delay: float, folder: str) -> PowerOnlyHost:
    place = f"{folder}/{number}.on"
    control = power_control_from_spec(
        {"type": "command", "controller": "ctl", "timeout": 60.0, "status_on": "on", "status_off": "off"}
        | {"on_cmd": f"(sleep {delay:.2f}; : > {place}) > /dev/null 2>&1 &", "off_cmd": f"rm -f {place}"}
        | {"status_cmd": f"[ -e {place} ] && echo on || echo off"}
    )
    return PowerOnlyHost(f"host{number}", resources=("rack",), power_control=control)


def _host(number: int, port: int) -> PowerOnlyHost:
    url = f"http://127.1.{number // 250}.{number % 250 + 1}:{port}"
    control = power_control_from_spec(
        {"type": "http", "model": "custom", "url": url, "timeout": _DEAD_SECONDS}
        | {"on_path": f"/{number}?turn=on", "off_path": f"/{number}", "status_path": f"/{number}", "status_key": "ison"}
    )
    return PowerOnlyHost(f"host{number}", resources=("rack",), power_control=control)
