"""Following reservations from outside: ``watch`` (every change), ``wait`` (until one has ended), ``health``."""

from __future__ import annotations

import time

from bespeak.base.clock import DAY_US, SECOND_US, iso
from bespeak.jobs import rows
from bespeak.jobs.claiming import newest
from bespeak.jobs.liveness import all_dispatchers
from bespeak.jobs.model import Status
from bespeak.jobs.schema import TOPIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine, Transaction

_PAGE = 500
_LOOK_SECONDS = 30.0
_MOST_UNANSWERED = 5
OVERDUE_US = 10 * SECOND_US
_FIELDS = ("seq", "at_us", "reservation_id", "run_key", "site", "change", "reservation_status", "job_id", "detail")


def watch(
    engine: Engine, *, run_key: str | None = None, after_seq: int | None = None, seconds: float | None = None
) -> Iterator[dict[str, object]]:
    """Yield the changes of the log as they happen.

    Args:
        engine: the store.
        run_key: only this one's.
        after_seq: begin after this number; None for from now on.
        seconds: end after so long; None for never.
    """
    listener = engine.listen((TOPIC,))
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        last = engine.read(newest) if after_seq is None else after_seq
        while True:
            found = _changes(engine, last)
            for change in found:
                last = int(str(change["seq"]))
                if run_key in (None, change["run_key"]):
                    yield change
            if len(found) == _PAGE:
                continue
            left = _LOOK_SECONDS if deadline is None else min(deadline - time.monotonic(), _LOOK_SECONDS)
            if left <= 0:
                return
            listener.wait(left)
    finally:
        listener.close()


def _changes(engine: Engine, last: int) -> list[dict[str, object]]:
    sql = (
        f"SELECT {', '.join(_FIELDS)} FROM dispatch_log WHERE seq > :last AND change <> 'opened' ORDER BY seq LIMIT :n"
    )
    found = engine.read(lambda tx: tx.fetch_all(sql, {"last": last, "n": _PAGE}))
    changes = [dict(zip(_FIELDS, row, strict=True)) for row in found]
    for change in changes:
        change["at"] = iso(int(change.pop("at_us")))
    return changes


def until_decided(engine: Engine, reservation_id: str, deadline: float | None) -> JobReservation | None:
    """Wait until a reservation is neither RESERVED nor DISPATCHING; return it, or None when the time is over.

    Args:
        engine: the store.
        reservation_id: which one.
        deadline: on the monotonic clock, seconds; None for never.
    """
    listener = engine.listen((TOPIC,))
    try:
        while True:
            job = engine.read(lambda tx: rows.get(tx, reservation_id=reservation_id))
            if job.reservation_status not in (Status.RESERVED, Status.DISPATCHING):
                return job
            left = _LOOK_SECONDS if deadline is None else min(deadline - time.monotonic(), _LOOK_SECONDS)
            if left <= 0:
                return None
            listener.wait(left)
    finally:
        listener.close()


def until_ended(ask: Callable[[], dict[str, object] | None], deadline: float | None) -> dict[str, object] | None:
    """Ask the runner about a job until it has ended; None when the time is over.

    A machine may be out of processes for a moment, and the job may run for hours: a few questions may stay unanswered.

    Args:
        ask: returns the job's state.
        deadline: on the monotonic clock, seconds; None for never.

    Raises:
        NoAnswerError: the runner could not be asked, again and again.
    """
    from bespeak.jobs.runner_client.job_proxy import NoAnswerError

    pause = 0.05
    unanswered = 0
    while True:
        try:
            found = ask()
            unanswered = 0
        except NoAnswerError:
            found = None
            unanswered += 1
            pause *= 2
            if unanswered == _MOST_UNANSWERED:
                raise
        if found is not None and found.get("status") not in ("STARTING", "RUNNING"):
            return found
        if deadline is not None and time.monotonic() + pause > deadline:
            return None
        time.sleep(pause)
        pause = min(pause * 1.5, 2.0)


def health(engine: Engine, site: str | None) -> tuple[dict[str, object], bool]:
    """Return how dispatching is doing, and whether that is well: a dispatcher lives and nothing is left lying.

    Args:
        engine: the store.
        site: of which dispatchers; None for all.
    """

    def work(tx: Transaction) -> tuple[dict[str, object], bool]:
        known = [item for item in all_dispatchers(tx) if site in (None, item.site)]
        living = [item for item in known if item.alive(tx.now_us)]
        ids = {item.dispatcher_id for item in living}
        counts = {str(name): int(n) for name, n in tx.fetch_all(_COUNTS)}
        where = {"now": tx.now_us - OVERDUE_US, "now_s": rows.seconds(tx) - OVERDUE_US // SECOND_US}
        overdue = int((tx.fetch_one(_OVERDUE, where) or (0,))[0])
        owners = tx.fetch_all("SELECT DISTINCT owner FROM reservations WHERE reservation_status = 'DISPATCHING'")
        stuck = sum(1 for (owner,) in owners if owner not in ids)
        report: dict[str, object] = {
            "dispatcher": "alive" if living else "absent",
            "dispatchers": [
                {
                    "dispatcher_id": item.dispatcher_id,
                    "site": item.site,
                    "host": item.host,
                    "pid": item.pid,
                    "runner": item.runner,
                    "alive": item.dispatcher_id in ids,
                    "started_at": iso(item.started_us),
                    "heartbeat_at": iso(item.beat_us),
                }
                for item in known
            ],
            "reservations": counts,
            "outcomes_24h": {str(name): int(n) for name, n in tx.fetch_all(_OUTCOMES, {"since": tx.now_us - DAY_US})},
            "overdue": overdue,
            "dead_owners": stuck,
        }
        unknown = counts.get(Status.START_UNKNOWN, 0)
        return report, bool(living) and not (overdue or stuck or unknown)

    return engine.read(work)


_COUNTS = "SELECT reservation_status, COUNT(*) FROM reservations GROUP BY reservation_status"
_OUTCOMES = "SELECT outcome, COUNT(*) FROM reservations WHERE ended_us > :since GROUP BY outcome ORDER BY outcome"
_OVERDUE = (
    "SELECT COUNT(*) FROM reservations WHERE reservation_status = 'RESERVED' AND next_us <= :now"
    " AND created_at <= :now_s"
)
