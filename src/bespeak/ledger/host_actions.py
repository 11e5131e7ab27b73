"""Actions on hosts as the log has them: what began, and what has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.ledger.gate_queries import reservations_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.storage.interface import Transaction

_NEWEST = 2_000
_MOST_RESERVATIONS = 1_000
"""More reservations are not in force on the resources of one host, and engines limit the number of parameters."""
_ACTIONS = f"""
SELECT l.at_us, l.action, l.who, l.after
FROM ledger_log l
WHERE l.reservation IN (SELECT r.id FROM ledger_reservations r WHERE r.seq IN ({{inside}}))
  AND l.action IN ('acting', 'acted')
ORDER BY l.seq DESC
LIMIT {_NEWEST}
"""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A row of the log that says that an action on a host began or ended.

    Attributes:
        at_us: when, µs UTC.
        action: ``acting`` or ``acted``.
        who: who acts.
        after: what the row says.
    """

    at_us: int
    action: str
    who: str
    after: dict[str, object]


def action_rows(tx: Transaction, resources: Sequence[str]) -> list[ActionRow]:
    """Return the newest rows about actions on hosts, oldest first, under reservations in force on ``resources``."""
    holding = reservations_on(tx, resources)[:_MOST_RESERVATIONS]
    if not holding:
        return []
    params: dict[str, object] = {f"s{index}": seq for index, seq in enumerate(holding)}
    found = tx.fetch_all(_ACTIONS.format(inside=", ".join(f":{name}" for name in params)), params)
    return [ActionRow(row[0], row[1], row[2], json.loads(row[3])) for row in reversed(found)]
