"""Job reservations as the JSON that orchesjob-reserver 0.1 shows: its names, its order, ``null`` where nothing is."""

from __future__ import annotations

import json
import sys

from bespeak.base import json_text
from bespeak.base.clock import SECOND_US
from bespeak.jobs.contract_times import iso_seconds
from bespeak.jobs.model import PAUSED_EXTRA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from bespeak.jobs.model import JobReservation

EXTRA_NAMES = (
    PAUSED_EXTRA,
    "queued_after",
    "env",
    "env_from",
    "cwd",
    "needs",
    "prefer",
    "same",
    "held_env",
    "for_seconds",
    "keep_needs",
    "retry",
    "retry_delay_seconds",
    "run_timeout_seconds",
    "nice",
    "memory_max_bytes",
    "cpu_percent",
    "hold_lost",
)
"""What goes beyond orchesjob-reserver 0.1 and is shown as it is stored."""

INSTANTS = ("not_before", "expires_at", "created_at", "updated_at", "dispatched_at")
"""The columns with an instant in seconds, in the order in which they are shown."""


def job_json(job: JobReservation) -> dict[str, object]:
    """Return one reservation as the documented object, followed by bespeak's own keys."""
    form = identity_json(job) | what_json(job)
    for name in INSTANTS:
        form |= instant_json(name, getattr(job, name))
    return form | state_json(job) | end_json(job) | additions_json(job)


def identity_json(job: JobReservation) -> dict[str, object]:
    """Return the part of a reservation that no other has, and its state."""
    return {
        "reservation_id": job.reservation_id,
        "run_key": job.run_key,
        "reservation_status": str(job.reservation_status),
        "job_id": job.job_id,
    }


def what_json(job: JobReservation) -> dict[str, object]:
    """Return the part of a reservation that says what is to be run; many have the same."""
    return {"command": job.command, "orchesjob_start_options": job.start_options, "metadata": job.metadata}


def instant_json(name: str, seconds: int | None) -> dict[str, object]:
    """Return an instant, seconds since 1970, as a number and as text."""
    return {name: seconds, name + "_iso": iso_seconds(seconds)}


def state_json(job: JobReservation) -> dict[str, object]:
    """Return the part of a reservation that says how often it was tried, and for whom it is."""
    form: dict[str, object] = {"last_error": job.last_error, "attempts": job.attempts}
    if job.site:
        form["site"] = job.site
    if job.tags:
        form["tags"] = job.tag_names
    return form


def end_json(job: JobReservation) -> dict[str, object]:
    """Return the part of a reservation that says how its job ended; nothing before."""
    if not job.outcome:
        return {}
    ended_at = None if job.ended_us is None else job.ended_us // SECOND_US
    return {"outcome": job.outcome, "exit_code": job.exit_code, **instant_json("ended_at", ended_at)}


def additions_json(job: JobReservation) -> dict[str, object]:
    """Return the part of a reservation that goes beyond orchesjob-reserver 0.1, but for its end."""
    form: dict[str, object] = {}
    if job.stopped_us is not None:
        form |= instant_json("stopped_at", job.stopped_us // SECOND_US)
    if job.runner:
        form["runner"] = _runner_json(job)
    if job.booking_id:
        form["booking_id"] = job.booking_id
    if job.extras_json:
        if job.tries:
            form["tries"] = [_try_json(number, each) for number, each in enumerate(job.tries, start=1)]
        extras = job.extras
        form.update((name, extras[name]) for name in EXTRA_NAMES if name in extras)
    return form


def _try_json(number: int, of: dict[str, int]) -> dict[str, object]:
    at = of.get("ended_at")
    return {"attempt": number, "exit_code": of.get("exit_code"), "ended_at": at, "ended_at_iso": iso_seconds(at)}


def _runner_json(job: JobReservation) -> dict[str, object]:
    """Return where a reservation was, or is being, started."""
    home = (job.runner_home or "").partition(":")[2] or None
    return {"program": job.runner, "home": home, "host": job.runner_host, "version": job.runner_version}


def write(value: object, stream: TextIO | None = None, *, indent: int | None = 2) -> None:
    """Print one JSON value and a newline as UTF-8, whatever the locale says."""
    target = stream or sys.stdout
    line = json_text.printable(value, indent=indent) + "\n"
    try:
        target.write(line)
    except UnicodeEncodeError:
        target.write(json.dumps(value, indent=indent) + "\n")
