"""What callers do to a reservation: reserve, look, cancel, requeue. Each is one transaction under one lock.

Because cancelling and claiming take the same lock, exactly one of them happens, and the answer given is what the
book says.
"""

from __future__ import annotations

from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import Field, UsageError, WrongStateError
from bespeak.base.frozen import field, frozen, replace
from bespeak.base.json_text import compact
from bespeak.jobs import rows
from bespeak.jobs.contract_times import iso_seconds, start_us
from bespeak.jobs.liveness import all_dispatchers, presence
from bespeak.jobs.model import HELD_EXTRA, HOLD_LOST_EXTRA, PAUSED_EXTRA, Status
from bespeak.jobs.resource_bookings import this_user
from bespeak.jobs.schema import LOCK, TOPIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine, Transaction

_INSERT = (
    "INSERT INTO reservations (reservation_id, run_key, command_json, reservation_status, not_before, expires_at,"
    " metadata_json, orchesjob_start_options_json, created_at, updated_at, seq, site, next_us, extras_json,"
    " account, tags)"
    " VALUES (:reservation_id, :run_key, :command_json, 'RESERVED', :not_before, :expires_at, :metadata_json,"
    " :options_json, :now_s, :now_s, :seq, :site, :next_us, :extras_json, :account, :tags)"
)

