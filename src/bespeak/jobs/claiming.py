"""What a dispatcher does to rows: look, claim, store outcomes, expire.

Every write goes through :func:`step`, one transaction that stores what has finished and claims what is due. A claim
raises the row's ``claim_no``, and an outcome is stored only by the owner that has that number, so a dispatcher that
was asleep past its lease changes nothing that another has taken over.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, SECOND_US, now
from bespeak.base.frozen import frozen, replace
from bespeak.jobs import concurrency, liveness, rows
from bespeak.jobs.concurrency import NO_LIMITS
from bespeak.jobs.model import EXPIRED_TEXT, SELECT, JobReservation, Status
from bespeak.jobs.runner_client.location import COLUMNS as LOCATION_COLUMNS
from bespeak.jobs.runner_client.location import location_of_dispatcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bespeak.jobs.concurrency import Limits
    from bespeak.jobs.liveness import DispatcherRecord
    from bespeak.storage.interface import Transaction

EXPIRE_BATCH = 500
ACCEPTED_BATCH = 500
LOG_KEEP = 200_000
"""How many of the newest changes the log keeps for those who watch; older ones go, a batch a beat."""

_LOG_BATCH = 5000

_WAITING = "reservation_status = 'RESERVED' AND site = :site"
_ALIVE = "(expires_at IS NULL OR expires_at > :now_s)"
_NOW_DUE = f"{SELECT} WHERE {_WAITING} AND next_us = 0 AND {_ALIVE}{{ours}} ORDER BY next_us, seq LIMIT :n"
_THEN_DUE = (
    f"{SELECT} WHERE {_WAITING} AND next_us > 0 AND next_us <= :now_us AND {_ALIVE}{{ours}}"
    " ORDER BY next_us, seq LIMIT :n"
)
_EXPIRED = f"{SELECT} WHERE {_WAITING} AND expires_at IS NOT NULL AND expires_at <= :now_s ORDER BY expires_at LIMIT :n"
_NEXT_DUE = f"SELECT MIN(next_us) FROM reservations WHERE {_WAITING}{{ours}}"
_NEXT_EXPIRY = f"SELECT MIN(expires_at) FROM reservations WHERE {_WAITING} AND expires_at IS NOT NULL"
_ACCEPTED = f"{SELECT} WHERE seq > :last AND site = :site ORDER BY seq LIMIT :n"
_TAKE = (
    "UPDATE reservations SET reservation_status = 'DISPATCHING', owner = :me, claim_no = :claim_no,"
    " attempts = :attempts, claimed_us = :claimed_us, first_claimed_us = :first_claimed_us,"
    " runner = :runner, runner_home = :runner_home, runner_host = :runner_host, runner_version = :runner_version,"
    " updated_at = :now_s WHERE reservation_id = :id"
)
_STORE = (
    "UPDATE reservations SET reservation_status = :status, owner = NULL, job_id = :job_id,"
    " dispatched_at = :dispatched_at, last_error = :error, next_us = :next_us, attempts = :attempts,"
    " run_until_us = :run_until, first_claimed_us = :first_claimed_us, updated_at = :now_s WHERE reservation_id = :id"
)
_CLAIMS = "SELECT reservation_id, claim_no FROM reservations WHERE owner = :me AND reservation_status = 'DISPATCHING'"
_MINE = "reservation_id = :id AND owner = :me AND claim_no = :claim_no AND reservation_status = 'DISPATCHING'"


_CHANGES = {Status.DISPATCHED: "dispatched", Status.RESERVED: "delayed", Status.START_UNKNOWN: "unknown"}


@frozen
class QueueState:
    """What a dispatcher sees without changing anything.

    Args:
        now_us: the transaction's present.
        next_us: when something is next to be done, µs UTC; in the past when it is due, FOREVER_US when never.
        accepted: reservations made since the last look, in the order of their numbers.
        has_full: as many jobs run as may, at all or of a tag; ``next_us`` leaves out what has to wait for their end.
    """

    now_us: int
    next_us: int
    accepted: list[JobReservation]
    has_full: bool = False


@frozen
class StartOutcome:
    """What became of one claim.

    Args:
        job: the row as claimed.
        status: DISPATCHED, DISPATCH_FAILED, START_UNKNOWN, or RESERVED to try again later.
        job_id: the runner's id when dispatched.
        error: why not, when not.
        next_us: when to try again, µs UTC.
        untouched: no start was ever called for the reservation.
    """

    job: JobReservation
    status: Status
    job_id: str | None = None
    error: str | None = None
    next_us: int = 0
    untouched: bool = False


@frozen
class StepResult:
    """What one :func:`step` did.

    Args:
        now_us: the transaction's present.
        claimed: rows that now belong to the caller.
        expired: rows that were too late, in their new state.
        lost: outcomes that were not stored, because another dispatcher has taken the row over.
    """

    now_us: int
    claimed: list[JobReservation]
    expired: list[JobReservation]
    lost: list[StartOutcome]


def _ours(accounts: Sequence[str] | None) -> tuple[str, dict[str, Any]]:
    """Return the condition that leaves the jobs of some accounts, and its parameters; None is for everybody's."""
    if accounts is None:
        return "", {}
    params: dict[str, Any] = {f"account{number}": name for number, name in enumerate(accounts)}
    return f" AND account IN ({', '.join(f':{name}' for name in params)})", params


