"""Claims by address: what is said of an address is said of all claims on it at once.

Pairs of claims in conflict are counted without making the pairs: two claims are in conflict when they are of different
runs and not both shared, so the count between two sets is all pairs, less those of shared claims, less those of one
run. A hundred thousand claims on one file are counted in the time it takes to read them.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

from bespeak.coord import address as addresses
from bespeak.coord import globs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bespeak.coord.address import Address
    from bespeak.coord.forecast.model import ClaimedAddress

    Asked = Callable[[ClaimedAddress], bool]

STEPS = 2_000_000
"""How many times a pattern is tried on a file, at most."""


class RunCount:
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

    def between(self, other: RunCount) -> int:
        """Return how many pairs of a claim here and a claim there are in conflict."""
        pairs = self.count * other.count - _products(self._all, other._all)
        if self.shared and other.shared:
            pairs -= self.shared * other.shared - _products(self._shared, other._shared)
        return pairs

    def clashes(self, other: RunCount) -> bool:
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


_NOTHING = RunCount()


class ClaimCount:
    """Claims on one address, those that were asked for apart from the others: of a pair, one has to be asked for."""

    __slots__ = ("asked", "others")

    def __init__(self, claims: Sequence[ClaimedAddress], asked: Asked | None) -> None:
        if asked is None:
            self.asked, self.others = RunCount(claims), _NOTHING
        else:
            wanted = [asked(claim) for claim in claims]
            self.asked = RunCount(compress(claims, wanted))
            self.others = RunCount(claim for claim, is_wanted in zip(claims, wanted, strict=True) if not is_wanted)

    @property
    def count(self) -> int:
        """How many claims there are."""
        return self.asked.count + self.others.count

    def between(self, other: ClaimCount) -> int:
        """Return how many pairs of a claim here and a claim there are in conflict."""
        pairs = self.asked.between(other.asked)
        if other.others.count:
            pairs += self.asked.between(other.others)
        if self.others.count:
            pairs += self.others.between(other.asked)
        return pairs

    def clashes(self, other: ClaimCount) -> bool:
        """Tell whether a claim here and a claim there are in conflict."""
        return self.asked.clashes(other.asked) or self.asked.clashes(other.others) or self.others.clashes(other.asked)

    def within(self) -> int:
        """Return how many pairs of claims here are in conflict."""
        return self.asked.within() + (self.asked.between(self.others) if self.others.count else 0)

    def shown(self, other: ClaimCount, most: int) -> tuple[ClaimedAddress, ...]:
        """Return the first claims here that are in conflict with one there, at most one of each run."""
        found: dict[str, ClaimedAddress] = {}
        for claim in self._meeting(other):
            found.setdefault(claim.run, claim)
            if len(found) == most:
                break
        return tuple(found.values())

    def _meeting(self, other: ClaimCount) -> Iterator[ClaimedAddress]:
        for claim in self.asked.firsts():
            if other.asked.meets(claim) or other.others.meets(claim):
                yield claim
        for claim in self.others.firsts():
            if other.asked.meets(claim):
                yield claim


class Group:
    """All claims on one address. What is derived from them is computed when it is needed.

    Args:
        first: one of them.
        asked: which claims were asked for; None for all.
    """

    __slots__ = ("_address", "_asked", "_held", "_operations", "_stakes", "claims", "glob", "key", "text")

    def __init__(self, first: ClaimedAddress, asked: Asked | None) -> None:
        self.key, self.text, self.glob = first.key, first.address, first.glob
        self.claims: list[ClaimedAddress] = []
        self._asked = asked
        self._address: Address | None = None
        self._held: ClaimCount | None = None
        self._stakes: ClaimCount | None = None
        self._operations: dict[str | None, ClaimCount] | None = None

    @property
    def address(self) -> Address:
        """The address."""
        if self._address is None:
            self._address = addresses.stored(self.text, self.glob)
        return self._address

    @property
    def path(self) -> str:
        """The path of the file; of a folder without its slash."""
        return self.address.path

    @property
    def wanted(self) -> bool:
        """One of its claims was asked for."""
        return self._asked is None or any(map(self._asked, self.claims))

    @property
    def held(self) -> ClaimCount:
        """Those of reservations."""
        if self._held is None:
            own = [claim for claim in self.claims if claim.intent_id is None]
            self._held = ClaimCount(own, self._asked)
        return self._held

    @property
    def stakes(self) -> ClaimCount:
        """Those of reservations, and of intents that no reservation stands for."""
        if self._stakes is None:
            own = [claim for claim in self.claims if claim.intent_id is None or claim.reservation_id is None]
            self._stakes = self.held if len(own) == self.held.count else ClaimCount(own, self._asked)
        return self._stakes

    @property
    def operations(self) -> dict[str | None, ClaimCount]:
        """All of them, by what their makers said they would do."""
        if self._operations is None:
            found: dict[str | None, list[ClaimedAddress]] = {}
            for claim in self.claims:
                found.setdefault(claim.operation, []).append(claim)
            alike = len(found) == 1 and self.held.count == len(self.claims)
            self._operations = {
                name: self.held if alike else ClaimCount(claims, self._asked) for name, claims in found.items()
            }
        return self._operations


def gather(claims: Iterable[ClaimedAddress], asked: Asked | None) -> list[Group]:
    """Return the claims by address, in the order of keys."""
    found: dict[tuple[str, bool], Group] = {}
    for claim in claims:
        name = (claim.address, claim.glob)
        group = found.get(name)
        if group is None:
            group = found[name] = Group(claim, asked)
        group.claims.append(claim)
    return sorted(found.values(), key=lambda group: (group.key, group.text, group.glob))


class Holders:
    """Looks up who holds what.

    Args:
        groups: the claims by address.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        self._by_key: dict[str, list[Group]] = {}
        self._patterns: list[Group] = []
        for group in groups:
            if group.glob:
                self._patterns.append(group)
            else:
                self._by_key.setdefault(group.key, []).append(group)
        self._of_file: dict[str, list[Group]] = {}
        self._of_node: dict[str, Sequence[Group]] = {}
        self._left = STEPS

    @property
    def over(self) -> bool:
        """There were too many patterns to try them all on every file."""
        return self._left < 0

    def of(self, node: str) -> Sequence[Group]:
        """Return the addresses that hold a node of the call graph, ``path::Qualified.name`` or ``path``."""
        found = self._of_node.get(node)
        if found is None:
            found = self._of_node[node] = self._look(node)
        return found

    def _look(self, node: str) -> Sequence[Group]:
        path, _, symbol = node.partition(addresses.SEPARATOR)
        above = self._of_file.get(path)
        if above is None:
            above = self._of_file[path] = self._holding_file(path)
        if not symbol:
            return [group for group in above if not group.address.symbol]
        own: list[Group] = []
        names = addresses.symbol_names(symbol)
        for count in range(1, len(names) + 1):
            own += self._by_key.get(addresses.Address("", path, names[:count]).key, ())
        for group in above:
            wanted = group.address.symbol
            if not wanted or names[: len(wanted)] == wanted:
                own.append(group)
        return own

    def _holding_file(self, path: str) -> list[Group]:
        """Return the file itself, its folders, and patterns that match it, whatever symbol they name."""
        found = [group for key in addresses.beginnings(path) for group in self._by_key.get(key, ())]
        self._left -= len(self._patterns)
        if self._left >= 0:
            found += [group for group in self._patterns if globs.compiled(group.path).fullmatch(path)]
        return found
