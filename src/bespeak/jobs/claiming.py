"""What a dispatcher does to rows: look, claim, store outcomes, expire, take over from the dead.

Every write goes through :func:`step`, one transaction that stores what has finished and claims what is due. A claim
raises the row's ``claim_no``, and an outcome is stored only by the owner that has that number, so a dispatcher that
was asleep past its lease changes nothing that another has taken over.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, SECOND_US, now
from bespeak.base.frozen import frozen, replace
from bespeak.jobs import liveness, rows
from bespeak.jobs.model import EXPIRED_TEXT, SELECT, JobReservation, Status
from bespeak.jobs.runner_client.location import COLUMNS as LOCATION_COLUMNS
from bespeak.jobs.runner_client.location import location_of, location_of_dispatcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bespeak.jobs.liveness import DispatcherRecord
    from bespeak.storage.interface import Transaction

EXPIRE_BATCH = 500
ACCEPTED_BATCH = 500
LOG_KEEP = 200_000
"""How many of the newest changes the log keeps for those who watch; older ones go, a batch a beat."""

_LOG_BATCH = 5000
_UNOWNED_SECONDS = 20
"""A row DISPATCHING without an owner is the original program's; so old, its call has ended or died."""

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
_MINE = "reservation_id = :id AND owner = :me AND claim_no = :claim_no AND reservation_status = 'DISPATCHING'"


_CHANGES = {Status.DISPATCHED: "dispatched", Status.RESERVED: "delayed", Status.START_UNKNOWN: "unknown"}


@frozen
class QueueState:
    """What a dispatcher sees without changing anything.

    Args:
        now_us: the transaction's present.
        next_us: when something is next to be done, µs UTC; in the past when it is due, FOREVER_US when never.
        accepted: reservations made since the last look, in the order of their numbers.
    """

    now_us: int
    next_us: int
    accepted: list[JobReservation]


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


def look(tx: Transaction, site: str, last_seq: int, accounts: Sequence[str] | None = None) -> QueueState:
    """Return what is next, of the jobs of ``accounts``, and what is new for the dispatchers of ``site``."""
    where = {"site": site}
    condition, params = _ours(accounts)
    due = tx.fetch_one(_NEXT_DUE.format(ours=condition), where | params)
    expiry = tx.fetch_one(_NEXT_EXPIRY, where)
    next_us = FOREVER_US if due is None or due[0] is None else int(due[0])
    if expiry is not None and expiry[0] is not None:
        next_us = min(next_us, int(expiry[0]) * SECOND_US)
    found = tx.fetch_all(_ACCEPTED, {"last": last_seq, "site": site, "n": ACCEPTED_BATCH})
    return QueueState(tx.now_us, next_us, rows.jobs(found))


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
) -> StepResult:
    """Store ``outcomes``, expire what is too late, and claim up to ``slots`` rows of ``accounts`` that are due."""
    liveness.register(tx, me)
    stored = [(outcome, _store(tx, me, outcome)) for outcome in outcomes]
    rows.log(tx, [change for _, change in stored if change is not None])
    expired = _expire(tx, me.site)
    claimed = _claim(tx, me, slots, accounts) if slots > 0 else []
    return StepResult(tx.now_us, claimed, expired, [outcome for outcome, change in stored if change is None])


def _store(tx: Transaction, me: DispatcherRecord, outcome: StartOutcome) -> rows.Change | None:
    """Store an outcome and return its line for the log; None if another dispatcher has taken the row over."""
    job = outcome.job
    dispatched = outcome.status == Status.DISPATCHED
    changed = tx.execute(
        "UPDATE reservations SET reservation_status = :status, owner = NULL, job_id = :job_id,"
        " dispatched_at = :dispatched_at, last_error = :error, next_us = :next_us, attempts = :attempts,"
        f" first_claimed_us = :first_claimed_us, updated_at = :now_s WHERE {_MINE}",
        {
            "status": str(outcome.status),
            "job_id": outcome.job_id,
            "dispatched_at": rows.seconds(tx) if dispatched else None,
            "error": outcome.error,
            "next_us": outcome.next_us,
            "attempts": job.attempts,
            "first_claimed_us": None if outcome.untouched else job.first_claimed_us,
            "now_s": rows.seconds(tx),
            "id": job.reservation_id,
            "me": me.dispatcher_id,
            "claim_no": job.claim_no,
        },
    )
    if not changed:
        return None
    name = _CHANGES.get(outcome.status, "failed")
    return rows.Change(job, name, outcome.status, job_id=outcome.job_id, detail=outcome.error)


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


def _claim(tx: Transaction, me: DispatcherRecord, slots: int, accounts: Sequence[str] | None) -> list[JobReservation]:
    condition, params = _ours(accounts)
    params |= {"site": me.site, "now_s": rows.seconds(tx), "n": slots}
    at_once = rows.jobs(tx.fetch_all(_NOW_DUE.format(ours=condition), params))
    scheduled = rows.jobs(tx.fetch_all(_THEN_DUE.format(ours=condition), params | {"now_us": tx.now_us}))
    due = sorted(at_once + scheduled, key=_order)[:slots]
    return take(tx, me, due, attempt=1)


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


