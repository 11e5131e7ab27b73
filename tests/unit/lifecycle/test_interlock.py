"""The interlock: nobody acts on a host that somebody else holds, and everything that was done is in the log."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bespeak.base import process_identity
from bespeak.base.errors import UnavailableError
from bespeak.host import Status
from bespeak.host.power import CommandPowerController
from bespeak.ledger.actions import Action
from bespeak.ledger.model import Holder
from bespeak.lifecycle.actions import power_action
from bespeak.lifecycle.audit import AuditLog
from bespeak.lifecycle.executor import Executor
from bespeak.lifecycle.interlock import Fence, StaleHoldError
from bespeak.lifecycle.model import Outcome
from bespeak.reservations import NullReservationBackend
from bespeak.reservations.errors import MissingReservationError, ReservationBackendError
from support.switching import ALICE, BOB, Lab, Switch


def test_who_holds_it_may(lab: Lab) -> None:
    held = lab.hold(ALICE)
    host = lab.host()
    (outcome,) = lab.do(power_action("on"), host)
    assert (outcome.ok, outcome.before, outcome.after, outcome.text) == (True, "off", "on", "now on")
    assert [(hold.reservation_id, hold.fencing_token) for hold in outcome.holds] == [(held.id, held.fencing_token)]
    begun, ended = lab.log()
    assert (begun.action, ended.action) == (Action.ACTING, Action.ACTED)
    assert ended.who == "alice"
    assert ended.resources == ("rack1",)
    assert ended.reservation_id == held.id
    assert ended.before == {"power": "off"}
    facts = dict(ended.after)
    assert facts.pop("duration_us") >= 0
    assert facts.pop("started_us") == outcome.started_us == begun.after["started_us"]
    assert facts.pop("note").startswith("on r1 by switch: off -> on, Success, 0.")
    assert facts == {
        "host": "r1",
        "action": "on",
        "controller": "switch",
        "power": "on",
        "result": "Success",
        "text": "now on",
        "numbers": [held.fencing_token],
    }


def test_who_does_not_is_refused_and_nothing_is_touched(lab: Lab) -> None:
    lab.hold(ALICE)
    mine, other = lab.host("r1"), lab.host("r2", ("rack2",))
    with pytest.raises(MissingReservationError) as told:
        lab.do(power_action("off"), mine, other, user="bob")
    refusal = (
        "User 'bob' does not hold all resources required by lab 'bench'. Missing:\n"
        "  - rack1 (held by alice)\n  - rack2 (unreserved)"
    )
    assert told.value.details["text"] == refusal
    text, until_when = str(told.value).rsplit("\n", 1)
    assert text == refusal
    assert re.fullmatch(r"rack1: alice until (.+); free from \1", until_when)
    assert mine.power_control.told == other.power_control.told == []
    assert lab.log() == []


def test_as_user_is_recorded(lab: Lab) -> None:
    lab.hold(BOB)
    lab.do(power_action("on"), lab.host(), user="bob", holder=BOB)
    assert {(entry.who, entry.requested_by) for entry in lab.log()} == {("bob", "root")}


def test_a_hold_that_is_lost_in_between_is_noticed_right_before(lab: Lab) -> None:
    """Two hosts, one after the other: the first one's device takes the reservation away while it is switched."""
    held = lab.hold(ALICE)
    first = lab.host("r1", control=Switch(lambda: lab.book.release(held.id, ALICE)))
    second = lab.host("r2")
    done, left = lab.do(power_action("off"), first, second, at_once=1)
    assert done.ok
    assert left.refused
    assert second.power_control.told == []
    assert f"rack1 is no longer held under reservation {held.id} (number {held.fencing_token})" in left.text
    assert [entry.after["host"] for entry in lab.log()] == ["r1", "r1"]


def test_a_host_needs_what_its_lab_needs_too(lab: Lab) -> None:
    bench = SimpleNamespace(resources={"bench"})
    host = lab.host("r1", ())
    host._lab = bench
    with pytest.raises(MissingReservationError, match=r"bench \(unreserved\)"):
        lab.do(power_action("on"), host)
    held = lab.hold(ALICE, "bench")
    (outcome,) = lab.do(power_action("on"), host)
    assert [hold.reservation_id for hold in outcome.holds] == [held.id]
    assert lab.log()[0].resources == ("bench",)


def test_what_is_open_is_said(lab: Lab) -> None:
    free, guarded, idle = lab.host("free", ()), lab.host("r1"), lab.host("idle", ())
    idle.power_control = None
    lock = lab.interlock()
    lab.hold(ALICE)
    lock.admit([free, guarded, idle])
    said = "open to everybody, because neither the host nor its lab names resources: free"
    assert lock.open_to_all([free, guarded, idle]) == said
    assert lock.open_to_all([guarded]) is None
    lab.backend = NullReservationBackend()
    nobody = lab.interlock()
    nobody.admit([guarded])
    assert nobody.open_to_all([guarded]) == (
        "no reservations are checked here: the settings name no backend, so anybody may do this"
    )


