"""The conformance helper: shipped controllers pass it, and it names every violation at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bespeak.host import Status
from bespeak.host.power import PowerController, PowerState, power_control_from_spec
from bespeak.testing import assert_power_controller_conforms

from .conftest import Plug


def command(tmp_path: Path) -> dict[str, object]:
    return {
        "type": "command",
        "on_cmd": f"echo on > {tmp_path}/state",
        "off_cmd": f"echo off > {tmp_path}/state",
        "status_cmd": f"cat {tmp_path}/state",
        "status_on": "on",
        "cycle_delay": 0.01,
    }


def test_the_command_controller_conforms(tmp_path: Path) -> None:
    assert_power_controller_conforms(power_control_from_spec(command(tmp_path)))


def test_a_plug_conforms(plug: Plug) -> None:
    plug.relay()
    control = {"type": "http", "url": plug.url, "model": "shelly1", "cycle_delay": 0.01}
    assert_power_controller_conforms(power_control_from_spec(control))
    assert_power_controller_conforms(power_control_from_spec([control]))


def test_every_violation_is_named_at_once() -> None:
    class Wrong(PowerController):
        type_name = ""
        timeout = "long"

        def __init__(self) -> None:
            self.password = "hunter2"

        def __repr__(self) -> str:
            return f"Wrong({self.password})"

        async def on(self, host):
            return "fine"

        async def off(self, host):
            return Status.Failed, None

        async def cycle(self, host):
            raise RuntimeError("no")

        async def status(self, host):
            return PowerState.ON

    with pytest.raises(AssertionError) as told:
        assert_power_controller_conforms(Wrong())
    lines = str(told.value).splitlines()
    assert lines[0] == "Wrong breaks the contract:"
    assert [line.split("; ")[0] for line in lines[1:]] == [
        "  - type_name must be a text, not ''",
        "  - timeout must be a number of seconds, not 'long'",
        "  - repr() shows a setting whose name says that it is secret",
        "  - on must return (Status, str), not 'fine'",
        "  - off did not work: Failed: None",
        "  - off must return a text second, not None",
        "  - after off, status says on",
        "  - cycle raised RuntimeError: no",
    ]


def test_plain_functions_are_told_before_anything_is_switched() -> None:
    class Plain:
        def on(self, host):
            raise AssertionError

    with pytest.raises(AssertionError, match="is not a subclass of PowerController") as told:
        assert_power_controller_conforms(Plain())
    assert "on is not a coroutine function" in str(told.value)


def test_one_that_never_ends() -> None:
    class Slow(PowerController):
        type_name = "slow"

        async def on(self, host):
            import asyncio

            await asyncio.sleep(1000)

        off = cycle = on

    with pytest.raises(AssertionError, match=r"on and status did not end within 0.05 s"):
        assert_power_controller_conforms(Slow(), within_seconds=0.05)
