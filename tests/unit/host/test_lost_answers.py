"""What a controller does when an answer is lost: read the state first, repeat what may be repeated, say where it ended."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from bespeak.host import PowerOnlyHost, Status
from bespeak.host.power import PowerController, PowerState, power_control_from_spec
from bespeak.host.power.permission import OrderForbiddenError, Switching, allowed_by
from bespeak.host.power.redundant import RedundantPowerController
from bespeak.host.power.worker_thread import in_thread

from .conftest import Plug, run

HOST = PowerOnlyHost("h1")


def shelly(plug: Plug, **settings: object):
    return power_control_from_spec(
        {"type": "http", "url": plug.url, "model": "shelly1", "timeout": 30, "cycle_delay": 0.01, **settings}
    )


def break_off(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def losing(plug: Plug, lost: Callable[[str, int], bool], *, arrives: bool) -> dict[str, bool]:
    """A plug that breaks the connection off for the orders that ``lost`` names, before or after it obeyed."""
    state = plug.relay()
    obey = plug.answer
    orders: list[str] = []

    def answer(path: str, handler: BaseHTTPRequestHandler):
        if "turn=" in path:
            orders.append(path)
            if lost(path, len(orders)):
                if arrives:
                    obey(path, handler)
                return break_off
        return obey(path, handler)

    plug.answer = answer
    return state


def test_an_order_whose_answer_is_lost_is_not_sent_twice_when_the_state_shows_it_arrived(plug: Plug) -> None:
    state = losing(plug, lambda path, number: number == 1, arrives=True)
    status, said = run(shelly(plug).on(HOST))
    assert (status, state["on"]) == (Status.Success, True)
    assert said.endswith("; but it is on")
    assert [path for path in plug.asked if "turn=" in path] == ["/relay/0?turn=on"]


def test_an_order_that_never_arrived_is_repeated(plug: Plug) -> None:
    state = losing(plug, lambda path, number: number <= 2, arrives=False)
    assert run(shelly(plug).on(HOST)) == (Status.Success, "")
    assert state["on"]
    assert len([path for path in plug.asked if "turn=" in path]) == 3


@pytest.mark.parametrize("arrives", [True, False])
def test_a_cycle_goes_on_after_a_lost_answer_to_off(plug: Plug, arrives: bool) -> None:
    state = losing(plug, lambda path, number: number == 1, arrives=arrives)
    assert run(shelly(plug).cycle(HOST))[0] is Status.Success
    assert state["on"]


def test_a_cycle_repeats_the_one_order_that_switches_on_again(plug: Plug) -> None:
    state = losing(plug, lambda path, number: number == 2, arrives=False)
    assert run(shelly(plug).cycle(HOST))[0] is Status.Success
    assert state["on"]


@pytest.mark.parametrize("code", [408, 429, 500, 501, 503, 599])
def test_an_off_that_was_obeyed_and_answered_with_an_error_does_not_end_the_cycle(plug: Plug, code: int) -> None:
    state = plug.relay()
    obey = plug.answer

    def answer(path: str, handler: BaseHTTPRequestHandler):
        said = obey(path, handler)
        return (code, "broken") if path.endswith("turn=off") else said

    plug.answer = answer
    assert run(shelly(plug).cycle(HOST))[0] is Status.Success
    assert state["on"]
    assert [path for path in plug.asked if "turn=" in path] == ["/relay/0?turn=off", "/relay/0?turn=on"]


def test_an_order_that_a_device_is_too_broken_for_is_repeated(plug: Plug) -> None:
    state = plug.relay()
    obey = plug.answer
    broken = iter([True, True])

    def answer(path: str, handler: BaseHTTPRequestHandler):
        return (500, "") if "turn=" in path and next(broken, False) else obey(path, handler)

    plug.answer = answer
    assert run(shelly(plug).on(HOST)) == (Status.Success, "")
    assert state["on"]


@pytest.mark.parametrize("code", [400, 404, 409, 422])
def test_an_order_that_a_device_refuses_is_sent_once(plug: Plug, code: int) -> None:
    state = plug.relay()
    obey = plug.answer
    plug.answer = lambda path, handler: (code, "no") if "turn=" in path else obey(path, handler)
    state["on"] = True
    assert run(shelly(plug).cycle(HOST)) == (Status.Failed, f"{plug.url[7:]}: HTTP {code}: no")
    assert len([path for path in plug.asked if "turn=" in path]) == 1


def test_a_command_that_switches_off_and_fails_does_not_leave_the_host_off(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("on")
    control = power_control_from_spec({
        "type": "command", "on_cmd": f"echo on > {state}; echo up", "off_cmd": f"echo off > {state}; echo oops; exit 1",
        "status_cmd": f"cat {state}", "status_on": "on", "cycle_delay": 0.01,
    })  # fmt: skip
    status, said = run(control.cycle(HOST))
    assert (status, said.splitlines()) == (Status.Success, ["off: oops; but it was off", "up"])
    assert state.read_text() == "on\n"


def test_a_refused_login_is_tried_once(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUG_PASSWORD", "wr0ng")
    plug.answer = lambda path, handler: (401, "")
    status, said = run(shelly(plug, user="me", password="env:PLUG_PASSWORD").on(HOST))
    assert (status, len(plug.asked)) == (Status.Error, 1)
    assert "login refused" in said


def test_the_state_is_read_also_after_the_time_is_over(plug: Plug) -> None:
    """The device obeys and never answers: the failure says where that left the host."""
    state = plug.relay()
    obey = plug.answer

    def answer(path: str, handler: BaseHTTPRequestHandler):
        if "turn=" in path:
            obey(path, handler)
            return lambda _: plug.released.wait(60)
        return obey(path, handler)

    plug.answer = answer
    status, said = run(shelly(plug, timeout=0.2).off(HOST))
    plug.released.set()
    assert (status, state["on"]) == (Status.Success, False)
    assert said.endswith("; but it is off")


def redfish(plug: Plug, state: dict[str, str], on_reset: Callable[[str], int]) -> None:
    """A service with one system; ``on_reset`` takes the reset type and returns the status code of the answer."""
    system = {
        "@odata.id": "/redfish/v1/Systems/1", "Id": "1", "Name": "one", "UUID": "u",
        "Actions": {"#ComputerSystem.Reset": {
            "target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
            "ResetType@Redfish.AllowableValues": ["On", "ForceOff"],
        }},
    }  # fmt: skip
    pages: dict[str, dict[str, object]] = {
        "/redfish/v1": {"Id": "r", "Name": "r", "RedfishVersion": "1.6.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}},
        "/redfish/v1/Systems": {"Name": "s", "Members": [{"@odata.id": "/redfish/v1/Systems/1"}]},
    }  # fmt: skip

    def answer(path: str, handler: BaseHTTPRequestHandler):
        if path.endswith("ComputerSystem.Reset"):
            length = int(handler.headers["Content-Length"])
            kind = json.loads(handler.rfile.read(length))["ResetType"]
            return on_reset(kind), json.dumps({})
        if path.rstrip("/").endswith("Systems/1"):
            return 200, json.dumps({**system, "PowerState": state["power"]})
        return 200, json.dumps(pages[path.rstrip("/")])

    plug.answer = answer


def test_a_server_error_after_a_reset_is_followed_by_a_look_at_the_state(plug: Plug) -> None:
    state = {"power": "Off"}

    def reset(kind: str) -> int:
        state["power"] = "On"
        return 500

    redfish(plug, state, reset)
    control = power_control_from_spec({"type": "redfish", "url": plug.url, "timeout": 60})
    status, said = run(control.on(HOST))
    assert status is Status.Success, said
    assert said.endswith("; but it is on")


def test_a_redfish_reset_is_not_sent_by_a_thread_that_nobody_waits_for(plug: Plug) -> None:
    state, resets = {"power": "On"}, []
    asked, go_on = threading.Event(), threading.Event()

    def reset(kind: str) -> int:
        resets.append(kind)
        return 204

    redfish(plug, state, reset)
    inner = plug.answer

    def answer(path: str, handler: BaseHTTPRequestHandler):
        if path.rstrip("/").endswith("Systems/1"):
            asked.set()
            go_on.wait(60)
        return inner(path, handler)

    plug.answer = answer
    control = power_control_from_spec({"type": "redfish", "url": plug.url, "timeout": 600})

    async def work() -> None:
        task = asyncio.create_task(control.off(HOST))
        await asyncio.to_thread(asked.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())
    go_on.set()
    for thread in threading.enumerate():
        if thread.name.startswith("redfish "):
            thread.join(60)
    assert resets == []


def test_an_order_that_a_thread_is_sending_is_waited_for() -> None:
    sending, go_on, sent = threading.Event(), threading.Event(), []

    def order() -> None:
        sending.set()
        go_on.wait(60)
        sent.append("off")

    async def work() -> None:
        task = asyncio.create_task(in_thread(lambda permission: permission.act(order)))
        await asyncio.to_thread(sending.wait, 60)
        task.cancel()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sent == ["off"]

    run(work())


class Robot(PowerController):
    """A controller of somebody else's whose steps do what a test says."""

    type_name = "robot"
    cycle_delay = 0.0
    timeout = 30.0

    def __init__(self) -> None:
        self.state: PowerState | None = PowerState.ON
        self.told: list[str] = []
        self.faults: dict[str, list[BaseException | tuple[Status, str]]] = {}

    async def _do(self, name: str, state: PowerState) -> tuple[Status, str]:
        self.told.append(name)
        await asyncio.sleep(0)
        faults = self.faults.get(name)
        if faults:
            fault = faults.pop(0)
            if isinstance(fault, BaseException):
                raise fault
            return fault
        self.state = state
        return Status.Success, name

    async def on(self, host):
        return await self._do("on", PowerState.ON)

    async def off(self, host):
        return await self._do("off", PowerState.OFF)

    async def status(self, host):
        faults = self.faults.get("status")
        if faults:
            raise faults[0]
        return self.state


