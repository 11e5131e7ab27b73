"""What a change affects: which claimed addresses depend on what another run is about to change.

One walk for all claims at once, from what is claimed to what it calls, what that calls, and so on, layer by layer. It
goes with the calls and not against them, because what a symbol calls is known from its own file, while who calls it
may be anywhere. What is passed on is which addresses depend on what is reached, and how surely; of the ways from one
address to another the surest is kept. What that takes is counted beforehand in each layer, and where it would be too
much each symbol passes on only the surest of it: the walk then costs no more than the edges of the graph, and the
forecast says so.
"""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING

from bespeak.coord.address import SEPARATOR
from bespeak.coord.forecast.model import FADING, ForecastKind
from bespeak.coord.forecast.results import Hit, predicted
from bespeak.coord.globs import relation
from bespeak_symbols.model import CALL, INHERIT, USE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Protocol

    from bespeak.coord.forecast.address_groups import Group, Holders
    from bespeak.coord.forecast.model import Predicted
    from bespeak_symbols.model import Edge, Unread

    class Callees(Protocol):
        """The call graph, as far as the walk needs it."""

        def edges_of(self, path: str) -> Sequence[Edge]:
            """Return the edges that start in a file, in order."""

        @property
        def unread(self) -> Sequence[Unread]:
            """What could not be understood so far, in order."""

    Way = tuple[Edge, "Way"] | None
    """The edges from an address that depends on something to that, the last one first."""
    Dependents = dict[Group, tuple[float, int, Way]]
    """Which addresses depend on one symbol: how surely, over how many edges, and by which way."""

LABELS = 400_000
"""How many times a dependency is passed on in one layer, at most."""
CALLED = "called"
_VERBS = {CALL: "called by", INHERIT: "the base of", USE: "used by"}
_RANK = {kind: number for number, kind in enumerate(_VERBS)}
"""A change affects what depends on it along these edges. An import alone does not say what is used."""


