"""How many jobs of a tag run at once: what is full is left out of what is due.

Counted are the reservations of a site that are being started, run, or may run; the count and the claim are one
transaction under the lock of jobs, so any number of dispatchers with the same limits keep to them together.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bespeak.storage.interface import Transaction

TAG_FORM = r"[A-Za-z0-9._:-]{1,100}"
"""How a tag looks."""

_RUNNING = (
    "SELECT COUNT(*) FROM reservations WHERE site = :site AND (reservation_status IN ('DISPATCHING', 'START_UNKNOWN')"
    " OR (reservation_status = 'DISPATCHED' AND outcome IS NULL)) AND replace(tags, :tag, '') <> tags"
)


def free_places(tx: Transaction, site: str, limits: Mapping[str, int]) -> dict[str, int]:
    """Return how many more jobs of each limited tag may be started now."""
    return {tag: most - _running(tx, site, tag) for tag, most in limits.items()}


def _running(tx: Transaction, site: str, tag: str) -> int:
    row = tx.fetch_one(_RUNNING, {"site": site, "tag": f",{tag},"})
    return int(row[0]) if row else 0


def without(full: Sequence[str], condition: str, params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a condition and its parameters so that they leave out what has one of the ``full`` tags."""
    named = {f"full{number}": f",{tag}," for number, tag in enumerate(full)}
    return condition + "".join(f" AND replace(tags, :{name}, '') = tags" for name in named), params | named


def take_place(tags: Sequence[str], places: dict[str, int]) -> bool:
    """Take one place of each of the limited tags; False, and none is taken, if one of them is full."""
    limited = [tag for tag in tags if tag in places]
    if any(places[tag] <= 0 for tag in limited):
        return False
    for tag in limited:
        places[tag] -= 1
    return True
