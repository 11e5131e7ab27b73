"""Files that git leaves in conflict: which lines of which side, and so which definitions.

What no symbol accounts for becomes an item of its own, in any language or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge.model import Item, ItemKind
from bespeak.git import merges
from bespeak.git.merges import FileConflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bespeak.coord.merge.definitions import Node
    from bespeak.git.merges import Entry, Hunk, Trial
    from bespeak.git.process import Git

BASE, OURS, THEIRS = "base", "ours", "theirs"
SIDES = (BASE, OURS, THEIRS)
CONTENTS = ("contents", "add/add")
"""Conflicts of lines; all others are of whole files."""
_NO_MESSAGE = "unmerged"
_MOST_NAMED = 6
_ADVICE = {
    "contents": "Both sides changed the same lines: merge them by hand",
    "add/add": "Both sides added this file with different content: keep one, or merge the two by hand",
    "binary": "Both sides changed a file that has no lines: choose one of the two",
    "modify/delete": "One side changed it, the other deleted it: decide whether it stays",
    "rename/delete": "One side gave it another path, the other deleted it: decide whether it stays",
    "rename/rename": "The two sides gave it different paths, or two files one path: agree on one path each",
    "rename involved in collision": "Two files come to lie at one path: give one of them another",
    "file/directory": "A file on one side is a folder on the other: give one of the two another path",
    "distinct modes": "It is a file of another kind on each side (a link, say): keep one, or give one another path",
    "distinct types": "It is a file of another kind on each side (a link, say): keep one, or give one another path",
    "submodule": "The two sides point the submodule at different commits: choose one that has both",
    "directory rename split": "A folder was divided among several: say where its new files belong",
}
_ANY = "git cannot merge it: resolve it by hand"


@dataclass(frozen=True, slots=True)
class Region:
    """Lines that git cannot merge: ``[first, beyond)`` from 1 in the base, on ours and on theirs."""

    base: tuple[int, int]
    ours: tuple[int, int]
    theirs: tuple[int, int]

    def on(self, side: str) -> tuple[int, int]:
        """Return the lines on a side."""
        return {BASE: self.base, OURS: self.ours, THEIRS: self.theirs}[side]


@dataclass(frozen=True, slots=True)
class ConflictedFile:
    """One file in conflict.

    Args:
        conflict: what git says.
        paths: what the file is called in the base, on ours and on theirs.
        regions: the lines, if they can be told; none if all of the file is in conflict.
    """

    conflict: FileConflict
    paths: Mapping[str, str]
    regions: tuple[Region, ...]

    def touches(self, side: str, node: Node) -> bool:
        """Tell whether a definition is in conflict itself."""
        if self.paths[side] != node.path:
            return False
        return not self.regions or any(self.at(region, side, node) for region in self.regions)

    def on_line(self, side: str, path: str, line: int) -> bool:
        """Tell whether a line of a file is in conflict."""
        if self.paths[side] != path:
            return False
        return not self.regions or any(region.on(side)[0] <= line < region.on(side)[1] for region in self.regions)

    @staticmethod
    def at(region: Region, side: str, node: Node) -> bool:
        """Tell whether a region touches a definition, and not only definitions inside it."""
        first, beyond = region.on(side)
        own = (node.symbol.first_line, node.symbol.last_line)
        if first == beyond:  # between two lines
            return _within(first, own) and not any(_within(first, inner) for inner in node.inner)
        lines = range(max(first, own[0]), min(beyond, own[1] + 1))
        return any(not any(start <= line <= end for start, end in node.inner) for line in lines)


def _within(place: int, lines: tuple[int, int]) -> bool:
    """Tell whether what is put before line ``place`` is put between some lines."""
    return lines[0] < place <= lines[1]


def find_conflicted(
    git: Git, trial: Trial, ours: Sequence[Entry], theirs: Sequence[Entry]
) -> tuple[ConflictedFile, ...]:
    """Return all files in conflict, by path."""
    said: dict[str, list[FileConflict]] = {}
    for conflict in trial.conflicts:
        said.setdefault(conflict.path, []).append(conflict)
    for path in trial.stages:
        if path not in said:
            said[path] = [_told_of(path, trial.conflicts)]
    found = []
    for path in sorted(said):
        conflict = _gravest(said[path])
        paths = _paths(path, conflict, ours, theirs)
        stages = trial.stages.get(path, {})
        regions = _regions(git, stages) if conflict.type in CONTENTS else ()
        found.append(ConflictedFile(conflict, paths, regions))
    return tuple(found)


def _told_of(path: str, conflicts: Iterable[FileConflict]) -> FileConflict:
    """Return what git says of a path that only another's conflict names; its own word, if none does."""
    for conflict in conflicts:
        if path in conflict.also:
            others = tuple(name for name in (conflict.path, *conflict.also) if name != path)
            return FileConflict(path, conflict.type, conflict.message, others)
    return FileConflict(path, _NO_MESSAGE, f"CONFLICT: {path} is left unmerged")


