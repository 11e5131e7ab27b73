"""Dependencies between reservations: recording them without a cycle, and the order that follows from them.

A reservation is satisfied when it is over, ready when all that it depends on is satisfied, else blocked. A dependency
that is no longer in the book was ended and removed: it blocks nothing, and is listed as dangling.
"""

from __future__ import annotations

from enum import StrEnum

from bespeak.base.frozen import frozen
from bespeak.coord import events, queries
from bespeak.coord.errors import ClaimError
from bespeak.coord.states import EventKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bespeak.coord.diagrams import Diagram
    from bespeak.coord.model import Claim
    from bespeak.storage.interface import Transaction


class DependencyState(StrEnum):
    """Whether a reservation can go on."""

    SATISFIED = "satisfied"
    READY = "ready"
    BLOCKED = "blocked"


@frozen
class DependencyNode:
    """One reservation among those it depends on.

    Args:
        needs: the ids that it depends on, sorted.
        blockers: those of them that are not over, sorted.
        wave: 0 for what is ready, one more than its latest blocker otherwise; None when it is over.
    """

    id: str
    state: DependencyState
    needs: tuple[str, ...]
    blockers: tuple[str, ...]
    wave: int | None


@frozen
class DependencyGraph:
    """All nodes in order of their waves, what is over last; and the ids that are needed but not known."""

    nodes: tuple[DependencyNode, ...]
    dangling: tuple[str, ...]

    @property
    def waves(self) -> list[list[str]]:
        """The ids that can go on at the same time, wave after wave."""
        found: list[list[str]] = []
        for node in self.nodes:
            if node.wave is not None:
                found.extend([] for _ in range(node.wave + 1 - len(found)))
                found[node.wave].append(node.id)
        return found


class CycleError(ClaimError):
    """The dependencies would create a cycle; none was recorded."""


def must_exist(tx: Transaction, repo: str, needed: Iterable[str], field: str = "depends_on") -> None:
    """Insist that every reservation that is to be depended on is in the book.

    Raises:
        ClaimError: one is not.
    """
    for identifier in needed:
        if not queries.exists(tx, repo, identifier):
            raise ClaimError(field=field, reason=f"there is no reservation {identifier}")


def add_to(tx: Transaction, repo: str, text: str, needed: Sequence[str], run_id: str) -> Claim:
    """Let the reservation with this id, or the only one whose id begins so, depend on others; return it.

    Raises:
        ClaimError: a reservation does not exist, or the dependencies would create a cycle.
    """
    found = queries.find(tx, repo, text)
    if found is None:
        raise ClaimError(f"There is no reservation {text}")
    must_exist(tx, repo, needed, "on")
    add(tx, repo, found.id, needed, run_id)
    return found


def add(tx: Transaction, repo: str, identifier: str, needed: Sequence[str], run_id: str) -> None:
    """Let a reservation depend on others; those that it depends on already are no fault.

    Raises:
        CycleError: one of them depends on it, directly or not.
    """
    path = _way(tx, repo, needed, identifier)
    if path:
        raise CycleError(f"dependency cycle: {' -> '.join([identifier, *path])}")
    tx.execute_deferred(
        "INSERT INTO coord_edges (repo, id, needs) VALUES (:repo, :id, :needs) ON CONFLICT DO NOTHING",
        [{"repo": repo, "id": identifier, "needs": other} for other in needed],
    )
    events.write(tx, repo, EventKind.DEPENDS, run_id, identifier, {"depends_on": list(needed)})


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
    for start in range(0, len(identifiers), queries.AT_ONCE):
        some = identifiers[start : start + queries.AT_ONCE]
        names = {f"i{number}": identifier for number, identifier in enumerate(some)}
        places = ", ".join(f":{name}" for name in names)
        sql = f"SELECT id, needs FROM coord_edges WHERE repo = :repo AND id IN ({places})"
        found += [(str(who), str(needs)) for who, needs in tx.fetch_all(sql, {"repo": repo} | names)]
    return sorted(found)


def order(tx: Transaction, repo: str) -> tuple[DependencyGraph, dict[str, Claim]]:
    """Return the graph of all active reservations and of everything they depend on, and these by id."""
    nodes = {held.id: held for held in queries.reservations(tx, repo)}
    found = of(tx, repo, list(nodes))
    links = list(found)
    while missing := sorted({needed for _, needed in found} - nodes.keys()):
        known = queries.by_id(tx, repo, missing)
        nodes |= known
        found = [edge for edge in of(tx, repo, list(known)) if edge[1] not in nodes]
        links += of(tx, repo, list(known))
        if not known:
            break
    by_age = sorted(nodes.values(), key=lambda held: held.epoch)
    over = {held.id: held.over_us(tx.now_us) is not None for held in by_age}
    return graph(over, links), nodes


def graph(over: Mapping[str, bool], edges: Iterable[tuple[str, str]]) -> DependencyGraph:
    """Return the graph of some reservations.

    Args:
        over: the ids, in the order in which they are to be shown, each with whether it is over.
        edges: (who, what it needs).
    """
    needs: dict[str, set[str]] = {identifier: set() for identifier in over}
    for who, needed in edges:
        if who in needs:
            needs[who].add(needed)
    blockers = {
        identifier: set() if over[identifier] else {needed for needed in needs[identifier] if over.get(needed) is False}
        for identifier in over
    }
    waves = _waves({identifier: found for identifier, found in blockers.items() if not over[identifier]})
    nodes = [
        DependencyNode(
            identifier,
            _state(over=over[identifier], blocked=bool(blockers[identifier])),
            tuple(sorted(needs[identifier])),
            tuple(sorted(blockers[identifier])),
            waves.get(identifier),
        )
        for identifier in over
    ]
    nodes.sort(key=lambda node: (node.wave is None, node.wave or 0))
    dangling = {needed for found in needs.values() for needed in found if needed not in over}
    return DependencyGraph(tuple(nodes), tuple(sorted(dangling)))


def _state(*, over: bool, blocked: bool) -> DependencyState:
    if over:
        return DependencyState.SATISFIED
    return DependencyState.BLOCKED if blocked else DependencyState.READY


def _waves(blockers: Mapping[str, set[str]]) -> dict[str, int]:
    """Return the topological generation of each id; a cycle, and what waits for one, is in none."""
    import graphlib

    sorter = graphlib.TopologicalSorter(blockers)
    try:  # noqa: SIM105 contextlib takes longer to load than all the rest of this
        sorter.prepare()
    except graphlib.CycleError:
        pass  # what is in no cycle can be ordered all the same
    found: dict[str, int] = {}
    number = 0
    while wave := sorter.get_ready():
        found.update(dict.fromkeys(wave, number))
        sorter.done(*wave)
        number += 1
    return found


def dependency_diagram(of: DependencyGraph, labels: Mapping[str, str]) -> Diagram:
    """Return the graph as a diagram; an arrow leads from what is depended on to what depends on it."""
    from bespeak.coord.diagrams import Arrow, Diagram

    boxes = {node.id: f"{labels[node.id]} ({node.state})" for node in of.nodes} | dict.fromkeys(of.dangling, "unknown")
    arrows = tuple(Arrow(needed, node.id) for node in of.nodes for needed in node.needs)
    return Diagram("claims", boxes, arrows, frozenset(of.dangling))
