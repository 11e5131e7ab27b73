"""The dispatcher's JSON Lines: one object an event, and never a reason for a job not to start.

A closed pipe, a full disk or a reader that has stopped reading must not hold up or fail anything. So nothing is
written to a descriptor that would block: lines wait in memory, the oldest are dropped when that is full, and how many
were dropped is told as soon as the reader is back.
"""

from __future__ import annotations

import os
import select
import stat
import time

from bespeak.base.json_text import compact
from bespeak.jobs.model import Status
from bespeak.jobs.runner_client.full_command import without_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.jobs.claiming import StartOutcome, StepResult
    from bespeak.jobs.metrics import Metrics
    from bespeak.jobs.model import JobReservation

BUFFER_LIMIT = 4 << 20
"""Bytes of unread lines that are kept."""

_PIPE_CHUNK = 4096
"""POLLOUT on a pipe promises room for so many bytes (PIPE_BUF)."""

_EXPIRED_FIELDS = (
    "reservation_id",
    "run_key",
    "reservation_status",
    "not_before",
    "expires_at",
    "created_at",
    "updated_at",
    "last_error",
)


class EventLog:
    """Writes events to one descriptor.

    Args:
        descriptor: usually standard output.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._waiting = bytearray()
        self._dropped = 0
        self._closed = False
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        try:
            self._is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        except OSError:
            self._closed = True
            self._is_file = False

    def emit(self, event: str, fields: dict[str, object]) -> None:
        """Queue one event; :meth:`flush` writes it."""
        if self._closed:
            return
        now = time.time()
        if self._dropped and not self._waiting:
            self._add("events_dropped", {"count": self._dropped}, now)
            self._dropped = 0
        self._add(event, fields, now)

    def _add(self, event: str, fields: dict[str, object], now: float) -> None:
        line = compact({"event": event, **fields, "ts": _local(now), "ts_epoch": int(now)})
        data = line.encode()
        if len(self._waiting) + len(data) > BUFFER_LIMIT:
            self._dropped += 1
            return
        self._waiting += data + b"\n"

    def flush(self) -> None:
        """Write what can be written without waiting."""
        try:
            while self._waiting and not self._closed:
                if not self._ready():
                    return
                size = len(self._waiting) if self._is_file else _PIPE_CHUNK
                sent = os.write(self._descriptor, self._waiting[:size])
                del self._waiting[:sent]
        except BlockingIOError:
            return
        except OSError:
            self._waiting.clear()  # a full disk or a reader that left: the lines are lost, the jobs are not
            self._closed = not self._is_file

    def _ready(self) -> bool:
        if self._is_file:
            return True
        found = self._poll.poll(0)
        if found and found[0][1] & (select.POLLERR | select.POLLNVAL | select.POLLHUP):
            self._closed = True
            self._waiting.clear()
            return False
        return bool(found)

    def finish(self, seconds: float = 1.0) -> None:
        """Write the rest, waiting for a slow reader no longer than this."""
        deadline = time.monotonic() + seconds
        self.flush()
        while self._waiting and not self._closed and time.monotonic() < deadline:
            self._poll.poll(50)
            self.flush()


_shown_second = -1
_shown_text = ""


def _local(now: float) -> str:
    """Return ISO 8601 with the local offset, whole seconds; made once a second."""
    global _shown_second, _shown_text  # noqa: PLW0603 -- a cache of one entry
    second = int(now)
    if second != _shown_second:
        from datetime import datetime

        _shown_text = datetime.fromtimestamp(second).astimezone().isoformat()
        _shown_second = second
    return _shown_text


class Reporter:
    """Says and counts what has become of reservations.

    Args:
        log: where events go.
        metrics: the counters.
    """

    def __init__(self, log: EventLog, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics

    def accepted(self, jobs: Sequence[JobReservation]) -> None:
        """Report reservations that were made."""
        for job in jobs:
            self._log.emit(
                "reservation_accepted",
                {
                    "reservation_id": job.reservation_id,
                    "run_key": job.run_key,
                    "reservation_status": str(job.reservation_status),
                    "command": job.command,
                    "orchesjob_start_options": without_values(job.start_options),
                    "not_before": job.not_before,
                    "expires_at": job.expires_at,
                    "created_at": job.created_at,
                },
            )

    def step(self, stored: Sequence[StartOutcome], taken: StepResult) -> None:
        """Report the outcomes that one step stored, and what it found expired."""
        lost = {id(outcome) for outcome in taken.lost}
        for outcome in stored:
            if id(outcome) not in lost:
                self.outcome(outcome)
        for job in taken.expired:
            self._metrics.add("expired")
            fields: dict[str, object] = {name: getattr(job, name) for name in _EXPIRED_FIELDS}
            fields["command"] = job.command
            self._log.emit("reservation_expired", fields)

    def outcome(self, outcome: StartOutcome) -> None:
        """Report what has become of one claim."""
        job = outcome.job
        fields: dict[str, object] = {"reservation_id": job.reservation_id, "run_key": job.run_key}
        if outcome.status == Status.DISPATCHED:
            self._metrics.add("dispatched")
            self._log.emit("dispatch_succeeded", {**fields, "job_id": outcome.job_id})
        elif outcome.status == Status.DISPATCH_FAILED:
            self._metrics.add("failed")
            self._log.emit("dispatch_failed", {**fields, "error": outcome.error})
        elif outcome.status == Status.START_UNKNOWN:
            self._metrics.add("unknown")
            self._log.emit("start_unknown", {**fields, "error": outcome.error})
        elif outcome.error:
            self._metrics.add("delayed")
            self._log.emit(
                "dispatch_delayed",
                {**fields, "error": outcome.error, "attempts": job.attempts, "next_try": outcome.next_us / 1e6},
            )
