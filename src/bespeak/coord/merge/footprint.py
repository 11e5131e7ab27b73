"""What a branch touches: whether two branches can be in each other's way at all is told from this alone."""

from __future__ import annotations

from bespeak.base.frozen import frozen
from bespeak.coord.merge.load_sides import read_sides
from bespeak.coord.merge.model import ADDED, BODY, DOCSTRING
from bespeak.coord.merge.side_changes import words
from bespeak.coord.merge.symbol_matching import match
from bespeak_symbols import name_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bespeak.git.merges import Entry
    from bespeak.git.process import Git
    from bespeak_symbols.index import Index

_HARMLESS = frozenset({ADDED, BODY, DOCSTRING})


@frozen
class Footprint:
    """What a branch changed.

    Args:
        paths: of the files, before and after.
        taken: the names of what it deleted, renamed, moved or gave another signature, and of files it moved.
        mentioned: the names that the files it changed mention.
    """

    paths: frozenset[str]
    taken: frozenset[str]
    mentioned: frozenset[str]


def footprint(git: Git, index: Index, entries: tuple[Entry, ...]) -> Footprint:
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
    return Footprint(paths, frozenset(taken), frozenset(mentioned))


def meeting(of: Mapping[str, Footprint]) -> Iterator[tuple[str, str]]:
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
