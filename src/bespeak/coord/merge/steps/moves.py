"""Definitions that one side moved and the other edited: the edit is made where the definition is now."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from bespeak.coord.merge.file_conflicts import BASE, OURS, THEIRS
from bespeak.coord.merge.free_names import free_names, names_in_sight
from bespeak.coord.merge.side_changes import words
from bespeak.coord.merge.steps.import_lines import alone, with_import
from bespeak.coord.merge.steps.lines import exchanged, split
from bespeak.coord.merge.steps.model import Proposal, StepKind
from bespeak.coord.merge.steps.state import OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.definitions import Node
    from bespeak.coord.merge.steps.state import MergeState
    from bespeak.coord.merge.symbol_matching import Pair

_SURE = 0.8
_FAMILIES = frozenset({"callable", "type"})


def carry_edits(state: MergeState) -> Iterator[Proposal]:
    """Propose to make each edit of a definition that the other side moved where it is now."""
    open_paths = {clash.paths[BASE] for clash in state.conflicted}
    for mover in (OURS, THEIRS):
        editor = OTHER[mover]
        for key, edited in state.changes[editor].by_key.items():
            moved = state.changes[mover].by_key.get(key)
            if moved is None or key[0] not in open_paths or not _in_question(edited, moved):
                continue
            proposal = _proposal(state, mover, moved, edited)
            if proposal is not None:
                yield proposal


def _in_question(edited: Pair, moved: Pair) -> bool:
    one, two, base = edited.after, moved.after, edited.before
    if one is None or two is None or base is None or not words(edited):
        return False
    if base.family not in _FAMILIES or base.symbol.name != one.symbol.name or base.path != one.path:
        return False
    return min(edited.confidence, moved.confidence) >= _SURE and (
        two.path != base.path or two.number != base.number or two.parent != base.parent
    )


def _proposal(state: MergeState, mover: str, moved: Pair, edited: Pair) -> Proposal | None:
    base, there, new = edited.before, moved.after, edited.after
    if base is None or there is None or new is None:
        return None
    editor = OTHER[mover]
    label = {name: side.name for name, side in zip((OURS, THEIRS), state.sides, strict=True)}
    reason = f"{label[mover]} moved {base.address} to {there.address}: the edit of {label[editor]} is made there."
    texts = [_lines(state, BASE, base), _lines(state, mover, there), _lines(state, editor, new)]
    indents = [_indent(lines) for lines in texts]
    again = [_indented(lines, indent, indents[1]) for lines, indent in zip(texts, indents, strict=True)]
    merged = _merged(state, *again)
    if merged is None and (there.path, there.parent) == (base.path, base.parent):
        return None  # it may only have other neighbours
    if merged is None:
        why = "both sides changed the same lines of it"
        return Proposal(StepKind.EDIT_CARRIED, base.address, reason, {}, obstacle=why)
    left = exchanged(_text(state, editor, new), new.symbol.first_line, new.symbol.last_line, texts[0])
    made = exchanged(_text(state, mover, there), there.symbol.first_line, there.symbol.last_line, merged)
    if there.path != base.path:
        made = _with_imports(state, editor, new, there, made)
    return Proposal(StepKind.EDIT_CARRIED, base.address, reason, {mover: {there.path: made}, editor: {new.path: left}})


def _text(state: MergeState, version: str, node: Node) -> bytes:
    return state.text(version, node.path) or b""


def _lines(state: MergeState, version: str, node: Node) -> list[bytes]:
    return split(_text(state, version, node))[node.symbol.first_line - 1 : node.symbol.last_line]


def _indent(lines: list[bytes]) -> bytes:
    return lines[0][: len(lines[0]) - len(lines[0].lstrip(b" \t"))] if lines else b""


def _indented(lines: list[bytes], before: bytes, after: bytes) -> list[bytes]:
    """Return lines with another indentation."""
    if before == after:
        return lines
    return [after + line[len(before) :] if line.strip() and line.startswith(before) else line for line in lines]


def _merged(state: MergeState, base: list[bytes], ours: list[bytes], theirs: list[bytes]) -> list[bytes] | None:
    """Return what git makes of three versions of some lines; None if it cannot."""
    with tempfile.TemporaryDirectory(dir=state.git.folder) as folder:
        paths = [os.path.join(folder, name) for name in ("ours", "base", "theirs")]
        for path, lines in zip(paths, (ours, base, theirs), strict=True):
            with open(path, "wb") as file:
                file.writelines(lines)
        done = state.git.try_("merge-file", "-p", "-q", *paths)
    return split(done.stdout) if done.returncode == 0 else None


def _with_imports(state: MergeState, editor: str, edited: Node, there: Node, text: bytes) -> bytes:
    """Return the file with the imports that the edit needs and the file has not, as the editor's file has them."""
    facts, source = state.index.facts(there.path, text), state.facts(editor, edited.path)
    if facts is None or source is None or facts.language != source.language:
        return text
    sight, lines = names_in_sight(source), split(state.text(editor, edited.path) or b"")
    for name, uses in free_names(facts, names_in_sight(facts)).items():
        one = sight.imported(name, edited.symbol.name)
        if one is None or not any(use.within.startswith(there.symbol.name) for use in uses):
            continue
        line = alone(source, lines, one)
        if line is not None and not one.module.startswith("."):
            text = with_import(text, facts, line)
    return text
