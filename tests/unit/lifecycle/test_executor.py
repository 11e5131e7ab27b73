"""Many hosts at once: foreign controllers, dead hosts, limits, interruptions."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from bespeak.host import Status
from bespeak.ledger.actions import Action
from bespeak.lifecycle.actions import exec_action, power_action
from bespeak.lifecycle.audit import AuditLog
from bespeak.lifecycle.executor import Executor
from bespeak.lifecycle.model import Outcome
from bespeak.reservations.errors import MissingReservationError
from support.switching import ALICE, Lab, Switch


def test_toggle_never_acts_blindly(lab: Lab) -> None:
    class Dark(Switch):
        async def status(self, host):
            return None

    lab.hold(ALICE)
    seen, dark = lab.host("r1"), lab.host("r2", control=Dark())
    one, other = lab.do(power_action("toggle"), seen, dark)
    assert (one.ok, one.after) == (True, "on")
    assert not other.ok
    assert "its power status is unknown" in other.text
    assert dark.power_control.told == []


@pytest.mark.parametrize("answer", [None, "yes", (1, "x"), (Status.Success,)])
def test_what_a_foreign_controller_may_answer(lab: Lab, answer: object) -> None:
    class Odd(Switch):
        async def on(self, host):
            return answer

    lab.hold(ALICE)
    (outcome,) = lab.do(power_action("on"), lab.host(control=Odd()))
    assert outcome.status is Status.Error
    assert "answered with a" in outcome.text


def test_what_a_foreign_controller_may_raise(lab: Lab) -> None:
    class Angry(Switch):
        async def off(self, host):
            raise RuntimeError("the password is hunter2")

    lab.hold(ALICE)
    (outcome,) = lab.do(power_action("off"), lab.host(control=Angry()))
    assert (outcome.status, outcome.text) == (Status.Error, "failed: RuntimeError")
    assert "hunter2" not in str(lab.log())


def test_a_foreign_controller_that_never_ends(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespeak.lifecycle.actions._GRACE_SECONDS", 0.1)

    class Stuck(Switch):
        timeout = 0.1

        async def on(self, host):
            await asyncio.sleep(1000)

    lab.hold(ALICE)
    (outcome,) = lab.do(power_action("on"), lab.host(control=Stuck()))
    assert outcome.status is Status.Error
    assert outcome.text.startswith("given up after 0.2 s")


def test_one_dead_host_delays_nobody(lab: Lab) -> None:
    lab.hold(ALICE)
    others_done = threading.Event()
    finished: list[str] = []

    async def wait() -> None:
        while not others_done.is_set():
            await asyncio.sleep(0.01)

    dead = lab.host("dead", control=Switch(wait))
    hosts = [dead, *(lab.host(f"r{number}") for number in range(30))]

    def on_done(outcome: Outcome) -> None:
        finished.append(outcome.host)
        if len(finished) == 30:
            others_done.set()

    outcomes = lab.do(power_action("on"), *hosts, on_done=on_done)
    assert finished[-1] == "dead"
    assert [outcome.host for outcome in outcomes] == [host.id for host in hosts]
    assert all(outcome.ok for outcome in outcomes)


def test_the_limit(lab: Lab) -> None:
    lab.hold(ALICE)
    busy = SimpleNamespace(now=0, most=0)
    full = asyncio.Event()

    async def work() -> None:
        busy.now += 1
        busy.most = max(busy.most, busy.now)
        if busy.now == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        busy.now -= 1

    hosts = [lab.host(f"r{number}", control=Switch(work)) for number in range(8)]
    outcomes = lab.do(power_action("on"), *hosts, at_once=3)
    assert (all(one.ok for one in outcomes), busy.most) == (True, 3)


def test_the_stagger(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.hold(ALICE)
    really, slept = asyncio.sleep, set()

    async def sleep(seconds: float) -> None:
        slept.add(round(seconds, 3))
        await really(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("bespeak.lifecycle.executor.time", SimpleNamespace(monotonic=lambda: 100.0))
    lab.do(power_action("off"), *(lab.host(f"r{number}") for number in range(3)), stagger_seconds=7.0)
    assert {0.0, 7.0, 14.0} <= slept


def test_an_interruption_is_in_the_log(lab: Lab) -> None:
    lab.hold(ALICE)
    begun = threading.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.sleep(1000)

    async def work() -> None:
        executor = Executor(lab.interlock(), AuditLog(lambda: lab.book, ALICE))
        task = asyncio.create_task(executor.execute(power_action("off"), [lab.host(control=Switch(forever))]))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert [(entry.action, entry.after.get("text")) for entry in lab.log()] == [
        (Action.ACTING, None),
        (Action.ACTED, "interrupted"),
    ]


def test_an_interruption_in_order_tells_of_every_host(lab: Lab) -> None:
    """One is done, one is in the off phase of its cycle, one waits for its turn."""
    lab.hold(ALICE)
    off = threading.Event()

    class Slow(Switch):
        cycle_delay = 1000.0

        async def off(self, host):
            answer = await super().off(host)
            off.set()
            return answer

    quick, slow, waiting = lab.host("quick"), lab.host("slow", control=Slow()), lab.host("waiting")

    async def work() -> list[Outcome]:
        executor = Executor(lab.interlock(), AuditLog(lambda: lab.book, ALICE), at_once=1)
        task = asyncio.create_task(executor.execute(power_action("cycle"), [quick, slow, waiting]))
        while not off.is_set():
            await asyncio.sleep(0.01)
        executor.interrupt("SIGTERM")
        return await task

    one, two, three = asyncio.run(work())
    assert (one.ok, one.after, one.left_off) == (True, "on", False)
    assert (two.status, two.after, two.left_off, two.interrupted) == (Status.Error, "off", True, True)
    assert two.text == "interrupted by SIGTERM\nthe host was left off"
    assert (three.begun, three.text, three.interrupted) == (False, "not begun: interrupted by SIGTERM", True)
    assert waiting.power_control.told == []
    assert slow.power_control.told == ["off"]
    ended = [entry.after for entry in lab.log() if entry.action is Action.ACTED]
    assert [(row["host"], row["result"]) for row in ended] == [("quick", "Success"), ("slow", "Error")]
    assert "left off" in str(ended[1]["text"])


def test_a_fault_of_ours_with_one_host_does_not_interrupt_another(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.hold(ALICE)
    end = AuditLog.end

    def broken(self, host, outcome):
        if host.id == "r1":
            raise RuntimeError("bug")
        end(self, host, outcome)

    monkeypatch.setattr(AuditLog, "end", broken)
    one, other = lab.do(power_action("cycle"), lab.host("r1"), lab.host("r2"))
    assert other.ok
    assert (one.host, one.begun) == ("r1", True)


def test_a_cycle_whose_on_fails_says_that_the_host_was_left_off(lab: Lab) -> None:
    class Jammed(Switch):
        async def on(self, host):
            return Status.Failed, "jammed"

    lab.hold(ALICE)
    (outcome,) = lab.do(power_action("cycle"), lab.host(control=Jammed()))
    assert (outcome.text, outcome.left_off) == ("jammed\nthe host was left off", True)


def test_a_cycle_that_is_given_up_says_that_the_host_may_be_off(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespeak.lifecycle.actions._GRACE_SECONDS", 3.0)

    class Blind(Switch):
        timeout = 0.05

        async def status(self, host):
            return None

        async def on(self, host):
            await asyncio.sleep(1000)

    lab.hold(ALICE)
    (outcome,) = lab.do(power_action("cycle"), lab.host(control=Blind()))
    assert outcome.left_off
    assert outcome.text.endswith("\nthe host may be off: its state cannot be read")


def test_an_off_that_fails_is_not_a_host_left_off(lab: Lab) -> None:
    class Jammed(Switch):
        async def off(self, host):
            return Status.Failed, "jammed"

    lab.hold(ALICE)
    (outcome,) = lab.do(power_action("off"), lab.host(control=Jammed()))
    assert (outcome.text, outcome.left_off) == ("jammed", False)


def test_a_command_on_hosts_goes_through_the_interlock_too(lab: Lab) -> None:
    with pytest.raises(MissingReservationError):
        lab.do(exec_action("echo in", 5), lab.host())
    lab.hold(ALICE)
    (outcome,) = lab.do(exec_action("echo in", 5), lab.host())
    assert (outcome.ok, outcome.text) == (True, "in")
    assert "echo" not in str(lab.log()), "a command line may carry secrets"
