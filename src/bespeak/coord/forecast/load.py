"""Reading from the book what is claimed and intended."""

from __future__ import annotations

from bespeak.coord import address as addresses
from bespeak.coord import intents
from bespeak.coord.forecast.model import ClaimedAddress
from bespeak.coord.run_id import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bespeak.coord.model import Intent
    from bespeak.storage.interface import Transaction

_CLAIMS = """
SELECT c.key, c.address, c.glob, r.run_id, r.run_id, r.branch, r.operation, r.shared, r.expires_us, r.id, NULL
FROM coord_claims c JOIN coord_reservations r ON r.repo = c.repo AND r.epoch = c.epoch
WHERE c.repo = :repo AND r.repo = :repo AND r.live = 1 AND r.released_us IS NULL AND r.expires_us > :now
ORDER BY c.key, c.epoch, c.part"""
_RUN = 3


def claims(tx: Transaction, repo: str) -> list[ClaimedAddress]:
    """Return every address of every active reservation, by key, older ones first."""
    found = tx.fetch_all(_CLAIMS, {"repo": repo, "now": tx.now_us})
    return [
        ClaimedAddress._make(row) if row[_RUN] != UNKNOWN else _stranger(ClaimedAddress._make(row)) for row in found
    ]


def intended(tx: Transaction, repo: str, exists: Callable[[str], bool]) -> list[ClaimedAddress]:
    """Return every address of every active intent as a claim, older ones first.

    Args:
        tx: the transaction.
        repo: the repository's name in the book.
        exists: tells whether there is a file of this path: then it is no pattern, as when it was typed.
    """
    return [claim for one in intents.active(tx, repo) for claim in _of_intent(one, exists)]


def _stranger(claim: ClaimedAddress) -> ClaimedAddress:
    """Give a run that nobody named a name of its own, which no run can have."""
    return claim._replace(run=f"{UNKNOWN}\0{claim.reservation_id or claim.intent_id}")


def _of_intent(intent: Intent, exists: Callable[[str], bool]) -> Iterator[ClaimedAddress]:
    for text in intent.addresses:
        path = text.partition(addresses.SEPARATOR)[0]
        glob = addresses.is_wild(path) and not exists(path)
        claim = ClaimedAddress(
            addresses.stored(text, glob).key, text, glob, intent.run_id, intent.run_id, intent.branch,
            intent.operation, False, intent.expires_us, intent.reservation_id, intent.id,
        )  # fmt: skip
        yield _stranger(claim) if intent.run_id == UNKNOWN else claim