def look(
    tx: Transaction,
    me: DispatcherRecord,
    last_seq: int,
    accounts: Sequence[str] | None = None,
    limits: Limits = NO_LIMITS,
) -> QueueState:
    """Return what is next, of the jobs of ``accounts``, and what is new for the dispatchers of one's site."""
    where = {"site": me.site}
    free = concurrency.free_places(tx, me, limits)
    condition, params = _ours(accounts)
    condition, params = concurrency.without(free.full_tags, condition, params)
    due = None if free.none_left else tx.fetch_one(_NEXT_DUE.format(ours=condition), where | params)
    expiry = tx.fetch_one(_NEXT_EXPIRY, where)
    next_us = FOREVER_US if due is None or due[0] is None else int(due[0])
    if expiry is not None and expiry[0] is not None:
        next_us = min(next_us, int(expiry[0]) * SECOND_US)
    found = tx.fetch_all(_ACCEPTED, {"last": last_seq, "site": me.site, "n": ACCEPTED_BATCH})
    return QueueState(tx.now_us, next_us, rows.jobs(found), free.none_left or bool(free.full_tags))


def newest(tx: Transaction) -> int:
    """Return the number of the newest line of the log."""
    row = tx.fetch_one("SELECT MAX(seq) FROM dispatch_log")
    return int(row[0] or 0) if row else 0


def step(
    tx: Transaction,
    me: DispatcherRecord,
    outcomes: Sequence[StartOutcome],
    slots: int,
    accounts: Sequence[str] | None = None,
    limits: Limits = NO_LIMITS,
) -> StepResult:
    """Store ``outcomes``, expire what is too late, and claim up to ``slots`` rows of ``accounts`` that are due.

    Args:
        tx: a transaction under the lock of jobs.
        me: the dispatcher.
        outcomes: what became of earlier claims.
        slots: how many rows to claim at most.
        accounts: whose jobs; None for everybody's.
        limits: how many jobs may run at once.
    """
    liveness.register(tx, me)
    stored = _store(tx, me, outcomes)
    rows.log(tx, [change for _, change in stored if change is not None])
    expired = _expire(tx, me.site)
    claimed = _claim(tx, me, slots, accounts, limits) if slots > 0 else []
    return StepResult(tx.now_us, claimed, expired, [outcome for outcome, change in stored if change is None])


def _store(
    tx: Transaction, me: DispatcherRecord, outcomes: Sequence[StartOutcome]
) -> list[tuple[StartOutcome, rows.Change | None]]:
    """Store outcomes, each with its line for the log; None where another dispatcher has taken the row over.

    Whose the rows are is read once: under the lock of jobs nobody takes one over meanwhile.
    """
    if not outcomes:
        return []
    mine: dict[str, int] = dict(tx.fetch_all(_CLAIMS, {"me": me.dispatcher_id}))
    stored = []
    for outcome in outcomes:
        is_mine = mine.pop(outcome.job.reservation_id, None) == outcome.job.claim_no
        stored.append((outcome, _change(outcome) if is_mine else None))
    tx.execute_many(_STORE, [_stored_values(tx, outcome) for outcome, change in stored if change is not None])
    return stored


def _change(outcome: StartOutcome) -> rows.Change:
    name = _CHANGES.get(outcome.status, "failed")
    return rows.Change(outcome.job, name, outcome.status, job_id=outcome.job_id, detail=outcome.error)


def _stored_values(tx: Transaction, outcome: StartOutcome) -> dict[str, Any]:
    job = outcome.job
    dispatched = outcome.status == Status.DISPATCHED
    return {
        "status": str(outcome.status),
        "job_id": outcome.job_id,
        "dispatched_at": rows.seconds(tx) if dispatched else None,
        "error": outcome.error,
        "next_us": outcome.next_us,
        "run_until": _run_until_us(tx, job) if dispatched else None,
        "attempts": job.attempts,
        "first_claimed_us": None if outcome.untouched else job.first_claimed_us,
        "now_s": rows.seconds(tx),
        "id": job.reservation_id,
    }


def _run_until_us(tx: Transaction, job: JobReservation) -> int | None:
    """Return when a job that has just been started is to be ended, µs UTC; None for never."""
    seconds = job.extras.get("run_timeout_seconds")
    return tx.now_us + int(seconds * SECOND_US) if isinstance(seconds, int | float) else None


