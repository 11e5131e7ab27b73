"""What callers do to a reservation: reserve, look, cancel, requeue. Each is one transaction under one lock.

Because cancelling and claiming take the same lock, exactly one of them happens, and the answer given is what the
book says.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.errors import WrongStateError
from bespeak.base.frozen import field, frozen
from bespeak.base.json_text import compact
from bespeak.jobs import rows
from bespeak.jobs.liveness import all_dispatchers, presence
from bespeak.jobs.model import Status
from bespeak.jobs.schema import LOCK, TOPIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine, Transaction

_INSERT = (
    "INSERT INTO reservations (reservation_id, run_key, command_json, reservation_status, not_before, expires_at,"
    " metadata_json, orchesjob_start_options_json, created_at, updated_at, seq, site, next_us, extras_json)"
    " VALUES (:reservation_id, :run_key, :command_json, 'RESERVED', :not_before, :expires_at, :metadata_json,"
    " :options_json, :now_s, :now_s, :seq, :site, :next_us, :extras_json)"
)


@frozen
class JobSpec:
    """What ``reserve`` was asked for.

    Args:
        run_key: the idempotency key.
        command: the words to run.
        not_before: seconds since 1970, or None for at once.
        expires_at: seconds since 1970, or None for never.
        metadata: a JSON object, or None.
        options: for the runner's ``start``.
        site: which dispatchers may take it.
        extras: what goes beyond orchesjob-reserver 0.1, JSON-serialisable.
    """

    run_key: str
    command: list[str]
    not_before: int | None = None
    expires_at: int | None = None
    metadata: dict[str, object] | None = None
    options: list[str] = field(default_factory=list)
    site: str = ""
    extras: dict[str, object] = field(default_factory=dict)

    @property
    def next_us(self) -> int:
        """When a dispatcher is to look at it, µs UTC; 0 is at once, whatever the clock says."""
        return max(self.not_before or 0, 0) * SECOND_US

    def same_as(self, job: JobReservation) -> bool:
        """Tell whether ``job`` is what this wish would have made: the same command, run in the same way."""
        return (
            self.command == job.command
            and self.options == job.start_options
            and self.site == job.site
            and self._lasting(self.extras) == self._lasting(job.extras)
        )

    @staticmethod
    def _lasting(extras: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in extras.items() if name not in ("holder", "ledger")}


@frozen
class StoredJob:
    """What became of a request.

    Args:
        job: the reservation, as it is now.
        created: it is new.
        same_request: an existing one is what was asked for; None for a new one.
        dispatcher: ``alive`` or ``absent``.
    """

    job: JobReservation
    created: bool
    same_request: bool | None
    dispatcher: str


def reserve(engine: Engine, wish: JobSpec, reservation_id: str) -> StoredJob:
    """Store the wish unless its run key has a reservation already, which is then returned unchanged.

    A wish with needs is stored out of every dispatcher's sight; :func:`booked` puts it in sight.
    """

    def work(tx: Transaction) -> StoredJob:
        found = rows.find(tx, run_key=wish.run_key)
        if found is not None:
            return StoredJob(
                found, created=False, same_request=wish.same_as(found), dispatcher=presence(tx, found.site)
            )
        seq = rows.log_new(tx, reservation_id, wish.run_key, wish.site, Status.RESERVED)
        tx.execute(
            _INSERT,
            {
                "reservation_id": reservation_id,
                "run_key": wish.run_key,
                "command_json": compact(wish.command),
                "not_before": wish.not_before,
                "expires_at": wish.expires_at,
                "metadata_json": None if wish.metadata is None else compact(wish.metadata),
                "options_json": compact(wish.options),
                "now_s": rows.seconds(tx),
                "seq": seq,
                "site": wish.site,
                "next_us": FOREVER_US if wish.extras.get("needs") else wish.next_us,
                "extras_json": compact(wish.extras) if wish.extras else None,
            },
        )
        job = rows.get(tx, reservation_id=reservation_id)
        return StoredJob(job, created=True, same_request=None, dispatcher=presence(tx, wish.site))

    return engine.transact((LOCK,), work)


def booked(engine: Engine, job: JobReservation, booking_id: str, next_us: int) -> JobReservation:
    """Write down the booking that belongs to a reservation, and let the dispatchers see it."""

    def work(tx: Transaction) -> JobReservation:
        tx.execute(
            "UPDATE reservations SET booking_id = :booking, next_us = :next, returned_us = :returned"
            " WHERE reservation_id = :id AND booking_id IS NULL",
            {"booking": booking_id, "next": next_us, "returned": _returned(job), "id": job.reservation_id},
        )
        tx.notify(TOPIC)
        return rows.get(tx, reservation_id=job.reservation_id)

    return engine.transact((LOCK,), work)


def _returned(job: JobReservation) -> int | None:
    """Return what stands in ``returned_us`` of a new booking: None until it is given back, or 0 if it never is."""
    return 0 if job.extras.get("keep_needs") else None


def withdraw(engine: Engine, job: JobReservation) -> None:
    """Remove a reservation whose resources could not be booked, as if it had never been made."""

    def work(tx: Transaction) -> None:
        tx.execute(
            "DELETE FROM reservations WHERE reservation_id = :id AND booking_id IS NULL"
            " AND reservation_status = 'RESERVED'",
            {"id": job.reservation_id},
        )
        rows.log(tx, [rows.Change(job, "withdrawn", Status.CANCELLED)])

    engine.transact((LOCK,), work)


def look(engine: Engine, *, run_key: str | None, reservation_id: str | None) -> StoredJob:
    """Return one reservation and whether a dispatcher lives that takes it.

    Raises:
        NotFoundError: there is none.
    """

    def work(tx: Transaction) -> StoredJob:
        job = rows.get(tx, run_key=run_key, reservation_id=reservation_id)
        return StoredJob(job, created=False, same_request=None, dispatcher=presence(tx, job.site))

    return engine.read(work)


def cancel(engine: Engine, *, run_key: str | None, reservation_id: str | None) -> StoredJob:
    """Cancel a reservation that is not being dispatched; one that has a job id is returned unchanged.

    Raises:
        NotFoundError: there is none.
        WrongStateError: it is being dispatched, or cancelled already.
    """

    def work(tx: Transaction) -> StoredJob:
        job = rows.get(tx, run_key=run_key, reservation_id=reservation_id)
        if job.job_id:
            return StoredJob(job, created=False, same_request=None, dispatcher=presence(tx, job.site))
        if job.reservation_status == Status.START_UNKNOWN:
            raise WrongStateError(
                "Cannot cancel: the reservation is START_UNKNOWN, and its command may be running; requeue asks the"
                " runner again.",
                reservation_status=str(job.reservation_status),
            )
        if job.reservation_status not in (Status.RESERVED, Status.DISPATCH_FAILED, Status.EXPIRED):
            raise WrongStateError(
                f"Cannot cancel: the reservation is {job.reservation_status} and has no job_id.",
                reservation_status=str(job.reservation_status),
            )
        tx.execute(
            "UPDATE reservations SET reservation_status = 'CANCELLED', updated_at = :now_s WHERE reservation_id = :id",
            {"now_s": rows.seconds(tx), "id": job.reservation_id},
        )
        rows.log(tx, [rows.Change(job, "cancelled", Status.CANCELLED)])
        after = rows.get(tx, reservation_id=job.reservation_id)
        return StoredJob(after, created=False, same_request=None, dispatcher=presence(tx, job.site))

    return engine.transact((LOCK,), work)


_REQUEUE = (
    "UPDATE reservations SET reservation_status = 'RESERVED', attempts = 0, owner = NULL, claim_no = claim_no + 1,"
    " not_before = :not_before, expires_at = :expires_at, next_us = :next_us, booking_id = :booking_id,"
    " returned_us = :returned, first_claimed_us = :first_claimed_us, last_error = NULL, updated_at = :now_s"
    " WHERE reservation_id = :id"
)


def requeue(
    engine: Engine,
    job: JobReservation,
    *,
    not_before: int | None = None,
    expires_at: int | None = None,
    booking: tuple[str, int] | None = None,
    force: bool = False,
) -> StoredJob:
    """Make a failed, expired or cancelled reservation, or one whose start is unknown, RESERVED again.

    What may have been started is asked about before it is started; ``force`` forgets that.

    Args:
        engine: the store.
        job: which one; it is read again under the lock.
        not_before: a new start, seconds since 1970; None for at once.
        expires_at: a new end, seconds since 1970; None for none.
        booking: the id of the new booking of what it needs, and when to look at it, µs UTC.
        force: start without asking; also one whose dispatcher died where nobody else can ask its runner.

    Raises:
        NotFoundError: there is none.
        WrongStateError: it waits already, is being dispatched, or was dispatched.
    """

    def work(tx: Transaction) -> StoredJob:
        found = rows.get(tx, reservation_id=job.reservation_id)
        _check_requeue(tx, found, force=force)
        booking_id, next_us = booking or (None, max(not_before or 0, 0) * SECOND_US)
        values = {"not_before": not_before, "expires_at": expires_at, "next_us": next_us, "booking_id": booking_id}
        values |= {"first_claimed_us": None if force else found.first_claimed_us}
        values |= {"returned": _returned(found), "now_s": rows.seconds(tx), "id": job.reservation_id}
        tx.execute(_REQUEUE, values)
        rows.log(tx, [rows.Change(found, "requeued", Status.RESERVED)])
        after = rows.get(tx, reservation_id=job.reservation_id)
        return StoredJob(after, created=False, same_request=None, dispatcher=presence(tx, job.site))

    return engine.transact((LOCK,), work)


def check_requeue(engine: Engine, job: JobReservation, *, force: bool) -> None:
    """Say now what :func:`requeue` would say, before anything is booked for it.

    Raises:
        WrongStateError: it waits already, is being dispatched, or was dispatched.
    """
    engine.read(lambda tx: _check_requeue(tx, job, force=force))


def _check_requeue(tx: Transaction, job: JobReservation, *, force: bool) -> None:
    if job.reservation_status in (Status.DISPATCH_FAILED, Status.EXPIRED, Status.CANCELLED, Status.START_UNKNOWN):
        return
    if job.reservation_status == Status.DISPATCHING and force:
        owners = {item.dispatcher_id for item in all_dispatchers(tx) if item.alive(tx.now_us)}
        if job.owner not in owners:
            return
        raise WrongStateError("Cannot requeue: the dispatcher that is starting it is alive.")
    raise WrongStateError(
        f"Cannot requeue: the reservation is {job.reservation_status}.",
        reservation_status=str(job.reservation_status),
    )
