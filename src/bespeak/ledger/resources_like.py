"""Refusing a new resource whose name people cannot tell from that of another one."""

from __future__ import annotations

from bespeak.base.errors import UsageError
from bespeak.ledger.lookalikes import refusal, skeleton

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.storage.interface import Transaction

_LIKE = "SELECT name FROM ledger_resources WHERE lower(name) = :like AND name <> :name ORDER BY name"


def check(tx: Transaction, name: str) -> None:
    """Refuse a name that the book does not know and that differs from one that it knows in case, width or alphabet.

    Raises:
        UsageError: naming the other.
    """
    row = tx.fetch_one(_LIKE, {"like": skeleton(name), "name": name})
    if row is not None:
        raise UsageError(refusal("resource", name, str(row[0])))
