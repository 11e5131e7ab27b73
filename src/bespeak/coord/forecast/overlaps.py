"""Conflicts on one place: two runs claim it, or declare operations on it that do not go together."""

from __future__ import annotations

from bespeak.coord.address import INSIDE, OVERLAPS, SAME
from bespeak.coord.forecast.model import CONFIDENCE, OPERATION, OVERLAP
from bespeak.coord.forecast.operations import why
from bespeak.coord.forecast.overlap_index import pairs
from bespeak.coord.forecast.results import Hit, first, predicted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bespeak.coord.forecast.groups import Group
    from bespeak.coord.forecast.model import Predicted
    from bespeak.coord.forecast.overlap_index import Budget
    from bespeak.coord.forecast.pair_count import Tally

_WHY = {SAME: "both claim it", INSIDE: "one claims what holds the other", OVERLAPS: "they have files in common"}


class Overlaps:
    """Everything that is found where claims overlap.

    Args:
        groups: the claims by address, in order.
        budget: what may be spent on finding pairs.
    """

    def __init__(self, groups: Sequence[Group], budget: Budget) -> None:
        self.held: list[Hit] = []
        self.operations: list[Hit] = []
        for group in groups:
            if len(group.claims) > 1:
                self._look(group, group, SAME)
        for one, two, relation in pairs(groups, budget):
            self._look(one, two, relation)

    def _look(self, one: Group, two: Group, relation: str) -> None:
        count = one.held.within() if one is two else one.held.between(two.held)
        if count:
            self.held.append(Hit(one, two, relation, count, CONFIDENCE[OVERLAP]))
        for mine, other, met in _operations(one, two):
            hit = Hit(one, two, relation, met, CONFIDENCE[OPERATION])
            hit.operations = (mine, other)
            self.operations.append(hit)

    def shown(self, limit: int) -> Iterator[Predicted]:
        """Return the first conflicts of each kind."""
        for hit in first(self.held, limit):
            yield predicted(OVERLAP, hit, _WHY[hit.relation], hit.one.held, hit.two.held)
        for hit in first(self.operations, limit):
            mine, other = hit.operations or (None, None)
            one, two = hit.one.operations[mine], hit.two.operations[other]
            yield predicted(OPERATION, hit, why(mine, other), one, two)


def _operations(one: Group, two: Group) -> Iterator[tuple[str | None, str | None, int]]:
    """Return the operations on two addresses that do not go together, and of how many pairs of claims."""
    for mine, tally in _sorted(one):
        for other, met in _sorted(two):
            if not why(mine, other) or (one is two and (mine or "") > (other or "")):
                continue
            count = tally.within() if tally is met else tally.between(met)
            if count:
                yield mine, other, count


def _sorted(group: Group) -> list[tuple[str | None, Tally]]:
    operations = group.operations
    if len(operations) == 1:
        return list(operations.items())
    return sorted(operations.items(), key=lambda item: item[0] or "")
