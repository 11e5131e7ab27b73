"""How long runs that end by themselves usually take, measured by earlier ones: what is expected, never a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.json_text import compact_utf8

if TYPE_CHECKING:
    from bespeak.ledger.model import Reservation
    from bespeak.storage.interface import Transaction

_LAST = 20
_FEWEST = 3
"""Of fewer earlier runs nothing is concluded."""

_RECENT = """
SELECT ended_us - starts_us FROM ledger_reservations
WHERE holder = :holder AND resources = :resources AND open_end = 1 AND end_reason = 'released'
ORDER BY seq DESC LIMIT :last
"""


def expected_end(tx: Transaction, hold: Reservation) -> int | None:
    """Return when a hold with an open end will probably have been given back, µs UTC.

    That is one and a half times the length that nine in ten of the last runs of the same holder on the same resources
    stayed below; None where there are too few of them, or where this one has taken longer already.
    """
    wanted = {"holder": hold.holder, "resources": compact_utf8(hold.resources), "last": _LAST}
    lengths = sorted(row[0] for row in tx.fetch_all(_RECENT, wanted))
    if len(lengths) < _FEWEST:
        return None
    ends_us = hold.starts_us + lengths[len(lengths) * 9 // 10] * 3 // 2
    return ends_us if ends_us > tx.now_us else None
