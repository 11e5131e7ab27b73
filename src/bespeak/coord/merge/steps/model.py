"""The records of a merge that is done: the steps taken, what is left to a person, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bespeak.coord.merge.model import Plan, Relation, Revision

    Edits = dict[str, dict[str, bytes]]
    """New contents of files of the base, of ours and of theirs: by side, then by path."""


class StepKind(StrEnum):
    """Kinds of steps, in the order in which they are tried."""

    KEPT_ONCE = "kept_once"
    RENAME_FOLLOWED = "rename_followed"
    EDIT_CARRIED = "edit_carried"
    USE_REDIRECTED = "use_redirected"
    IMPORT_ADDED = "import_added"
    BOTH_KEPT = "both_kept"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a side that has to lead to a symbol after a step."""

    side: str
    path: str
    line: int
    target: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A step that may be taken.

    Args:
        kind: of the step.
        address: what it is about.
        reason: why it is taken, one sentence.
        edits: what it changes in the versions that are merged; empty if it cannot be taken.
        places: what has to resolve afterwards.
        obstacle: why it cannot be taken; empty if it can.
    """

    kind: StepKind
    address: str
    reason: str
    edits: Edits
    places: tuple[Place, ...] = ()
    obstacle: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by among all proposals of one merge."""
        return self.kind, self.address, self.reason


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was taken: what it is about, why, and what it changed in the merged files."""

    kind: StepKind
    address: str
    reason: str
    patch: str


@dataclass(frozen=True, slots=True)
class Check:
    """What a command said of the merged files.

    Args:
        command: as given.
        exit_code: of the command.
        output: the end of what it printed.
    """

    command: str
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Left:
    """What a person has to do: the address or path, what git or the plan call it, and what is recommended."""

    address: str
    kind: str
    recommendation: str
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a merge.

    Args:
        ours: what was merged into.
        theirs: what was merged.
        relation: how the two histories stand to each other.
        tree: the merged files; empty if nothing had to be merged.
        steps: what was done besides what git does.
        left: what is left to a person.
        plan: of the merge as git would do it; None if nothing had to be merged.
        final: of the merge after the steps.
        review: what is worth a look, and changed files that were not judged.
        check: what the command said; None if none was run.
        commit: the result; empty if none was made.
        into: the branch that points to it now; empty for none.
        was: where that branch pointed before; empty if it is new.
    """

    ours: Revision
    theirs: Revision
    relation: Relation
    tree: str = ""
    steps: tuple[Step, ...] = ()
    left: tuple[Left, ...] = ()
    plan: Plan | None = None
    final: Plan | None = None
    review: tuple[str, ...] = ()
    check: Check | None = None
    commit: str = ""
    into: str = ""
    was: str = ""

    @property
    def failed(self) -> bool:
        """Something is left to a person, or the check failed."""
        return bool(self.left) or (self.check is not None and self.check.exit_code != 0)
