"""Names that the merged file imports more often than either side: git keeps both lines, and the language refuses that.

Go, Rust, JavaScript and TypeScript refuse one name imported twice at all; Java if the two are not the same class. In
Python the later import silently takes the place of the first.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge.file_conflicts import OURS, THEIRS
from bespeak.coord.merge.lost_names import shared_files
from bespeak.coord.merge.model import Item, ItemKind, SideChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bespeak.coord.merge.definitions import ChangedFiles, Source
    from bespeak.coord.merge.lost_names import SharedFile
    from bespeak.coord.merge.resolved_trees import ResolvedTrees
    from bespeak_symbols.model import Facts, Import

_SAME_REFUSED = frozenset({"go", "javascript", "typescript", "rust"})
_CONFIDENCE = {"python": 0.6}
_REFUSED = 0.9
_HOW = "git keeps the imports of both sides"
_REBINDS = re.compile(rb"\s|var\b|[\w$.]+\s*=")
"""Starts of lines of JavaScript that may name again what has been named before, or name it in a block only."""


@dataclass(frozen=True, slots=True)
class Twice:
    """A name that a merged file imports more often than either side.

    Args:
        local: what it is called in the file.
        sources: the module and the name there that it is imported from, each once, in order.
    """

    file: SharedFile
    local: str
    sources: tuple[tuple[str, str], ...]

    @property
    def address(self) -> str:
        """Where the name stands: the file of the merge base, and the name."""
        return f"{self.file.base}::{self.local}"


def imported_twice(read: Sequence[ChangedFiles], trees: ResolvedTrees) -> list[Twice]:
    """Return the names that merged files import twice, by file.

    Args:
        read: what each side changed, ours first.
        trees: in which the merged files are read.
    """
    shared = [file for file in shared_files(read) if _both_import(file, read)]
    merged = trees.merged_facts([file.merged for file in shared])
    return [twice for file in shared if file.merged in merged for twice in _in_file(file, read, merged[file.merged])]


def _both_import(file: SharedFile, read: Sequence[ChangedFiles]) -> bool:
    """Tell whether both sides import in a file what the merge base did not."""
    before = {_key(one) for one in read[0].before[file.base].facts.imports}
    sides = zip((OURS, THEIRS), read, strict=True)
    return all(any(_key(one) not in before for one in _binding(of.after[file.paths[side]])) for side, of in sides)


def _in_file(file: SharedFile, read: Sequence[ChangedFiles], merged: Facts) -> Iterator[Twice]:
    sides = [of.after[file.paths[side]] for side, of in zip((OURS, THEIRS), read, strict=True)]
    imports = [_binding(source) for source in sides]
    known = [Counter(_local(one) for one in found) for found in imports]
    added = imports[0] + imports[1]
    for local, count in Counter(_local(one) for one in merged.imports if _binds(one)).items():
        sources = {(one.module, one.name) for one in added if _local(one) == local}
        refused = merged.language in _SAME_REFUSED or len(sources) > 1
        if refused and all(side[local] for side in known) and count > max(1, *(side[local] for side in known)):
            yield Twice(file, local, tuple(sorted(sources)))


def _binding(source: Source) -> list[Import]:
    """Return the imports of a file that give it a name which it must not have already."""
    scripts = source.facts.language == "javascript"
    return [
        one
        for one in source.facts.imports
        if _binds(one) and not (scripts and _REBINDS.match(source.lines[one.line - 1]))
    ]


def _binds(one: Import) -> bool:
    return one.local not in {"", "_", "*", "."} and not one.within


def _local(one: Import) -> str:
    """Return what an import is called in its file; readers number what is bound there again (``name@1``)."""
    return one.local.partition("@")[0]


def _key(one: Import) -> tuple[str, str, str]:
    return _local(one), one.module, one.name


def twice_items(names: tuple[str, str], read: Sequence[ChangedFiles], trees: ResolvedTrees) -> list[Item]:
    """Return an item for each name that a merged file imports twice, in order.

    Args:
        names: of the revisions, ours first.
        read: what each side changed.
        trees: in which the merged files are read.
    """
    return [_item(names, twice, read[0]) for twice in imported_twice(read, trees)]


def _item(names: tuple[str, str], twice: Twice, ours: ChangedFiles) -> Item:
    path = twice.file.merged
    source = ours.after[twice.file.paths[OURS]]
    same = len(twice.sources) == 1
    advice = "keep it once" if same else f"from {' and '.join(module for module, _ in twice.sources)}: rename one"
    return Item(
        ItemKind.ADD_ADD,
        twice.address,
        (SideChange.ADDED,),
        (SideChange.ADDED,),
        f"{twice.file.paths[OURS]}::{twice.local}",
        f"{twice.file.paths[THEIRS]}::{twice.local}",
        textual=False,
        confidence=_CONFIDENCE.get(source.facts.language, _REFUSED),
        how=_HOW,
        recommendation=f"{names[0]} and {names[1]} both import {twice.local} in {path}: {advice}.",
        path=path,
        line=next((one.line for one in source.facts.imports if _local(one) == twice.local), 0),
    )


def without_twice(items: Iterable[Item]) -> list[Item]:
    """Return the items that are not about a name imported twice."""
    return [item for item in items if item.how != _HOW]
