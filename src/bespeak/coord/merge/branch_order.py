"""Which branch goes in when, and what git will really need for each.

The merges are tried one after the other, each into what comes of those before, so a strategy is what was seen and no
guess. Two branches are compared only if they touch a file in common, or one mentions what the other has taken away.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bespeak.coord.errors import ClaimError
from bespeak.coord.merge.branch_graph import arrange, cycles_in
from bespeak.coord.merge.model import Plan, Relation, Revision, Verdict
from bespeak.coord.merge.plan import revision_named
from bespeak.coord.merge.side_changes import pairs_in_contact
from bespeak.git import merges

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bespeak.coord.dependencies import DependencyGraph
    from bespeak.coord.merge.plan import Planner
    from bespeak.coord.model import Claim
    from bespeak.git.process import Git

_MOST_NAMED = 5
_REMOTE = "refs/remotes/"
_USUAL = ("main", "master")


class Strategy(StrEnum):
    """What a branch needs: nothing, a move of the target, a merge by git, a rebase after others, or a person."""

    MERGED = "already_merged"
    FORWARD = "fast_forward"
    MERGE = "merge"
    REBASE = "rebase_after"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class BranchSelection:
    """What is to be ordered.

    Args:
        needs: for each branch those that its reservations depend on.
        claims: for each branch the ids of its active reservations.
        optional: branches that may be missing: they come from claims, not from the caller.
    """

    names: tuple[str, ...]
    needs: Mapping[str, tuple[str, ...]]
    claims: Mapping[str, tuple[str, ...]]
    optional: bool


def wanted(graph: DependencyGraph, by_id: Mapping[str, Claim], branches: Sequence[str]) -> BranchSelection:
    """Return what is to be ordered.

    Args:
        graph: of active reservations and what they depend on.
        by_id: the reservations of it.
        branches: those that were named; none for all on which something is claimed.
    """
    needs: dict[str, set[str]] = {}
    claims: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.wave is None:
            continue
        branch = by_id[node.id].branch
        claims.setdefault(branch, []).append(node.id)
        others = {by_id[blocker].branch for blocker in node.blockers}
        needs.setdefault(branch, set()).update(others - {branch})
    return BranchSelection(
        tuple(branches) or tuple(sorted(claims)),
        {branch: tuple(sorted(found)) for branch, found in needs.items()},
        {branch: tuple(sorted(found)) for branch, found in claims.items()},
        optional=not branches,
    )


@dataclass(frozen=True, slots=True)
class BranchConflict:
    """What a branch has against another one that is still to go in, or against the target."""

    branch: str
    count: int
    verdict: Verdict
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch in the order.

    Args:
        position: from 1.
        strategy: what it needs.
        after: the branches to rebase after.
        needs: the branches that its reservations depend on.
        claims: the ids of its active reservations.
        symbols: the addresses in conflict with the target, or with what goes in before.
        verdict: of the plan against the target alone.
        conflicts: with each other branch.
        recommendation: what to do, one sentence.
    """

    position: int
    revision: Revision
    strategy: Strategy
    after: tuple[str, ...]
    needs: tuple[str, ...]
    claims: tuple[str, ...]
    symbols: tuple[str, ...]
    verdict: Verdict
    conflicts: tuple[BranchConflict, ...]
    recommendation: str


