"""Wakes a dispatcher when something is due, and a moment earlier to have its runner ready.

The embedded runner's helper leaves after half a minute without work, and takes a tenth of a second and more to start:
a job that is due once an hour would wait for it each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import FOREVER_US, SECOND_US

if TYPE_CHECKING:
    from typing import Protocol

    class Timer(Protocol):
        """What goes off at an instant."""

        def arm(self, instant_us: int) -> None:
            """Go off at an instant, µs UTC."""

    class Runner(Protocol):
        """What has to be ready."""

        @property
        def is_ready(self) -> bool:
            """Whether a call would be worked on at once."""

        def get_ready(self) -> None:
            """Do what the first call of a while would have to wait for."""


EARLY_US = 2 * SECOND_US
"""How long before something is due the runner is made ready."""


class DueAlarm:
    """Sets the timer of a dispatcher.

    Args:
        timer: goes off by this machine's clock.
        runner: what is made ready.
    """

    def __init__(self, timer: Timer, runner: Runner) -> None:
        self._timer = timer
        self._runner = runner

    def set(self, next_us: int, now_us: int, offset_us: int) -> None:
        """Have the timer go off when something is to be done next.

        Args:
            next_us: when, µs UTC by the clock of the book; FOREVER_US for never.
            now_us: the present by the clock of the book.
            offset_us: how far that clock is ahead of this machine's.
        """
        left_us = next_us - now_us
        if left_us > EARLY_US and next_us < FOREVER_US and not self._runner.is_ready:
            next_us -= EARLY_US
        elif 0 < left_us <= EARLY_US:
            self._runner.get_ready()
        self._timer.arm(min(next_us - offset_us, FOREVER_US))
