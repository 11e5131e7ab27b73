"""Every name, signature and rule of the documented contract of power control."""

from __future__ import annotations

import asyncio
import inspect
import types
from unittest.mock import AsyncMock

import pytest

from bespeak.host import HostLab, LocalHost, PowerOnlyHost, Status
from bespeak.host.base import using_lab
from bespeak.host.power import (
    CommandPowerController,
    PowerController,
    PowerState,
    build_power_controller,
    power_control_from_spec,
    register_power_controller,
)
from bespeak.host.power.redundant import RedundantPowerController
from bespeak.host.power.verification import read_back
from bespeak.host.status import CommandStatus

from .conftest import run


class Switch(PowerController):
    """The smallest controller that the contract allows."""

    type_name = "switch-of-the-tests"
    cycle_delay = 0.0

    def __init__(self) -> None:
        self.done: list[str] = []
        self.off_answer = (Status.Success, "off it is")

    async def on(self, host):
        self.done.append("on")
        return Status.Success, "on it is"

    async def off(self, host):
        self.done.append("off")
        return self.off_answer


def test_a_controller_host_needs_no_more_than_the_command_of_oneshot() -> None:
    runner = AsyncMock()
    runner.oneshot.return_value = CommandStatus("virsh", "running", Status.Success, 0)
    target = PowerOnlyHost("vm1")
    target._lab = types.SimpleNamespace(hosts={"hyp": runner})
    control = CommandPowerController("start {name}", "destroy {name}", "domstate {name}", "running", "hyp")
    assert run(control.status(target)) is PowerState.ON
    runner.oneshot.assert_awaited_once_with("domstate vm1")
    blind = CommandPowerController("start {name}", "destroy {name}", controller="hyp")
    blind.cycle_delay = 0.0
    runner.oneshot.reset_mock()
    assert run(blind.cycle(target))[0] is Status.Success
    assert [call.args for call in runner.oneshot.await_args_list] == [("destroy vm1",), ("start vm1",)]


def test_states() -> None:
    assert [(state.name, state.value) for state in PowerState] == [("ON", "on"), ("OFF", "off")]


def test_status_numbers_and_what_is_ok() -> None:
    assert {one.name: one.value for one in Status} == {
        "Success": 0,
        "Failed": 1,
        "Error": 2,
        "Unstable": 3,
        "Skipped": 4,
    }
    assert [one.name for one in Status if one.is_ok] == ["Success", "Skipped"]


def test_the_controller_is_abstract_in_on_and_off_only() -> None:
    assert PowerController.__abstractmethods__ == {"on", "off"}
    for name in ("on", "off", "cycle", "status"):
        method = getattr(PowerController, name)
        assert inspect.iscoroutinefunction(method)
        assert list(inspect.signature(method).parameters) == ["self", "host"]


