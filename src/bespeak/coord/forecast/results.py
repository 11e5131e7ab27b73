"""Conflicts of one kind: all are counted, and the first of them are put into words."""

from __future__ import annotations

from heapq import nsmallest
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from bespeak.coord.forecast.model import ForecastKind, Predicted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.forecast.address_groups import ClaimCount, Group
    from bespeak_symbols.model import Edge

CLAIMS_SHOWN = 10
"""How many claims of each side a conflict names."""


class Hit(NamedTuple):
    """A conflict between the claims on two addresses, before it is put into words.

    A tuple, because there can be hundreds of thousands.

    Args:
        one: the claims on the first address.
        two: those on the second.
        relation: how the first address stands to the second.
        pairs: how many pairs of claims are in conflict.
        confidence: that it is one, of 1.
        operations: what is done to the two addresses, for an operation conflict.
        chain: the edges from what is affected to what is changed, for a blast radius.
    """

    one: Group
    two: Group
    relation: str
    pairs: int
    confidence: float
    operations: tuple[str | None, str | None] | None = None
    chain: tuple[Edge, ...] = ()

    @property
    def order(self) -> tuple[object, ...]:
        """The key to sort by: the most certain first, then by address."""
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