@dataclass(frozen=True, slots=True)
class Order:
    """All branches in the order in which to merge them.

    Args:
        onto: what they are merged into.
        cycles: branches whose reservations wait for each other.
        missing: branches that have claims but that are not here.
        compared: how many pairs of branches can be in each other's way, and were planned.
    """

    onto: Revision
    branches: tuple[Branch, ...]
    cycles: tuple[tuple[str, ...], ...] = ()
    missing: tuple[str, ...] = ()
    compared: int = 0
    notes: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Somebody has to do something by hand, or nothing can go first."""
        return bool(self.cycles) or any(branch.strategy == Strategy.MANUAL for branch in self.branches)


def reconcile(planner: Planner, onto: str, wanted: BranchSelection) -> Order:
    """Return the order in which to merge some branches, and how.

    Raises:
        ClaimError: a branch that was named is not here.
    """
    target = revision_named(planner.git, onto)
    found, missing = _revisions(planner, wanted, onto)
    alone = {name: planner.plan(target, revision) for name, revision in found.items()}
    pairs = _pairs(planner, target, found, alone)
    trouble = {key: len(plan.conflicting) for key, plan in pairs.items()}
    inside = _inside(pairs)
    order = arrange(found, _all_needs(wanted.needs, inside), trouble)
    cycles = cycles_in({name: wanted.needs.get(name, ()) for name in found})
    walk = _Walk(planner, target, found, alone, pairs, inside)
    branches = [walk.branch(number, name, wanted) for number, name in enumerate(order, 1)]
    return Order(target, tuple(branches), cycles, tuple(missing), len(pairs), _notes(cycles, missing))


def _revisions(planner: Planner, wanted: BranchSelection, onto: str) -> tuple[dict[str, Revision], list[str]]:
    found: dict[str, Revision] = {}
    missing = []
    for name in sorted(set(wanted.names)):
        if name == onto:
            continue
        try:
            found[name] = revision_named(planner.git, name)
        except ClaimError:
            if not wanted.optional:
                raise
            missing.append(name)
    return found, missing


def _notes(cycles: Sequence[Sequence[str]], missing: Sequence[str]) -> tuple[str, ...]:
    notes = [
        f"{', '.join(cycle)} wait for each other: release one of the reservations, or merge one of them first"
        for cycle in cycles
    ]
    if missing:
        notes.append(f"claims name branches that are not here: {', '.join(missing)}")
    return tuple(notes)


def _pairs(
    planner: Planner, target: Revision, found: Mapping[str, Revision], alone: Mapping[str, Plan]
) -> dict[tuple[str, str], Plan]:
    """Plan the merge of every two branches that can be in each other's way; what is merged already has nothing left."""
    affected = {
        name: planner.affected_files(target, revision)
        for name, revision in found.items()
        if alone[name].relation != Relation.ALREADY_MERGED
    }
    return {(one, two): planner.plan(found[one], found[two]) for one, two in sorted(set(pairs_in_contact(affected)))}


def _inside(pairs: Mapping[tuple[str, str], Plan]) -> dict[str, set[str]]:
    """Return for each branch those of the others whose commits it has all."""
    found: dict[str, set[str]] = {}
    for (one, two), plan in pairs.items():
        if plan.relation == Relation.FAST_FORWARD:
            found.setdefault(two, set()).add(one)
        elif plan.relation == Relation.ALREADY_MERGED:
            found.setdefault(one, set()).add(two)
    return found