def _gravest(conflicts: Sequence[FileConflict]) -> FileConflict:
    """Return what says most: that lines conflict follows from the others."""
    return next((conflict for conflict in conflicts if conflict.type not in CONTENTS), conflicts[0])


def _paths(path: str, conflict: FileConflict, ours: Iterable[Entry], theirs: Iterable[Entry]) -> dict[str, str]:
    """Return what a file in conflict is called in each version."""
    base = path
    for entry in (*ours, *theirs):
        if entry.status == "R" and entry.new in (path, *conflict.also):
            base = entry.old
    if base == path and conflict.type == "file/directory" and conflict.also:
        base = conflict.also[0]
    found = {BASE: base}
    for side, entries in ((OURS, ours), (THEIRS, theirs)):
        found[side] = next((entry.new for entry in entries if entry.old == base and entry.new), base)
    return found


def _regions(git: Git, stages: Mapping[str, str]) -> tuple[Region, ...]:
    if BASE not in stages or OURS not in stages or THEIRS not in stages:
        return ()
    one = merges.hunks(git, stages[BASE], stages[OURS])
    two = merges.hunks(git, stages[BASE], stages[THEIRS])
    texts = merges.blobs(git, (stages[OURS], stages[THEIRS]))
    lines = [texts.get(stages[side], b"").splitlines(keepends=True) for side in (OURS, THEIRS)]
    return regions(one, two, *lines)


def regions(
    ours: Sequence[Hunk], theirs: Sequence[Hunk], ours_lines: Sequence[bytes], theirs_lines: Sequence[bytes]
) -> tuple[Region, ...]:
    """Return the lines that a merge of two lists of hunks cannot keep apart, in order; what both did is none."""
    found = []
    for one, two in merges.overlaps(ours, theirs):
        mine = ours_lines[one.new_first - 1 : one.new_beyond - 1]
        other = theirs_lines[two.new_first - 1 : two.new_beyond - 1]
        if (one.first, one.beyond) == (two.first, two.beyond) and mine == other:
            continue
        base = (min(one.first, two.first), max(one.beyond, two.beyond))
        found.append(Region(base, (one.new_first, one.new_beyond), (two.new_first, two.new_beyond)))
    return tuple(found)


def file_items(
    conflicted: Iterable[ConflictedFile], items: Sequence[Item], ours: Sequence[Node], theirs: Sequence[Node]
) -> list[Item]:
    """Return an item for each file in conflict that the items of symbols do not account for.

    Args:
        conflicted: the files that git leaves in conflict.
        items: of symbols.
        ours: the definitions on ours, in files that it changed.
        theirs: the same of theirs.
    """
    told = [item for item in items if item.textual and item.kind != ItemKind.NO_CONFLICT]
    names = {OURS: {item.ours_name for item in told}, THEIRS: {item.theirs_name for item in told}}
    found = []
    for clash in conflicted:
        sides = {
            side: [node for node in nodes if node.path == clash.paths[side]]
            for side, nodes in ((OURS, ours), (THEIRS, theirs))
        }
        left = [region for region in clash.regions if not _accounted(clash, region, sides, names)]
        whole = not clash.regions and not (clash.conflict.type == "add/add" and _named(sides, names))
        if left or whole:
            found.append(_item(clash, left, sides))
    return found


def _named(sides: dict[str, list[Node]], names: dict[str, set[str]]) -> bool:
    """Tell whether an item names a definition of the file."""
    return any(node.address in names[side] for side, nodes in sides.items() for node in nodes)


def _accounted(clash: ConflictedFile, region: Region, sides: dict[str, list[Node]], names: dict[str, set[str]]) -> bool:
    return any(
        node.address in names[side] and clash.at(region, side, node) for side, nodes in sides.items() for node in nodes
    )


def _item(clash: ConflictedFile, regions: Sequence[Region], sides: dict[str, list[Node]]) -> Item:
    conflict = clash.conflict
    near = sorted(
        {
            node.symbol.name
            for side, nodes in sides.items()
            for node in nodes
            if not node.holds and any(clash.at(region, side, node) for region in regions)
        }
    )
    advice = _ADVICE.get(conflict.type, _ADVICE["submodule"] if conflict.type.startswith("submodule") else _ANY)
    shown = ", ".join(near[:_MOST_NAMED]) + (" and more" if len(near) > _MOST_NAMED else "")
    return Item(
        ItemKind.FILE,
        conflict.path,
        (),
        (),
        clash.paths[OURS],
        clash.paths[THEIRS],
        textual=True,
        confidence=1.0,
        how=f"git: {conflict.message}",
        recommendation=f"{advice}{f' (at {shown})' if near else ''}.",
        path=conflict.path,
        line=regions[0].ours[0] if regions else 0,
        type=conflict.type,
    )