_SET_EXTRAS = "UPDATE reservations SET extras_json = :extras WHERE reservation_id = :id"
_PASSING = ("holder", "ledger", PAUSED_EXTRA, "tries", HOLD_LOST_EXTRA, HELD_EXTRA)
"""Keys of ``extras`` that do not make another request."""


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
        tags: what limits of jobs at once are counted by.
    """

    run_key: str
    command: list[str]
    not_before: int | None = None
    expires_at: int | None = None
    metadata: dict[str, object] | None = None
    options: list[str] = field(default_factory=list)
    site: str = ""
    extras: dict[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    @property
    def next_us(self) -> int:
        """When a dispatcher is to look at it, µs UTC; 0 is at once, whatever the clock says."""
        return start_us(self.not_before)

    def same_as(self, job: JobReservation) -> bool:
        """Tell whether ``job`` is what this request would have made: the same command, run in the same way and time."""
        return (
            self.command == job.command
            and (self.not_before, self.expires_at) == (job.not_before, job.expires_at)
            and self.options == job.start_options
            and self.site == job.site
            and sorted(self.tags) == sorted(job.tag_names)
            and self._lasting(self.extras) == self._lasting(job.extras)
        )

    @staticmethod
    def _lasting(extras: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in extras.items() if name not in _PASSING}


@frozen
class StoredJob:
    """What became of a request.

    Args:
        job: the reservation, as it is now.
        created: it is new.
        same_request: an existing one is what was asked for; None for a new one.
        dispatcher: ``alive`` or ``absent``.
        warning: why it will not run, if that is so.
    """

    job: JobReservation
    created: bool
    same_request: bool | None
    dispatcher: str
    warning: str | None = None


_NO_MORE = (Status.CANCELLED, Status.EXPIRED, Status.DISPATCH_FAILED, Status.START_UNKNOWN)


def never_starts(not_before: int | None, expires_at: int | None, now_s: int) -> tuple[str, ...] | None:
    """Return why a reservation with these times can never start, or None if it can; all in seconds since 1970."""
    if expires_at is None:
        return None
    if expires_at <= now_s:
        return Field("expires_at"), f" {iso_seconds(expires_at)} has passed"
    if not_before is not None and expires_at <= not_before:
        until, since = iso_seconds(expires_at), iso_seconds(not_before)
        return Field("expires_at"), f" {until} is not after ", Field("not_before"), f" {since}"
    return None


def reserve(engine: Engine, spec: JobSpec, reservation_id: str, *, refuse_late: bool = False) -> StoredJob:
    """Store a request unless its run key has a reservation already, which is then returned unchanged.

    A request with needs is stored out of every dispatcher's sight; :func:`booked` puts it in sight.

    Args:
        engine: the store.
        spec: what is asked for.
        reservation_id: of a new one.
        refuse_late: refuse a new one that can never start, instead of storing it with a warning.

    Raises:
        UsageError: it can never start.
    """

    def work(tx: Transaction) -> StoredJob:
        found = rows.find(tx, run_key=spec.run_key)
        if found is not None:
            return StoredJob(found, created=False, same_request=spec.same_as(found),
                             dispatcher=presence(tx, found.site), warning=_no_more(found))  # fmt: skip
        late = never_starts(spec.not_before, spec.expires_at, rows.seconds(tx))
        if late and refuse_late:
            raise UsageError("it can never start: ", *late)
        job = insert(tx, spec, reservation_id, in_sight=not spec.extras.get("needs"))
        return StoredJob(
            job,
            created=True,
            same_request=None,
            dispatcher=presence(tx, spec.site),
            warning="".join(("it will never start: ", *late)) if late else None,
        )

    return engine.transact((LOCK,), work)


def insert(tx: Transaction, spec: JobSpec, reservation_id: str, *, in_sight: bool) -> JobReservation:
    """Store a request whose run key is new; return its reservation.

    Args:
        tx: a transaction under the lock of jobs.
        spec: what is asked for.
        reservation_id: of the new one.
        in_sight: the dispatchers see it; else not until its row says when to look at it.
    """
    seq = rows.log_new(tx, reservation_id, spec.run_key, spec.site, Status.RESERVED)
    tx.execute(
        _INSERT,
        {
            "reservation_id": reservation_id,
            "run_key": spec.run_key,
            "command_json": compact(spec.command),
            "not_before": spec.not_before,
            "expires_at": spec.expires_at,
            "metadata_json": None if spec.metadata is None else compact(spec.metadata),
            "options_json": compact(spec.options),
            "now_s": rows.seconds(tx),
            "seq": seq,
            "site": spec.site,
            "next_us": spec.next_us if in_sight else FOREVER_US,
            "extras_json": rows.extras_json(spec.extras),
            "account": this_user(),
            "tags": f",{','.join(spec.tags)}," if spec.tags else "",
        },
    )
    return rows.get(tx, reservation_id=reservation_id)


def _no_more(job: JobReservation) -> str | None:
    if job.reservation_status not in _NO_MORE:
        return None
    return f"the reservation of this run key is {job.reservation_status} and will not run; requeue makes it wait again"


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


def note_held(engine: Engine, job: JobReservation, variables: dict[str, str]) -> JobReservation:
    """Write down what a command is told of what is held for it; return the job with it.

    What is asked about the start later compares the words that were given to the runner, and these are among them.
    """

    def work(tx: Transaction) -> JobReservation:
        extras = rows.get(tx, reservation_id=job.reservation_id).extras | {HELD_EXTRA: variables}
        tx.execute(_SET_EXTRAS, {"extras": compact(extras), "id": job.reservation_id})
        return replace(job, extras_json=compact(extras))

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
        rows.cancel(tx, [job])
        after = rows.get(tx, reservation_id=job.reservation_id)
        return StoredJob(after, created=False, same_request=None, dispatcher=presence(tx, job.site))

    return engine.transact((LOCK,), work)


_REQUEUE = (
    "UPDATE reservations SET reservation_status = 'RESERVED', attempts = 0, owner = NULL, claim_no = claim_no + 1,"
    " not_before = :not_before, expires_at = :expires_at, next_us = :next_us, booking_id = :booking_id,"
    " returned_us = :returned, first_claimed_us = :first_claimed_us, last_error = NULL, updated_at = :now_s,"
    " extras_json = :extras, told_us = NULL"
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
        UsageError: it could never start.
    """

    def work(tx: Transaction) -> StoredJob:
        found = rows.get(tx, reservation_id=job.reservation_id)
        _check_requeue(tx, found, not_before, expires_at, force=force)
        booking_id, next_us = booking or (None, start_us(not_before))
        values = {"not_before": not_before, "expires_at": expires_at, "next_us": next_us, "booking_id": booking_id}
        values |= {"first_claimed_us": None if force else found.first_claimed_us}
        values |= {"returned": _returned(found), "now_s": rows.seconds(tx), "id": job.reservation_id}
        old = (PAUSED_EXTRA,) if values["first_claimed_us"] else (PAUSED_EXTRA, HELD_EXTRA)
        values |= {"extras": rows.extras_json(found.extras, *old)}
        tx.execute(_REQUEUE, values)
        rows.log(tx, [rows.Change(found, "requeued", Status.RESERVED)])
        after = rows.get(tx, reservation_id=job.reservation_id)
        return StoredJob(after, created=False, same_request=None, dispatcher=presence(tx, job.site))

    return engine.transact((LOCK,), work)


def check_requeue(
    engine: Engine, job: JobReservation, not_before: int | None, expires_at: int | None, *, force: bool
) -> None:
    """Say now what :func:`requeue` would say, before anything is booked for it.

    Raises:
        WrongStateError: it waits already, is being dispatched, or was dispatched.
        UsageError: it could never start.
    """
    engine.read(lambda tx: _check_requeue(tx, job, not_before, expires_at, force=force))


def _check_requeue(
    tx: Transaction, job: JobReservation, not_before: int | None, expires_at: int | None, *, force: bool
) -> None:
    late = never_starts(not_before, expires_at, rows.seconds(tx))
    if late:
        raise UsageError("it could never start: ", *late)
    if job.reservation_status in _NO_MORE:
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