def test_a_status_that_raises_does_not_leave_the_host_off() -> None:
    robot = Robot()
    robot.faults["status"] = [RuntimeError("bug")]
    assert run(robot.cycle(HOST)) == (Status.Success, "on")
    assert robot.told == ["off", "on"]


def test_a_cycle_of_somebody_elses_controller_repeats_on() -> None:
    robot = Robot()
    robot.faults["on"] = [OSError("gone"), (Status.Error, "no answer")]
    assert run(robot.cycle(HOST)) == (Status.Success, "on")
    assert robot.told == ["off", "on", "on", "on"]


def test_a_cycle_does_not_repeat_an_on_that_was_refused() -> None:
    robot = Robot()
    robot.faults["on"] = [(Status.Failed, "no")]
    assert run(robot.cycle(HOST)) == (Status.Failed, "no")


def test_no_limit_of_time() -> None:
    robot = Robot()
    robot.timeout = None
    assert run(robot.cycle(HOST)) == (Status.Success, "on")
    both = RedundantPowerController([robot, Robot()])
    assert both.timeout is None
    assert run(both.cycle(HOST))[0] is Status.Success
    shell = power_control_from_spec({"type": "command", "on_cmd": "echo a", "off_cmd": "echo b", "timeout": None})
    assert run(shell.on(HOST)) == (Status.Success, "a")


