"""What is claimed, address by address, as a forecast needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.coord import address as addresses
from bespeak.coord.forecast.model import ClaimedAddress
from bespeak.coord.run_id import UNKNOWN
from bespeak.coord.states import Operation
from bespeak.storage.row_shape import DamagedRowError, RowShape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bespeak.coord.model import Intent
    from bespeak.storage.interface import Transaction

_CLAIMS = """
SELECT c.key, c.address, c.glob, r.run_id, r.run_id, r.branch, r.operation, r.shared, r.expires_us, r.id, NULL
FROM coord_claims c JOIN coord_reservations r ON r.repo = c.repo AND r.epoch = c.epoch
WHERE c.repo = :repo AND r.repo = :repo AND r.live = 1 AND r.released_us IS NULL AND r.expires_us > :now
ORDER BY c.key, c.epoch, c.part"""
_ROW = RowShape("claim at", ", ".join(ClaimedAddress._fields), "ttitttTiitT")
_RUN, _OPERATION = 3, 6
_OPERATIONS = {None, *Operation}


def read_claims(tx: Transaction, repo: str) -> list[ClaimedAddress]:
    """Return every address of every active reservation, by key, older ones first."""
    found = [_ROW.check(row) for row in tx.fetch_all(_CLAIMS, {"repo": repo, "now": tx.now_us})]
    for operation in {row[_OPERATION] for row in found} - _OPERATIONS:
        raise DamagedRowError(f"the book is damaged: a claim has the operation {operation!a:.60}")
    return [
        ClaimedAddress._make(row) if row[_RUN] != UNKNOWN else _stranger(ClaimedAddress._make(row)) for row in found
    ]


def _stranger(claim: ClaimedAddress) -> ClaimedAddress:
    """Give a run without a name one of its own, which no other run can have."""
    return claim._replace(run=f"{UNKNOWN}\0{claim.reservation_id or claim.intent_id}")


def of_intent(intent: Intent, exists: Callable[[str], bool]) -> Iterator[ClaimedAddress]:
    """Return every address of an intent as a claim.

    Args:
        intent: an active one.
        exists: returns whether there is a file of this path; it is then no pattern.
    """
    for text in intent.addresses:
        path = text.partition(addresses.SEPARATOR)[0]
        glob = addresses.is_wild(path) and not exists(path)
        claim = ClaimedAddress(
            addresses.stored(text, glob).key, text, glob, intent.run_id, intent.run_id, intent.branch,
            intent.operation, False, intent.expires_us, intent.reservation_id, intent.id,
        )  # fmt: skip
        yield _stranger(claim) if intent.run_id == UNKNOWN else claim