def _all_needs(needs: Mapping[str, Sequence[str]], inside: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return which branches go before each: those that it needs, and those it contains unless these need it."""
    found = {name: set(before) for name, before in needs.items()}
    for name, contained in inside.items():
        found.setdefault(name, set()).update(other for other in contained if name not in _reached(other, needs))
    return found


def _reached(start: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    reached: set[str] = set()
    left = [start]
    while left:
        more = set(needs.get(left.pop(), ())) - reached
        reached |= more
        left += more
    return reached


class _Walk:
    """The merges, tried in order; whatever git can do by itself is done, in a store that is thrown away."""

    def __init__(
        self,
        planner: Planner,
        target: Revision,
        found: Mapping[str, Revision],
        alone: Mapping[str, Plan],
        pairs: Mapping[tuple[str, str], Plan],
        inside: Mapping[str, set[str]],
    ) -> None:
        self._planner = planner
        self._target = target
        self._found = found
        self._alone = alone
        self._inside = inside
        self._with: dict[str, dict[str, Plan]] = {name: {} for name in found}
        for (one, two), plan in pairs.items():
            self._with[one][two] = self._with[two][one] = plan
        self._now = target.commit
        self._done: list[str] = []

    def branch(self, position: int, name: str, wanted: BranchSelection) -> Branch:
        """Return the next branch of the order, with what git needs for it."""
        plan = self._alone[name]
        strategy, after, symbols = self._strategy(name, plan)
        if strategy in {Strategy.FORWARD, Strategy.MERGE} and not self._merge(name, strategy):
            strategy, after = Strategy.REBASE, tuple(self._done[-1:])
        if strategy != Strategy.MERGED:
            self._done.append(name)
        return Branch(
            position,
            self._found[name],
            strategy,
            after,
            tuple(sorted(set(wanted.needs.get(name, ())))),
            wanted.claims.get(name, ()),
            symbols,
            plan.verdict,
            self._conflicts_with(name),
            _advice(strategy, name, self._holder(name) or self._target.name, after, symbols, plan),
        )

    def _strategy(self, name: str, plan: Plan) -> tuple[Strategy, tuple[str, ...], tuple[str, ...]]:
        if plan.relation == Relation.ALREADY_MERGED or self._holder(name):
            return Strategy.MERGED, (), ()
        if plan.blocked:
            return Strategy.MANUAL, (), _addresses([plan])
        before = [other for other in self._done if other in self._with[name] and self._with[name][other].blocked]
        if before:
            return Strategy.REBASE, tuple(before), _addresses([self._with[name][other] for other in before])
        forward = plan.relation == Relation.FAST_FORWARD and self._follows(name)
        return (Strategy.FORWARD if forward else Strategy.MERGE), (), ()

    def _holder(self, name: str) -> str:
        """Return a branch that goes in before this one and has all of it; empty if there is none."""
        return next((other for other in self._done if name in self._inside.get(other, ())), "")

    def _follows(self, name: str) -> bool:
        """Tell whether a branch has all that was put in so far."""
        commit = self._found[name].commit
        return self._now in (self._target.commit, *merges.bases(self._planner.git, self._now, commit))

    def _merge(self, name: str, strategy: Strategy) -> bool:
        """Put a branch in; tell whether git could."""
        commit = self._found[name].commit
        if strategy == Strategy.FORWARD:
            self._now = commit
            return True
        git = self._planner.git
        if commit in merges.bases(git, self._now, commit):
            return True
        git.must_merge()
        trial = merges.trial(git, self._now, commit)
        if not trial.clean:
            return False
        words = ("commit-tree", trial.tree, "-p", self._now, "-p", commit, "-m", "tried")
        self._now = git.run(*words).decode("ascii").strip()
        return True

    def _conflicts_with(self, name: str) -> tuple[BranchConflict, ...]:
        found = [
            BranchConflict(other, len(plan.conflicting), plan.verdict, _addresses([plan]))
            for other, plan in sorted(self._with[name].items())
            if plan.conflicting
        ]
        return tuple(found)


def _addresses(plans: Iterable[Plan]) -> tuple[str, ...]:
    return tuple(sorted({item.address for plan in plans for item in plan.conflicting}))


def _advice(strategy: Strategy, name: str, onto: str, after: Sequence[str], symbols: Sequence[str], plan: Plan) -> str:
    left = len(symbols) - _MOST_NAMED
    shown = ", ".join(symbols[:_MOST_NAMED]) + (f" and {left} more" if left > 0 else "")
    if strategy == Strategy.MERGED:
        return f"{onto} has all of {name} already: nothing to merge."
    if strategy == Strategy.FORWARD:
        return f"{onto} can be moved on to {name}."
    if strategy == Strategy.REBASE:
        at = f": they meet in {shown}" if symbols else ": they conflict once it is in"
        return f"Merge {', '.join(after)} first, then rebase {name} on {onto}{at}."
    if strategy == Strategy.MANUAL:
        how = (
            "git cannot merge it"
            if plan.verdict == Verdict.TEXTUAL
            else "git merges it, but what comes out is likely broken"
        )
        return f"Merge {name} by hand ({how}): {shown}."
    look = "" if plan.verdict == Verdict.CLEAN else ", and look at what both sides touched"
    return f"git merges {name} into {onto} by itself{look}."


def default_target(git: Git) -> str:
    """Return the branch that others are merged into: that of the origin, else ``main`` or ``master``, else ``HEAD``."""
    origin = git.try_("symbolic-ref", "--quiet", _REMOTE + "origin/HEAD").stdout.decode("utf-8", "replace").strip()
    short = origin.removeprefix(_REMOTE + "origin/")
    for name in (*([short] if origin else []), *_USUAL):
        if not git.try_("rev-parse", "--verify", "--quiet", f"refs/heads/{name}").returncode:
            return name
    return origin.removeprefix(_REMOTE) or "HEAD"
