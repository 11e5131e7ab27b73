"""The few statements that every part of jobs uses: find a row, list rows, write a line of the log."""

from __future__ import annotations

from bespeak.base.clock import SECOND_US
from bespeak.base.errors import NotFoundError
from bespeak.base.frozen import frozen
from bespeak.base.json_text import compact
from bespeak.jobs.model import COLUMNS, SELECT, JobReservation, Status
from bespeak.jobs.schema import TOPIC
from bespeak.storage.row_shape import RowShape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bespeak.storage.interface import Row, Transaction

_ROW = RowShape("job reservation", ", ".join(COLUMNS), "ttttTIITtiiITitiTiIiTTITTTTTIItII")
_STATUSES = frozenset(Status)
_LOG = (
    "INSERT INTO dispatch_log (at_us, reservation_id, run_key, site, change, reservation_status, job_id, detail)"
    " VALUES (:at_us, :reservation_id, :run_key, :site, :change, :status, :job_id, :detail)"
)

_CANCEL = "UPDATE reservations SET reservation_status = 'CANCELLED', updated_at = :now_s WHERE reservation_id = :id"


def find(tx: Transaction, *, run_key: str | None = None, reservation_id: str | None = None) -> JobReservation | None:
    """Return the reservation of a run key or an id, or None."""
    if reservation_id is not None:
        row = tx.fetch_one(f"{SELECT} WHERE reservation_id = :id", {"id": reservation_id})
    else:
        row = tx.fetch_one(f"{SELECT} WHERE run_key = :key", {"key": run_key})
    return _ROW.read(row, _job) if row else None


def get(tx: Transaction, *, run_key: str | None = None, reservation_id: str | None = None) -> JobReservation:
    """Return the reservation of a run key or an id.

    Raises:
        NotFoundError: there is none.
    """
    job = find(tx, run_key=run_key, reservation_id=reservation_id)
    if job is None:
        raise NotFoundError("Reservation not found.")
    return job


@frozen
class Change:
    """One line for the log, in the terms of the row it is about.

    Args:
        job: the row as it was read.
        change: what happened, a word.
        status: the state it has now.
        job_id: the runner's id, where there is one.
        detail: an error or a note.
    """

    job: JobReservation
    change: str
    status: str
    job_id: str | None = None
    detail: str | None = None


def log(tx: Transaction, changes: Iterable[Change]) -> None:
    """Write changes to the log and wake whoever listens."""
    many = [
        {
            "at_us": tx.now_us,
            "reservation_id": item.job.reservation_id,
            "run_key": item.job.run_key,
            "site": item.job.site,
            "change": item.change,
            "status": str(item.status),
            "job_id": item.job_id,
            "detail": item.detail,
        }
        for item in changes
    ]
    if many:
        tx.execute_many(_LOG, many)
        tx.notify(TOPIC)


def log_new(tx: Transaction, reservation_id: str, run_key: str, site: str, status: str) -> int:
    """Write the log line of a new reservation; return its number, which orders the reservations too."""
    found = tx.fetch_all(
        _LOG + " RETURNING seq",
        {
            "at_us": tx.now_us,
            "reservation_id": reservation_id,
            "run_key": run_key,
            "site": site,
            "change": "reserved",
            "status": status,
            "job_id": None,
            "detail": None,
        },
    )
    tx.notify(TOPIC)
    return int(found[0][0])


def cancel(tx: Transaction, some: Sequence[JobReservation]) -> None:
    """Cancel reservations that are not being dispatched, under the lock of jobs."""
    tx.execute_many(_CANCEL, [{"now_s": seconds(tx), "id": job.reservation_id} for job in some])
    log(tx, [Change(job, "cancelled", Status.CANCELLED) for job in some])


def extras_json(extras: Mapping[str, object], *without: str) -> str | None:
    """Return what the column ``extras_json`` has for extras, some of them left out; None for none."""
    kept = {name: value for name, value in extras.items() if name not in without}
    return compact(kept) if kept else None


def seconds(tx: Transaction) -> int:
    """Return the transaction's present in whole seconds since 1970."""
    return tx.now_us // SECOND_US


def jobs(found: Sequence[Row]) -> list[JobReservation]:
    """Return rows as reservations."""
    return [_ROW.read(row, _job) for row in found]


def _job(row: Row) -> JobReservation:
    job = JobReservation(*row)
    if job.reservation_status not in _STATUSES:
        raise ValueError(f"{job.reservation_status} is no status")
    return job
