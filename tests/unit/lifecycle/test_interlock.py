"""The interlock: nobody acts on a host that somebody else holds, and everything that was done is in the log."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bespeak.errors import UnavailableError
from bespeak.host import LocalHost, Status
from bespeak.host.power import PowerController, PowerState
from bespeak.ledger import open_ledger
from bespeak.ledger.model import Action, Actor, Request
from bespeak.lifecycle.crew import Crew
from bespeak.lifecycle.deeds import exec_deed, power_deed
from bespeak.lifecycle.interlock import Fence, Interlock, StaleHoldError
from bespeak.lifecycle.journal import Journal
from bespeak.lifecycle.values import Outcome
from bespeak.reservations.errors import MissingReservationError, ReservationBackendError
from bespeak.reservations.identity import ResolvedIdentity
from bespeak.reservations.ledger_backend import LedgerReservationBackend
from bespeak.reservations.state import ReservationState

ALICE, BOB = Actor("alice"), Actor("bob", "root")


class Switch(PowerController):
    """Remembers what it was told, and can do something first."""

    type_name = "switch"
    cycle_delay = 0.0
    timeout = 5.0

    def __init__(self, first: Callable[[], Any] | None = None) -> None:
        self.state = PowerState.OFF
        self.told: list[str] = []
        self.first = first

    async def _switch(self, state: PowerState) -> tuple[Status, str]:
        if self.first is not None:
            answer = self.first()
            if asyncio.iscoroutine(answer):
                await answer
        self.told.append(state.value)
        self.state = state
        return Status.Success, f"now {state.value}"

    async def on(self, host):
        return await self._switch(PowerState.ON)

    async def off(self, host):
        return await self._switch(PowerState.OFF)

    async def status(self, host):
        return self.state


class Lab:
    """A book, its gate, and hosts."""

    def __init__(self, url: str) -> None:
        self.book = open_ledger(url)
        self.backend = LedgerReservationBackend(engine=self.book.engine)

    def host(self, identifier: str = "r1", resources: tuple[str, ...] = ("rack1",), control: Any = None) -> LocalHost:
        return LocalHost(identifier, resources=resources, power_control=control or Switch())

    def hold(self, actor: Actor, *resources: str) -> Any:
        return self.book.reserve(Request(resources or ("rack1",), actor))

    def interlock(self, user: str = "alice", *, skip: bool = False, fence: Fence | None = None) -> Interlock:
        identity = ResolvedIdentity(user, "--as-user")
        return Interlock(ReservationState(None if skip else self.backend, identity, skip), "bench", fence)

    def do(
        self, deed: Any, *hosts: LocalHost, user: str = "alice", actor: Actor | None = None, **more: Any
    ) -> list[Outcome]:
        lock = self.interlock(user, skip=more.pop("skip", False), fence=more.pop("fence", None))
        actor = actor or Actor(user)

        async def work() -> list[Outcome]:
            crew = Crew(lock, Journal(lambda: self.book, actor, skipped=lock.skipped), **more)
            return await crew.carry_out(deed, hosts)

        return asyncio.run(work())

    def log(self) -> list[Any]:
        return [entry for entry in self.book.log() if entry.action in {Action.ACTING, Action.ACTED}]


@pytest.fixture
def lab(book_url: str):
    made = Lab(book_url)
    yield made
    made.book.close()


def test_who_holds_it_may(lab: Lab) -> None:
    held = lab.hold(ALICE)
    host = lab.host()
    (outcome,) = lab.do(power_deed("on"), host)
    assert (outcome.ok, outcome.before, outcome.after, outcome.text) == (True, "off", "on", "now on")
    assert [(hold.reservation_id, hold.number) for hold in outcome.holds] == [(held.id, held.number)]
    begun, ended = lab.log()
    assert (begun.action, ended.action) == (Action.ACTING, Action.ACTED)
    assert ended.who == "alice"
    assert ended.resources == ("rack1",)
    assert ended.reservation_id == held.id
    assert ended.before == {"power": "off"}
    facts = dict(ended.after)
    assert facts.pop("duration_us") >= 0
    assert facts.pop("note").startswith("on r1 by switch: off -> on, Success, 0.")
    assert facts == {
        "host": "r1",
        "action": "on",
        "controller": "switch",
        "power": "on",
        "result": "Success",
        "text": "now on",
        "numbers": [held.number],
    }


def test_who_does_not_is_refused_and_nothing_is_touched(lab: Lab) -> None:
    lab.hold(ALICE)
    mine, other = lab.host("r1"), lab.host("r2", ("rack2",))
    with pytest.raises(MissingReservationError) as told:
        lab.do(power_deed("off"), mine, other, user="bob")
    assert str(told.value) == (
        "User 'bob' does not hold all resources required by lab 'bench'. Missing:\n"
        "  - rack1 (held by alice)\n  - rack2 (unreserved)"
    )
    assert mine.power_control.told == other.power_control.told == []
    assert lab.log() == []


def test_as_user_is_recorded(lab: Lab) -> None:
    lab.hold(BOB)
    lab.do(power_deed("on"), lab.host(), user="bob", actor=BOB)
    assert {(entry.who, entry.acting) for entry in lab.log()} == {("bob", "root")}


def test_a_hold_that_is_lost_in_between_is_noticed_right_before(lab: Lab) -> None:
    """Two hosts, one after the other: the first one's device takes the reservation away while it is switched."""
    held = lab.hold(ALICE)
    first = lab.host("r1", control=Switch(lambda: lab.book.release(held.id, ALICE)))
    second = lab.host("r2")
    done, left = lab.do(power_deed("off"), first, second, at_once=1)
    assert done.ok
    assert left.refused
    assert second.power_control.told == []
    assert f"rack1 is no longer held under reservation {held.id} (number {held.number})" in left.text
    assert [entry.after["host"] for entry in lab.log()] == ["r1", "r1"]


