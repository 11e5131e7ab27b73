"""The program ``orchesjob`` that ``bespeak runner alias`` makes: the runner, and what waits for its start.

A monitor such as Airflow's sensor asks ``orchesjob status`` as soon as the reservation is made. Before the start the
runner has no such job, and "not found" would end the monitoring; so the answer is the reservation's state instead.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.jobs.model import JobReservation

_AS_JOB = {"EXPIRED": "CANCELLED", "DISPATCH_FAILED": "FAILED"}
"""Ends of a reservation without a job, as the end of a job that monitors know."""


def waiting(run_key: str) -> dict[str, object] | None:
    """Return what is known of a run key that the runner does not know; None where it was handed to another runner."""
    from bespeak.base.errors import BespeakError
    from bespeak.jobs import store
    from bespeak.jobs.locations import DOCUMENTED_PROGRAM, open_store, store_url

    url = store_url(None, None, os.environ, DOCUMENTED_PROGRAM)
    if "://" not in url and not os.path.exists(url):
        return None
    try:
        engine = open_store(url)
        try:
            job = store.look(engine, run_key=run_key, reservation_id=None).job
        finally:
            engine.close()
    except BespeakError:
        return None
    # The original dispatcher, which writes no owner, asks in this state whether its start call has arrived.
    started = job.job_id is not None or (job.reservation_status == "DISPATCHING" and job.owner is None)
    return None if started else _status(job)


def _status(job: JobReservation) -> dict[str, object]:
    from bespeak.jobs.serialize import job_json

    state = str(job.reservation_status)
    return {**job_json(job), "status": _AS_JOB.get(state, state), "exit_code": None}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of the runner; return its exit code.

    Args:
        argv: the words after the program; by default those of this process.
    """
    from bespeak.runner.cli import main as run

    return run(argv, "orchesjob", waiting)


if __name__ == "__main__":
    sys.exit(main())
