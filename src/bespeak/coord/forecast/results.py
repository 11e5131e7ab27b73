"""What was found of one kind: all of it counted, the first of it kept ready to be shown."""

from __future__ import annotations

from heapq import nsmallest
from operator import attrgetter
from typing import TYPE_CHECKING

from bespeak.coord.forecast.model import ForecastKind, Predicted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.forecast.address_groups import ClaimCount, Group
    from bespeak_symbols.model import Edge

CLAIMS_SHOWN = 10
"""How many claims of each side a conflict names."""


class Hit:
    """A conflict between the claims on two addresses, before anybody wants to see it."""

    __slots__ = ("chain", "confidence", "one", "operations", "pairs", "relation", "two")

    def __init__(self, one: Group, two: Group, relation: str, pairs: int, confidence: float) -> None:
        self.one, self.two = one, two
        self.relation = relation
        self.pairs = pairs
        self.confidence = confidence
        self.operations: tuple[str | None, str | None] | None = None
        self.chain: tuple[Edge, ...] = ()

    @property
    def order(self) -> tuple[object, ...]:
        """By what hits are sorted: surer ones come first, then it goes by address."""
        one, two = self.one, self.two
        operations = tuple(operation or "" for operation in self.operations or ())
        return -self.confidence, one.text, two.text, one.glob, two.glob, operations


def first(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """Return the first hits in order; 0 for all."""
    order = attrgetter("order")
    return nsmallest(limit, hits, key=order) if 0 < limit < len(hits) else sorted(hits, key=order)


def predicted(kind: ForecastKind, hit: Hit, why: str, one: ClaimCount, two: ClaimCount) -> Predicted:
    """Return a hit as it is shown.

    Args:
        kind: of conflict.
        hit: the hit.
        why: in words.
        one: the claims on its first address that count.
        two: those on its second.
    """
    claims = one.shown(two, CLAIMS_SHOWN)
    total = one.count
    if two is not one:
        claims += two.shown(one, CLAIMS_SHOWN)
        total += two.count
    return Predicted(
        kind,
        round(hit.confidence, 4),
        hit.one.text,
        hit.two.text,
        hit.relation,
        why,
        hit.pairs,
        claims,
        total,
        hit.operations,
        hit.chain,
    )
