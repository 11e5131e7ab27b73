"""Intents: operations that a run declares before it does them."""

from __future__ import annotations

from bespeak.base.clock import iso
from bespeak.coord import events, queries
from bespeak.coord.errors import ClaimError
from bespeak.coord.model import Intent
from bespeak.coord.serialize import content_id
from bespeak.coord.states import ClaimState, EventKind, Operation
from bespeak.storage.row_shape import RowShape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.storage.interface import Row, Transaction

_INSERT = """
INSERT INTO coord_intents (repo, id, run_id, branch, addresses, operation, detail, created_us, expires_us, reservation)
VALUES (:repo, :id, :run, :branch, :addresses, :operation, :detail, :now, :expires, :reservation)
ON CONFLICT DO NOTHING"""
_ACTIVE = """
SELECT i.id, i.run_id, i.branch, i.addresses, i.operation, i.detail, i.created_us,
    CASE WHEN r.expires_us IS NULL THEN i.expires_us ELSE r.expires_us END, i.reservation
FROM coord_intents i LEFT JOIN coord_reservations r ON r.repo = i.repo AND r.id = i.reservation
WHERE i.repo = :repo AND ((i.reservation IS NULL AND i.expires_us > :now)
    OR (i.reservation IS NOT NULL AND r.released_us IS NULL AND r.expires_us > :now))
ORDER BY i.created_us, i.id"""

_COLUMNS = "id, run_id, branch, addresses, operation, detail, created_us, expires_us, reservation"
_ROW = RowShape("intent", _COLUMNS, "ttttttiiT")


def declare(
    tx: Transaction,
    repo: str,
    run_id: str,
    branch: str,
    addresses: tuple[str, ...],
    operation: str,
    detail: str,
    ttl_us: int,
    reservation: str | None,
) -> Intent:
    """Declare an operation; with a reservation, it ends when that does.

    Raises:
        ClaimError: the reservation does not exist, is over, or is another run's.
    """
    expires_us = tx.now_us + ttl_us
    if reservation is not None:
        held = queries.find(tx, repo, reservation)
        if held is None or held.state(tx.now_us) != ClaimState.ACTIVE:
            raise ClaimError(field="reservation_id", reason=f"there is no active reservation {reservation}")
        if held.run_id != run_id:
            raise ClaimError(
                field="reservation_id", reason=f"{held.id} is of run-id {held.run_id!r}, not of {run_id!r}"
            )
        reservation, expires_us = held.id, held.expires_us
    facts: dict[str, object] = {
        "addresses": list(addresses), "branch": branch, "operation": operation, "detail": detail,
        "created_at": iso(tx.now_us), "run_id": run_id, "reservation_id": reservation,
    }  # fmt: skip
    made = Intent(content_id(facts), run_id, branch, addresses, operation, detail, tx.now_us, expires_us, reservation)
    _insert(tx, repo, made)
    events.write(tx, repo, EventKind.INTENT, run_id, reservation, facts | {"intent_id": made.id})
    return made


def _insert(tx: Transaction, repo: str, made: Intent) -> None:
    import json

    params = {
        "repo": repo, "id": made.id, "run": made.run_id, "branch": made.branch, "operation": made.operation,
        "addresses": json.dumps(made.addresses), "detail": made.detail, "now": made.created_us,
        "expires": made.expires_us, "reservation": made.reservation_id,
    }  # fmt: skip
    tx.execute(_INSERT, params)


def active(tx: Transaction, repo: str) -> list[Intent]:
    """Return the intents that have not ended, oldest first."""
    return [_ROW.read(row, _intent) for row in tx.fetch_all(_ACTIVE, {"repo": repo, "now": tx.now_us})]


def _intent(row: Row) -> Intent:
    identifier, run, branch, addresses, operation, detail, created_us, expires_us, held = row
    queries.check_instant("created_us", created_us)
    queries.check_instant("expires_us", expires_us)
    texts = queries.address_texts(addresses)
    return Intent(identifier, run, branch, texts, Operation(operation), detail, created_us, expires_us, held)