def _expire(tx: Transaction, site: str) -> list[JobReservation]:
    found = rows.jobs(tx.fetch_all(_EXPIRED, {"site": site, "now_s": rows.seconds(tx), "n": EXPIRE_BATCH}))
    if not found:
        return []
    tx.execute_many(
        "UPDATE reservations SET reservation_status = 'EXPIRED', last_error = :error, updated_at = :now_s"
        " WHERE reservation_id = :id",
        [{"error": EXPIRED_TEXT, "now_s": rows.seconds(tx), "id": job.reservation_id} for job in found],
    )
    rows.log(tx, [rows.Change(job, "expired", Status.EXPIRED, detail=EXPIRED_TEXT) for job in found])
    return [
        replace(job, reservation_status=Status.EXPIRED, last_error=EXPIRED_TEXT, updated_at=rows.seconds(tx))
        for job in found
    ]


def _claim(
    tx: Transaction, me: DispatcherRecord, slots: int, accounts: Sequence[str] | None, limits: Limits
) -> list[JobReservation]:
    """Claim what is due in its order; what has a tag that is full lets others pass."""
    free = concurrency.free_places(tx, me, limits)
    claimed: list[JobReservation] = []
    while (count := free.at_most(slots - len(claimed))) > 0:
        due = _due(tx, me, count, accounts, free.full_tags)
        fitting = [job for job in due if free.take(job.tag_names)]
        claimed += take(tx, me, fitting, attempt=1)
        if len(fitting) == len(due):
            break
    return claimed


def _due(
    tx: Transaction, me: DispatcherRecord, count: int, accounts: Sequence[str] | None, full: Sequence[str]
) -> list[JobReservation]:
    condition, params = _ours(accounts)
    condition, params = concurrency.without(full, condition, params)
    params |= {"site": me.site, "now_s": rows.seconds(tx), "n": count}
    at_once = rows.jobs(tx.fetch_all(_NOW_DUE.format(ours=condition), params))
    scheduled = rows.jobs(tx.fetch_all(_THEN_DUE.format(ours=condition), params | {"now_us": tx.now_us}))
    return sorted(at_once + scheduled, key=_order)[:count]


def _order(job: JobReservation) -> tuple[int, int, int]:
    """Order by when it was due; what named no time was due when it was made, and row numbers break the tie."""
    return (job.created_at if job.not_before is None else job.not_before, job.created_at, job.seq)


def take(tx: Transaction, me: DispatcherRecord, due: Sequence[JobReservation], *, attempt: int) -> list[JobReservation]:
    """Make rows the caller's, under a new claim number.

    One taken over (``attempt`` 0) keeps when it was claimed. What an earlier claim may have started keeps its location.
    """
    taken = [_taken(tx, me, job, attempt) for job in due]
    tx.execute_many(
        _TAKE,
        [
            {
                "me": me.dispatcher_id,
                "claim_no": job.claim_no,
                "attempts": job.attempts,
                "claimed_us": job.claimed_us,
                "first_claimed_us": job.first_claimed_us,
                "now_s": rows.seconds(tx),
                "id": job.reservation_id,
                **{name: getattr(job, name) for name in LOCATION_COLUMNS},
            }
            for job in taken
        ],
    )
    rows.log(tx, [rows.Change(job, "dispatching", Status.DISPATCHING) for job in taken])
    return taken


def _taken(tx: Transaction, me: DispatcherRecord, job: JobReservation, attempt: int) -> JobReservation:
    may_be_started = job.first_claimed_us is not None or not attempt
    claimed_us = job.claimed_us
    if attempt:
        claimed_us = tx.now_us
    elif claimed_us is None:
        claimed_us = job.updated_at * SECOND_US
    # The runner notes by the clock of its machine when it starts a job, and the book may be a server's.
    first_us = min(claimed_us, now()) if job.first_claimed_us is None else job.first_claimed_us
    columns: dict[str, Any] = {} if may_be_started and job.runner else location_of_dispatcher(me).columns()
    return replace(
        job,
        reservation_status=Status.DISPATCHING,
        owner=me.dispatcher_id,
        claim_no=job.claim_no + 1,
        attempts=job.attempts + attempt,
        claimed_us=claimed_us,
        first_claimed_us=first_us,
        may_be_started=may_be_started,
        **columns,
    )


def move(tx: Transaction, me: DispatcherRecord, job: JobReservation) -> JobReservation | None:
    """Write down that a claim goes on at the caller's own runner, and return it; None if the caller has lost it.

    Only for what the runner at its earlier location says it does not have.
    """
    columns = location_of_dispatcher(me).columns()
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    values = columns | {"id": job.reservation_id, "me": me.dispatcher_id, "claim_no": job.claim_no}
    return replace(job, **columns) if tx.execute(f"UPDATE reservations SET {sets} WHERE {_MINE}", values) else None


def shorten_log(tx: Transaction) -> None:
    """Remove a batch of the oldest changes beyond :data:`LOG_KEEP`."""
    tx.execute(
        "DELETE FROM dispatch_log WHERE seq IN (SELECT seq FROM dispatch_log WHERE seq <= :old ORDER BY seq LIMIT :n)",
        {"old": newest(tx) - LOG_KEEP, "n": _LOG_BATCH},
    )
