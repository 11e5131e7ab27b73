"""Whether a step did what it was for: names that resolved before it resolve after it, and nothing new is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.coord.merge.file_conflicts import BASE, OURS, THEIRS
from bespeak.coord.merge.free_names import free_names, names_in_sight
from bespeak.coord.merge.imported_twice import without_twice
from bespeak.coord.merge.steps.imported_twice import imported_twice
from bespeak_symbols.model import CERTAIN, IMPORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.coord.merge.model import Item, Plan
    from bespeak.coord.merge.steps.model import Proposal
    from bespeak.coord.merge.steps.state import MergeState
    from bespeak_symbols.model import Edge, Facts


def objection(first: MergeState, before: MergeState, after: MergeState, step: Proposal) -> str:
    """Return why a step must not be taken; empty if it may be.

    Args:
        first: the merge as git does it, without any step.
        before: the merge without this step.
        after: the merge with it.
        step: what it is.
    """
    if worse := _worse(before, after):
        return worse
    for place in step.places:
        if place.side != BASE and not _leads(after, place.side, place.path, place.line, place.target):
            return f"{place.path}:{place.line} would not lead to {place.target}"
    paths = {path for files in step.edits.values() for path in files}
    if lost := _lost(first, after, paths):
        return f"{lost} would mean nothing"
    return ""


def _worse(before: MergeState, after: MergeState) -> str:
    regions, hidden = (before.open_regions, after.open_regions), _hidden(before.plan)
    # In a file that was in conflict nobody could see what it imports twice: that is for the next step.
    seen = [each for each in imported_twice(after) if each.file.merged not in before.trial.stages]
    twice = len(imported_twice(before)), len(seen)
    if set(after.trial.stages) - set(before.trial.stages) or regions[1] > regions[0] or twice[1] > twice[0]:
        return "more would be in conflict"
    if regions[1] == regions[0] and twice[1] == twice[0] and not hidden:  # known without a plan, which costs far more
        return "it would resolve nothing"
    left = _hidden(after.plan)
    new = {_key(item) for item in left} - {_key(item) for item in before.plan.items if item.likely}
    if new:
        return f"{min(new)[1]} would be in conflict"
    if len(left) > len(hidden):
        return "more would be in conflict"
    same = regions[1] == regions[0] and twice[1] == twice[0] and len(left) == len(hidden)
    return "it would resolve nothing" if same else ""


def _hidden(plan: Plan) -> list[Item]:
    """Return the conflicts that git does not see, imports that are there twice apart: those are counted."""
    return [item for item in without_twice(plan.items) if item.likely and not item.textual]


def _key(item: Item) -> tuple[str, str, str]:
    return item.kind, item.address, item.user


def _leads(state: MergeState, side: str, path: str, line: int, target: str) -> bool:
    return any(
        edge.line == line and edge.confidence >= CERTAIN and _last(edge.callee) == target
        for edge in state.graph(side).edges_of(path)
    )


def _last(address: str) -> str:
    return address.rpartition("::")[2].rpartition(".")[2]


def _lost(first: MergeState, after: MergeState, paths: Iterable[str]) -> str:
    """Return a name that resolved on a side, or was bound there, and is neither in the merged files."""
    paths = sorted(paths)
    known: set[tuple[str, str]] = set()
    unbound: set[str] = set()
    for side in (OURS, THEIRS):
        for path in {*paths, *(first.path_on(side, path) for path in paths)}:
            facts = first.facts(side, path) if path else None
            if facts is not None:
                known |= _resolving(facts, first.graph(side).edges_of(path))
                unbound |= free_names(facts, names_in_sight(facts)).keys()
    for path in paths:
        found = after.resolved.merged(path, OURS)
        if found is None:
            continue
        facts, edges = found
        leads = {(edge.line, _last(edge.callee)) for edge in edges if edge.confidence >= CERTAIN}
        free = {
            name
            for name, uses in free_names(facts, names_in_sight(facts)).items()
            if not all((use.line, name) in leads for use in uses)
        }
        gone = {(use.within, use.text) for use in facts.references} & known - _resolving(facts, edges)
        if gone:
            return f"{min(gone)[1]} in {path}"
        if names := free - unbound:
            return f"{min(names)} in {path}"
    return ""


def _resolving(facts: Facts, edges: tuple[Edge, ...]) -> set[tuple[str, str]]:
    """Return the uses in a file that certainly lead somewhere: where they stand, and how they are written."""
    lines: dict[int, set[str]] = {}
    for edge in edges:
        if edge.confidence >= CERTAIN and edge.kind != IMPORT:
            lines.setdefault(edge.line, set()).add(_last(edge.callee))
    return {
        (use.within, use.text) for use in facts.references if use.text.rpartition(".")[2] in lines.get(use.line, ())
    }
