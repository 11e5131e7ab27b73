"""The order in which reservations depend on each other: who is ready, who waits for whom, and in which waves.

Pure functions of nodes and edges. A node is satisfied when its reservation is over, ready when all that it needs is
satisfied, else blocked. What it needs and nobody knows any more was ended and removed: it blocks nobody, and is named.
"""

from __future__ import annotations

from bespeak.base.frozen import frozen
from bespeak.coord.drawing import dot_text, mermaid_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SATISFIED, READY, BLOCKED = "satisfied", "ready", "blocked"


@frozen
class Node:
    """One reservation among those it depends on.

    Args:
        needs: the ids that it depends on, sorted.
        blockers: those of them that are not over, sorted.
        wave: 0 for what is ready, one more than its latest blocker otherwise; None when it is over.
    """

    id: str
    state: str
    needs: tuple[str, ...]
    blockers: tuple[str, ...]
    wave: int | None


@frozen
class Graph:
    """All nodes in order of their waves, what is over last; and the ids that are needed but not known."""

    nodes: tuple[Node, ...]
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


def graph(over: Mapping[str, bool], edges: Iterable[tuple[str, str]]) -> Graph:
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
    waves = _waves(over, blockers)
    nodes = [
        Node(
            identifier,
            SATISFIED if over[identifier] else BLOCKED if blockers[identifier] else READY,
            tuple(sorted(needs[identifier])),
            tuple(sorted(blockers[identifier])),
            waves.get(identifier),
        )
        for identifier in over
    ]
    nodes.sort(key=lambda node: (node.wave is None, node.wave or 0))
    dangling = {needed for found in needs.values() for needed in found if needed not in over}
    return Graph(tuple(nodes), tuple(sorted(dangling)))


def _waves(over: Mapping[str, bool], blockers: Mapping[str, set[str]]) -> dict[str, int]:
    """Return the topological generation of each node that is not over."""
    dependents: dict[str, list[str]] = {}
    left = {identifier: len(found) for identifier, found in blockers.items() if not over[identifier]}
    for identifier in left:
        for blocker in blockers[identifier]:
            dependents.setdefault(blocker, []).append(identifier)
    wave = [identifier for identifier, count in left.items() if not count]
    found: dict[str, int] = {}
    number = 0
    while wave:
        found.update(dict.fromkeys(wave, number))
        reached: list[str] = []
        for identifier in wave:
            for dependent in dependents.get(identifier, ()):
                left[dependent] -= 1
                if not left[dependent]:
                    reached.append(dependent)
        wave, number = reached, number + 1
    return found


def dot(of: Graph, labels: Mapping[str, str]) -> str:
    """Return the graph in the language of Graphviz; an arrow leads from what is needed to who needs it."""
    lines = ["digraph claims {", "  rankdir=LR;"]
    lines += [f'  "{node.id}" [label="{dot_text(labels[node.id])}\\n{node.state}"];' for node in of.nodes]
    lines += [f'  "{dangling}" [label="unknown", style=dashed];' for dangling in of.dangling]
    lines += [f'  "{needed}" -> "{node.id}";' for node in of.nodes for needed in node.needs]
    return "\n".join([*lines, "}"])


def mermaid(of: Graph, labels: Mapping[str, str]) -> str:
    """Return the graph in the language of Mermaid."""
    known = [node.id for node in of.nodes]
    names = {identifier: f"n{number}" for number, identifier in enumerate([*known, *of.dangling])}
    lines = ["graph LR"]
    lines += [f'  {names[node.id]}["{mermaid_text(labels[node.id])} ({node.state})"]' for node in of.nodes]
    lines += [f'  {names[dangling]}["unknown"]' for dangling in of.dangling]
    lines += [f"  {names[needed]} --> {names[node.id]}" for node in of.nodes for needed in node.needs]
    return "\n".join(lines)
