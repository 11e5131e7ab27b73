"""The files that each side changed, before and after, as facts."""

from __future__ import annotations

from bespeak.base.frozen import frozen
from bespeak.coord.merge.definitions import Source
from bespeak.git import merges
from bespeak_symbols.model import Unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.git.merges import Entry
    from bespeak.git.process import Git
    from bespeak_symbols.index import Index


@frozen
class Read:
    """What one side changed: the files before and after that could be read, and what could not."""

    entries: tuple[Entry, ...]
    before: dict[str, Source]
    after: dict[str, Source]
    unread: tuple[Unread, ...]

    @property
    def renamed(self) -> dict[str, str]:
        """The path after of each renamed file, by its path before."""
        return {entry.old: entry.new for entry in self.entries if entry.status == "R"}

    @property
    def moved(self) -> dict[str, str]:
        """The path after (empty: deleted) of each file that is not where it was."""
        return {entry.old: entry.new for entry in self.entries if entry.old and entry.old != entry.new}


def read_sides(git: Git, index: Index, entries: Sequence[tuple[Entry, ...]]) -> list[Read]:
    """Return what can be read of the files that each side changed, in one go."""
    wanted = {
        (path, blob)
        for side in entries
        for entry in side
        for path, blob in ((entry.old, entry.old_blob), (entry.new, entry.new_blob))
        if blob and index.backend.language_of(path)
    }
    texts = merges.blobs(git, sorted(blob for _, blob in wanted))
    sources: dict[tuple[str, str], Source] = {}
    unread: list[Unread] = []
    for path, blob in sorted(wanted):
        facts = index.facts(path, texts[blob], blob) if blob in texts else None
        if facts is None:
            unread.append(Unread(path, "its content is not in this clone"))
            continue
        unread += [Unread(path, why, line) for line, why in facts.unread]
        sources[path, blob] = Source(path, facts, tuple(texts[blob].splitlines()))
    return [_reading(side, sources, unread) for side in entries]


def _reading(entries: tuple[Entry, ...], sources: dict[tuple[str, str], Source], unread: Sequence[Unread]) -> Read:
    before = {
        entry.old: sources[entry.old, entry.old_blob] for entry in entries if (entry.old, entry.old_blob) in sources
    }
    after = {
        entry.new: sources[entry.new, entry.new_blob] for entry in entries if (entry.new, entry.new_blob) in sources
    }
    paths = {path for entry in entries for path in (entry.old, entry.new)}
    return Read(entries, before, after, tuple(part for part in unread if part.path in paths))