def abandoned(tx: Transaction, me: DispatcherRecord, mine: frozenset[str], limit: int) -> list[JobReservation]:
    """Return the rows being dispatched that nobody works on: their owner is dead, or is the caller who forgot them.

    A dead owner's call may have started a job that only its own runner knows of, so only who is on the same machine and
    may use its home takes the row over; else it stays, for another dispatcher or for ``requeue --force``.
    """
    owners = [
        row[0]
        for row in tx.fetch_all(
            "SELECT DISTINCT owner FROM reservations WHERE reservation_status = 'DISPATCHING' AND site = :site",
            {"site": me.site},
        )
    ]
    if not owners:
        return []
    known = {item.dispatcher_id: item for item in liveness.all_dispatchers(tx)}
    found: list[JobReservation] = []
    for owner in owners:
        if len(found) < limit and _is_free(tx, me, known.get(owner) if owner else None, owner):
            same_home = tx.dialect == "sqlite" or owner not in known or known[owner].runner_home == me.runner_home
            found += _rows_of(tx, me, owner, mine, limit - len(found), same_home=same_home)
    return found


def _is_free(tx: Transaction, me: DispatcherRecord, owner: DispatcherRecord | None, name: str | None) -> bool:
    if name == me.dispatcher_id:
        return True
    if owner is None:
        # Written by the original program, or by a dispatcher whose own line was removed when it was found dead.
        return True
    if owner.alive(tx.now_us):
        return False
    return tx.dialect == "sqlite" or owner.machine == me.machine


def _rows_of(
    tx: Transaction, me: DispatcherRecord, owner: str | None, mine: frozenset[str], limit: int, *, same_home: bool
) -> list[JobReservation]:
    # One that was updated in the future was so by a clock that was ahead, and its call is as old.
    unowned = "owner IS NULL AND (updated_at <= :old OR updated_at > :future)"
    condition = "owner = :owner" if owner else unowned
    here = f"{me.machine}:"
    params: dict[str, object] = {"site": me.site, "n": limit + len(mine), "here": here, "length": len(here)}
    params |= (
        {"owner": owner}
        if owner
        else {
            "old": rows.seconds(tx) - _UNOWNED_SECONDS,
            "future": rows.seconds(tx) + _UNOWNED_SECONDS,
        }
    )
    found = rows.jobs(
        tx.fetch_all(
            f"{SELECT} WHERE reservation_status = 'DISPATCHING' AND site = :site AND {condition}"
            f" AND ({'runner IS NULL OR ' if same_home else ''}substr(runner_home, 1, :length) = :here)"
            " ORDER BY seq LIMIT :n",
            params,
        )
    )
    return [job for job in found if job.reservation_id not in mine and _may_be_asked(job)][:limit]


def _may_be_asked(job: JobReservation) -> bool:
    location = location_of(job)
    return location is None or location.may_be_used


def move(tx: Transaction, me: DispatcherRecord, job: JobReservation) -> JobReservation | None:
    """Write down that a claim goes on at the caller's own runner, and return it; None if the caller has lost it.

    Only for what the runner at its earlier location says it does not have.
    """
    columns = location_of_dispatcher(me).columns()
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    values = columns | {"id": job.reservation_id, "me": me.dispatcher_id, "claim_no": job.claim_no}
    return replace(job, **columns) if tx.execute(f"UPDATE reservations SET {sets} WHERE {_MINE}", values) else None


def recover(tx: Transaction, me: DispatcherRecord, mine: frozenset[str], limit: int) -> list[JobReservation]:
    """Take over what :func:`abandoned` returns; remove the lines of dead dispatchers that have nothing left."""
    found = take(tx, me, abandoned(tx, me, mine, limit), attempt=0)
    for dispatcher in liveness.all_dispatchers(tx):
        if dispatcher.dispatcher_id == me.dispatcher_id or dispatcher.alive(tx.now_us):
            continue
        left = tx.fetch_one(
            "SELECT 1 FROM reservations WHERE reservation_status = 'DISPATCHING' AND owner = :id LIMIT 1",
            {"id": dispatcher.dispatcher_id},
        )
        if left is None:
            liveness.forget(tx, dispatcher.dispatcher_id)
    return found


def shorten_log(tx: Transaction) -> None:
    """Remove a batch of the oldest changes beyond :data:`LOG_KEEP`."""
    tx.execute(
        "DELETE FROM dispatch_log WHERE seq IN (SELECT seq FROM dispatch_log WHERE seq <= :old ORDER BY seq LIMIT :n)",
        {"old": newest(tx) - LOG_KEEP, "n": _LOG_BATCH},
    )
