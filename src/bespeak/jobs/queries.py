"""Many reservations at once: pages of ``list``, and ``clean`` in batches.

Rows come in pages by their number, so neither the length of the table nor the length of the answer costs memory.
"""

from __future__ import annotations

from bespeak.base.frozen import field, frozen
from bespeak.jobs import rows
from bespeak.jobs.model import BAD_OUTCOMES, SELECT, TERMINAL, Status
from bespeak.jobs.schema import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.jobs.model import JobReservation
    from bespeak.storage.interface import Engine, Transaction

PAGE = 1000
"""Rows read, or deleted in one transaction, at a time."""

_TERMINAL_SQL = ", ".join(f"'{status}'" for status in TERMINAL)
_BAD_SQL = ", ".join(f"'{outcome}'" for outcome in BAD_OUTCOMES)
_NOT_STARTED_SQL = ", ".join(f"'{status}'" for status in (Status.DISPATCH_FAILED, Status.EXPIRED, Status.START_UNKNOWN))


@frozen
class Filter:
    """Which reservations are meant; what is None does not restrict.

    Args:
        status: one state.
        run_key: exactly this one.
        key_prefix: run keys that begin so.
        job_id: the runner's id.
        reservation_id: exactly this one.
        created_since: created at or after, seconds since 1970.
        created_before: created before, seconds since 1970.
        updated_since: changed at or after, seconds since 1970.
        updated_before: changed before, seconds since 1970.
        metadata: top-level entries of the metadata that must be so, compared as text.
        terminal: only those in a terminal state.
        site: only those for the dispatchers of this site.
        failed: only those whose job failed, or that will not be started although nobody cancelled them.
        ended: of those that were started, only those whose job has ended as far as is known.
    """

    status: str | None = None
    run_key: str | None = None
    key_prefix: str | None = None
    job_id: str | None = None
    reservation_id: str | None = None
    created_since: int | None = None
    created_before: int | None = None
    updated_since: int | None = None
    updated_before: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    terminal: bool = False
    site: str | None = None
    failed: bool = False
    ended: bool = False

    def sql(self) -> tuple[list[str], dict[str, object]]:
        """Return the conditions that SQL can decide, and their parameters."""
        pairs: tuple[tuple[str, str, object], ...] = (
            ("status", "reservation_status = :status", self.status),
            ("run_key", "run_key = :run_key", self.run_key),
            ("job_id", "job_id = :job_id", self.job_id),
            ("reservation_id", "reservation_id = :reservation_id", self.reservation_id),
            ("site", "site = :site", self.site),
            ("created_since", "created_at >= :created_since", self.created_since),
            ("created_before", "created_at < :created_before", self.created_before),
            ("updated_since", "updated_at >= :updated_since", self.updated_since),
            ("updated_before", "updated_at < :updated_before", self.updated_before),
        )
        conditions = [text for _, text, value in pairs if value is not None]
        params = {name: value for name, _, value in pairs if value is not None}
        if self.key_prefix:
            conditions.append("substr(run_key, 1, :prefix_length) = :key_prefix")
            params |= {"key_prefix": self.key_prefix, "prefix_length": len(self.key_prefix)}
        if self.terminal:
            # What may still run is deleted only when it is meant by its own id.
            also = f", '{Status.START_UNKNOWN}'" if self.reservation_id is not None else ""
            conditions.append(f"reservation_status IN ({_TERMINAL_SQL}{also})")
        if self.failed:
            conditions.append(f"(outcome IN ({_BAD_SQL}) OR reservation_status IN ({_NOT_STARTED_SQL}))")
        if self.ended:
            conditions.append("(reservation_status <> 'DISPATCHED' OR outcome IS NOT NULL)")
        return conditions, params

    def matches(self, job: JobReservation) -> bool:
        """Decide what SQL does not: the metadata."""
        if not self.metadata:
            return True
        found = job.metadata
        return isinstance(found, dict) and all(
            name in found and _plain(found[name]) == value for name, value in self.metadata.items()
        )


def _plain(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def listing(engine: Engine, wanted: Filter, *, limit: int | None, after: str | None = None) -> Iterator[JobReservation]:
    """Yield reservations, newest first.

    Args:
        engine: the store.
        wanted: which ones.
        limit: how many at most; None for all.
        after: the id of the last one of the page before.

    Raises:
        NotFoundError: there is no reservation ``after``.
    """
    below = None if after is None else engine.read(lambda tx: rows.get(tx, reservation_id=after)).seq
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None or wanted.metadata else min(PAGE, left)
        page = _page(engine, wanted, below, size)
        for job in page:
            if wanted.matches(job):
                yield job
                left = None if left is None else left - 1
                if left == 0:
                    return
        if len(page) < size:
            return
        below = page[-1].seq


def _page(engine: Engine, wanted: Filter, below: int | None, size: int) -> list[JobReservation]:
    conditions, params = wanted.sql()
    if below is not None:
        conditions.append("seq < :below")
        params["below"] = below
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    sql = f"{SELECT}{where} ORDER BY seq DESC LIMIT {size}"
    return rows.jobs(engine.read(lambda tx: tx.fetch_all(sql, params)))


def count(engine: Engine, wanted: Filter) -> int:
    """Return how many reservations are meant."""
    conditions, params = wanted.sql()
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    row = engine.read(lambda tx: tx.fetch_one(f"SELECT COUNT(*) FROM reservations{where}", params))
    return int(row[0]) if row else 0


def delete(engine: Engine, wanted: Filter) -> Iterator[list[JobReservation]]:
    """Delete terminal reservations, a batch a transaction; yield the batches as they are gone.

    ``wanted`` must have ``terminal`` set; each batch is selected again under the lock, so one that was requeued
    meanwhile stays.
    """
    conditions, params = wanted.sql()
    sql = f"{SELECT} WHERE {' AND '.join((*conditions, 'seq > :above'))} ORDER BY seq LIMIT {PAGE}"
    above = -1

    def work(tx: Transaction) -> list[JobReservation]:
        found = rows.jobs(tx.fetch_all(sql, params | {"above": above}))
        tx.execute_many(
            "DELETE FROM reservations WHERE reservation_id = :id", [{"id": job.reservation_id} for job in found]
        )
        return found

    while True:
        batch = engine.transact((LOCK,), work)
        if batch:
            above = batch[-1].seq
            yield batch
        if len(batch) < PAGE:
            return
