"""A merge, planned: what git would do, what each side did to which symbol, and what breaks although git merges it.

Reads git and the symbol index, and puts the pure parts together. Nothing in the repository is changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.coord.errors import ClaimError
from bespeak.coord.languages import language_of_suffix, unread_language
from bespeak.coord.merge.broken_uses import Changer, User, uses
from bespeak.coord.merge.definitions import read_sides
from bespeak.coord.merge.file_conflicts import BASE, OURS, THEIRS, file_items, find_conflicted
from bespeak.coord.merge.folding import fold_uses_of_deleted_files
from bespeak.coord.merge.implementers import unmet_interfaces
from bespeak.coord.merge.imported_twice import twice_items
from bespeak.coord.merge.inheritance import broken_heirs
from bespeak.coord.merge.lost_exports import lost_exports
from bespeak.coord.merge.lost_members import lost_members
from bespeak.coord.merge.lost_names import lost_names
from bespeak.coord.merge.model import LIKELY, ItemKind, Plan, Relation, Revision, SideChange, Verdict
from bespeak.coord.merge.resolved_trees import ResolvedTrees
from bespeak.coord.merge.side_changes import Side, affected_files
from bespeak.coord.merge.symbol_conflicts import compare_sides
from bespeak.coord.merge.symbol_matching import match
from bespeak.git import merges
from bespeak.git.errors import UnknownRevisionError
from bespeak.git.process import Git

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from bespeak.coord.merge.definitions import ChangedFiles, Node
    from bespeak.coord.merge.file_conflicts import ConflictedFile
    from bespeak.coord.merge.model import Item
    from bespeak.coord.merge.side_changes import AffectedFiles
    from bespeak.git.merges import FileConflict, Hunk
    from bespeak.git.repository import Repository
    from bespeak_symbols.index import Index
    from bespeak_symbols.model import Unread

_GRAVITY = {kind: number for number, kind in enumerate(ItemKind)}
FAINT = 0.2
"""Below this confidence an item is left out unless everything was asked for."""

_FEW = 40
"""So many files are compared one by one; then all of them at once."""


class Planner:
    """Plans merges in one repository; a context manager. What it has planned once it remembers.

    Args:
        repository: where.
    """

    def __init__(self, repository: Repository) -> None:
        from bespeak.coord.symbol_index import open_index

        self.git = Git(repository)
        self._index = open_index(repository)
        self._known: dict[tuple[str, str], Plan] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._index.close()
        self.git.close()

    def plan(self, ours: Revision, theirs: Revision, *, everything: bool = False) -> Plan:
        """Plan the merge of one revision into another.

        Args:
            ours: what is merged into.
            theirs: what is merged.
            everything: also symbols that only one side changed, and faint suspicions.

        Raises:
            ClaimError: a history cannot be read.
            UnavailableError: git is too old, or the extra that reads languages is not installed.
        """
        key = ours.commit, theirs.commit
        if everything or key not in self._known:
            self._known[key] = self._plan(ours, theirs, everything=everything)
        return replace(self._known[key], ours=ours, theirs=theirs)

    def affected_files(self, onto: Revision, branch: Revision) -> AffectedFiles:
        """Return what a branch changed since it left another, for telling which branches may be in each other's way.

        Raises:
            ClaimError: a history cannot be read.
            UnavailableError: the extra that reads languages is not installed.
        """
        found = merges.bases(self.git, onto.commit, branch.commit)
        base = found[0] if found else merges.one_base(self.git, ())
        return affected_files(self.git, self._index, merges.entries(self.git, base, branch.commit))

    def _plan(self, ours: Revision, theirs: Revision, *, everything: bool) -> Plan:
        found = merges.bases(self.git, ours.commit, theirs.commit)
        if theirs.commit in found:
            return Plan(
                ours,
                theirs,
                found,
                Relation.ALREADY_MERGED,
                Verdict.CLEAN,
                notes=(f"{ours.name} has all of {theirs.name}",),
            )
        if ours.commit in found:
            return Plan(
                ours, theirs, found, Relation.FAST_FORWARD, Verdict.CLEAN, notes=(f"{ours.name} only has to move on",)
            )
        self.git.must_merge()
        return _One(self.git, self._index, ours, theirs, found).plan(everything=everything)


def revision_named(git: Git, name: str) -> Revision:
    """Return the commit that a revision names.

    Raises:
        ClaimError: there is none.
    """
    try:
        return Revision(name, git.commit_of(name))
    except UnknownRevisionError as unknown:
        said = f" ({unknown.reason})" if unknown.reason else ""
        raise ClaimError(f"Unknown revision: {short_repr(name)} names no commit here{said}") from None


def plan(repository: Repository, ours: str, theirs: str, *, everything: bool = False) -> Plan:
    """Plan the merge of one revision into another, by their names.

    Raises:
        ClaimError: a revision names no commit.
        UnavailableError: git is too old, or the extra that reads languages is not installed.
    """
    with Planner(repository) as planner:
        revisions = (revision_named(planner.git, name) for name in (ours, theirs))
        return planner.plan(*revisions, everything=everything)


def judge(git: Git, index: Index, sides: tuple[Revision, Revision], bases: tuple[str, ...]) -> Plan:
    """Return the plan of a merge that is neither done nor a fast-forward, of commits that need not be stored.

    Args:
        git: which has the commits.
        index: which reads from that git.
        sides: what is merged into, and what is merged.
        bases: the merge bases.
    """
    return _One(git, index, *sides, bases).plan(everything=False)


class _Fresh:
    """The lines that a side wrote, by path: ranges ``[first, beyond)``, worked out when they are asked for.

    Args:
        base: the tree that the side started from.
        commit: of the side.
    """

    def __init__(self, git: Git, base: str, commit: str, read: ChangedFiles) -> None:
        self._git = git
        self._base, self._commit = base, commit
        self._all: dict[tuple[str, str], tuple[Hunk, ...]] | None = None
        self._read = read
        self._entries = {entry.new: entry for entry in read.entries}
        self._known: dict[str, list[tuple[int, int]]] = {}

    def __call__(self, path: str) -> list[tuple[int, int]]:
        if path not in self._known:
            self._known[path] = self._ranges(path)
        return self._known[path]

    def _ranges(self, path: str) -> list[tuple[int, int]]:
        entry = self._entries[path]
        if entry.old not in self._read.before:
            return [(1, len(self._read.after[path].lines) + 1)]
        changed = self._hunks(entry.old_blob, entry.new_blob)
        return [(hunk.new_first, hunk.new_beyond) for hunk in changed if hunk.new_beyond > hunk.new_first]

    def _hunks(self, before: str, after: str) -> tuple[Hunk, ...]:
        if self._all is None and len(self._known) >= _FEW:
            self._all = merges.all_hunks(self._git, self._base, self._commit)
        if self._all is not None and (before, after) in self._all:
            return self._all[before, after]
        return merges.hunks(self._git, before, after)


class _One:
    """The plan of one merge that is neither done nor a fast-forward."""

    def __init__(self, git: Git, index: Index, ours: Revision, theirs: Revision, bases: tuple[str, ...]) -> None:
        self._git = git
        self._index = index
        self._ours, self._theirs = ours, theirs
        self._bases = bases

    def plan(self, *, everything: bool) -> Plan:
        """Put the parts together."""
        base = merges.one_base(self._git, self._bases)
        trial = merges.trial(self._git, self._ours.commit, self._theirs.commit)
        entries = [merges.entries(self._git, base, side.commit) for side in (self._ours, self._theirs)]
        read = read_sides(self._git, self._index, entries)
        ours, theirs = (
            Side(name, revision.name, match(of.before, of.after, of.renamed))
            for name, revision, of in zip((OURS, THEIRS), (self._ours, self._theirs), read, strict=True)
        )
        conflicted = find_conflicted(self._git, trial, *entries)
        trees = ResolvedTrees(self._git, self._index, trial, {OURS: self._ours.commit, THEIRS: self._theirs.commit})
        met = compare_sides(
            ours,
            theirs,
            lambda *nodes: _textual(conflicted, nodes),
            lambda node: trees.occurrences(node.path, node.symbol.name),
        )
        files = file_items(conflicted, met, _nodes(ours), _nodes(theirs))
        used = self._uses(base, (ours, theirs), read, trees, everything=everything)
        told_of = {(item.path, item.line) for item in used}
        lost = lost_names((self._ours.name, self._theirs.name), read, trees)
        used += [item for item in lost if (item.path, item.line) not in told_of]
        used = fold_uses_of_deleted_files(used, conflicted)
        twice = twice_items((self._ours.name, self._theirs.name), read, trees)
        items = [*met, *(_in_conflict(item, conflicted) for item in used), *twice, *files]
        told = [self._named(item) for item in items]
        return self._result(told, conflicted, read, everything=everything)

    def _result(
        self, items: list[Item], conflicted: Sequence[ConflictedFile], read: Sequence[ChangedFiles], *, everything: bool
    ) -> Plan:
        real = [item for item in items if item.kind != ItemKind.NO_CONFLICT]
        shown = [item for item in items if everything or (item.kind != ItemKind.NO_CONFLICT and _worth(item))]
        shown.sort(key=_gravity)
        paths = [{entry.old or entry.new for entry in one.entries} for one in read]
        unread = sorted({*read[0].unread, *read[1].unread}, key=lambda part: (part.path, part.line, part.why))
        not_judged = self._not_judged(read, unread)
        return Plan(
            self._ours,
            self._theirs,
            self._bases,
            Relation.DIVERGED if self._bases else Relation.UNRELATED,
            _verdict(real, textual=bool(conflicted), judged=not not_judged),
            tuple(shown),
            tuple(self._told(clash.conflict) for clash in conflicted),
            sum(item.kind == ItemKind.NO_CONFLICT for item in items),
            (len(paths[0]), len(paths[1]), len(paths[0] & paths[1])),
            tuple(unread),
            self._notes(),
            not_judged,
        )

    def _not_judged(self, read: Sequence[ChangedFiles], unread: Sequence[Unread]) -> tuple[tuple[str, str], ...]:
        """Return the changed source files of which nothing or only names are known, each with the reason."""
        found = {part.path: part.why for part in unread if not part.line}
        for entry in (entry for one in read for entry in one.entries if entry.regular):
            path = entry.new or entry.old
            language = unread_language(path, self._index.backend.language_of)
            if language:
                found[path] = f"{language} is not read"
            elif self._index.backend.language_by_name(path):
                found[path] = f"{language_of_suffix(path)} is read by name only"
        return tuple(sorted(found.items()))

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if not self._bases:
            notes.append(
                "the two have no commit in common (unrelated histories, or a shallow clone): git merges them only "
                "with --allow-unrelated-histories, and everything counts as added"
            )
        if len(self._bases) > 1:
            notes.append(
                f"the histories criss-cross ({len(self._bases)} merge bases): "
                "the base is what comes of merging those with each other, as git does it"
            )
        if self._index.notice:
            notes.append(escape_unprintable(self._index.notice))
        return tuple(notes)

    def _uses(
        self, base: str, sides: Sequence[Side], read: Sequence[ChangedFiles], trees: ResolvedTrees, *, everything: bool
    ) -> list[Item]:
        found = []
        commits = self._ours.commit, self._theirs.commit
        for mine, other in ((0, 1), (1, 0)):
            of = read[mine]
            paths = {after: before for before, after in of.renamed.items()}
            user = User(sides[mine], of.after, of.before, paths, _Fresh(self._git, base, commits[mine], of))
            changer = Changer(sides[other], read[other].moved)
            found += uses(user, changer, trees, everything=everything)
            for more in (
                broken_heirs(user, changer, trees),
                lost_members(user, changer, read[other], trees),
                _untold(lost_exports(user, changer, read[other], trees), found),
                unmet_interfaces(user, changer, read[other]),
            ):
                told = {(item.user, item.line) for item in found}
                found += [item for item in more if (item.user, item.line) not in told]
        return found

    def _named(self, item: Item) -> Item:
        return replace(
            item,
            address=self._path(item.address),
            path=self._path(item.path),
            ours_name=self._path(item.ours_name),
            theirs_name=self._path(item.theirs_name),
            how=self._words(item.how),
            recommendation=self._words(item.recommendation),
        )

    def _told(self, conflict: FileConflict) -> FileConflict:
        also = tuple(self._path(path) for path in conflict.also)
        return replace(conflict, path=self._path(conflict.path), also=also, message=self._words(conflict.message))

    def _path(self, path: str) -> str:
        """Return a path as git would have it in a merge of these revisions by name."""
        for side in (self._ours, self._theirs):
            path = path.replace(side.commit, side.name.replace("/", "_"))
        return path

    def _words(self, text: str) -> str:
        """Return a text of git with the names of the revisions in place of their ids."""
        for side in (self._ours, self._theirs):
            text = text.replace(side.commit, side.name)
        return text


def _untold(items: Sequence[Item], found: Sequence[Item]) -> list[Item]:
    """Return the imports of what no found item of the same file is about."""
    told = {(item.address, item.path) for item in found}
    return [item for item in items if (item.address, item.path) not in told]


def _in_conflict(item: Item, conflicted: Sequence[ConflictedFile]) -> Item:
    """Return the item of a use, with what git says of its line."""
    side = OURS if SideChange.USED in item.ours_change else THEIRS
    if not item.likely:
        return item
    return replace(item, textual=any(clash.on_line(side, item.path, item.line) for clash in conflicted))


def _textual(conflicted: Sequence[ConflictedFile], nodes: Sequence[Node | None]) -> str:
    """Return the path at which git reports a conflict in a definition of three versions; empty if it reports none."""
    for clash in conflicted:
        for side, node in zip((BASE, OURS, THEIRS), nodes, strict=True):
            if node is not None and clash.touches(side, node):
                return clash.conflict.path
    return ""


def _nodes(side: Side) -> list[Node]:
    """Return the definitions of the files that a side changed."""
    return [pair.after for pair in side.pairs if pair.after is not None]


def _worth(item: Item) -> bool:
    return item.textual or item.confidence >= FAINT


def _gravity(item: Item) -> tuple[bool, bool, int, str, str, int, str]:
    return (
        not item.likely,
        item.kind == ItemKind.NO_CONFLICT,
        _GRAVITY[item.kind],
        item.address,
        item.user,
        item.line,
        item.type,
    )


def _verdict(items: Sequence[Item], *, textual: bool, judged: bool) -> Verdict:
    if textual:
        return Verdict.TEXTUAL
    if any(item.confidence >= LIKELY for item in items):
        return Verdict.SEMANTIC
    if any(item.confidence >= FAINT for item in items):
        return Verdict.REVIEW
    return Verdict.CLEAN if judged else Verdict.NOT_JUDGED
