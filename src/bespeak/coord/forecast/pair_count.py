"""Counting the pairs of claims that are in conflict, without making the pairs.

Two claims are in conflict when they are of different runs and not both shared. So the pairs between two heaps of claims
are all pairs, less those of shared claims, less those of one run: a sum over the runs of the smaller heap. A hundred
thousand claims on one file are counted in the time it takes to read them.
"""

from __future__ import annotations

from itertools import compress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bespeak.coord.forecast.model import ClaimedAddress

    Asked = Callable[[ClaimedAddress], bool]


class Heap:
    """Some claims, counted by run.

    Args:
        claims: the claims. The first exclusive and the first shared one of each run stand for it when it is shown.
    """

    __slots__ = ("_all", "_first", "_first_shared", "_shared", "count", "shared")

    def __init__(self, claims: Iterable[ClaimedAddress] = ()) -> None:
        self.count = self.shared = 0
        self._all: dict[str, int] = {}
        self._shared: dict[str, int] = {}
        self._first: dict[str, ClaimedAddress] = {}
        self._first_shared: dict[str, ClaimedAddress] = {}
        by_run = self._all
        for claim in claims:
            run = claim.run
            by_run[run] = by_run.get(run, 0) + 1
            if claim.shared:
                self._shared[run] = self._shared.get(run, 0) + 1
                self._first_shared.setdefault(run, claim)
            else:
                self._first.setdefault(run, claim)
        self.count = sum(by_run.values())
        self.shared = sum(self._shared.values())

    def between(self, other: Heap) -> int:
        """Return how many pairs of a claim here and a claim there are in conflict."""
        pairs = self.count * other.count - _products(self._all, other._all)
        if self.shared and other.shared:
            pairs -= self.shared * other.shared - _products(self._shared, other._shared)
        return pairs

    def clashes(self, other: Heap) -> bool:
        """Tell whether a claim here and a claim there are in conflict."""
        if self.shared or other.shared or not (self.count and other.count):
            return self.between(other) > 0
        return len(self._all) > 1 or self._all.keys() != other._all.keys()

    def within(self) -> int:
        """Return how many pairs of claims here are in conflict."""
        return self.between(self) // 2

    def meets(self, claim: ClaimedAddress) -> int:
        """Return with how many claims here ``claim`` is in conflict."""
        count = self.count - self._all.get(claim.run, 0)
        return count - (self.shared - self._shared.get(claim.run, 0)) if claim.shared else count

    def firsts(self) -> Iterator[ClaimedAddress]:
        """Return the first exclusive and the first shared claim of each run."""
        for run in self._all:
            for first in (self._first, self._first_shared):
                if run in first:
                    yield first[run]


def _products(one: dict[str, int], two: dict[str, int]) -> int:
    """Return how many pairs there are of one run."""
    few, many = (one, two) if len(one) <= len(two) else (two, one)
    return sum([count * many[run] for run, count in few.items() if run in many])


_NOTHING = Heap()


class Tally:
    """Claims on one address, those that were asked for apart from the others: of a pair, one has to be asked for."""

    __slots__ = ("asked", "others")

    def __init__(self, claims: Sequence[ClaimedAddress], asked: Asked | None) -> None:
        if asked is None:
            self.asked, self.others = Heap(claims), _NOTHING
        else:
            wanted = [asked(claim) for claim in claims]
            self.asked = Heap(compress(claims, wanted))
            self.others = Heap(claim for claim, is_wanted in zip(claims, wanted, strict=True) if not is_wanted)

    @property
    def count(self) -> int:
        """How many claims there are."""
        return self.asked.count + self.others.count

    def between(self, other: Tally) -> int:
        """Return how many pairs of a claim here and a claim there are in conflict."""
        pairs = self.asked.between(other.asked)
        if other.others.count:
            pairs += self.asked.between(other.others)
        if self.others.count:
            pairs += self.others.between(other.asked)
        return pairs

    def clashes(self, other: Tally) -> bool:
        """Tell whether a claim here and a claim there are in conflict."""
        return self.asked.clashes(other.asked) or self.asked.clashes(other.others) or self.others.clashes(other.asked)

    def within(self) -> int:
        """Return how many pairs of claims here are in conflict."""
        return self.asked.within() + (self.asked.between(self.others) if self.others.count else 0)

    def shown(self, other: Tally, most: int) -> tuple[ClaimedAddress, ...]:
        """Return the first claims here that are in conflict with one there, at most one of each run."""
        found: dict[str, ClaimedAddress] = {}
        for claim in self._meeting(other):
            found.setdefault(claim.run, claim)
            if len(found) == most:
                break
        return tuple(found.values())

    def _meeting(self, other: Tally) -> Iterator[ClaimedAddress]:
        for claim in self.asked.firsts():
            if other.asked.meets(claim) or other.others.meets(claim):
                yield claim
        for claim in self.others.firsts():
            if other.asked.meets(claim):
                yield claim