@pytest.mark.parametrize("other", [ALICE, BOB])
def test_one_action_at_a_time_has_a_host(lab: Lab, other: Holder) -> None:
    """A second action on the host is refused while the first runs, also for who shares the hold; afterwards it works."""
    lab.book.resource_set("rack1", ALICE, capacity=2)
    lab.hold(ALICE)
    if other is BOB:
        lab.hold(BOB)
    second: list[Outcome] = []

    def meanwhile() -> None:
        if not second:
            second.append(Outcome("r1", "", None, Status.Error, ""))
            with ThreadPoolExecutor(1) as pool:
                second[:] = pool.submit(lab.do, power_action("off"), lab.host(control=rival), user=other.user).result()

    rival = Switch()
    first = lab.host(control=Switch(meanwhile))
    (done,) = lab.do(power_action("cycle"), first)
    assert done.ok
    assert (second[0].status, rival.told) == (Status.Error, [])
    assert "r1 is being switched already: cycle by alice, begun " in second[0].text
    assert lab.do(power_action("off"), lab.host(control=rival), user=other.user)[0].ok


def test_an_action_whose_process_died_has_its_host_for_a_limited_time(lab: Lab) -> None:
    lab.hold(ALICE)
    audit = AuditLog(lambda: lab.book, ALICE)
    host = lab.host()
    begun = Outcome("r1", "cycle", "switch", Status.Error, "", holds=lab.interlock().admit([host])["r1"])
    audit.begin(host, begun, alone_seconds=0.05)
    time.sleep(0.1)
    assert lab.do(power_action("on"), host)[0].ok


def _gone() -> dict[str, object]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        facts = dict(process_identity.this_process() or {})
        facts |= {"pid": process.pid, "ticks": process_identity.began_ticks(process.pid)}
        process.kill()
    return facts


@pytest.mark.parametrize(
    ("elsewhere", "taken"), [({}, True), ({"boot": "b"}, False), ({"namespace": "1"}, False), (None, False)]
)
def test_the_place_of_an_action_is_taken_only_if_its_process_is_seen_to_be_gone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, elsewhere: dict[str, object] | None, taken: bool
) -> None:
    lab.hold(ALICE)
    audit = AuditLog(lambda: lab.book, ALICE)
    host = lab.host()
    begun = Outcome("r1", "cycle", "switch", Status.Error, "", started_us=1, holds=lab.interlock().admit([host])["r1"])
    facts = None if elsewhere is None else _gone() | elsewhere
    with monkeypatch.context() as patch:
        patch.setattr("bespeak.lifecycle.audit.this_process", lambda: facts)
        audit.begin(host, begun, alone_seconds=600)
    (done,) = lab.do(power_action("on"), host)
    assert done.ok is taken
    assert ("was killed; the host is off" in done.text, "is being switched already" in done.text) == (taken, not taken)
    if taken:
        assert lab.log()[-2].after["instead_of"] == [["alice", 1]]
        assert lab.do(power_action("off"), host)[0].ok, "the killed action is over for all that follows"


@pytest.mark.parametrize("shipped", [False, True])
def test_a_hold_that_is_lost_in_the_off_phase_of_a_cycle_is_not_followed_by_on(
    lab: Lab, shipped: bool, tmp_path: Path
) -> None:
    held = lab.hold(ALICE)

    class Kicked(Switch):
        async def off(self, host):
            answer = await super().off(host)
            lab.book.kick(held.id, BOB, "needed")
            return answer

    class KickedDevice(CommandPowerController):
        async def off(self, host):
            answer = await super().off(host)
            lab.book.kick(held.id, BOB, "needed")
            return answer

    device = KickedDevice(
        f"echo on >> {tmp_path}/told; echo on > {tmp_path}/s",
        f"echo off >> {tmp_path}/told; echo off > {tmp_path}/s",
        f"cat {tmp_path}/s",
        "on",
        status_off="off",
        cycle_delay=0.0,
    )
    switch: Any = device if shipped else Kicked()
    (outcome,) = lab.do(power_action("cycle"), lab.host(control=switch))
    told = (tmp_path / "told").read_text().split() if shipped else switch.told
    assert told == ["off"]
    assert (outcome.refused, outcome.left_off, outcome.after, outcome.logged) == (True, True, "off", True)
    assert outcome.text.startswith(f"rack1 is no longer held under reservation {held.id} ")
    assert outcome.text.endswith("\nthe host was left off")
    assert [entry.action for entry in lab.log()] == [Action.ACTING, Action.ACTED]
    assert "left off" in str(lab.log()[-1].after["text"])


