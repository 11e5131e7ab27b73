"""One look into the book: what a user holds of some resources, and who holds the others."""

from __future__ import annotations

from bespeak.ledger.gate_queries import held_among, holders_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.storage.interface import Transaction

    Holders = list[tuple[str, int | None]]

_AT_ONCE = 5_000
"""Resources in one query; engines limit the number of parameters."""


def held_of(tx: Transaction, username: str, resources: Sequence[str]) -> set[str]:
    """Return those of ``resources`` that ``username`` holds at the transaction's present."""
    if len(resources) <= _AT_ONCE:
        return held_among(tx, username, resources, tx.now_us)
    held: set[str] = set()
    for start in range(0, len(resources), _AT_ONCE):
        held |= held_among(tx, username, resources[start : start + _AT_ONCE], tx.now_us)
    return held


def look(tx: Transaction, username: str, resources: Sequence[str]) -> tuple[set[str], dict[str, Holders]]:
    """Return what is held, and for each other resource its holders and until when (µs UTC)."""
    held = held_of(tx, username, resources)
    return held, {name: [*holders_of(tx, name, tx.now_us)] for name in resources if name not in held}
