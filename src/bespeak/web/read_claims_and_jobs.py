"""What pages ask of the other things that a book may have: claims on code, and jobs. A book may have neither."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from bespeak.coord import address as addressing
from bespeak.coord import queries as claim_queries
from bespeak.coord.schema import COORD
from bespeak.jobs import rows as job_rows
from bespeak.jobs.model import SELECT
from bespeak.jobs.schema import COMPONENT as JOBS
from bespeak.storage.migrations import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.address import Address
    from bespeak.coord.model import Claim
    from bespeak.jobs.model import JobReservation
    from bespeak.ledger.context import LedgerContext
    from bespeak.storage.interface import Transaction

MOST_CLAIMS = 2_000
MOST_JOBS = 200
_MOST_COMPARED = 200
"""Claims of one repository that are compared with each other; more would make the page slow."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims that count now.

    Attributes:
        by_repository: for each repository its claims, oldest first.
        meetings: for each repository the pairs of claims of different runs that have an address in common.
    """

    now_us: int
    by_repository: dict[str, list[Claim]]
    meetings: dict[str, list[tuple[Claim, Claim]]]


def _has(tx: Transaction, component: str) -> bool:
    return component in {row[0] for row in tx.fetch_all(VERSIONS)}


def claims(book: LedgerContext) -> Claims:
    """Return the claims of all repositories in this book."""

    def work(tx: Transaction) -> Claims:
        if not _has(tx, COORD.name):
            return Claims(tx.now_us, {}, {})
        sql = (
            f"SELECT r.repo, {claim_queries.COLUMNS} FROM coord_reservations r WHERE r.live = 1 "
            "AND r.released_us IS NULL AND r.expires_us > :now ORDER BY r.repo, r.epoch LIMIT :limit"
        )
        found: dict[str, list[Claim]] = {}
        for repo, *row in tx.fetch_all(sql, {"now": tx.now_us, "limit": MOST_CLAIMS}):
            found.setdefault(repo, []).append(claim_queries.claim_of(tuple(row)))
        return Claims(tx.now_us, found, {repo: _meetings(every) for repo, every in found.items()})

    return book.engine.read(work)


def _meetings(every: Sequence[Claim]) -> list[tuple[Claim, Claim]]:
    """Return the pairs of claims of different runs that meet: what the forecast calls an overlap."""
    read = [(one, _addresses(one)) for one in every[:_MOST_COMPARED]]
    return [
        (left, right)
        for (left, mine), (right, theirs) in combinations(read, 2)
        if left.run_id != right.run_id
        and not (left.shared and right.shared)
        and any(addressing.plain_relation(a, b) is not None for a in mine for b in theirs)
    ]


def _addresses(of: Claim) -> list[Address]:
    """Return the addresses of a claim that are no patterns; `bespeak coord forecast` compares patterns too."""
    return [addressing.stored(text, glob=False) for text in of.addresses if not addressing.is_wild(text)]


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs, newest first, and how many there are in each state."""

    now_us: int
    jobs: list[JobReservation]
    counts: dict[str, int]


def jobs(book: LedgerContext) -> Jobs:
    """Return the newest jobs in this book."""

    def work(tx: Transaction) -> Jobs:
        if not _has(tx, JOBS.name):
            return Jobs(tx.now_us, [], {})
        found = job_rows.jobs(tx.fetch_all(f"{SELECT} ORDER BY seq DESC LIMIT :limit", {"limit": MOST_JOBS}))
        counts = tx.fetch_all("SELECT reservation_status, COUNT(*) FROM reservations GROUP BY reservation_status")
        return Jobs(tx.now_us, found, {str(status): int(count) for status, count in counts})

    return book.engine.read(work)
