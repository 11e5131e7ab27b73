"""What a dispatcher is made of, and what it was told."""

from __future__ import annotations

from bespeak.base.frozen import frozen
from bespeak.jobs.concurrency import NO_LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.attempts import AttemptNotes
    from bespeak.jobs.book_changes import BookChanges
    from bespeak.jobs.concurrency import Limits
    from bespeak.jobs.dispatcher_session import DispatcherSession
    from bespeak.jobs.events import EventLog
    from bespeak.jobs.failure_calls import FailureCalls
    from bespeak.jobs.metrics import Exporter, Metrics
    from bespeak.jobs.resource_bookings import ResourceBookings
    from bespeak.jobs.resource_scope import Scopes
    from bespeak.jobs.runner_client.call_lock import CallLocks
    from bespeak.jobs.runner_client.location import Runner
    from bespeak.jobs.runner_client.process import Router
    from bespeak.jobs.sd_notify import ServiceManager
    from bespeak.jobs.signals import Signals
    from bespeak.jobs.timerfd import WallTimer


@frozen
class DispatcherOptions:
    """What a dispatcher was told.

    Args:
        poll_seconds: look again after so long even if nothing woke us.
        error_seconds: pause after the book could not be asked.
        start_options: for every start call.
        max_starts: start calls under way at once.
        start_seconds: how long one may take.
        retries: how often a failed start is tried again.
        once: leave when nothing is due.
        keep_seconds: delete what has been over for so long; None for never.
        limits: how many jobs may run at once.
    """

    poll_seconds: float = 2.0
    error_seconds: float = 5.0
    start_options: tuple[str, ...] = ()
    max_starts: int = 32
    start_seconds: float = 30.0
    retries: int = 0
    once: bool = False
    keep_seconds: float | None = None
    limits: Limits = NO_LIMITS


@frozen
class DispatcherParts:
    """What a dispatcher is made of; each part is closed by who made it."""

    session: DispatcherSession
    runner: Runner
    router: Router
    log: EventLog
    metrics: Metrics
    exporter: Exporter | None
    bookings: ResourceBookings
    signals: Signals
    manager: ServiceManager
    timer: WallTimer
    notifier: BookChanges
    call_locks: CallLocks
    attempts: AttemptNotes
    failure_calls: FailureCalls | None
    scopes: Scopes

    def tell_failures(self) -> None:
        """Begin to tell of jobs that failed, and note what has been told."""
        if self.failure_calls is not None:
            self.failure_calls.turn()

    @property
    def telling_seconds(self) -> float | None:
        """In how many seconds to look again after whom is being told of failures; None where nobody is."""
        return None if self.failure_calls is None else self.failure_calls.seconds
