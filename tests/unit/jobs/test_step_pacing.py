"""When a dispatcher commits: many outcomes at once where its places are taken, at once where they are free."""

import pytest

from bespeak.jobs import step_pacing
from bespeak.jobs.step_pacing import HOLD_SECONDS, StepPacing


@pytest.fixture
def clock(monkeypatch):
    """The present, in seconds, as a list of one."""
    now = [100.0]
    monkeypatch.setattr(step_pacing.time, "monotonic", lambda: now[0])
    return now


def test_nothing_to_do_is_never_done() -> None:
    pacing = StepPacing(32)
    assert not pacing.acts(has_reason=False, under_way=0, slots=32)
    assert pacing.seconds is None


@pytest.mark.parametrize(("under_way", "slots"), [(0, 0), (16, 16), (1, 31)])
def test_with_nothing_under_way_or_half_of_the_places_free_it_acts_at_once(under_way, slots) -> None:
    assert StepPacing(32).acts(has_reason=True, under_way=under_way, slots=slots)


def test_of_one_start_at_a_time_none_waits() -> None:
    assert StepPacing(1).acts(has_reason=True, under_way=0, slots=1)


def test_most_places_taken_holds_a_step_back_and_not_for_longer_than_is_said(clock) -> None:
    pacing = StepPacing(32)
    assert not pacing.acts(has_reason=True, under_way=30, slots=2)
    assert pacing.seconds == pytest.approx(HOLD_SECONDS)
    assert not pacing.is_due(has_outcomes=True)
    clock[0] += HOLD_SECONDS / 2
    assert not pacing.acts(has_reason=True, under_way=29, slots=3)
    clock[0] += HOLD_SECONDS
    assert pacing.is_due(has_outcomes=False)
    assert pacing.acts(has_reason=True, under_way=28, slots=4)
    assert pacing.seconds is None


def test_a_reason_that_has_gone_is_waited_for_no_more() -> None:
    pacing = StepPacing(32)
    assert not pacing.acts(has_reason=True, under_way=30, slots=2)
    assert not pacing.acts(has_reason=False, under_way=30, slots=2)
    assert pacing.seconds is None
    assert not pacing.is_due(has_outcomes=False)
