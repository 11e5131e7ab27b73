"""What a dispatcher is made of and what it was told: two plain values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.jobs.dispatcher_session import DispatcherSession
    from bespeak.jobs.events import EventLog
    from bespeak.jobs.locations import Runner
    from bespeak.jobs.metrics import Exporter, Metrics
    from bespeak.jobs.notifier import Wakes
    from bespeak.jobs.resource_bookings import Holds
    from bespeak.jobs.runner_client.router import Router
    from bespeak.jobs.sd_notify import Supervisor
    from bespeak.jobs.signals import Signals
    from bespeak.jobs.timerfd import WallTimer

_SHORTEST_POLL_SECONDS = 0.05


class Options:
    """What a dispatcher was told.

    Args:
        poll_seconds: look again after so long even if nothing woke us.
        error_seconds: pause after the book could not be asked.
        start_options: for every start call.
        max_starts: start calls under way at once.
        start_seconds: how long one may take.
        retries: how often a failed start is tried again.
        once: leave when nothing is due.
    """

    __slots__ = ("error_seconds", "max_starts", "once", "poll_seconds", "retries", "start_options", "start_seconds")

    def __init__(
        self,
        *,
        poll_seconds: float = 2.0,
        error_seconds: float = 5.0,
        start_options: Sequence[str] = (),
        max_starts: int = 32,
        start_seconds: float = 30.0,
        retries: int = 0,
        once: bool = False,
    ) -> None:
        self.poll_seconds = max(poll_seconds, _SHORTEST_POLL_SECONDS)
        self.error_seconds = error_seconds
        self.start_options = tuple(start_options)
        self.max_starts = max_starts
        self.start_seconds = start_seconds
        self.retries = retries
        self.once = once


class Parts:
    """What a dispatcher is made of; each part is closed by who made it."""

    __slots__ = ("desk", "exporter", "holds", "log", "metrics", "router", "runner", "signals", "supervisor", "timer",
                 "wakes")  # fmt: skip

    def __init__(
        self,
        *,
        desk: DispatcherSession,
        runner: Runner,
        router: Router,
        log: EventLog,
        metrics: Metrics,
        exporter: Exporter | None,
        holds: Holds,
        signals: Signals,
        supervisor: Supervisor,
        timer: WallTimer,
        wakes: Wakes,
    ) -> None:
        self.desk = desk
        self.runner = runner
        self.router = router
        self.log = log
        self.metrics = metrics
        self.exporter = exporter
        self.holds = holds
        self.signals = signals
        self.supervisor = supervisor
        self.timer = timer
        self.wakes = wakes