def test_signature_of_the_command_controller() -> None:
    parameters = inspect.signature(CommandPowerController).parameters
    documented = [name for name, one in parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert documented == ["on_cmd", "off_cmd", "status_cmd", "status_on", "controller"]
    made = CommandPowerController("a", "b", "c", "d", "e")
    assert (made.on_cmd, made.off_cmd, made.status_cmd, made.status_on, made.controller) == ("a", "b", "c", "d", "e")
    plain = CommandPowerController("a", "b")
    assert (plain.status_cmd, plain.status_on, plain.controller) == (None, "", None)
    assert CommandPowerController.type_name == "command"


def test_a_controller_need_not_report_a_state() -> None:
    assert run(Switch().status(LocalHost())) is None


def test_cycle_is_off_then_on() -> None:
    switch = Switch()
    assert run(switch.cycle(LocalHost())) == (Status.Success, "on it is")
    assert switch.done == ["off", "on"]


def test_a_cycle_leaves_the_host_off_for_as_long_as_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    switch = Switch()
    switch.cycle_delay = 1.25

    async def sleep(seconds: float) -> None:
        switch.done.append(f"{seconds:g} s")

    monkeypatch.setattr(asyncio, "sleep", sleep)
    run(switch.cycle(LocalHost()))
    assert switch.done == ["off", "1.25 s", "on"]


def test_reading_back_ends_though_the_device_never_answers() -> None:
    async def ask() -> PowerState | None:
        await asyncio.Event().wait()
        return None

    async def work() -> tuple[Status, str]:
        return await asyncio.wait_for(read_back(ask, PowerState.ON, within=0.1), 60)

    assert run(work()) == (Status.Error, "accepted, but its state could not be read within 0.1 s")


def test_a_state_that_came_too_late_is_not_said_to_have_gone() -> None:
    looks = iter([PowerState.ON])

    async def ask() -> PowerState:
        found = next(looks, None)
        if found is None:
            await asyncio.sleep(3600)
        assert found is not None
        return found

    told = run(read_back(ask, PowerState.ON, within=0.1))
    assert told == (Status.Unstable, "it is on, but whether it stays on was not seen within 0.1 s")


def test_a_controller_for_otto_works_with_the_package_name_changed() -> None:
    from bespeak import utils

    assert utils.Status is Status
    assert utils.CommandStatus is CommandStatus


def test_attributes_take_effect_after_the_controller_was_made() -> None:
    control = CommandPowerController("echo one", "echo off")
    control.on_cmd = "echo two"
    assert run(control.on(LocalHost())) == (Status.Success, "two")
    control.status_cmd, control.status_on = "echo on", "on"
    assert run(control.status(LocalHost())) is PowerState.ON
    control.on_cmd = "echo {nmae}"
    with pytest.raises(ValueError, match="on_cmd: no field"):
        run(control.on(LocalHost()))


def test_what_is_no_controller_is_not_registered() -> None:
    class Nothing:
        type_name = "nothing"

    class Half(PowerController):
        type_name = "half"

        async def on(self, host):
            return Status.Success, ""

    with pytest.raises(ValueError, match="cannot register Nothing as 'nothing': it is no PowerController"):
        register_power_controller("nothing", Nothing)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot register Half as 'half': it lacks off"):
        register_power_controller("half", Half)
    for name in ("nothing", "half"):
        with pytest.raises(ValueError, match="Unknown power controller"):
            build_power_controller(name)


@pytest.mark.parametrize("worse", [Status.Unstable, Status.Failed, Status.Error])
def test_several_supplies_are_as_good_as_the_worst_and_as_slow_as_the_slowest(worse: Status) -> None:
    good, bad = Switch(), Switch()
    good.timeout, bad.timeout, good.cycle_delay = 7.0, 1.0, 3.0
    bad.off_answer = (worse, "hm")
    both = RedundantPowerController([good, bad])
    said = (
        "supply 1: success: off it is; it is in an unknown state\n"
        f"supply 2: {worse.name.lower()}: hm; it is in an unknown state"
    )
    assert run(both.off(LocalHost())) == (worse, said)
    assert (both.timeout, both.cycle_delay) == (7.0, 3.0)


@pytest.mark.parametrize("status", [Status.Failed, Status.Error, Status.Unstable])
def test_cycle_stops_where_off_does_not_work(status: Status) -> None:
    switch = Switch()
    switch.off_answer = (status, "stuck")
    assert run(switch.cycle(LocalHost())) == (status, "stuck")
    assert switch.done == ["off"]


def test_cycle_of_a_controller_that_still_reports_on() -> None:
    class Stuck(Switch):
        timeout = 0.2

        async def status(self, host):
            return PowerState.ON

    switch = Stuck()
    status, said = run(switch.cycle(LocalHost()))
    assert status is Status.Failed
    assert said == "not switched on again: accepted, but it is still on after 0.2 s"
    assert switch.done == ["off"]


def test_registering_and_building() -> None:
    register_power_controller("switch-of-the-tests", Switch)
    assert build_power_controller("switch-of-the-tests") is Switch
    assert build_power_controller("command") is CommandPowerController
    assert isinstance(power_control_from_spec("switch-of-the-tests"), Switch)


def test_a_name_must_be_the_type_name() -> None:
    with pytest.raises(ValueError, match="cannot register Switch as 'other': its type_name is 'switch-of-the-tests'"):
        register_power_controller("other", Switch)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"Unknown power controller 'warp'\. Registered controllers: .*command.*redfish.*wol"
    ) as told:
        build_power_controller("warp")
    assert "register_power_controller()" in str(told.value)


def test_from_spec_passes_none_and_instances_through() -> None:
    switch = Switch()
    assert power_control_from_spec(None) is None
    assert power_control_from_spec(switch) is switch


