"""Changing one's mind about a reservation that waits: another time, a pause, or the end of many at once.

Each is one transaction under the lock that claims hold, so a reservation is either changed or started, never both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UsageError, WrongStateError
from bespeak.jobs import rows
from bespeak.jobs.contract_times import start_us
from bespeak.jobs.liveness import presence
from bespeak.jobs.model import PAUSED_EXTRA, SELECT, JobReservation, Status
from bespeak.jobs.schema import LOCK
from bespeak.jobs.store import StoredJob, never_starts

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.storage.interface import Engine, Transaction

_UPDATE = (
    "UPDATE reservations SET not_before = :not_before, expires_at = :expires_at, next_us = :next_us,"
    " extras_json = :extras, updated_at = :now_s WHERE reservation_id = :id"
)


def reschedule(
    engine: Engine,
    *,
    run_key: str | None,
    reservation_id: str | None,
    not_before: int | None,
    expires_at: int | None,
) -> StoredJob:
    """Give a reservation that waits another time; a pause stays one.

    Args:
        engine: the store.
        run_key: which one; or else
        reservation_id: which one.
        not_before: its new start, seconds since 1970; None for at once.
        expires_at: its new end, seconds since 1970; None for never.

    Raises:
        NotFoundError: there is none.
        WrongStateError: it does not wait, or resources are booked for its time.
        UsageError: it could never start.
    """

    def change(tx: Transaction, job: JobReservation) -> JobReservation:
        if job.extras.get("needs"):
            raise WrongStateError(
                "Cannot reschedule: resources are booked for its time; cancel it, and requeue it with the new time."
            )
        late = never_starts(not_before, expires_at, rows.seconds(tx))
        if late:
            raise UsageError("it could never start: ", *late)
        return _store(tx, job, not_before, expires_at, job.extras, "rescheduled")

    return _change(engine, run_key, reservation_id, "reschedule", change)


def pause(engine: Engine, *, run_key: str | None, reservation_id: str | None) -> StoredJob:
    """Keep a reservation that waits from being started until it is resumed; it still expires at its time.

    Raises:
        NotFoundError: there is none.
        WrongStateError: it does not wait.
    """

    def change(tx: Transaction, job: JobReservation) -> JobReservation:
        if PAUSED_EXTRA in job.extras:
            return job
        if job.extras.get("needs") and not job.booking_id:
            raise WrongStateError("Cannot pause: its resources are being booked right now.")
        return _store(tx, job, job.not_before, job.expires_at, job.extras | {PAUSED_EXTRA: rows.seconds(tx)}, "paused")

    return _change(engine, run_key, reservation_id, "pause", change)


def resume(engine: Engine, *, run_key: str | None, reservation_id: str | None) -> StoredJob:
    """Let a paused reservation start at its time, or at once if that has passed.

    Raises:
        NotFoundError: there is none.
        WrongStateError: it does not wait.
    """

    def change(tx: Transaction, job: JobReservation) -> JobReservation:
        if PAUSED_EXTRA not in job.extras:
            return job
        extras = {name: value for name, value in job.extras.items() if name != PAUSED_EXTRA}
        return _store(tx, job, job.not_before, job.expires_at, extras, "resumed")

    return _change(engine, run_key, reservation_id, "resume", change)


def cancel_by_prefix(engine: Engine, key_prefix: str) -> list[JobReservation]:
    """Cancel all that wait and whose run key begins so; return them, oldest first.

    What is being started, was started or is over is left as it is.
    """

    def work(tx: Transaction) -> list[JobReservation]:
        sql = f"{SELECT} WHERE reservation_status = 'RESERVED' AND substr(run_key, 1, :length) = :prefix ORDER BY seq"
        found = rows.jobs(tx.fetch_all(sql, {"length": len(key_prefix), "prefix": key_prefix}))
        rows.cancel(tx, found)
        return [rows.get(tx, reservation_id=job.reservation_id) for job in found]

    return engine.transact((LOCK,), work)


def _change(
    engine: Engine,
    run_key: str | None,
    reservation_id: str | None,
    what: str,
    change: Callable[[Transaction, JobReservation], JobReservation],
) -> StoredJob:
    def work(tx: Transaction) -> StoredJob:
        job = rows.get(tx, run_key=run_key, reservation_id=reservation_id)
        if job.reservation_status != Status.RESERVED:
            raise WrongStateError(
                f"Cannot {what}: the reservation is {job.reservation_status}.",
                reservation_status=str(job.reservation_status),
            )
        after = change(tx, job)
        return StoredJob(after, created=False, same_request=None, dispatcher=presence(tx, job.site))

    return engine.transact((LOCK,), work)


def _store(
    tx: Transaction,
    job: JobReservation,
    not_before: int | None,
    expires_at: int | None,
    extras: dict[str, object],
    change: str,
) -> JobReservation:
    next_us = FOREVER_US if PAUSED_EXTRA in extras else start_us(not_before)
    values = {"not_before": not_before, "expires_at": expires_at, "next_us": next_us, "id": job.reservation_id}
    tx.execute(_UPDATE, {**values, "extras": rows.extras_json(extras), "now_s": rows.seconds(tx)})
    rows.log(tx, [rows.Change(job, change, Status.RESERVED)])
    return rows.get(tx, reservation_id=job.reservation_id)