def test_a_toggle_compares_the_hold_after_it_has_read_the_state(lab: Lab) -> None:
    held = lab.hold(ALICE)

    class Slow(Switch):
        asked = 0

        async def status(self, host):
            self.asked += 1
            if self.asked == 2:  # the first time before the action, to say what it was
                lab.book.release(held.id, ALICE)
            return self.state

    switch = Slow()
    (outcome,) = lab.do(power_action("toggle"), lab.host(control=switch))
    assert (outcome.refused, switch.told) == (True, [])


def test_a_new_reservation_of_the_same_user_has_another_number(lab: Lab) -> None:
    held = lab.hold(ALICE)

    def swap() -> None:
        lab.book.release(held.id, ALICE)
        lab.hold(ALICE)

    first, second = lab.host("r1", control=Switch(swap)), lab.host("r2")
    _, left = lab.do(power_action("off"), first, second, at_once=1)
    assert left.refused
    assert second.power_control.told == []


def test_a_number_given_beforehand(lab: Lab) -> None:
    old = lab.hold(ALICE)
    lab.book.release(old.id, ALICE)
    new = lab.hold(ALICE)
    host = lab.host()
    with pytest.raises(
        StaleHoldError, match=f"number {old.fencing_token} is stale for rack1: .* has number {new.fencing_token}"
    ):
        lab.do(power_action("on"), host, fence=Fence(old.fencing_token))
    assert host.power_control.told == []
    assert lab.do(power_action("on"), host, fence=Fence(new.fencing_token))[0].ok
    elsewhere = Fence(old.fencing_token, frozenset({"rack9"}))
    assert lab.do(power_action("off"), host, fence=elsewhere)[0].ok, "it was given for something else"


def test_a_number_counts_for_what_it_was_given_for_only(lab: Lab) -> None:
    one, two = lab.hold(ALICE, "rack1"), lab.hold(ALICE, "rack2")
    host = lab.host("r1", ("rack1", "rack2"))
    with pytest.raises(
        StaleHoldError, match=f"number {one.fencing_token} is stale for rack2: .* has number {two.fencing_token}"
    ):
        lab.do(power_action("on"), host, fence=Fence(one.fencing_token))
    (done,) = lab.do(power_action("on"), host, fence=Fence(one.fencing_token, frozenset({"rack1"})))
    assert sorted(hold.fencing_token for hold in done.holds) == [one.fencing_token, two.fencing_token]


def test_of_two_grants_the_one_that_was_named_counts_else_the_newest(lab: Lab) -> None:
    lab.book.resource_set("rack1", ALICE, capacity=2)
    old, new = lab.hold(ALICE), lab.hold(ALICE)
    for fence, number in ((Fence(old.fencing_token), old.fencing_token), (None, new.fencing_token)):
        (done,) = lab.do(power_action("on"), lab.host(), fence=fence)
        assert [hold.fencing_token for hold in done.holds] == [number]


@pytest.mark.parametrize("fenced", [False, True])
def test_what_is_released_while_the_gate_is_asked_is_not_let_through(lab: Lab, fenced: bool) -> None:
    lab.hold(ALICE, "rack1")
    lost = lab.hold(ALICE, "rack2")
    fence = Fence(lost.fencing_token, frozenset({"rack2"})) if fenced else None
    host = lab.host("r1", ("rack1", "rack2"))
    found = lab.backend.fences

    def fences(username, resources):
        lab.book.release(lost.id, ALICE)
        return found(username, resources)

    lab.backend.fences = fences
    with pytest.raises(StaleHoldError, match="rack2 is no longer held"):
        lab.do(power_action("off"), host, fence=fence)
    assert host.power_control.told == []


def test_skipping_the_check_is_loud_and_in_the_log(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.hold(ALICE)
    (outcome,) = lab.do(power_action("on"), lab.host(), user="bob", skip=True)
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
    done, left = lab.do(power_action("on"), first, second, at_once=1)
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
        lab.do(power_action("off"), host)
    assert host.power_control.told == []


def test_what_cannot_be_written_down_is_not_done(lab: Lab) -> None:
    lab.hold(ALICE)
    host = lab.host()

    def no_book() -> Any:
        raise UnavailableError("book gone")

    async def work() -> list[Outcome]:
        return await Executor(lab.interlock(), AuditLog(no_book, ALICE)).execute(power_action("off"), [host])

    (outcome,) = asyncio.run(work())
    assert (outcome.status, outcome.text, host.power_control.told) == (Status.Error, "not done: book gone", [])


def test_with_the_check_skipped_a_missing_book_does_not_stop_anybody(lab: Lab) -> None:
    def no_book() -> Any:
        raise UnavailableError("book gone")

    async def work() -> list[Outcome]:
        lock = lab.interlock(skip=True)
        return await Executor(lock, AuditLog(no_book, ALICE, skipped=True)).execute(power_action("on"), [lab.host()])

    (outcome,) = asyncio.run(work())
    assert outcome.ok
    assert not outcome.logged
