"""The reach of a change: who depends on what another run is about to change.

One walk for all claims at once, from what is claimed to its callers, theirs, and so on, layer by layer. What is passed
on is which addresses are changed there and how surely that is felt; of the ways from one address to a caller the surest
is kept. What that takes is counted beforehand in each layer, and where it would be too much each symbol passes on only
the surest of what it feels: the walk then costs no more than the edges of the graph, and the forecast says so.
"""

from __future__ import annotations

from bespeak.coord import address as addresses
from bespeak.coord.address import SEPARATOR
from bespeak.coord.forecast.found import Hit, first, predicted
from bespeak.coord.forecast.model import BLAST, FADING
from bespeak.coord.symbols.model import CALL, INHERIT, USE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Protocol

    from bespeak.coord.forecast.groups import Group
    from bespeak.coord.forecast.holders import Holders
    from bespeak.coord.forecast.model import Predicted
    from bespeak.coord.symbols.model import Edge, Unread

    class Callers(Protocol):
        """The call graph, as far as the walk needs it."""

        def into(self, address: str) -> Sequence[Edge]:
            """Return the edges that lead to a symbol, in order."""

        @property
        def unread(self) -> Sequence[Unread]:
            """What could not be understood so far, in order."""

    Way = tuple[Edge, "Way"] | None
    """The edges from one who feels a change to what is changed, nearest first."""
    Felt = dict[Group, tuple[float, int, Way]]
    """What is felt at one symbol: by changed address how surely, from how far, and by which way."""

LABELS = 400_000
"""How many times a change is passed on in one layer, at most."""
CALLED = "called"
_VERBS = {CALL: "called by", INHERIT: "the base of", USE: "used by"}
_RANK = {kind: number for number, kind in enumerate(_VERBS)}
"""Along these edges a change is felt; that a file imports another says nothing of what it uses of it."""


class Blast:
    """Everything that is found by walking to the callers of what is claimed.

    Args:
        nodes: symbols that somebody holds, in order.
        holders: who holds what.
        graph: who calls whom.
        depth: how many calls to walk at most.
        least: the confidence below which nothing is passed on.
        labels: how many times changes are passed on in one layer, at most.
    """

    def __init__(
        self,
        nodes: Iterable[str],
        holders: Holders,
        graph: Callers,
        depth: int,
        least: float,
        labels: int = LABELS,
    ) -> None:
        self._holders = holders
        self._graph = graph
        self._least = least
        self._labels = labels
        self._into: dict[str, list[Edge]] = {}
        self._apart: dict[tuple[Group, Group], int] = {}
        self.bounded = False
        self._ways = self._between(self._walk(nodes, depth))

    def _walk(self, nodes: Iterable[str], depth: int) -> dict[str, Felt]:
        """Return what is felt at each symbol."""
        felt: dict[str, Felt] = {}
        front: dict[str, Felt] = {node: self._own(node) for node in nodes}
        for distance in range(1, depth + 1):
            front = self._step(front, felt, distance)
        return felt

    def _own(self, node: str) -> Felt:
        return dict.fromkeys(self._holders.of(node), (1.0, 0, None))

    def _step(self, front: dict[str, Felt], felt: dict[str, Felt], distance: int) -> dict[str, Felt]:
        """Pass on what is felt at ``front`` to the callers; return what is new there."""
        most = self._most(front)
        reached: dict[str, Felt] = {}
        for node, changes in front.items():
            passed = changes if most is None or len(changes) <= most else _surest(changes, most)
            for edge in self._edges(node):
                if edge.caller == node:
                    continue
                known = felt.setdefault(edge.caller, {})
                weight = edge.confidence * FADING
                for group, (confidence, _, way) in passed.items():
                    sure = confidence * weight
                    if sure < self._least:
                        continue
                    best = known.get(group)
                    if best is None or best[0] < sure:
                        known[group] = reached.setdefault(edge.caller, {})[group] = (sure, distance, (edge, way))
        # Nobody calls the top level of a file: what is felt there goes no further.
        return {node: changes for node, changes in reached.items() if SEPARATOR in node}

    def _edges(self, node: str) -> list[Edge]:
        found = self._into.get(node)
        if found is None:
            found = sorted((edge for edge in self._graph.into(node) if edge.kind in _RANK), key=_order)
            self._into[node] = found
        return found

    def _most(self, front: dict[str, Felt]) -> int | None:
        """Return how many changes each symbol may pass on; None if there is no need to choose."""
        sizes = [(len(changes), len(self._edges(node))) for node, changes in front.items()]
        if sum(size * edges for size, edges in sizes) <= self._labels:
            return None
        self.bounded = True
        most = 1
        while sum(min(size, 2 * most) * edges for size, edges in sizes) <= self._labels:
            most *= 2
        return most

    def _between(self, felt: dict[str, Felt]) -> dict[tuple[Group, Group], tuple[float, int, Way]]:
        """Return, of each two addresses, the surest way from one to the other."""
        found: dict[tuple[Group, Group], tuple[float, int, Way]] = {}
        for node, changes in felt.items():
            for holder in self._holders.of(node):
                for group, way in changes.items():
                    if not self._pairs(group, holder):
                        continue
                    best = found.get((group, holder))
                    if best is None or (-best[0], best[1]) > (-way[0], way[1]):
                        found[group, holder] = way
        return found

    def _pairs(self, changed: Group, holder: Group) -> int:
        """Return how many pairs of claims there are; none where the addresses overlap, for that is told already."""
        if changed is holder:
            return 0
        known = self._apart.get((changed, holder))
        if known is None:
            known = changed.stakes.between(holder.stakes)
            if known and _overlap(changed, holder):
                known = 0
            self._apart[changed, holder] = self._apart[holder, changed] = known
        return known

    @property
    def count(self) -> int:
        """How many pairs of addresses there are."""
        return len(self._ways)

    def shown(self, limit: int) -> Iterator[Predicted]:
        """Return the first conflicts."""
        hits = [Hit(one, two, CALLED, 0, confidence) for (one, two), (confidence, _, _) in self._ways.items()]
        for hit in first(hits, limit):
            hit.pairs = self._pairs(hit.one, hit.two)
            hit.chain = tuple(_edges(self._ways[hit.one, hit.two][2]))
            yield predicted(BLAST, hit, said(hit.chain), hit.one.stakes, hit.two.stakes)


def _order(edge: Edge) -> tuple[float, int, str, int, str]:
    return -edge.confidence, _RANK[edge.kind], edge.caller, edge.line, edge.how


def _surest(changes: Felt, most: int) -> Felt:
    """Return the surest of what is felt."""
    kept = sorted(changes.items(), key=lambda item: (-item[1][0], item[1][1], item[0].text, item[0].glob))
    return dict(kept[:most])


def _overlap(one: Group, two: Group) -> bool:
    if one.glob or two.glob:
        return addresses.relation(one.address, two.address) is not None
    short, long = sorted((one.key, two.key), key=len)
    return not short or long == short or long.startswith(short + "/")


def _edges(way: Way) -> Iterator[Edge]:
    while way is not None:
        edge, way = way
        yield edge


def said(chain: Sequence[Edge]) -> str:
    """Return who depends on whom, from what is changed outwards."""
    words = [chain[-1].callee, *(f"{_VERBS[edge.kind]} {edge.caller}" for edge in reversed(chain))]
    return " is ".join(words[:2]) + "".join(f", which is {word}" for word in words[2:])
