"""Counting the pairs of claims that are in conflict, without making the pairs.

Two claims are in conflict when they are of different runs and not both shared. So the pairs between two heaps of claims
are all pairs, less those of shared claims, less those of one run: a sum over the runs of the smaller heap. A hundred
thousand claims on one file are counted in the time it takes to read them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bespeak.coord.forecast.model import Claim

    Asked = Callable[[Claim], bool]


class _OfRun:
    """What one run has in a heap."""

    __slots__ = ("count", "exclusive", "shared", "sharing")

    def __init__(self) -> None:
        self.count = self.shared = 0
        self.exclusive: Claim | None = None
        self.sharing: Claim | None = None


class Heap:
    """Some claims, counted by run."""

    __slots__ = ("count", "runs", "shared")

    def __init__(self) -> None:
        self.count = self.shared = 0
        self.runs: dict[str, _OfRun] = {}

    def add(self, claim: Claim) -> None:
        """Add a claim; the first of each run stands for the others when they are shown."""
        of_run = self.runs.get(claim.run)
        if of_run is None:
            of_run = self.runs[claim.run] = _OfRun()
        self.count += 1
        of_run.count += 1
        if claim.shared:
            self.shared += 1
            of_run.shared += 1
            of_run.sharing = of_run.sharing or claim
        else:
            of_run.exclusive = of_run.exclusive or claim

    def between(self, other: Heap) -> int:
        """Return how many pairs of a claim here and a claim there are in conflict."""
        pairs = self.count * other.count - self.shared * other.shared
        if not pairs:
            return 0
        few, many = (self, other) if len(self.runs) <= len(other.runs) else (other, self)
        for run, mine in few.runs.items():
            also = many.runs.get(run)
            if also is not None:
                pairs -= mine.count * also.count - mine.shared * also.shared
        return pairs

    def within(self) -> int:
        """Return how many pairs of claims here are in conflict."""
        if len(self.runs) == 1:
            return 0
        pairs = self.count**2 - self.shared**2
        return (pairs - sum(of.count**2 - of.shared**2 for of in self.runs.values())) // 2

    def meets(self, claim: Claim) -> int:
        """Return with how many claims here ``claim`` is in conflict."""
        of_run = self.runs.get(claim.run)
        count, shared = (0, 0) if of_run is None else (of_run.count, of_run.shared)
        return self.count - count - (self.shared - shared if claim.shared else 0)

    def firsts(self) -> Iterator[Claim]:
        """Return the first exclusive and the first shared claim of each run."""
        for of_run in self.runs.values():
            for claim in (of_run.exclusive, of_run.sharing):
                if claim is not None:
                    yield claim


_NOTHING = Heap()


class Tally:
    """Claims on one address, those that were asked for apart from the others: of a pair, one has to be asked for."""

    __slots__ = ("asked", "others")

    def __init__(self, claims: Iterable[Claim], asked: Asked | None) -> None:
        self.asked = Heap()
        self.others = _NOTHING if asked is None else Heap()
        for claim in claims:
            (self.asked if asked is None or asked(claim) else self.others).add(claim)

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

    def within(self) -> int:
        """Return how many pairs of claims here are in conflict."""
        return self.asked.within() + (self.asked.between(self.others) if self.others.count else 0)

    def shown(self, other: Tally, most: int) -> tuple[Claim, ...]:
        """Return the first claims here that are in conflict with one there, at most one of each run."""
        found: dict[str, Claim] = {}
        for claim in self._meeting(other):
            found.setdefault(claim.run, claim)
            if len(found) == most:
                break
        return tuple(found.values())

    def _meeting(self, other: Tally) -> Iterator[Claim]:
        for claim in self.asked.firsts():
            if other.asked.meets(claim) or other.others.meets(claim):
                yield claim
        for claim in self.others.firsts():
            if other.asked.meets(claim):
                yield claim
