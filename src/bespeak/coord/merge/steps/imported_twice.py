"""Imports that both sides added at different places of a file: the step that keeps one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.coord.merge import imported_twice as in_plan
from bespeak.coord.merge.file_conflicts import OURS, THEIRS
from bespeak.coord.merge.steps.import_lines import alone
from bespeak.coord.merge.steps.lines import split, without
from bespeak.coord.merge.steps.model import Left, Proposal, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.imported_twice import Twice
    from bespeak.coord.merge.steps.state import MergeState


def imported_twice(state: MergeState) -> list[Twice]:
    """Return the names that the merged files import more often than either side."""
    return in_plan.imported_twice((state.read[OURS], state.read[THEIRS]), state.resolved)


def import_once(state: MergeState) -> Iterator[Proposal]:
    """Propose to leave out the import of theirs, where both sides import the same."""
    for twice in imported_twice(state):
        path = twice.file.paths[THEIRS]
        facts, text = state.facts(THEIRS, path), state.text(THEIRS, path) or b""
        one = next((each for each in facts.imports if each.local == twice.local), None) if facts is not None else None
        if facts is None or one is None or len(twice.sources) > 1:
            continue
        if alone(facts, split(text), one) != split(text)[one.line - 1]:
            continue
        reason = f"Both sides import {twice.local} in {twice.file.merged}: the import of {state.sides[0].name} is kept."
        left = {THEIRS: {path: without(text, one.line, one.line)}}
        yield Proposal(StepKind.KEPT_ONCE, twice.address, reason, left)


def left_twice(state: MergeState) -> tuple[Left, ...]:
    """Return the imports that a person has to leave out once, or give another name."""
    return tuple(
        Left(
            twice.address,
            "import_twice",
            f"Both sides import {twice.local} in {twice.file.merged}: "
            + ("keep it once." if len(twice.sources) == 1 else "give one another name."),
        )
        for twice in imported_twice(state)
    )
