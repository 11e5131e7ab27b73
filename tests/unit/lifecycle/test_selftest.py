"""The self-test of what switches a host: what it tries, and how it leaves the host."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from bespeak.host import Status
from bespeak.host.power import PowerState
from bespeak.host.power.device import Device, PowerFault
from bespeak.host.secrets import Secret
from bespeak.ledger.actions import Action
from bespeak.lifecycle.audit import AuditLog
from bespeak.lifecycle.executor import Executor
from bespeak.lifecycle.model import Outcome
from bespeak.lifecycle.selftest import Operation, Result, SelfTest
from bespeak.lifecycle.selftest_report import report_json, report_markdown
from support.switching import ALICE, Lab, Switch


class Resettable(Switch):
    async def reset(self, host: Any) -> tuple[Status, str]:
        self.told.append("reset")
        return Status.Success, ""


def results(trial: SelfTest) -> list[tuple[str, str]]:
    return [(one.name, one.result.value) for one in trial.operations]


def on_now(control: Switch) -> Switch:
    control.state = PowerState.ON
    return control


def test_a_host_that_is_on_is_left_on(lab: Lab) -> None:
    lab.hold(ALICE)
    control, trial = on_now(Resettable()), SelfTest()
    told: list[Operation] = []
    trial.on_operation = told.append
    (done,) = lab.do(trial.action(), lab.host(control=control))
    assert (done.status, done.text, done.after) == (Status.Success, "all of it works", "on")
    assert control.told == ["off", "on", "off", "on", "reset"]
    names = ("status", "off", "read back off", "on", "read back on", "cycle", "reset")
    assert results(trial) == [(name, "works") for name in names]
    assert told == trial.operations
    assert [entry.action for entry in lab.log()] == [Action.ACTING, Action.ACTED]


def test_a_host_that_is_off_is_left_off(lab: Lab) -> None:
    lab.hold(ALICE)
    control, trial = Switch(), SelfTest()
    assert lab.do(trial.action(), lab.host(control=control))[0].after == "off"
    assert control.told == ["on", "off", "on", "off"]
    assert results(trial)[4] == ("reset", "not offered")


def test_an_interruption_leaves_the_host_as_it_was(lab: Lab) -> None:
    lab.hold(ALICE)
    trial = SelfTest()

    async def work() -> Outcome:
        executor = Executor(lab.interlock(), AuditLog(lambda: lab.book, ALICE))

        async def interrupt() -> None:
            if not control.told:
                control.told.append("off")
                control.state = PowerState.OFF
                asyncio.get_running_loop().call_soon(executor.interrupt, "SIGINT")
                await asyncio.sleep(600)

        control.first = interrupt
        return (await executor.execute(trial.action(), [lab.host(control=control)]))[0]

    control = on_now(Switch())
    done = asyncio.run(work())
    assert (done.interrupted, done.after, done.left_off) == (True, "on", False)
    assert control.told == ["off", "on"]
    assert results(trial)[1:] == [("off", "failed"), ("restore", "works")]
    assert "interrupted by SIGINT" in done.text


def test_a_lost_hold_is_the_end_and_the_state_is_said(lab: Lab) -> None:
    held = lab.hold(ALICE)

    def lose() -> None:
        if not control.told:
            lab.book.release(held.id, ALICE)

    control = on_now(Switch(lose))
    trial = SelfTest()
    (done,) = lab.do(trial.action(), lab.host(control=control))
    assert control.told == ["off"], "nothing is switched in the time of somebody else"
    assert (done.refused, done.after, done.left_off) == (True, "off", True)
    assert "the host was left off" in done.text


def test_what_does_not_work_is_said_and_nothing_goes_on_from_there(lab: Lab) -> None:
    class Stuck(Switch):
        async def off(self, host: Any) -> tuple[Status, str]:
            return Status.Failed, "stuck"

    lab.hold(ALICE)
    control, trial = on_now(Stuck()), SelfTest()
    (done,) = lab.do(trial.action(), lab.host(control=control))
    assert (done.status, done.text) == (Status.Failed, "does not work: off")
    assert results(trial)[1:3] == [("off", "failed"), ("cycle", "not tried")]
    assert control.told == []


def test_an_on_that_fails_once_is_made_good(lab: Lab) -> None:
    class Shaky(Switch):
        async def on(self, host: Any) -> tuple[Status, str]:
            if self.told == ["off"]:
                self.told.append("lost")
                return Status.Failed, "not now"
            return await super().on(host)

    lab.hold(ALICE)
    control, trial = on_now(Shaky()), SelfTest()
    (done,) = lab.do(trial.action(), lab.host(control=control))
    assert (control.told, done.after, done.left_off) == (["off", "lost", "on"], "on", False)
    assert results(trial)[-1] == ("restore", "works")


@pytest.mark.parametrize("leave", [None, PowerState.OFF])
def test_a_state_that_cannot_be_read(lab: Lab, leave: PowerState | None) -> None:
    class Mute(Switch):
        reports = False

        async def status(self, host: Any) -> PowerState | None:
            return None

    lab.hold(ALICE)
    control, trial = Mute(), SelfTest(leave)
    (done,) = lab.do(trial.action(), lab.host(control=control))
    assert trial.operations[0].result is Result.NOT_OFFERED
    if leave is None:
        assert (done.status, control.told) == (Status.Error, [])
    else:
        assert (done.status, control.told) == (Status.Success, ["on", "off", "on", "off"])
        assert "nobody can tell whether it was done" in trial.operations[1].text


@dataclass
class Chatty(Device):
    """A device that repeats the password it was given."""

    type_name = "chatty"
    password: Any = field(default=None, kw_only=True)

    async def switch(self, host: Any, state: PowerState) -> str:
        raise PowerFault(f"login with {self.password.reveal()} | refused", final=True)

    async def read(self, host: Any) -> PowerState | None:
        return PowerState.ON


def test_a_report_has_no_secrets(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUG_PASSWORD", "s3cret-w0rd")
    lab.hold(ALICE)
    trial = SelfTest()
    host = lab.host(control=Chatty(password=Secret("env:PLUG_PASSWORD"), timeout=5))
    (done,) = lab.do(trial.action(), host)
    report = report_json(trial, done, host)
    text = report_markdown(report)
    assert "s3cret-w0rd" not in json.dumps(report) + text
    assert "| off | failed | on | " in text
    assert "login with \\*\\*\\* \\| refused" in text, "no cell ends early"
    assert "never tried" in report["wrong_password"]
    assert "alice" not in json.dumps(report) + text