def test_from_spec_takes_a_table_and_leaves_it_alone() -> None:
    table = {"type": "command", "on_cmd": "true", "off_cmd": "false"}
    before = dict(table)
    made = power_control_from_spec(table)
    assert isinstance(made, CommandPowerController)
    assert (made.on_cmd, made.off_cmd) == ("true", "false")
    assert table == before


@pytest.mark.parametrize("value", [5, 1.5, True, object(), ("command",), b"command"])
def test_from_spec_refuses_anything_else(value: object) -> None:
    with pytest.raises(ValueError, match="must be a name, a table or a list"):
        power_control_from_spec(value)


def test_the_output_and_exit_code_of_a_command() -> None:
    control = CommandPowerController("echo went on", "echo no >&2; exit 3")
    assert run(control.on(LocalHost())) == (Status.Success, "went on")
    assert run(control.off(LocalHost())) == (Status.Failed, "no")


def test_templates_name_the_host() -> None:
    host = PowerOnlyHost("id1", name="rack one", ip="10.0.0.1")
    control = CommandPowerController("printf '%s|%s|%s' {name} {ip} {id}", "echo {{literal}}")
    assert run(control.on(host)) == (Status.Success, "rack one|10.0.0.1|id1")
    assert run(control.off(host)) == (Status.Success, "{literal}")


class Recorder(LocalHost):
    """A controller host that says what it was told to run."""

    async def oneshot(self, cmd, timeout=None, log=True):
        return CommandStatus(cmd, f"{self.id}: {cmd}", Status.Success, 0)


def test_the_controller_host_is_looked_up_in_the_lab_of_the_target() -> None:
    lab = HostLab("lab", {"hyp": Recorder("hyp")})
    target = PowerOnlyHost("vm")
    target._lab = lab
    control = CommandPowerController("start {name}", "stop {name}", controller="hyp")
    assert run(control.on(target)) == (Status.Success, "hyp: start vm")


def test_else_in_the_active_lab() -> None:
    control = CommandPowerController("start {name}", "stop {name}", controller="hyp")
    with using_lab(types.SimpleNamespace(hosts={"hyp": Recorder("hyp")})):
        assert run(control.off(PowerOnlyHost("vm"))) == (Status.Success, "hyp: stop vm")


def test_an_absent_controller_host() -> None:
    control = CommandPowerController("a", "b", controller="hyp")
    with pytest.raises(ValueError, match=r"^power controller for 'vm': controller host 'hyp' not found in the lab$"):
        run(control.on(PowerOnlyHost("vm")))


def test_power_of_a_host() -> None:
    switch = Switch()
    host = LocalHost(power_control=switch)
    assert run(host.power("on")) == (Status.Success, "on it is")
    assert run(host.power("off")) == (Status.Success, "off it is")
    with pytest.raises(ValueError, match="must be 'on' or 'off', not 'up'"):
        run(host.power("up"))
    with pytest.raises(ValueError, match="reports no state"):
        run(host.power())
    with pytest.raises(ValueError, match="has no power_control"):
        run(LocalHost().power("on"))


def test_reboot_hard_is_a_cycle_and_this_machine_is_never_restarted() -> None:
    switch = Switch()
    host = LocalHost(power_control=switch)
    assert run(host.reboot(hard=True)) == (Status.Success, "on it is")
    assert switch.done == ["off", "on"]
    with pytest.raises(ValueError, match="cannot be restarted"):
        run(host.reboot())
    with pytest.raises(ValueError, match="cannot be shut down"):
        run(host.shutdown())


def test_waiting_for_a_host() -> None:
    answers = [False, False, True, True, False]

    class Flaky(LocalHost):
        async def is_reachable(self, timeout=10.0):
            return answers.pop(0)

    host = Flaky()
    assert run(host.wait_until_up(5, interval=0.01))
    assert run(host.wait_until_down(5, interval=0.01))
    assert not run(LocalHost().wait_until_down(0.05, interval=0.01))


def test_run_stops_at_the_first_command_that_fails() -> None:
    result = run(LocalHost().run(["echo a", "exit 4", "echo never"]))
    assert result.status is Status.Failed
    assert [(one.output, one.retcode) for one in result.statuses] == [("a", 0), ("", 4)]
    assert run(LocalHost().run("echo one")).status is Status.Success
