"""Imports that both sides added at different places of a file: git keeps both, and some languages refuse that."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bespeak.coord.merge.file_conflicts import OURS, THEIRS
from bespeak.coord.merge.lost_names import shared_files
from bespeak.coord.merge.steps.import_lines import alone
from bespeak.coord.merge.steps.lines import split, without
from bespeak.coord.merge.steps.model import Left, Proposal, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.lost_names import SharedFile
    from bespeak.coord.merge.steps.state import MergeState
    from bespeak_symbols.model import Facts, Import

    Twice = tuple[SharedFile, tuple[str, str, str]]

_REFUSED = frozenset({"go", "javascript", "typescript", "rust"})
"""Languages in which one name must not be imported twice."""


def imported_twice(state: MergeState) -> list[Twice]:
    """Return what the merged files import more often than either side: the file, and the import."""
    shared = shared_files((state.read[OURS], state.read[THEIRS]))
    merged = state.resolved.merged_facts([file.merged for file in shared])
    found: list[Twice] = []
    for file in shared:
        facts = merged.get(file.merged)
        if facts is None or facts.language not in _REFUSED:
            continue
        known = [_counted(state.read[side].after[file.paths[side]].facts) for side in (OURS, THEIRS)]
        for key, count in _counted(facts).items():
            if count > max(1, *(side[key] for side in known)):
                found.append((file, key))
    return found


def _counted(facts: Facts) -> Counter[tuple[str, str, str]]:
    return Counter(_key(one) for one in facts.imports if one.local not in {"", "_", "*"} and not one.within)


def _key(one: Import) -> tuple[str, str, str]:
    return one.local, one.module, one.name


def import_once(state: MergeState) -> Iterator[Proposal]:
    """Propose to leave out the import of theirs."""
    for file, key in imported_twice(state):
        path = file.paths[THEIRS]
        facts, text = state.facts(THEIRS, path), state.text(THEIRS, path) or b""
        one = next((each for each in facts.imports if _key(each) == key), None) if facts is not None else None
        if facts is None or one is None or alone(facts, split(text), one) != split(text)[one.line - 1]:
            continue
        address = f"{file.base}::{key[0]}"
        reason = f"Both sides import {key[0]} in {file.merged}: the import of {state.sides[0].name} is kept."
        left = {THEIRS: {path: without(text, one.line, one.line)}}
        yield Proposal(StepKind.KEPT_ONCE, address, reason, left)


def left_twice(state: MergeState) -> tuple[Left, ...]:
    """Return the imports that a person has to leave out once."""
    return tuple(
        Left(f"{file.base}::{key[0]}", "import_twice", f"Both sides import {key[0]} in {file.merged}: keep it once.")
        for file, key in imported_twice(state)
    )
