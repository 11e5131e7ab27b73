"""The records of a forecast: predicted conflicts, how likely they are, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bespeak_symbols.model import Edge, Unread


class ForecastKind(StrEnum):
    """Kinds of predicted conflicts, in the order in which they are listed."""

    OVERLAP = "address_overlap"
    OPERATION = "operation_conflict"
    BLAST = "blast_radius_overlap"


CONFIDENCE = {ForecastKind.OVERLAP: 1.0, ForecastKind.OPERATION: 0.9}
FADING = 0.8
"""What is left of the confidence with each step from what is changed to who depends on it."""


class ClaimedAddress(NamedTuple):
    """One address of one reservation or of one intent; instants in µs UTC.

    A tuple, because a forecast reads a hundred thousand of them.

    Args:
        key: where the address stands in the tree of keys.
        run: whose it is; each run without a name counts as a run of its own.
        run_id: the same for people.
        shared: others may share it.
        intent_id: set for an intent; its ``reservation_id`` is then that of the reservation it ends with, if any.
    """

    key: str
    address: str
    glob: bool
    run: str
    run_id: str
    branch: str
    operation: str | None
    shared: bool
    expires_us: int
    reservation_id: str | None
    intent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Predicted:
    """One predicted conflict, between all claims on two addresses, or on one.

    Args:
        kind: what is in conflict.
        address: the inner one, or the one whose change affects the other.
        other_address: the outer one, or the one that is affected.
        relation: how ``address`` stands to the other: ``same``, ``inside``, ``overlaps``, ``called``.
        why: the reason in words.
        pairs: how many pairs of claims are in conflict.
        claims: some of them, at most one of each run on each side.
        claims_total: how many claims the two addresses have.
        operations: what is done to the two addresses, for an operation conflict.
        chain: the edges from what is affected to what is changed, for a blast radius.
    """

    kind: ForecastKind
    confidence: float
    address: str
    other_address: str
    relation: str
    why: str
    pairs: int
    claims: tuple[ClaimedAddress, ...]
    claims_total: int
    operations: tuple[str | None, str | None] | None = None
    chain: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a forecast is asked for; everything checked.

    Args:
        branch: only conflicts that a claim made on this branch takes part in.
        run_id: only conflicts that this run takes part in.
        depth: over how many calls a change affects others at most; 0 does not read the call graph.
        rev: the revision whose symbols count; None for ``HEAD``.
        worktree: the work tree as it is counts instead.
        min_confidence: leave out what is less sure.
        limit: how many of each kind to show; 0 for all.
    """

    branch: str | None = None
    run_id: str | None = None
    depth: int = 3
    rev: str | None = None
    worktree: bool = False
    min_confidence: float = 0.3
    limit: int = 100

    @property
    def everything(self) -> bool:
        """No claim is asked for in particular."""
        return self.branch is None and self.run_id is None

    def asks_for(self, claim: ClaimedAddress) -> bool:
        """Tell whether a claim is one of those asked for."""
        return (self.run_id in (None, claim.run_id)) and (self.branch in (None, claim.branch))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything that is predicted.

    Args:
        conflicts: in order of kind, confidence and address; of each kind as many as were asked for.
        counts: how many there are of each kind, shown or not.
        claims: how many addresses are claimed by active reservations.
        intents: how many by active intents.
        commit: the commit whose symbols counted; None for the work tree, or if there is none.
        reasons: why the forecast is partial, in words; empty if it is whole.
        unread: files, or lines of them, that could not be understood.
        unknown: addresses that name nothing at that commit; at most as many as are shown of a kind.
        unknown_total: how many there are.
    """

    scope: Scope
    conflicts: tuple[Predicted, ...]
    counts: dict[ForecastKind, int]
    claims: int
    intents: int
    commit: str | None = None
    reasons: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    unread_total: int = 0
    unknown: tuple[str, ...] = ()
    unknown_total: int = 0

    @property
    def partial(self) -> bool:
        """Something could not be looked at."""
        return bool(self.reasons)

    @property
    def total(self) -> int:
        """How many conflicts are predicted, shown or not."""
        return sum(self.counts.values())