class Impact:
    """Everything that is found by walking from what is claimed along its calls.

    Args:
        nodes: claimed symbols, in order.
        holders: who holds what.
        graph: who calls whom.
        depth: how many calls to walk at most.
        least: the confidence below which nothing is passed on.
        labels: how many times dependencies are passed on in one layer, at most.
    """

    def __init__(
        self,
        nodes: Iterable[str],
        holders: Holders,
        graph: Callees,
        depth: int,
        least: float,
        labels: int = LABELS,
    ) -> None:
        self._holders = holders
        self._graph = graph
        self._least = least
        self._labels = labels
        self._by_caller: dict[str, list[Edge]] = {}
        self._resolved: set[str] = set()
        self._apart: dict[tuple[Group, Group], bool] = {}
        self.bounded = False
        self._ways = self._between(self._walk(nodes, depth))

    def _walk(self, nodes: Iterable[str], depth: int) -> dict[str, Dependents]:
        """Return who depends on each symbol."""
        dependents: dict[str, Dependents] = {}
        front: dict[str, Dependents] = {node: self._own(node) for node in nodes}
        for distance in range(1, depth + 1):
            front = self._step(front, dependents, distance)
        return dependents

    def _own(self, node: str) -> Dependents:
        return dict.fromkeys(self._holders.of(node), (1.0, 0, None))

    def _step(
        self, front: dict[str, Dependents], dependents: dict[str, Dependents], distance: int
    ) -> dict[str, Dependents]:
        """Pass on who depends on the symbols of ``front`` to what they call; return what is new there."""
        most = self._most(front)
        reached: dict[str, Dependents] = {}
        for node, depending in front.items():
            passed = depending if most is None or len(depending) <= most else _surest(depending, most)
            for edge in self._edges(node):
                known = dependents.setdefault(edge.callee, {})
                weight = edge.confidence * FADING
                for group, (confidence, _, way) in passed.items():
                    sure = confidence * weight
                    if sure < self._least:
                        continue
                    best = known.get(group)
                    if best is None or best[0] < sure:
                        known[group] = reached.setdefault(edge.callee, {})[group] = (sure, distance, (edge, way))
        # A file as such is where a way can end; what its top level calls is no matter of who uses the file.
        return {node: depending for node, depending in reached.items() if SEPARATOR in node}

    def _edges(self, node: str) -> Sequence[Edge]:
        path = node.partition(SEPARATOR)[0]
        if path not in self._resolved:
            self._resolved.add(path)
            for edge in sorted((edge for edge in self._graph.edges_of(path) if edge.kind in _RANK), key=_order):
                if edge.caller != edge.callee:
                    self._by_caller.setdefault(edge.caller, []).append(edge)
        return self._by_caller.get(node, ())

    def _most(self, front: dict[str, Dependents]) -> int | None:
        """Return how much each symbol may pass on; None if there is no need to choose."""
        sizes = [(len(depending), len(self._edges(node))) for node, depending in front.items()]
        if sum(size * edges for size, edges in sizes) <= self._labels:
            return None
        self.bounded = True
        most = 1
        while sum(min(size, 2 * most) * edges for size, edges in sizes) <= self._labels:
            most *= 2
        return most

    def _between(self, dependents: dict[str, Dependents]) -> dict[tuple[Group, Group], tuple[float, int, Way]]:
        """Return, of each two addresses, the surest way from one to the other."""
        found: dict[tuple[Group, Group], tuple[float, int, Way]] = {}
        for node, depending in dependents.items():
            for changed in self._holders.of(node):
                for group, way in depending.items():
                    if not self._clash(changed, group):
                        continue
                    best = found.get((changed, group))
                    if best is None or (-best[0], best[1]) > (-way[0], way[1]):
                        found[changed, group] = way
        return found

    def _clash(self, changed: Group, depending: Group) -> bool:
        """Return whether two addresses are in conflict; overlapping ones are reported already."""
        if changed is depending:
            return False
        known = self._apart.get((changed, depending))
        if known is None:
            known = changed.stakes.clashes(depending.stakes) and not _overlap(changed, depending)
            self._apart[changed, depending] = known
        return known

    @property
    def count(self) -> int:
        """How many pairs of addresses there are."""
        return len(self._ways)

    def shown(self, limit: int) -> Iterator[Predicted]:
        """Return the first conflicts."""
        ways = self._ways.items()
        kept = nsmallest(limit, ways, key=_place) if 0 < limit < len(ways) else sorted(ways, key=_place)
        for (one, two), (confidence, _, way) in kept:
            chain = tuple(_edges(way))[::-1]
            hit = Hit(one, two, CALLED, one.stakes.between(two.stakes), confidence, chain=chain)
            yield predicted(ForecastKind.BLAST, hit, describe_chain(chain), one.stakes, two.stakes)


def _place(way: tuple[tuple[Group, Group], tuple[float, int, Way]]) -> tuple[object, ...]:
    """Return by what conflicts are sorted: as :attr:`Hit.order`."""
    (one, two), (confidence, _, _) = way
    return -confidence, one.text, two.text, one.glob, two.glob


def _order(edge: Edge) -> tuple[float, int, str, int, str]:
    return -edge.confidence, _RANK[edge.kind], edge.callee, edge.line, edge.how


def _surest(depending: Dependents, most: int) -> Dependents:
    """Return those that depend on something most surely."""
    kept = sorted(depending.items(), key=lambda item: (-item[1][0], item[1][1], item[0].text, item[0].glob))
    return dict(kept[:most])


def _overlap(one: Group, two: Group) -> bool:
    if one.glob or two.glob:
        return relation(one.address, two.address) is not None
    short, long = sorted((one.key, two.key), key=len)
    return not short or long == short or long.startswith(short + "/")


def _edges(way: Way) -> Iterator[Edge]:
    while way is not None:
        edge, way = way
        yield edge


def describe_chain(chain: Sequence[Edge]) -> str:
    """Return who depends on whom, from what is changed outwards."""
    words = [chain[-1].callee, *(f"{_VERBS[edge.kind]} {edge.caller}" for edge in reversed(chain))]
    return " is ".join(words[:2]) + "".join(f", which is {word}" for word in words[2:])