def test_a_new_reservation_of_the_same_user_has_another_number(lab: Lab) -> None:
    held = lab.hold(ALICE)

    def swap() -> None:
        lab.book.release(held.id, ALICE)
        lab.hold(ALICE)

    first, second = lab.host("r1", control=Switch(swap)), lab.host("r2")
    _, left = lab.do(power_deed("off"), first, second, at_once=1)
    assert left.refused
    assert second.power_control.told == []


def test_a_number_given_beforehand(lab: Lab) -> None:
    old = lab.hold(ALICE)
    lab.book.release(old.id, ALICE)
    new = lab.hold(ALICE)
    host = lab.host()
    with pytest.raises(StaleHoldError, match=f"number {old.number} is stale for rack1: .* has number {new.number}"):
        lab.do(power_deed("on"), host, fence=Fence(old.number))
    assert host.power_control.told == []
    assert lab.do(power_deed("on"), host, fence=Fence(new.number))[0].ok
    elsewhere = Fence(old.number, frozenset({"rack9"}))
    assert lab.do(power_deed("off"), host, fence=elsewhere)[0].ok, "it was given for something else"


@pytest.mark.parametrize("fenced", [False, True])
def test_what_is_released_while_the_gate_is_asked_is_not_let_through(lab: Lab, fenced: bool) -> None:
    lab.hold(ALICE, "rack1")
    lost = lab.hold(ALICE, "rack2")
    fence = Fence(lost.number, frozenset({"rack2"})) if fenced else None
    host = lab.host("r1", ("rack1", "rack2"))
    found = lab.backend.fences

    def fences(username, resources):
        lab.book.release(lost.id, ALICE)
        return found(username, resources)

    lab.backend.fences = fences
    with pytest.raises(StaleHoldError, match="rack2 is no longer held"):
        lab.do(power_deed("off"), host, fence=fence)
    assert host.power_control.told == []