def test_of_two_supplies_one_refuses() -> None:
    one, other = Robot(), Robot()
    other.faults["off"] = [(Status.Failed, "jammed")]
    status, said = run(RedundantPowerController([one, other]).off(HOST))
    assert status is Status.Failed
    assert said == "supply 1: success: off; it is off\nsupply 2: failed: jammed; it is on"


def test_a_cycle_in_which_one_supply_stays_on_leaves_none_off() -> None:
    one, other, third = Robot(), Robot(), Robot()
    other.faults["off"] = [(Status.Failed, "jammed")]
    third.faults["on"] = [(Status.Failed, "burnt")]
    status, said = run(RedundantPowerController([one, other, third]).cycle(HOST))
    assert status is Status.Failed
    assert said.splitlines()[-2:] == ["supply 1 is on again", "supply 3 was left off: burnt"]
    assert (one.told, other.told, third.told) == (["off", "on"], ["off"], ["off", "on"])


def test_a_supply_that_may_not_be_switched_on_again_is_named() -> None:
    one, other = Robot(), Robot()
    other.faults["off"] = [(Status.Failed, "jammed")]

    async def confirm() -> None:
        if one.told:
            raise OrderForbiddenError("rack1 is no longer held", refused=True)

    with allowed_by(Switching(confirm)), pytest.raises(OrderForbiddenError) as caught:
        run(RedundantPowerController([one, other]).cycle(HOST))
    assert (one.told, caught.value.refused) == (["off"], True)
    assert str(caught.value).endswith("supply 1 was left off: rack1 is no longer held")


def test_a_supply_that_raises_does_not_interrupt_the_other() -> None:
    one, other = Robot(), Robot()
    one.faults["off"] = [RuntimeError("bug")]
    ended: list[bool] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(0.05)
        finally:
            ended.append(asyncio.current_task().cancelling() == 0)  # type: ignore[union-attr]

    class Slow(Robot):
        async def off(self, host):
            await slow()
            return await super().off(host)

    other = Slow()
    status, said = run(RedundantPowerController([one, other]).off(HOST))
    assert status is Status.Error
    assert ended == [True]
    assert said == "supply 1: error: failed: RuntimeError; it is on\nsupply 2: success: off; it is off"


def test_nothing_is_ordered_without_permission_nor_after_the_end(plug: Plug) -> None:
    state = plug.relay()
    state["on"] = True
    asked: list[str] = []

    async def confirm() -> None:
        asked.append("may I")
        if len(asked) > 2:
            raise OrderForbiddenError("rack1 is no longer held", refused=True)

    async def work() -> None:
        switching = Switching(confirm)
        with allowed_by(switching), pytest.raises(OrderForbiddenError, match="no longer held"):
            await shelly(plug).cycle(HOST)
        assert switching.ordered is PowerState.OFF
        with pytest.raises(OrderForbiddenError, match="has ended"):
            await switching.order(PowerState.ON)

    run(work())
    assert state["on"] is False
    assert [path for path in plug.asked if "turn=" in path] == ["/relay/0?turn=off"]
