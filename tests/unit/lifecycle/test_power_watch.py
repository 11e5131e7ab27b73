"""Following states: a line for each change, and devices that are left alone in between."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bespeak.cli.power_watch import _Screen
from bespeak.host import PowerOnlyHost
from bespeak.host.power import PowerState, power_control_from_spec
from bespeak.lifecycle.power_watch import PowerChange, by_device, follow
from support.switching import Switch
from support.trusting import trust

EVERY_SECONDS = 0.2
LAB = """
[[hosts]]
id = "r1"
labs = ["bench"]
resources = ["rack1"]
power_control = { type = "command", on_cmd = "true", off_cmd = "true", status_cmd = "cat {name}.state", status_on = "on" }
[[hosts]]
id = "r2"
labs = ["bench"]
power_control = { type = "command", on_cmd = "true", off_cmd = "true" }
[[hosts]]
id = "desk"
kind = "local"
labs = ["bench"]
"""


def outlet(number: int, place: str = "pdu1") -> PowerOnlyHost:
    settings = {"type": "http", "url": f"http://{place}", "model": "netio", "channel": number}
    return PowerOnlyHost(f"{place}-{number}", power_control=power_control_from_spec(settings))


def test_hosts_behind_one_device_are_asked_in_one_round() -> None:
    both = PowerOnlyHost(
        "both",
        power_control=power_control_from_spec(
            [{"type": "http", "url": f"http://{place}", "model": "netio", "channel": 9} for place in ("pdu1", "pdu2")]
        ),
    )
    own = [PowerOnlyHost(name, power_control=Switch()) for name in ("a", "b")]
    groups = by_device([outlet(1), outlet(1, "pdu2"), outlet(2), *own])
    assert sorted(len(group) for group in groups) == [1, 1, 1, 2]
    joined = by_device([outlet(1), outlet(1, "pdu2"), outlet(2), both])
    assert [{host.id for host in group} for group in joined] == [{"pdu1-1", "pdu1-2", "pdu2-1", "both"}]


def test_a_device_is_left_alone_between_two_rounds() -> None:
    asked: list[float] = []

    class Counting(Switch):
        async def status(self, host: Any) -> PowerState:
            asked.append(time.monotonic())
            self.state = PowerState.ON if len(asked) > 1 else PowerState.OFF
            return self.state

    seen: list[PowerChange] = []

    async def work() -> None:
        following = asyncio.create_task(
            follow([PowerOnlyHost("h", power_control=Counting())], EVERY_SECONDS, seen.append)
        )
        while len(asked) < 4:
            await asyncio.sleep(0.01)
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    asyncio.run(work())
    assert all(later - sooner >= 0.9 * EVERY_SECONDS for sooner, later in pairwise(asked))
    told = [(one.before, one.after, one.first) for one in seen]
    assert told == [(None, PowerState.OFF, True), (PowerState.OFF, PowerState.ON, False)]


@pytest.fixture
def bench(cli: Any, tmp_path: Path) -> Any:
    (tmp_path / "lab.toml").write_text(LAB)
    (tmp_path / "r1.state").write_text("on\n")
    trust(tmp_path)
    return lambda *words, **options: cli.start("-l", "bench", "power", "watch", *words, cwd=tmp_path, **options)


def test_a_document_for_each_change_without_any_book(bench: Any, tmp_path: Path) -> None:
    watching = bench("r1", "--every", "1s", "--json")
    first = json.loads(watching.stdout.readline())
    assert (first["host"], first["before"], first["after"], first["text"]) == ("r1", None, "on", "")
    (tmp_path / "r1.state").write_text("")
    later = json.loads(watching.stdout.readline())
    assert (later["before"], later["after"]) == ("on", "unknown")
    assert later["text"] == "the device reports neither on nor off"
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == 130
    assert "Traceback" not in watching.stderr.read()


def test_lines_for_people_and_an_end(bench: Any) -> None:
    stdout, stderr = bench("--every", "1s", "--for", "1s").communicate(timeout=60)
    assert sorted(line.split("  ", 1)[1] for line in stdout.splitlines()) == [
        "r1  on",
        "r2  unknown (command reports no state)",
    ], stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--every", "0.5s"), 2, "--every: '0.5s' is not read"),
        (("desk",), 2, "nothing switches desk: no power_control"),
        (("nobody",), 4, "there is no host 'nobody'"),
    ],
)
def test_what_is_typed_wrong(bench: Any, words: tuple[str, ...], code: int, told: str) -> None:
    watching = bench(*words)
    _, stderr = watching.communicate(timeout=60)
    assert (watching.returncode, told in stderr) == (code, True), stderr


def test_a_table_on_a_terminal(bench: Any, tmp_path: Path) -> None:
    terminal, slave = pty.openpty()
    watching = bench("--every", "1s", stdout=slave, env={"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"})
    os.close(slave)
    said = b""
    while b"1 on, 1 unknown; each device every 1 s; Ctrl-C ends" not in said:
        said += os.read(terminal, 65536)
    (tmp_path / "r1.state").write_text("off\n")
    while b"1 off, 1 unknown;" not in said:
        said += os.read(terminal, 65536)
    watching.send_signal(signal.SIGTERM)
    while watching.poll() is None:
        with suppress(OSError):
            os.read(terminal, 65536)
    os.close(terminal)
    assert watching.returncode == 143
    assert b"\x1b[4A" in said, "it is drawn in its own place"


def test_a_terminal_that_is_too_low_says_how_many_are_hidden(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINES", "6")
    monkeypatch.setenv("COLUMNS", "60")
    screen = _Screen([f"host{number}" for number in range(20)], 10.0)
    screen.take(PowerChange("host0", None, None, "no answer " * 20, 1, True))
    lines = capsys.readouterr().out.rstrip("\n").split("\n")
    assert (len(lines), lines[-1]) == (5, "... 18 more hosts: the terminal is too low")
    assert max(map(len, lines)) < 70
