"""The dispatcher's part in recurring jobs: an occurrence that is due becomes a reservation like any other.

The rules of schedules are loaded only where there is one.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.jobs.run_limits import STOP_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.dispatcher_parts import DispatcherParts
    from bespeak.jobs.runner_client.job_calls import JobCalls


class ScheduleTurns:
    """The schedules of one dispatcher's site.

    Args:
        parts: of the dispatcher.
        stops: calls of runners that end jobs.
    """

    def __init__(self, parts: DispatcherParts, stops: JobCalls) -> None:
        self._parts = parts
        self._stops = stops
        self.next_us = 0
        """When to look again, µs UTC by the book's clock."""

    def look_again(self) -> None:
        """Have the next turn look: something has changed."""
        self.next_us = 0

    def turn(self, now_us: int) -> bool:
        """Make what is due; tell whether reservations were made."""
        if now_us < self.next_us:
            return False
        engine, site = self._parts.session.engine, self._parts.session.me.site
        if engine.read(lambda tx: tx.fetch_one("SELECT 1 FROM dispatch_schedules LIMIT 1")) is None:
            self.next_us = FOREVER_US
            return False
        from bespeak.jobs import schedules

        done = schedules.turn(engine, site)
        self.next_us = done.next_us
        for run_key in done.skipped:
            self._parts.log.emit("occurrence_skipped", {"run_key": run_key})
        for job in done.replaced:
            if job.job_id:
                self._stops.submit(job, "cancel", STOP_SECONDS)
        return bool(done.made) or bool(done.replaced)