def test_skipping_the_check_is_loud_and_in_the_log(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.hold(ALICE)
    (outcome,) = lab.do(power_deed("on"), lab.host(), user="bob", skip=True)
    assert outcome.ok
    assert (
        "Reservation check SKIPPED for user 'bob' on lab 'bench'. Required resources: ['rack1']"
        in capsys.readouterr().err
    )
    (entry,) = lab.log()
    assert entry.after["check_skipped"] is True
    assert entry.after["note"].endswith(", check skipped")


def test_a_backend_without_numbers_is_asked_again(lab: Lab) -> None:
    class Calendar:
        def __init__(self) -> None:
            self.answers = [{"rack1"}, {"rack1"}, set()]

        def get_reserved_resources(self, username):
            return self.answers.pop(0)

        def who_reserved(self, resource):
            return ["carol"]

        def backend_name(self):
            return "calendar"

    lab.backend = Calendar()
    first, second = lab.host("r1"), lab.host("r2")
    done, left = lab.do(power_deed("on"), first, second, at_once=1)
    assert done.ok
    assert left.refused
    assert "rack1 (held by carol)" in left.text


def test_a_backend_that_cannot_answer_keeps_everybody_out(lab: Lab) -> None:
    class Broken:
        def get_reserved_resources(self, username):
            raise OSError("down")

        def who_reserved(self, resource):
            return []

        def backend_name(self):
            return "broken"

    lab.backend = Broken()
    host = lab.host()
    with pytest.raises(ReservationBackendError):
        lab.do(power_deed("off"), host)
    assert host.power_control.told == []


def test_what_cannot_be_written_down_is_not_done(lab: Lab) -> None:
    lab.hold(ALICE)
    host = lab.host()

    def no_book() -> Any:
        raise UnavailableError("book gone")

    async def work() -> list[Outcome]:
        return await Crew(lab.interlock(), Journal(no_book, ALICE)).carry_out(power_deed("off"), [host])

    (outcome,) = asyncio.run(work())
    assert (outcome.status, outcome.text, host.power_control.told) == (Status.Error, "not done: book gone", [])


def test_with_the_check_skipped_a_missing_book_does_not_stop_anybody(lab: Lab) -> None:
    def no_book() -> Any:
        raise UnavailableError("book gone")

    async def work() -> list[Outcome]:
        lock = lab.interlock(skip=True)
        return await Crew(lock, Journal(no_book, ALICE, skipped=True)).carry_out(power_deed("on"), [lab.host()])

    (outcome,) = asyncio.run(work())
    assert outcome.ok
    assert not outcome.logged


def test_toggle_never_acts_blindly(lab: Lab) -> None:
    class Dark(Switch):
        async def status(self, host):
            return None

    lab.hold(ALICE)
    seen, dark = lab.host("r1"), lab.host("r2", control=Dark())
    one, other = lab.do(power_deed("toggle"), seen, dark)
    assert (one.ok, one.after) == (True, "on")
    assert not other.ok
    assert "its power state is unknown" in other.text
    assert dark.power_control.told == []


@pytest.mark.parametrize("answer", [None, "yes", (1, "x"), (Status.Success,)])
def test_what_a_foreign_controller_may_answer(lab: Lab, answer: object) -> None:
    class Odd(Switch):
        async def on(self, host):
            return answer

    lab.hold(ALICE)
    (outcome,) = lab.do(power_deed("on"), lab.host(control=Odd()))
    assert outcome.status is Status.Error
    assert "answered with a" in outcome.text


def test_what_a_foreign_controller_may_raise(lab: Lab) -> None:
    class Angry(Switch):
        async def off(self, host):
            raise RuntimeError("the password is hunter2")

    lab.hold(ALICE)
    (outcome,) = lab.do(power_deed("off"), lab.host(control=Angry()))
    assert (outcome.status, outcome.text) == (Status.Error, "failed: RuntimeError")
    assert "hunter2" not in str(lab.log())


def test_a_foreign_controller_that_never_ends(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespeak.lifecycle.deeds._GRACE_SECONDS", 0.1)

    class Stuck(Switch):
        timeout = 0.1

        async def on(self, host):
            await asyncio.sleep(1000)

    lab.hold(ALICE)
    (outcome,) = lab.do(power_deed("on"), lab.host(control=Stuck()))
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

    outcomes = lab.do(power_deed("on"), *hosts, on_done=on_done)
    assert finished[-1] == "dead"
    assert [outcome.host for outcome in outcomes] == [host.id for host in hosts]
    assert all(outcome.ok for outcome in outcomes)


def test_the_limit_and_the_stagger(lab: Lab) -> None:
    lab.hold(ALICE)
    busy = SimpleNamespace(now=0, most=0)
    starts: list[float] = []

    async def work() -> None:
        starts.append(time.monotonic())
        busy.now += 1
        busy.most = max(busy.most, busy.now)
        await asyncio.sleep(0.02)
        busy.now -= 1

    hosts = [lab.host(f"r{number}", control=Switch(work)) for number in range(8)]
    lab.do(power_deed("on"), *hosts, at_once=3)
    assert 1 < busy.most <= 3
    starts.clear()
    lab.do(power_deed("off"), *hosts[:3], stagger_seconds=0.1)
    assert starts[-1] - starts[0] >= 0.15


def test_an_interruption_is_in_the_log(lab: Lab) -> None:
    lab.hold(ALICE)
    begun = threading.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.sleep(1000)

    async def work() -> None:
        crew = Crew(lab.interlock(), Journal(lambda: lab.book, ALICE))
        task = asyncio.create_task(crew.carry_out(power_deed("off"), [lab.host(control=Switch(forever))]))
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


def test_a_command_on_hosts_goes_through_the_interlock_too(lab: Lab) -> None:
    with pytest.raises(MissingReservationError):
        lab.do(exec_deed("echo in", 5), lab.host())
    lab.hold(ALICE)
    (outcome,) = lab.do(exec_deed("echo in", 5), lab.host())
    assert (outcome.ok, outcome.text) == (True, "in")
    assert "echo" not in str(lab.log()), "a command line may carry secrets"
