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
"""Rows read at a time."""

BATCH = 5000
"""Rows deleted in one transaction."""

_SCANNED = 10_000
"""Rows of which only the metadata is read, at a time."""

_SAME_IN_JSON = r"[A-Za-z_][A-Za-z0-9_:.-]*|[0-9]+"
"""Text that JSON has unchanged, as a string or a number: of fractions there are several spellings."""

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
        if self.metadata:
            import re

        for number, value in enumerate(self.metadata.values()):
            # What the text does not have anywhere, no entry has; where characters are escaped, only a reader can tell.
            if re.fullmatch(_SAME_IN_JSON, value):
                conditions.append(
                    f"(replace(metadata_json, :metadata{number}, '') <> metadata_json"
                    " OR replace(metadata_json, :escape, '') <> metadata_json)"
                )
                params |= {f"metadata{number}": value, "escape": "\\"}
        return conditions, params

    def matches(self, job: JobReservation) -> bool:
        """Decide what SQL does not: the metadata."""
        if not self.metadata:
            return True
        return self._has_metadata(job.metadata)

    def may_match(self, metadata_json: object) -> bool:
        """Tell whether a row with this metadata may be meant; one that is damaged is, for its reader to say so."""
        import json

        if not isinstance(metadata_json, str):
            return metadata_json is not None
        if "\\" not in metadata_json and not all(name in metadata_json for name in self.metadata):
            return False
        try:
            return self._has_metadata(json.loads(metadata_json))
        except (ValueError, RecursionError):
            return True

    def _has_metadata(self, found: object) -> bool:
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
        page, below = _page(engine, wanted, below, PAGE if left is None else min(PAGE, left))
        yield from page[:left]
        left = None if left is None else left - len(page)
        if below is None:
            return


def _page(engine: Engine, wanted: Filter, below: int | None, size: int) -> tuple[list[JobReservation], int | None]:
    """Return the next rows that are meant, and the number below which to go on; None at the end."""
    conditions, params = wanted.sql()
    if below is not None:
        conditions.append("seq < :below")
        params["below"] = below
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    if wanted.metadata:
        return engine.read(lambda tx: _scan(tx, wanted, where, params))
    found = engine.read(lambda tx: rows.jobs(tx.fetch_all(f"{SELECT}{where} ORDER BY seq DESC LIMIT {size}", params)))
    return found, found[-1].seq if len(found) == size else None


def _scan(
    tx: Transaction, wanted: Filter, where: str, params: dict[str, object]
) -> tuple[list[JobReservation], int | None]:
    """Look through the metadata alone, and read the whole of those rows only that are meant."""
    sql = f"SELECT seq, metadata_json FROM reservations{where} ORDER BY seq DESC LIMIT {_SCANNED}"
    scanned = tx.fetch_all(sql, params)
    meant = [int(seq) for seq, metadata in scanned if wanted.may_match(metadata)]
    found: list[JobReservation] = []
    for start in range(0, len(meant), PAGE):
        part = meant[start : start + PAGE]
        sql = f"{SELECT} WHERE seq IN ({', '.join(map(str, part))}) ORDER BY seq DESC"
        found += (job for job in rows.jobs(tx.fetch_all(sql)) if wanted.matches(job))
    return found, int(scanned[-1][0]) if len(scanned) == _SCANNED else None


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
    where = f"WHERE {' AND '.join((*conditions, 'seq > :above'))}"
    above = -1

    def work(tx: Transaction) -> list[JobReservation]:
        found = rows.jobs(tx.fetch_all(f"{SELECT} {where} ORDER BY seq LIMIT {BATCH}", params | {"above": above}))
        if found:
            values = params | {"above": above, "last": found[-1].seq}
            tx.execute(f"DELETE FROM reservations {where} AND seq <= :last", values)
        return found

    while True:
        batch = engine.transact((LOCK,), work)
        if batch:
            above = batch[-1].seq
            yield batch
        if len(batch) < BATCH:
            return


def delete_unseen(engine: Engine, wanted: Filter) -> int:
    """Delete as :func:`delete` does, without reading the rows; return how many are gone."""
    conditions, params = wanted.sql()
    some = f"SELECT seq FROM reservations WHERE {' AND '.join(conditions)} ORDER BY seq LIMIT {BATCH}"
    sql = f"DELETE FROM reservations WHERE seq IN ({some})"
    total = 0
    while True:
        gone = engine.transact((LOCK,), lambda tx: tx.execute(sql, params))
        total += gone
        if gone < BATCH:
            return total
