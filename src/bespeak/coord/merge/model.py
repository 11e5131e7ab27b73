"""The records of a planned merge: what each side did to which symbol, the conflicts, and what git reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.git.merges import FileConflict
    from bespeak_symbols.model import Unread

LIKELY = 0.5
"""From this confidence on, an item counts in the verdict; below, it is worth a look."""


class SideChange(StrEnum):
    """What a side can have done to a symbol, in the order in which it is listed; ``used``: it has a new use of it."""

    ADDED = "added"
    DELETED = "deleted"
    RENAMED = "renamed"
    MOVED = "moved"
    SIGNATURE = "signature"
    BODY = "body"
    DOCSTRING = "docstring"
    USED = "used"


class ItemKind(StrEnum):
    """Kinds of items, the gravest first."""

    DELETE_USE = "delete_use"
    RENAME_EDIT = "rename_edit"
    MOVE_EDIT = "move_edit"
    DEPENDENCY = "dependency_conflict"
    ADD_ADD = "add_add"
    OVERLAP = "symbol_edit_overlap"
    FILE = "file"
    NO_CONFLICT = "no_conflict"


class Relation(StrEnum):
    """How the histories of two revisions stand to each other."""

    DIVERGED = "diverged"
    FAST_FORWARD = "fast_forward"
    ALREADY_MERGED = "already_merged"
    UNRELATED = "unrelated"


class Verdict(StrEnum):
    """What comes of a merge.

    ``clean``: nothing is in the way. ``not_judged``: git merges it, and some changed files are not read. ``review``:
    git merges it, and some items are worth a look. ``semantic``: git merges it, and the result is likely broken.
    ``textual``: git cannot merge it.
    """

    CLEAN = "clean"
    NOT_JUDGED = "not_judged"
    REVIEW = "review"
    SEMANTIC = "semantic"
    TEXTUAL = "textual"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision as typed, and the full id of its commit."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Half:
    """One side of an item: the revision's name, what it did, and what the symbol is called there (empty: gone)."""

    name: str
    words: tuple[SideChange, ...]
    becomes: str


@dataclass(frozen=True, slots=True)
class Item:
    """One symbol, or file, that both sides touched.

    Args:
        kind: what is in conflict.
        address: in the merge base if it was there, else on ours.
        ours_change: what ours did to it (in the order of :class:`SideChange`); empty for nothing.
        theirs_change: the same of theirs.
        ours_name: its address on ours; empty if it is not there.
        theirs_name: its address on theirs.
        textual: git itself reports a conflict here.
        confidence: that this is a conflict, of 1.
        how: how it was found, in words.
        recommendation: what to do, one sentence.
        path: the file of the conflict.
        user: the address of what uses it, if a use is in conflict.
        line: of that use, from 1; 0 for none.
        type: for a file, git's word for the conflict.
    """

    kind: ItemKind
    address: str
    ours_change: tuple[SideChange, ...]
    theirs_change: tuple[SideChange, ...]
    ours_name: str
    theirs_name: str
    textual: bool
    confidence: float
    how: str
    recommendation: str
    path: str
    user: str = ""
    line: int = 0
    type: str = ""

    @classmethod
    def of_halves(
        cls,
        kind: ItemKind,
        address: str,
        halves: Sequence[Half],
        *,
        confidence: float,
        how: str,
        recommendation: str,
        path: str,
        user: str = "",
        line: int = 0,
    ) -> Item:
        """Return an item that git does not report, of what ours and theirs did, in this order."""
        ours, theirs = halves
        return cls(
            kind,
            address,
            ours.words,
            theirs.words,
            ours.becomes,
            theirs.becomes,
            textual=False,
            confidence=confidence,
            how=how,
            recommendation=recommendation,
            path=path,
            user=user,
            line=line,
        )

    @property
    def likely(self) -> bool:
        """It counts in the verdict."""
        return self.kind != ItemKind.NO_CONFLICT and (self.textual or self.confidence >= LIKELY)


@dataclass(frozen=True, slots=True)
class Plan:
    """A merge as it would go.

    Args:
        ours: what is merged into.
        theirs: what is merged.
        bases: the merge bases; several for criss-cross histories, none for unrelated ones.
        relation: how the two histories stand to each other.
        verdict: what comes of the merge.
        items: the gravest first; symbols that only one side changed are left out unless they were asked for.
        conflicts: what git reports, by path.
        changed: how many symbols only one side changed, or both in the same way.
        files: how many files ours changed, theirs, and both.
        unread: what could not be read, so that nothing is known of symbols in it.
        notes: what a reader has to know besides.
        not_judged: source files that a side changed and that are not read: the path, and why.
    """

    ours: Revision
    theirs: Revision
    bases: tuple[str, ...]
    relation: Relation
    verdict: Verdict
    items: tuple[Item, ...] = ()
    conflicts: tuple[FileConflict, ...] = ()
    changed: int = 0
    files: tuple[int, int, int] = (0, 0, 0)
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()
    not_judged: tuple[tuple[str, str], ...] = ()

    @property
    def blocked(self) -> bool:
        """A conflict is predicted."""
        return self.verdict in {Verdict.TEXTUAL, Verdict.SEMANTIC}

    @property
    def conflicting(self) -> tuple[Item, ...]:
        """The items that count in the verdict."""
        return tuple(item for item in self.items if item.likely)
