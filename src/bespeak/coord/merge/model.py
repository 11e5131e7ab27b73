"""The values of a planned merge: what each side did to which symbol, where they meet, and what git says itself."""

from __future__ import annotations

from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.git.merges import FileConflict
    from bespeak_symbols.model import Unread

ADDED, DELETED, RENAMED, MOVED = "added", "deleted", "renamed", "moved"
SIGNATURE, BODY, DOCSTRING, USED = "signature", "body", "docstring", "used"
CHANGES = (ADDED, DELETED, RENAMED, MOVED, SIGNATURE, BODY, DOCSTRING, USED)
"""What a side can have done to a symbol; ``used``: it has a new use of it."""

OVERLAP, RENAME_EDIT, MOVE_EDIT = "symbol_edit_overlap", "rename_edit", "move_edit"
DELETE_USE, DEPENDENCY, ADD_ADD = "delete_use", "dependency_conflict", "add_add"
FILE, NO_CONFLICT = "file", "no_conflict"
KINDS = (DELETE_USE, RENAME_EDIT, MOVE_EDIT, DEPENDENCY, ADD_ADD, OVERLAP, FILE, NO_CONFLICT)
"""Kinds of items, the gravest first."""

LIKELY = 0.5
"""From this confidence on, an item counts in the verdict; below, it is worth a look."""

DIVERGED, FAST_FORWARD, ALREADY_MERGED, UNRELATED = "diverged", "fast_forward", "already_merged", "unrelated"
CLEAN, REVIEW, SEMANTIC, TEXTUAL = "clean", "review", "semantic", "textual"
"""Verdicts: nothing is in the way; git merges and some items are worth a look; git merges and what comes out is
likely broken; git cannot merge."""


@frozen
class Revision:
    """A revision as typed, and the full id of its commit."""

    name: str
    commit: str


@frozen
class Item:
    """One symbol, or file, on which the two sides meet.

    Args:
        kind: one of :data:`KINDS`.
        address: in the merge base if it was there, else on ours.
        ours_change: what ours did to it (:data:`CHANGES`), in that order; empty for nothing.
        theirs_change: the same of theirs.
        ours_name: its address on ours; empty if it is not there.
        theirs_name: its address on theirs.
        textual: git itself reports a conflict here.
        confidence: that this is a conflict, of 1.
        how: how it was found, in words.
        recommendation: what to do, one sentence.
        path: the file in which the two meet.
        user: the address of what uses it, if a use is in conflict.
        line: of that use, from 1; 0 for none.
        type: for a file, git's word for the conflict.
    """

    kind: str
    address: str
    ours_change: tuple[str, ...]
    theirs_change: tuple[str, ...]
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

    @property
    def likely(self) -> bool:
        """It counts in the verdict."""
        return self.kind != NO_CONFLICT and (self.textual or self.confidence >= LIKELY)


@frozen
class Plan:
    """A merge as it would go.

    Args:
        ours: what is merged into.
        theirs: what is merged.
        bases: the merge bases; several for criss-cross histories, none for unrelated ones.
        relation: ``diverged``, ``fast_forward``, ``already_merged`` or ``unrelated``.
        verdict: ``clean``, ``review``, ``semantic`` or ``textual``.
        items: the gravest first; symbols that only one side changed are left out unless they were asked for.
        conflicts: what git reports, by path.
        changed: how many symbols only one side changed, or both in the same way.
        files: how many files ours changed, theirs, and both.
        unread: what could not be read, so that nothing is known of symbols in it.
        notes: what a reader has to know besides.
    """

    ours: Revision
    theirs: Revision
    bases: tuple[str, ...]
    relation: str
    verdict: str
    items: tuple[Item, ...] = ()
    conflicts: tuple[FileConflict, ...] = ()
    changed: int = 0
    files: tuple[int, int, int] = (0, 0, 0)
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """A conflict is predicted."""
        return self.verdict in {TEXTUAL, SEMANTIC}

    @property
    def conflicting(self) -> tuple[Item, ...]:
        """The items that count in the verdict."""
        return tuple(item for item in self.items if item.likely)
