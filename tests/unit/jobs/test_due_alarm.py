"""When the dispatcher's timer goes off, and when its runner is made ready."""

from dataclasses import dataclass, field

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.jobs.due_alarm import EARLY_US, DueAlarm

NOW_US = 1_800_000_000 * SECOND_US


@dataclass
class Parts:
    """A timer and a runner that note what they are told."""

    is_ready: bool = False
    armed: list[int] = field(default_factory=list)
    made_ready: int = 0

    def arm(self, instant_us: int) -> None:
        self.armed.append(instant_us)

    def get_ready(self) -> None:
        self.made_ready += 1


def test_a_cold_runner_is_made_ready_a_moment_before_something_is_due() -> None:
    parts = Parts()
    alarm = DueAlarm(parts, parts)
    due_us = NOW_US + 3600 * SECOND_US
    alarm.set(due_us, NOW_US, 0)
    assert (parts.armed, parts.made_ready) == ([due_us - EARLY_US], 0)
    alarm.set(due_us, due_us - EARLY_US, 0)
    assert (parts.armed[-1], parts.made_ready) == (due_us, 1)


def test_a_ready_runner_needs_no_earlier_look() -> None:
    parts = Parts(is_ready=True)
    DueAlarm(parts, parts).set(NOW_US + 3600 * SECOND_US, NOW_US, 0)
    assert parts.armed == [NOW_US + 3600 * SECOND_US]


def test_where_nothing_is_due_nothing_is_made_ready() -> None:
    parts = Parts()
    alarm = DueAlarm(parts, parts)
    alarm.set(FOREVER_US, NOW_US, 0)
    alarm.set(NOW_US - 1, NOW_US, 0)
    assert (parts.armed, parts.made_ready) == ([FOREVER_US, NOW_US - 1], 0)


def test_the_timer_has_the_clock_of_this_machine() -> None:
    parts = Parts(is_ready=True)
    DueAlarm(parts, parts).set(NOW_US + SECOND_US, NOW_US, 600 * SECOND_US)
    assert parts.armed == [NOW_US - 599 * SECOND_US]
