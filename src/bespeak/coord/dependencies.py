"""Dependencies between reservations: adding them, and refusing those that would create a cycle."""

from __future__ import annotations

from bespeak.coord import events, rows
from bespeak.coord.errors import ClaimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.coord.model import Claim
    from bespeak.storage.interface import Transaction

_AT_ONCE = 500


class CircleError(ClaimError):
    """The dependencies would create a cycle; none was recorded."""


def must_exist(tx: Transaction, repo: str, needed: Iterable[str], field: str = "depends_on") -> None:
    """Insist that every reservation that is to be depended on is in the book.

    Raises:
        ClaimError: one is not.
    """
    for identifier in needed:
        if not rows.exists(tx, repo, identifier):
            raise ClaimError(field=field, reason=f"there is no reservation {identifier}")


def add_to(tx: Transaction, repo: str, text: str, needed: Sequence[str], run_id: str) -> Claim:
    """Let the reservation with this id, or the only one whose id begins so, depend on others; return it.

    Raises:
        ClaimError: a reservation does not exist, or the dependencies would create a cycle.
    """
    found = rows.find(tx, repo, text)
    if found is None:
        raise ClaimError(f"There is no reservation {text}")
    must_exist(tx, repo, needed, "on")
    add(tx, repo, found.id, needed, run_id)
    return found


def add(tx: Transaction, repo: str, identifier: str, needed: Sequence[str], run_id: str) -> None:
    """Let a reservation depend on others; those that it depends on already are no fault.

    Raises:
        CircleError: one of them depends on it, directly or not.
    """
    path = _way(tx, repo, needed, identifier)
    if path:
        raise CircleError(f"dependency cycle: {' -> '.join([identifier, *path])}")
    tx.execute_deferred(
        "INSERT INTO coord_edges (repo, id, needs) VALUES (:repo, :id, :needs) ON CONFLICT DO NOTHING",
        [{"repo": repo, "id": identifier, "needs": other} for other in needed],
    )
    events.write(tx, repo, events.DEPENDS, run_id, identifier, {"depends_on": list(needed)})


def _way(tx: Transaction, repo: str, starts: Sequence[str], goal: str) -> list[str]:
    """Return a way along the dependencies from one of ``starts`` to ``goal``; empty if there is none."""
    came: dict[str, str] = dict.fromkeys(starts, "")
    wave = list(came)
    while wave and goal not in came:
        reached: list[str] = []
        for other, needs in of(tx, repo, wave):
            if needs not in came:
                came[needs] = other
                reached.append(needs)
        wave = reached
    return _back(came, goal)


def _back(came: dict[str, str], goal: str) -> list[str]:
    path: list[str] = []
    while goal and goal in came:
        path.append(goal)
        goal = came[goal]
    return path[::-1]


def of(tx: Transaction, repo: str, identifiers: Sequence[str]) -> list[tuple[str, str]]:
    """Return the dependencies (who, on what) of some reservations, sorted."""
    found: list[tuple[str, str]] = []
    for start in range(0, len(identifiers), _AT_ONCE):
        names = {f"i{number}": identifier for number, identifier in enumerate(identifiers[start : start + _AT_ONCE])}
        places = ", ".join(f":{name}" for name in names)
        sql = f"SELECT id, needs FROM coord_edges WHERE repo = :repo AND id IN ({places})"
        found += [(str(who), str(needs)) for who, needs in tx.fetch_all(sql, {"repo": repo} | names)]
    return sorted(found)
