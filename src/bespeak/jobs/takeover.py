"""What a dispatcher takes over: rows that are being dispatched and whose owner is dead, or has forgotten them."""

from __future__ import annotations

from bespeak.jobs import claiming, liveness, rows
from bespeak.jobs.model import SELECT
from bespeak.jobs.runner_client.location import location_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.liveness import DispatcherRecord
    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Transaction

_UNOWNED_SECONDS = 20
"""A row DISPATCHING without an owner is the original program's; so old, its call has ended or died."""


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
    params = {**me.here, "n": limit + len(mine)}
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
            f" AND ({'runner IS NULL OR ' if same_home else ''}{liveness.ON_THIS_MACHINE})"
            " ORDER BY seq LIMIT :n",
            params,
        )
    )
    return [job for job in found if job.reservation_id not in mine and _may_be_asked(job)][:limit]


def _may_be_asked(job: JobReservation) -> bool:
    location = location_of(job)
    return location is None or location.may_be_used


def recover(tx: Transaction, me: DispatcherRecord, mine: frozenset[str], limit: int) -> list[JobReservation]:
    """Take over what :func:`abandoned` returns; remove the lines of dead dispatchers that have nothing left."""
    found = claiming.take(tx, me, abandoned(tx, me, mine, limit), attempt=0)
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
