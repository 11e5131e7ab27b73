"""The two sides, and what comes of merging them, as trees in which names can be resolved.

Whether a use still finds what it means after the merge is not guessed from what was renamed: the merged file is
resolved among the merged files, so aliases, re-exports and relative imports count as they do for the language.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from bespeak.coord.merge.members import kin, members
from bespeak.git import merges

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.git.merges import Trial
    from bespeak.git.process import Git
    from bespeak_symbols.call_graph import CallGraph
    from bespeak_symbols.index import Index
    from bespeak_symbols.model import Edge, Facts

_FEW_PATHS = 100
"""So many paths are looked up in a tree by name; for more, all of it is read."""
_FIRST_BYTE, _LAST_BYTE = "\udc80", "\udcff"
"""Bytes that are no UTF-8, as characters of a path."""


class ResolvedTrees:
    """The graphs of both sides and of the merge, each made when it is first asked for.

    Args:
        trial: the merge that git has tried.
        commits: of ``ours`` and ``theirs``.
    """

    def __init__(self, git: Git, index: Index, trial: Trial, commits: dict[str, str]) -> None:
        self._git = git
        self._index = index
        self._trial = trial
        self._commits = commits
        self._graphs: dict[str, CallGraph] = {}
        self._merged_names: dict[str, Counter[str]] = {}
        self._other_names: dict[tuple[str, str], frozenset[str]] = {}
        self._lines: dict[str, frozenset[bytes]] = {}
        self._members: dict[tuple[str, str, tuple[str, ...]], bool] = {}

    def edges(self, side: str, path: str) -> tuple[Edge, ...]:
        """Return the edges that start in a file of a side."""
        return self._graph(side).edges_of(path)

    def by_name(self, path: str) -> bool:
        """Tell whether the language of a file is read by name alone: what a name stands for is not known."""
        return self._index.backend.language_by_name(path) is not None

    def may_name(self, side: str, addresses: Iterable[str]) -> set[str]:
        """Return the files of a side that may have an edge to one of some addresses of that side."""
        graph = self._graph(side)
        return {path for address in addresses for path in graph.may_name(address)}

    def _graph(self, side: str) -> CallGraph:
        if side not in self._graphs:
            from bespeak_symbols.call_graph import CallGraph

            # Without indexes of compilers: the merged tree has none, and the two have to be alike.
            self._graphs[side] = CallGraph(self._index.snapshot(self._commits[side], compiled=False))
        return self._graphs[side]

    def has_member(self, side: str, name: str, path: str) -> bool:
        """Tell whether a side has a member of some name anywhere: one that is read, or that a type declares.

        Args:
            side: of the merge.
            name: of the member.
            path: of a file; only files of its kin are looked at.
        """
        key = side, name, kin(path)
        if key not in self._members:
            self._members[key] = self._has_member(*key)
        return self._members[key]

    def _has_member(self, side: str, name: str, suffixes: tuple[str, ...]) -> bool:
        read = re.compile(rb"(?:\.|->|::)\s*%s\b" % re.escape(name.encode()))
        found = merges.lines_with(self._git, self._commits[side], name, suffixes)
        if found is None or any(read.search(line) for _, line in found):
            return True
        snapshot = self._graph(side).snapshot
        facts = [snapshot.facts(path) for path in sorted({path for path, _ in found})]
        return any(last == name for one in facts if one is not None for _, last in members(one))

    def named_again(self, side: str, name: str) -> frozenset[str]:
        """Return the names of what a type is another name for on a side: of ``point_t``, ``point``."""
        key = side, name
        if key not in self._other_names:
            found: set[str] = set()
            snapshot = self._graph(side).snapshot
            for address in snapshot.defining(name):
                path, _, symbol = address.partition("::")
                facts = snapshot.facts(path)
                targets = [
                    one.target
                    for one in (() if facts is None else facts.bindings)
                    if one.how == "alias" and one.name == symbol
                ]
                found.update(part for target in targets for part in re.findall(r"[A-Za-z_]\w*", target))
            self._other_names[key] = frozenset(found)
        return self._other_names[key]

    def merged(self, path: str, definer: str) -> tuple[Facts, tuple[Edge, ...]] | None:
        """Return what a file says after the merge, and its edges.

        Args:
            path: of the file, in the merged tree.
            definer: the side whose version stands for files that git leaves in conflict.

        Returns:
            None if git leaves this very file in conflict, or it cannot be read.
        """
        if path in self._trial.stages:
            return None
        name = f"merged for {definer}"
        if name not in self._graphs:
            self._graphs[name] = self._merge(definer)
        graph = self._graphs[name]
        facts = graph.snapshot.facts(path)
        return None if facts is None else (facts, graph.edges_of(path))

    def keeps_line(self, path: str, line: bytes) -> bool:
        """Tell whether a merged file that git does not leave in conflict has a line, blanks around it apart."""
        if path not in self._lines:
            blobs = merges.listing(self._git, self._trial.tree, (path,))
            texts = merges.blobs(self._git, blobs.values())
            text = texts.get(blobs.get(path, ""), b"")
            self._lines[path] = frozenset(each.strip() for each in text.splitlines())
        return line.strip() in self._lines[path]

    def merged_facts(self, paths: Sequence[str]) -> dict[str, Facts]:
        """Return what files say after the merge; those that git leaves in conflict, or nobody reads, are left out."""
        wanted = [path for path in paths if path not in self._trial.stages and self._index.backend.language_of(path)]
        if not wanted:
            return {}
        blobs = merges.listing(self._git, self._trial.tree, wanted if len(wanted) <= _FEW_PATHS else ())
        texts = merges.blobs(self._git, (blobs.get(path, "") for path in wanted))
        found = {
            path: self._index.facts(path, texts[blobs[path]], blobs[path])
            for path in wanted
            if blobs.get(path) in texts
        }
        return {path: facts for path, facts in found.items() if facts is not None}

    def occurrences(self, path: str, name: str) -> int:
        """Return how many definitions of one name the file has that git's merge makes; 0 if it cannot be read."""
        if path in self._trial.stages:
            return 0
        if path not in self._merged_names:
            self._merged_names[path] = self._names(path)
        return self._merged_names[path][name]

    def _names(self, path: str) -> Counter[str]:
        facts = self.merged_facts([path]).get(path)
        return Counter(symbol.name for symbol in facts.symbols) if facts is not None else Counter()

    def _merge(self, definer: str) -> CallGraph:
        from bespeak.git.objects import Listing
        from bespeak_symbols.call_graph import CallGraph
        from bespeak_symbols.snapshot import Snapshot

        blobs = merges.listing(self._git, self._trial.tree)
        for path, stages in self._trial.stages.items():
            blobs.pop(path, None)
            if definer in stages:
                blobs[path] = stages[definer]
        ours = merges.listing(self._git, self._commits["ours"])
        theirs = merges.listing(self._git, self._commits["theirs"])
        new = {
            path: blob
            for path, blob in blobs.items()
            if self._index.backend.language_of(path) and blob not in (ours.get(path), theirs.get(path))
        }
        texts = merges.blobs(self._git, new.values())
        for path, blob in new.items():
            if blob in texts:  # a partial clone lacks some
                self._index.facts(path, texts[blob], blob)
        readable = {path: blob for path, blob in sorted(blobs.items()) if _is_text(path)}
        return CallGraph(Snapshot(self._index, Listing("", readable, {}, ())))


def _is_text(path: str) -> bool:
    """Tell whether a path was UTF-8; the index has no other ones."""
    return path.isascii() or not any(_FIRST_BYTE <= char <= _LAST_BYTE for char in path)
