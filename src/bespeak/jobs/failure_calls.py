"""``run --on-failure``: a command is told of each job that failed or could not be started, until it says it knows.

What was told is written down after the command has ended well, so one that is killed in between, with us, is called
again: at least once, never not at all. Failures older than a day when the dispatcher first sees them are not told.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from bespeak.base.clock import DAY_US, SECOND_US
from bespeak.jobs import rows
from bespeak.jobs.model import BAD_OUTCOMES, SELECT
from bespeak.jobs.schema import LOCK
from bespeak.jobs.serialize import job_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bespeak.jobs.events import EventLog
    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine, Transaction

CALLS_AT_ONCE = 4
LIMIT_SECONDS = 60.0
_TRIES = 5
_FIRST_PAUSE_SECONDS = 10.0
_WORDS = ", ".join(f"'{word}'" for word in BAD_OUTCOMES)
_UNTOLD = (
    f"{SELECT} WHERE site = :site AND told_us IS NULL AND ((outcome IN ({_WORDS}) AND ended_us > :since)"
    " OR (reservation_status IN ('DISPATCH_FAILED', 'EXPIRED', 'START_UNKNOWN') AND updated_at > :since_s))"
    " ORDER BY seq LIMIT :n"
)
_TOLD = "UPDATE reservations SET told_us = :now WHERE reservation_id = :id AND told_us IS NULL"


class FailureCalls:
    """The calls of one dispatcher.

    Args:
        command: a command line for the shell, or an ``http://`` or ``https://`` address that gets the JSON.
        engine: the store.
        site: whose jobs.
        log: where events go.
        environ: what the command gets, besides what says which job failed.
    """

    def __init__(self, command: str, engine: Engine, site: str, log: EventLog, environ: Mapping[str, str]) -> None:
        is_address = command.startswith(("http://", "https://"))
        post = [sys.executable, "-P", "-m", "bespeak.jobs.post_json", command]
        self._words = post if is_address else ["/bin/sh", "-c", command]
        self._engine = engine
        self._site = site
        self._log = log
        self._environ = environ
        self._calls: dict[str, tuple[JobReservation, subprocess.Popen[bytes], float]] = {}
        self._tries: dict[str, tuple[int, float]] = {}

    def turn(self) -> None:
        """Take the calls that have ended, and begin those whose turn it is."""
        self._take()
        if len(self._calls) >= CALLS_AT_ONCE:
            return
        now = time.monotonic()
        for job in self._untold():
            tried, again_at = self._tries.get(job.reservation_id, (0, 0.0))
            if job.reservation_id not in self._calls and tried < _TRIES and now >= again_at:
                self._begin(job, tried)
                if len(self._calls) >= CALLS_AT_ONCE:
                    return

    @property
    def seconds(self) -> float | None:
        """In how many seconds to look again; None where nothing is under way."""
        return 1.0 if self._calls else None

    def close(self) -> None:
        """Leave calls under way to themselves; what they were about is told again by the next dispatcher."""
        self._take()

    def _untold(self) -> list[JobReservation]:
        def work(tx: Transaction) -> list[JobReservation]:
            since_us = tx.now_us - DAY_US
            where = {"site": self._site, "since": since_us, "since_s": since_us // SECOND_US, "n": 100}
            return rows.jobs(tx.fetch_all(_UNTOLD, where))

        return self._engine.read(work)

    def _begin(self, job: JobReservation, tried: int) -> None:
        what = job.outcome or job.reservation_status
        told = {"BESPEAK_JOB_RUN_KEY": job.run_key, "BESPEAK_JOB_RESERVATION": job.reservation_id}
        told |= {"BESPEAK_JOB_OUTCOME": what, "BESPEAK_JOB_EXIT_CODE": _text(job.exit_code)}
        self._tries[job.reservation_id] = (tried + 1, time.monotonic() + _FIRST_PAUSE_SECONDS * 2**tried)
        try:
            with tempfile.TemporaryFile() as told_json:
                told_json.write(json.dumps(job_json(job)).encode())
                told_json.seek(0)
                process = subprocess.Popen(
                    self._words,
                    stdin=told_json,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**self._environ, **told},
                    start_new_session=True,
                )
        except OSError as error:
            self._say(job, None, error.strerror or str(error))
            return
        self._calls[job.reservation_id] = (job, process, time.monotonic() + LIMIT_SECONDS)

    def _take(self) -> None:
        for identifier, (job, process, limit) in list(self._calls.items()):
            code = process.poll()
            if code is None and time.monotonic() < limit:
                continue
            del self._calls[identifier]
            if code is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                self._say(job, None, f"no end after {LIMIT_SECONDS:g} seconds")
            elif code == 0:
                self._note(job)
                self._say(job, 0, None)
            else:
                self._say(job, code, None)

    def _note(self, job: JobReservation) -> None:
        identifier = job.reservation_id
        self._engine.transact((LOCK,), lambda tx: tx.execute(_TOLD, {"now": tx.now_us, "id": identifier}))
        self._tries.pop(identifier, None)

    def _say(self, job: JobReservation, code: int | None, error: str | None) -> None:
        fields: dict[str, object] = {"reservation_id": job.reservation_id, "run_key": job.run_key}
        fields |= {"exit_code": code, "error": error}
        self._log.emit("failure_told" if code == 0 else "failure_not_told", fields)


def _text(code: int | None) -> str:
    return "" if code is None else str(code)
