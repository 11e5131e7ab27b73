"""Doing what a plan recommends, one step after the other, as long as each is certain and makes the merge better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable
from bespeak.coord.errors import ClaimError
from bespeak.coord.merge.imported_twice import without_twice
from bespeak.coord.merge.model import ItemKind, Relation
from bespeak.coord.merge.plan import revision_named
from bespeak.coord.merge.steps.additions import keep_both, keep_once
from bespeak.coord.merge.steps.imported_twice import import_once, imported_twice, left_twice
from bespeak.coord.merge.steps.imports import add_imports, redirect_uses
from bespeak.coord.merge.steps.model import Left, Outcome, Step
from bespeak.coord.merge.steps.moves import carry_edits
from bespeak.coord.merge.steps.renames import follow_renames
from bespeak.coord.merge.steps.state import MergeState
from bespeak.coord.merge.steps.verify import objection
from bespeak.coord.symbol_index import open_index
from bespeak.git import merges, trees
from bespeak.git.process import Git

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from bespeak.coord.merge.model import Item, Plan, Revision
    from bespeak.coord.merge.steps.model import Proposal
    from bespeak.git.repository import Repository

_MAKERS = (keep_once, import_once, follow_renames, carry_edits, redirect_uses, add_imports, keep_both)
_MOST_TRIED = 40
"""So many steps are tried at most; each costs about as much as a plan."""
_MOST_BYTES = 4_000_000
"""Of the files that steps edit, in all: what is tried has to be read again, which takes about a second a megabyte."""


class Merger:
    """Does merges in one repository; a context manager. What it makes is thrown away unless it is kept.

    Args:
        repository: where.
    """

    def __init__(self, repository: Repository) -> None:
        self.git = Git(repository)
        self.git.must_merge()
        self._index = open_index(repository, folder=self.git.folder)
        self._tried = self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._index.close()
        self.git.close()

    def merge(self, ours: str, theirs: str) -> Outcome:
        """Do a merge as far as it is certain; nothing of it is stored.

        Args:
            ours: what is merged into.
            theirs: what is merged.

        Raises:
            ClaimError: a revision names no commit, or the two have none in common.
            UnavailableError: the extra that reads languages is not installed.
        """
        sides = revision_named(self.git, ours), revision_named(self.git, theirs)
        bases = merges.bases(self.git, sides[0].commit, sides[1].commit)
        if not bases:
            raise ClaimError(
                f"{escape_unprintable(ours)} and {escape_unprintable(theirs)} have no commit in common: "
                "unrelated histories are for a person to merge, with git"
            )
        if sides[1].commit in bases:
            return Outcome(*sides, Relation.ALREADY_MERGED, commit=sides[0].commit)
        if sides[0].commit in bases:
            return Outcome(*sides, Relation.FAST_FORWARD, commit=sides[1].commit)
        return self._diverged(sides, bases)

    def _diverged(self, sides: tuple[Revision, Revision], bases: tuple[str, ...]) -> Outcome:
        self._tried = self._bytes = 0
        first = state = MergeState(self.git, self._index, sides, bases)
        steps: list[Step] = []
        obstacles: dict[str, str] = {}
        while (found := self._next(first, state, obstacles)) is not None:
            proposal, after = found
            patch = trees.diff(self.git, state.trial.tree, after.trial.tree)
            steps.append(Step(proposal.kind, proposal.address, proposal.reason, patch))
            state = after
        return Outcome(
            *sides,
            Relation.DIVERGED,
            state.trial.tree,
            tuple(steps),
            (*_left(state, obstacles), *left_twice(state)),
            first.plan,
            state.plan,
            _review(state.plan),
        )

    def _next(
        self, first: MergeState, state: MergeState, obstacles: dict[str, str]
    ) -> tuple[Proposal, MergeState] | None:
        """Return the next step that can be taken, and the merge with it; note why others cannot."""
        if state.trial.clean and not state.plan.conflicting and not imported_twice(state):
            return None
        for maker in _MAKERS:
            for proposal in maker(state):
                why = proposal.obstacle or self._unaffordable(proposal)
                if not why:
                    after = state.with_edits(proposal.edits)
                    why = objection(first, state, after, proposal)
                    if not why:
                        return proposal, after
                obstacles[proposal.address] = f"{proposal.kind} was not taken: {why}"
        return None

    def _unaffordable(self, proposal: Proposal) -> str:
        """Count a step that is to be tried; return why it would be too many, empty if it is not."""
        size = sum(len(text) for files in proposal.edits.values() for text in files.values())
        if self._tried >= _MOST_TRIED:
            return f"{_MOST_TRIED} steps were tried before"
        if self._tried and self._bytes + size > _MOST_BYTES:
            return (
                f"the files of the steps tried before it have {self._bytes / 1e6:.1f} MB, and its own {size / 1e6:.1f}"
            )
        self._tried += 1
        self._bytes += size
        return ""


def _left(state: MergeState, obstacles: dict[str, str]) -> tuple[Left, ...]:
    """Return what a person has to do."""
    found = [
        Left(item.address, _kind(item), item.recommendation, obstacles.get(item.address, ""))
        for item in without_twice(state.plan.conflicting)
    ]
    told = {item.path for item in state.plan.conflicting if item.textual}
    for clash in state.conflicted:
        path = clash.conflict.path
        if path not in told:
            found.append(Left(path, clash.conflict.type, clash.conflict.message, obstacles.get(path, "")))
    return tuple(found)


def _kind(item: Item) -> str:
    return item.type or item.kind.value


def _review(plan: Plan) -> tuple[str, ...]:
    """Return what is worth a look although nothing is likely to be wrong."""
    found = [
        f"{item.address}: {item.recommendation}"
        for item in plan.items
        if not item.likely and item.kind != ItemKind.NO_CONFLICT
    ]
    return (*found, *(f"{path}: not judged: {why}" for path, why in plan.not_judged))
