"""What both sides added: the same definition twice is kept once; different ones at one place are both kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge.definitions import OVERLOADS
from bespeak.coord.merge.file_conflicts import BASE, OURS, THEIRS
from bespeak.coord.merge.model import ItemKind
from bespeak.coord.merge.steps.import_lines import merged_imports
from bespeak.coord.merge.steps.lines import split, without
from bespeak.coord.merge.steps.model import Proposal, StepKind
from bespeak.git import merges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.definitions import Node
    from bespeak.coord.merge.file_conflicts import ConflictedFile
    from bespeak.coord.merge.steps.state import MergeState
    from bespeak.git.merges import Hunk
    from bespeak_symbols.model import Facts

_COMMENTS = {
    **dict.fromkeys((b"python", b"ruby", b"shell"), (b"#",)),
    **dict.fromkeys((b"lua", b"sql"), (b"--",)),
    b"php": (b"//", b"/*", b"*", b"*/", b"#"),
}
_SLASHES = (b"//", b"/*", b"*", b"*/")
_FARTHEST = 200
"""Over so many lines at most an insertion is shifted to where it begins and ends with a definition."""


def keep_once(state: MergeState) -> Iterator[Proposal]:
    """Propose to leave out one of two equal definitions."""
    for item in state.plan.items:
        if item.kind != ItemKind.ADD_ADD or not item.likely:
            continue
        ours, theirs = (
            [pair.after for pair in state.changes[side].now.get(name, ()) if pair.after is not None]
            for side, name in ((OURS, item.ours_name), (THEIRS, item.theirs_name))
        )
        if len(ours) != 1 or len(theirs) != 1 or not _same(ours[0], theirs[0]):
            continue
        yield _once(state, ours[0], theirs[0])


def _same(one: Node, two: Node) -> bool:
    return one.text == two.text and (one.signature, one.own) == (two.signature, two.own)


def _once(state: MergeState, ours: Node, theirs: Node) -> Proposal:
    reason = f"Both sides added {ours.address}, which are the same: the one of {state.sides[0].name} is kept."
    text = state.text(THEIRS, theirs.path) or b""
    left = without(text, theirs.symbol.first_line, theirs.symbol.last_line)
    obstacle = ""
    if theirs.language == "go" and _unused(state, theirs.path, text, left):
        obstacle = "an import of its file would be left unused"
    return Proposal(StepKind.KEPT_ONCE, ours.address, reason, {THEIRS: {theirs.path: left}}, obstacle=obstacle)


def _unused(state: MergeState, path: str, before: bytes, after: bytes) -> bool:
    facts = [state.index.facts(path, text) for text in (before, after)]
    heads = [{ref.text.partition(".")[0] for ref in one.references} if one else set() for one in facts]
    return bool(heads[0] - heads[1])


def keep_both(state: MergeState) -> Iterator[Proposal]:
    """Propose to keep what both sides added at one place, file by file."""
    for clash in state.conflicted:
        if not clash.regions or clash.conflict.type != "contents":
            continue
        texts = {version: state.text(version, clash.paths[version]) for version in (BASE, OURS, THEIRS)}
        facts = {version: state.facts(version, clash.paths[version]) for version in texts}
        if any(text is None for text in texts.values()) or any(one is None for one in facts.values()):
            continue
        found = _File(
            {version: split(text or b"") for version, text in texts.items()},
            {version: one for version, one in facts.items() if one is not None},
        )
        proposal = _both(state, clash, found)
        if proposal is not None:
            yield proposal


def _both(state: MergeState, clash: ConflictedFile, file: _File) -> Proposal | None:
    stages = state.trial.stages.get(clash.conflict.path, {})
    if len(stages) < len(file.lines):
        return None
    hunks = [merges.hunks(state.git, stages[BASE], stages[side]) for side in (OURS, THEIRS)]
    found = [file.union(one, two) for one, two in _groups(*hunks)]
    done = [each for each in found if each is not None]
    if not done:
        return None
    edits = {side: {clash.paths[side]: file.with_unions(side, done)} for side in (OURS, THEIRS)}
    names = ", ".join(sorted({name for each in done for name in each.names}))
    reason = f"Both sides changed {clash.conflict.path} at one place, and nothing under one name: both are kept"
    return Proposal(StepKind.BOTH_KEPT, clash.conflict.path, f"{reason} ({names}).", edits)


def _groups(ours: tuple[Hunk, ...], theirs: tuple[Hunk, ...]) -> list[tuple[Hunk, Hunk]]:
    """Return the pairs of hunks that meet each other and no third."""
    pairs = merges.overlaps(ours, theirs)
    return [
        (one, two)
        for one, two in pairs
        if sum(one == first for first, _ in pairs) == 1 and sum(two == second for _, second in pairs) == 1
    ]


@dataclass(frozen=True, slots=True)
class _Union:
    """Lines that stand for those of both sides: ``[first, beyond)`` on each, and what is added."""

    spans: dict[str, tuple[int, int]]
    lines: list[bytes]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Addition:
    """Whole definitions that a side inserts before a line of the base."""

    anchor: int
    lines: list[bytes]
    names: frozenset[str]
    parent: str


@dataclass(frozen=True, slots=True)
class _File:
    """One file in three versions."""

    lines: dict[str, list[bytes]]
    facts: dict[str, Facts]

    def union(self, one: Hunk, two: Hunk) -> _Union | None:
        """Return what stands for two hunks that meet; None if that is not certain."""
        sides = {OURS: one, THEIRS: two}
        if one.first == one.beyond and two.first == two.beyond:
            added = {side: self._addition(side, hunk) for side, hunk in sides.items()}
            mine, other = added[OURS], added[THEIRS]
            if mine is not None and other is not None:
                return self._joined(sides, mine, other)
        return self._imports(sides) or self._neighbours(sides)

    def _neighbours(self, sides: dict[str, Hunk]) -> _Union | None:
        """Return both changes, if they only touch, and are in different definitions."""
        first, second = sorted(sides, key=lambda side: (sides[side].first, sides[side].beyond))
        one, two = sides[first], sides[second]
        if one.beyond > two.first or one.first == one.beyond or two.first == two.beyond:
            return None
        names = [self._changed(side, sides[side]) for side in (first, second)]
        if None in names or any(_nested(mine, other) for mine in names[0] or () for other in names[1] or ()):
            return None
        low, high = one.first, two.beyond
        spans = {
            first: (one.new_first, one.new_beyond + high - one.beyond),
            second: (two.new_first - (two.first - low), two.new_beyond),
        }
        lines = [
            *self.lines[first][one.new_first - 1 : one.new_beyond - 1],
            *self.lines[BASE][one.beyond - 1 : two.first - 1],
            *self.lines[second][two.new_first - 1 : two.new_beyond - 1],
        ]
        return _Union(spans, lines, tuple(sorted((names[0] or set()) | (names[1] or set()))))

    def _changed(self, side: str, hunk: Hunk) -> set[str] | None:
        """Return the innermost definitions that a side changed; None if it changed anything else."""
        found = set()
        for version, span in ((BASE, (hunk.first, hunk.beyond)), (side, (hunk.new_first, hunk.new_beyond))):
            for line in range(*span):
                around = [one.name for one in self.facts[version].symbols if one.first_line <= line <= one.last_line]
                if around:
                    found.add(max(around, key=len))
                elif self.lines[version][line - 1].strip():
                    return None
        return found or None

    def _addition(self, side: str, hunk: Hunk) -> _Addition | None:
        """Return what a side inserts, shifted so that it is made of whole definitions."""
        lines = self.lines[side]
        first, beyond = hunk.new_first - 1, hunk.new_beyond - 1
        for step in (-1, 1):
            for shift in range(_FARTHEST):
                start, end = first + step * shift, beyond + step * shift
                found = self._whole(side, start, end)
                if found is not None:
                    return _Addition(hunk.first + step * shift, lines[start:end], *found)
                if step < 0 and (start == 0 or lines[start - 1] != lines[end - 1]):
                    break
                if step > 0 and (end >= len(lines) or lines[start] != lines[end]):
                    break
        return None

    def _whole(self, side: str, start: int, end: int) -> tuple[frozenset[str], str] | None:
        """Return the names in some lines, and what is around them; None if they are not whole definitions only."""
        facts = self.facts[side]
        inside = [one for one in facts.symbols if start < one.first_line and one.last_line <= end]
        around = [one for one in facts.symbols if one.first_line <= start and one.last_line > end]
        for one in facts.symbols:
            apart = one.last_line <= start or one.first_line > end
            if not apart and one not in inside and one not in around:
                return None
        covered = {line for one in inside for line in range(one.first_line, one.last_line + 1)}
        rest = (self.lines[side][line - 1].strip() for line in range(start + 1, end + 1) if line not in covered)
        marks = _COMMENTS.get(facts.language.encode(), _SLASHES)
        if not inside or any(line and not line.startswith(marks) for line in rest):
            return None
        parent = max((one.name for one in around), key=len, default="")
        tops = [one for one in inside if one.name.rpartition(".")[0] == parent]
        if not tops or any(not one.name.startswith(tuple(top.name for top in tops)) for one in inside):
            return None
        if any(one.kind not in _DEFINED for one in tops):
            return None
        signed = facts.language in OVERLOADS
        return frozenset(one.name + (one.signature if signed else "") for one in tops), parent

    def _joined(self, sides: dict[str, Hunk], mine: _Addition, other: _Addition) -> _Union | None:
        if mine.names & other.names or mine.parent != other.parent:
            return None
        base = self.lines[BASE]
        low = min(mine.anchor, other.anchor, sides[OURS].first, sides[THEIRS].first)
        high = max(mine.anchor, other.anchor, sides[OURS].first, sides[THEIRS].first)
        spans, lines = {}, []
        for side, added in ((OURS, mine), (THEIRS, other)):
            hunk = sides[side]
            first = hunk.new_first - (hunk.first - low)
            beyond = first + (high - low) + len(added.lines)
            kept = base[low - 1 : added.anchor - 1] + added.lines + base[added.anchor - 1 : high - 1]
            if self.lines[side][first - 1 : beyond - 1] != kept:
                return None
            spans[side] = first, beyond
        for place in range(low, high + 1):
            if place == mine.anchor:
                lines += mine.lines
            if place == other.anchor:
                lines += [*_gap(lines if place == mine.anchor else [], other.lines), *other.lines]
            lines += base[place - 1 : place] if place < high else []
        return _Union(spans, lines, tuple(sorted(mine.names | other.names)))

    def _imports(self, sides: dict[str, Hunk]) -> _Union | None:
        """Return the imports of both sides, if nothing else is in the lines."""
        low = min(hunk.first for hunk in sides.values())
        high = max(hunk.beyond for hunk in sides.values())
        spans = {BASE: (low, high)}
        for side, hunk in sides.items():
            spans[side] = hunk.new_first - (hunk.first - low), hunk.new_beyond + (high - hunk.beyond)
        found = merged_imports(self.facts, self.lines, spans)
        return None if found is None else _Union(spans, *found)

    def with_unions(self, side: str, unions: list[_Union]) -> bytes:
        """Return the file of a side with what stands for both."""
        lines = list(self.lines[side])
        for union in sorted(unions, key=lambda union: union.spans[side][0], reverse=True):
            first, beyond = union.spans[side]
            lines[first - 1 : beyond - 1] = union.lines
        return b"".join(lines)


_DEFINED = frozenset({"function", "method", "class", "interface", "enum", "struct", "trait", "type"})
"""Kinds whose order among each other means nothing."""


def _nested(one: str, two: str) -> bool:
    return one == two or one.startswith(f"{two}.") or two.startswith(f"{one}.")


def _gap(before: list[bytes], after: list[bytes]) -> list[bytes]:
    """Return the blank lines between two additions of which neither has any there."""
    if not before or not before[-1].strip() or not after[0].strip():
        return []
    leading = next((number for number, line in enumerate(before) if line.strip()), 0)
    trailing = next((number for number, line in enumerate(reversed(after)) if line.strip()), 0)
    end = b"\r\n" if before[-1].endswith(b"\r\n") else b"\n"
    return [end] * max(leading, trailing)
