"""What one side did: to each symbol, in words and by address; and which files and names it affects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge.definitions import read_sides
from bespeak.coord.merge.model import SideChange
from bespeak.coord.merge.symbol_matching import BY_PARENT, match
from bespeak_symbols import name_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bespeak.coord.merge.definitions import Node
    from bespeak.coord.merge.symbol_matching import Pair
    from bespeak.git.merges import Entry
    from bespeak.git.process import Git
    from bespeak_symbols.index import Index

_HARMLESS = frozenset({SideChange.ADDED, SideChange.BODY, SideChange.DOCSTRING})


def words(pair: Pair) -> tuple[SideChange, ...]:
    """Return what was done, in words of :class:`~bespeak.coord.merge.model.SideChange`; nothing if it is as it was."""
    one, two = pair.before, pair.after
    if one is None:
        return (SideChange.ADDED,)
    if two is None:
        return (SideChange.DELETED,)
    done = {
        SideChange.RENAMED: one.last != two.last or (pair.how == BY_PARENT and _only_named(one, two)),
        SideChange.MOVED: one.path != two.path or (pair.how != BY_PARENT and one.parent != two.parent),
        SideChange.SIGNATURE: one.signature != two.signature,
        SideChange.BODY: one.own != two.own,
        SideChange.DOCSTRING: one.symbol.doc != two.symbol.doc,
    }
    return tuple(word for word, so in done.items() if so)


def _only_named(one: Node, two: Node) -> bool:
    """Tell whether what holds a definition was given another name in its place."""
    return one.path == two.path and one.parent != two.parent


class Side:
    """One side of a merge, symbol by symbol.

    Args:
        name: ``ours`` or ``theirs``.
        label: the revision, as people call it.
        pairs: of a match of the merge base and this side.
    """

    def __init__(self, name: str, label: str, pairs: Iterable[Pair]) -> None:
        self.name = name
        self.label = label
        self.pairs = tuple(pairs)
        self.by_key: dict[tuple[str, int], Pair] = {}
        self.by_address: dict[str, list[Pair]] = {}
        self.now: dict[str, list[Pair]] = {}
        for pair in self.pairs:
            if pair.before is not None:
                self.by_key[pair.before.key] = pair
                self.by_address.setdefault(pair.before.address, []).append(pair)
            if pair.after is not None:
                self.now.setdefault(pair.after.address, []).append(pair)

    def changed(self, address: str) -> list[Pair]:
        """Return what was done to the definitions that had an address in the merge base; only what was changed."""
        return [pair for pair in self.by_address.get(address, ()) if words(pair)]

    def gone(self, address: str) -> bool:
        """Tell whether nothing is defined any more at an address of the merge base."""
        return address in self.by_address and address not in self.now

    def before(self, address: str) -> str:
        """Return the address in the merge base of what this side has at an address; empty if it is new."""
        if address not in self.now:
            return address
        known = [pair.before.address for pair in self.now[address] if pair.before is not None]
        return address if address in known else known[0] if known else ""

    def after(self, address: str) -> str:
        """Return the address on this side of what the merge base has at an address; empty if it is gone."""
        if address not in self.by_address:
            return address
        known = [pair.after.address for pair in self.by_address[address] if pair.after is not None]
        return address if address in known else known[0] if known else ""


@dataclass(frozen=True, slots=True)
class AffectedFiles:
    """What a branch changed.

    Args:
        paths: of the files, before and after.
        taken: the names of what it deleted, renamed, moved or gave another signature, and of files it moved.
        mentioned: the names that the files it changed mention.
    """

    paths: frozenset[str]
    taken: frozenset[str]
    mentioned: frozenset[str]


def affected_files(git: Git, index: Index, entries: tuple[Entry, ...]) -> AffectedFiles:
    """Return what a branch touches.

    Args:
        git: where the files are.
        index: what reads them.
        entries: the files that the branch changed.
    """
    read = read_sides(git, index, (entries,))[0]
    taken = {
        pair.before.last
        for pair in match(read.before, read.after, read.renamed)
        if pair.before is not None and not set(words(pair)) <= _HARMLESS
    }
    for path in read.moved:
        taken.update(name_index.stems(path))
    mentioned: set[str] = set()
    for source in read.after.values():
        mentioned |= name_index.mentions(source.facts)
    paths = frozenset(path for entry in entries for path in (entry.old, entry.new) if path)
    return AffectedFiles(paths, frozenset(taken), frozenset(mentioned))


def pairs_in_contact(of: Mapping[str, AffectedFiles]) -> Iterator[tuple[str, str]]:
    """Return the pairs of branches that can be in each other's way, each in order, some more than once.

    They touch a file in common, or one mentions what the other has taken away.
    """
    by_file: dict[str, list[str]] = {}
    mentioning: dict[str, list[str]] = {}
    for name in sorted(of):
        for path in of[name].paths:
            by_file.setdefault(path, []).append(name)
        for word in of[name].mentioned:
            mentioning.setdefault(word, []).append(name)
    for together in by_file.values():
        for number, one in enumerate(together):
            yield from ((one, two) for two in together[number + 1 :])
    for name in sorted(of):
        for word in of[name].taken:
            for other in mentioning.get(word, ()):
                if other != name:
                    yield (name, other) if name < other else (other, name)
