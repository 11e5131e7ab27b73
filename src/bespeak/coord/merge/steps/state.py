"""A merge in the making: three versions, what git makes of them, and what the plan says of that.

A step does not edit what git has merged. It edits the versions that go in, so that git itself merges them: a rename of
one side is made in the base and on the other side too, and is then no difference any more.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bespeak.coord.merge.definitions import read_sides
from bespeak.coord.merge.file_conflicts import BASE, OURS, THEIRS, find_conflicted
from bespeak.coord.merge.plan import judge
from bespeak.coord.merge.resolved_trees import ResolvedTrees
from bespeak.coord.merge.side_changes import Side
from bespeak.coord.merge.symbol_matching import match
from bespeak.git import merges, trees
from bespeak_symbols.call_graph import CallGraph

if TYPE_CHECKING:
    from bespeak.coord.merge.definitions import ChangedFiles
    from bespeak.coord.merge.file_conflicts import ConflictedFile
    from bespeak.coord.merge.model import Plan, Revision
    from bespeak.coord.merge.steps.model import Edits
    from bespeak.git.merges import Entry, Hunk
    from bespeak.git.process import Git
    from bespeak_symbols.index import Index
    from bespeak_symbols.model import Facts

OTHER = {OURS: THEIRS, THEIRS: OURS}
_SEVERAL = "merged common ancestors"
_MARKS = (b"<<<<<<< ", b"||||||| ", b">>>>>>> ")


class MergeState:
    """Three versions of a repository's files, and what a merge makes of them; everything is worked out when asked for.

    Args:
        git: which has the commits.
        index: which reads from that git.
        sides: what is merged into and what is merged, as the user named them.
        bases: the merge bases, as git found them.
        versions: the commits in place of the base, ours and theirs; None for the histories as they are.
    """

    def __init__(
        self,
        git: Git,
        index: Index,
        sides: tuple[Revision, Revision],
        bases: tuple[str, ...],
        versions: dict[str, str] | None = None,
    ) -> None:
        self.git, self.index = git, index
        self.sides, self.bases = sides, bases
        self._versions = versions
        self._texts: dict[tuple[str, str], bytes | None] = {}
        self._graphs: dict[str, CallGraph] = {}

    @cached_property
    def commits(self) -> dict[str, str]:
        """The commits of the base, of ours and of theirs."""
        if self._versions is not None:
            return self._versions
        base = merges.one_base(self.git, self.bases)
        if self.bases[:1] != (base,):
            base = trees.commit(self.git, base, (), "base")
        return {BASE: base, OURS: self.sides[0].commit, THEIRS: self.sides[1].commit}

    def with_edits(self, edits: Edits) -> MergeState:
        """Return the state in which some files of the versions have other contents."""
        made: dict[str, str] = {}
        for version in (BASE, OURS, THEIRS):
            tree = f"{self.commits[version]}^{{tree}}"
            files = edits.get(version, {})
            new = trees.tree_with(self.git, tree, files) if files else self.git.commit_tree_of(self.commits[version])
            made[version] = trees.commit(self.git, new, (made[BASE],) if made else (), version)
        return MergeState(self.git, self.index, self.sides, self.bases, made)

    @cached_property
    def trial(self) -> merges.Trial:
        """What git makes of the two sides, with the names that the user gave them in the marks of conflicts."""
        found = merges.trial(self.git, self.commits[OURS], self.commits[THEIRS])
        return found if found.clean else self._named(found)

    def _named(self, found: merges.Trial) -> merges.Trial:
        names = {self.commits[side]: of.name for side, of in zip((OURS, THEIRS), self.sides, strict=True)}
        known = trees.mode_and_blob(self.git, found.tree, found.stages)
        texts = merges.blobs(self.git, (blob for _, blob in known.values()))
        base = {self._short(self.commits[BASE]): self._base_label()}
        files = {}
        for path, (_, blob) in known.items():
            text = _marked(texts.get(blob, b""), {**names, **base})
            if text != texts.get(blob, b""):
                files[path] = text
        moved = {path: self._path(path, names) for path in known if self._path(path, names) != path}
        files = {moved.get(path, path): text for path, text in files.items()}
        if not files and not moved:
            return found
        tree = trees.tree_with(self.git, found.tree, files, moved)
        stages = {self._path(path, names): of for path, of in found.stages.items()}
        return merges.Trial(tree, found.clean, stages, found.conflicts)

    def _short(self, commit: str) -> str:
        return self.git.run("rev-parse", "--short", commit).decode("ascii").strip()

    def _base_label(self) -> str:
        return self._short(self.bases[0]) if len(self.bases) == 1 else _SEVERAL

    @staticmethod
    def _path(path: str, names: dict[str, str]) -> str:
        for commit, name in names.items():
            path = path.replace(f"~{commit}", "~" + name.replace("/", "_"))
        return path

    @cached_property
    def plan(self) -> Plan:
        """What the plan says of the merge of these versions."""
        ours, theirs = (
            type(side)(side.name, self.commits[name]) for name, side in zip((OURS, THEIRS), self.sides, strict=True)
        )
        bases = self.bases if self._versions is None else (self.commits[BASE],)
        return judge(self.git, self.index, (ours, theirs), bases)

    @cached_property
    def entries(self) -> dict[str, tuple[Entry, ...]]:
        """The files that each side changed."""
        return {side: merges.entries(self.git, self.commits[BASE], self.commits[side]) for side in (OURS, THEIRS)}

    @cached_property
    def read(self) -> dict[str, ChangedFiles]:
        """What can be read of these files."""
        found = read_sides(self.git, self.index, tuple(self.entries.values()))
        return dict(zip(self.entries, found, strict=True))

    @cached_property
    def changes(self) -> dict[str, Side]:
        """What each side did to which symbol."""
        return {
            name: Side(name, side.name, match(of.before, of.after, of.renamed))
            for (name, of), side in zip(self.read.items(), self.sides, strict=True)
        }

    @cached_property
    def conflicted(self) -> tuple[ConflictedFile, ...]:
        """The files that git leaves in conflict."""
        return find_conflicted(self.git, self.trial, self.entries[OURS], self.entries[THEIRS])

    @cached_property
    def resolved(self) -> ResolvedTrees:
        """In which names are resolved."""
        commits = {side: self.commits[side] for side in (OURS, THEIRS)}
        return ResolvedTrees(self.git, self.index, self.trial, commits)

    def graph(self, version: str) -> CallGraph:
        """Return who names what in a version."""
        if version not in self._graphs:
            self._graphs[version] = CallGraph(self.index.snapshot(self.commits[version], compiled=False))
        return self._graphs[version]

    def facts(self, version: str, path: str) -> Facts | None:
        """Return what a file of a version says; None if it cannot be read."""
        text = self.text(version, path)
        return None if text is None else self.index.facts(path, text)

    def text(self, version: str, path: str) -> bytes | None:
        """Return a file of a version; None if it is not there, or has no path there."""
        if not path:
            return None
        key = version, path
        if key not in self._texts:
            known = trees.mode_and_blob(self.git, self.commits[version], (path,))
            blob = known[path][1] if path in known else ""
            self._texts[key] = merges.blobs(self.git, (blob,)).get(blob)
        return self._texts[key]

    def hunks(self, side: str, path: str) -> tuple[Hunk, ...] | None:
        """Return what a side changed in a file, by its path on that side; None if the file is new there."""
        entry = next((one for one in self.entries[side] if one.new == path), None)
        if entry is None:
            return ()
        return merges.hunks(self.git, entry.old_blob, entry.new_blob) if entry.old_blob else None

    def is_fresh(self, side: str, path: str, line: int) -> bool:
        """Tell whether a side has written a line of a file."""
        found = self.hunks(side, path)
        return found is None or any(hunk.new_first <= line < hunk.new_beyond for hunk in found)

    def path_on(self, side: str, base: str) -> str:
        """Return the path on a side of a file of the base; empty if it is gone."""
        return next((entry.new for entry in self.entries[side] if entry.old == base), base)

    @property
    def open_regions(self) -> int:
        """How many places git leaves in conflict."""
        return sum(max(1, len(clash.regions)) for clash in self.conflicted)


def _marked(text: bytes, names: dict[str, str]) -> bytes:
    """Return a text in which the marks of conflicts have the names of revisions in place of their ids."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith(_MARKS):
            head, label = line[:8], line[8:]
            for commit, name in names.items():
                if label.startswith(commit.encode("ascii")):
                    lines[number] = head + name.encode("utf-8", "surrogateescape") + label[len(commit) :]
    return b"".join(lines)
