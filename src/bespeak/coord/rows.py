"""Reservations as rows: reading them, and finding one by its id."""

from __future__ import annotations

from bespeak.base.display import short_repr
from bespeak.coord.errors import ClaimError
from bespeak.coord.model import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.storage.interface import Row, Transaction

COLUMNS = """r.id, r.epoch, r.run_id, r.branch, r.addresses, r.operation, r.shared, r.created_us, r.expires_us,
r.released_us, r.beat_us"""
PREFIX = "sha256:"
_DIGITS = 64
_FEWEST = 6
_BEYOND = "g"


def reservation(row: Row) -> Claim:
    """Return the reservation of a row of :data:`COLUMNS`."""
    import json

    identifier, epoch, run_id, branch, addresses, operation, shared, created_us, expires_us, released_us, beat_us = row
    names = tuple(json.loads(addresses))
    return Claim(
        identifier, epoch, run_id, branch, names, operation, bool(shared), created_us, expires_us, released_us, beat_us
    )


def is_id(text: str) -> bool:
    """Tell whether ``text`` is written as a full id."""
    return len(text) == len(PREFIX) + _DIGITS and _is_start(text)


def _is_start(text: str) -> bool:
    return text.startswith(PREFIX) and not text[len(PREFIX) :].strip("0123456789abcdef")


def find(tx: Transaction, repo: str, text: str) -> Claim | None:
    """Return the reservation with this id, or with the only id that begins so; None if there is none.

    Raises:
        ClaimError: this is not written as an id, or several begin so.
    """
    start = text if text.startswith(PREFIX) else PREFIX + text
    if not _is_start(start) or not len(PREFIX) + _FEWEST <= len(start) <= len(PREFIX) + _DIGITS:
        raise ClaimError(
            f"Invalid reservation id {short_repr(text)}: {PREFIX} and {_DIGITS} hex digits, or the first {_FEWEST}"
            f" or more"
        )
    sql = f"SELECT {COLUMNS} FROM coord_reservations r WHERE r.repo = :repo AND r.id >= :low AND r.id < :high LIMIT 2"
    found = tx.fetch_all(sql, {"repo": repo, "low": start, "high": start + _BEYOND})
    if len(found) > 1:
        raise ClaimError(f"Several reservation ids begin with {short_repr(text)}; give more digits")
    return reservation(found[0]) if found else None


def exists(tx: Transaction, repo: str, identifier: str) -> bool:
    """Tell whether there is a reservation with this full id."""
    sql = "SELECT 1 FROM coord_reservations WHERE repo = :repo AND id = :id"
    return tx.fetch_one(sql, {"repo": repo, "id": identifier}) is not None
