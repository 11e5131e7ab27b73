"""Cycles in which answers are lost, delayed and doubled, holds are lost and processes killed; see ``support/power_chaos``."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bespeak.ledger.actions import Action
from support.power_chaos import SIGNALS, Chaos, Cycle, Fault, Report, chaos, plan, verdict

CYCLES, SEED = 40, 6


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Chaos]:
    with chaos(tmp_path) as made:
        yield made


def test_no_host_is_left_off_unsaid_and_none_is_switched_in_anothers_time(scene: Chaos) -> None:
    chance = random.Random(SEED)
    wrong: list[str] = []
    happened: Counter[Fault] = Counter()
    for number in range(CYCLES):
        cycle = plan(chance)
        report, found = scene.play(cycle)
        happened.update(cycle.happened)
        wrong += [f"cycle {number}, {cycle.faults}: {line}; {report.said}" for line in found]
    assert not wrong
    assert set(happened) == set(Fault), "each kind of fault was played at least once"


@pytest.mark.parametrize("request_number", [2, 3, 4])
def test_a_hold_lost_while_the_host_is_off_is_the_end_of_the_cycle(scene: Chaos, request_number: int) -> None:
    cycle = Cycle({request_number: Fault.HOLD_LOST})
    report, found = scene.play(cycle)
    assert (cycle.orders, cycle.on, found) == (["off"], False, [])
    assert "is no longer held under reservation" in report.said
    assert report.left_off


@pytest.mark.parametrize("fault", SIGNALS)
def test_a_process_killed_while_the_host_is_off_leaves_a_line_that_says_why(scene: Chaos, fault: Fault) -> None:
    cycle = Cycle({2: fault})
    report, found = scene.play(cycle)
    assert (cycle.orders[:1], found) == (["off"], [])
    assert report.log[0].action is Action.ACTING
    if fault is not Fault.SIGKILL:
        assert "bespeak -l bench power on r1" in report.said


def entry(action: Action, text: str = "") -> Any:
    return SimpleNamespace(action=action, after={"text": text})


BEGAN, ENDED, SAID = entry(Action.ACTING), entry(Action.ACTED), entry(Action.ACTED, "the host was left off")


@pytest.mark.parametrize(
    ("cycle", "report", "found"),
    [
        (Cycle({}, orders=["off", "on"]), Report(True, False, "", [BEGAN, ENDED]), 0),
        (Cycle({}, on=False, orders=["off"]), Report(False, True, "", [BEGAN, SAID]), 0),
        (Cycle({}, on=False, orders=["off"], happened=[Fault.SIGKILL]), Report(False, False, "", [BEGAN]), 0),
        (Cycle({}, on=False, orders=["off"]), Report(False, False, "", [BEGAN, SAID]), 1),
        (Cycle({}, on=False, orders=["off"]), Report(False, True, "", [BEGAN, ENDED]), 1),
        (Cycle({}, on=False, orders=["off"]), Report(True, True, "", [BEGAN, SAID]), 1),
        (Cycle({}, orders=["off", "on"], taken=True, late=["on"]), Report(True, False, "", [BEGAN, ENDED]), 1),
        (Cycle({}, orders=["off", "on"]), Report(True, False, "", [BEGAN]), 1),
        (Cycle({}, orders=["off", "on"]), Report(True, False, "", []), 1),
        (Cycle({}), Report(False, False, "no report (exit code 1)", []), 1),
    ],
)
def test_what_is_wrong_is_found(cycle: Cycle, report: Report, found: int) -> None:
    assert len(list(verdict(cycle, report))) == found
