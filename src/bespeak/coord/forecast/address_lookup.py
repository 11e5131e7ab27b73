"""What claimed addresses name at one revision: symbols of the call graph, or nothing at all."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from bespeak.base.display import suggest
from bespeak.coord import address as addresses
from bespeak.coord import globs
from bespeak.coord.languages import language_of_suffix, unread_language
from bespeak.coord.states import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Protocol

    from bespeak.coord.address import Address
    from bespeak.coord.forecast.address_groups import Group
    from bespeak_symbols.model import Facts

    class Files(Protocol):
        """The files of a revision, as far as names are looked up in them."""

        @property
        def paths(self) -> Mapping[str, str]:
            """The language of each file that can be read, by path."""

        def facts(self, path: str) -> Facts | None:
            """Return what a file says."""

        def blob(self, path: str) -> str | None:
            """Return the id of any file; None if it is not there."""


STEPS = 2_000_000
"""How many times a pattern or a folder is compared with a file, at most."""

_WRITES = (None, Operation.MODIFY)
_MOST_COMPARED = 5000
_ALIKE = 0.8


class AddressLookup:
    """Finds what addresses name.

    Args:
        files: the files of the revision.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._paths = sorted(files.paths)
        self._names: dict[str, tuple[str, ...]] = {}
        self._left = STEPS
        self.nodes: set[str] = set()
        self._whole: set[str] = set()
        self.unknown: list[str] = []
        self.missing: list[Address] = []
        """What of the unknown should be there: not files that are yet to be written."""
        self.other_languages: set[str] = set()
        """Claimed files in a language that is not read."""
        self.by_name: set[str] = set()
        """Claimed files in a language that is read by name only."""

    @property
    def over(self) -> bool:
        """There were too many patterns and folders to look at all they name."""
        return self._left < 0

    def add(self, groups: Iterable[Group]) -> None:
        """Look up what some addresses name."""
        for group in groups:
            address = group.address
            if address.glob or address.folder:
                named = self._many(group)
            elif address.symbol:
                named = self._symbol(address.path, address.symbol)
            else:
                named = self._file(address.path) or self._files.blob(address.path) is not None
            if address.path in self._files.paths and language_of_suffix(address.path):
                self.by_name.add(address.path)
            if self._is_unread(address.path):
                self.other_languages.add(address.path)
            elif not named:
                self.unknown.append(group.text)
                if not self._is_to_be_written(group):
                    self.missing.append(address)

    def _is_to_be_written(self, group: Group) -> bool:
        """Tell whether an address may be of a file that is not there yet; what is renamed, say, has to be there."""
        address = group.address
        if address.glob or address.folder or self._files.blob(address.path) is not None:
            return False
        return all(claim.operation in _WRITES for claim in group.claims)

    def nearest(self, address: Address) -> str:
        """Return what is there and is called most like an address; empty if nothing is."""
        if address.symbol and address.path in self._files.paths:
            near = suggest(".".join(address.symbol), self._in(address.path), 1)
            return f"{address.path}{addresses.SEPARATOR}{near[0]}" if near else ""
        near = suggest(address.path, self._paths[:_MOST_COMPARED], 1, _ALIKE)
        return near[0] if near else ""

    def _is_unread(self, path: str) -> bool:
        return bool(unread_language(path, self._files.paths.get)) and self._files.blob(path) is not None

    def _file(self, path: str) -> bool:
        if path not in self._files.paths:
            return False
        if path not in self._whole:
            self._whole.add(path)
            self.nodes.add(path)
            self.nodes.update(f"{path}{addresses.SEPARATOR}{name}" for name in self._in(path))
        return True

    def _symbol(self, path: str, symbol: Sequence[str]) -> bool:
        wanted = ".".join(symbol)
        names = [name for name in self._in(path) if name == wanted or name.startswith(wanted + ".")]
        self.nodes.update(f"{path}{addresses.SEPARATOR}{name}" for name in names)
        return bool(names)

    def _in(self, path: str) -> tuple[str, ...]:
        found = self._names.get(path)
        if found is None:
            facts = self._files.facts(path) if path in self._files.paths else None
            found = self._names[path] = () if facts is None else tuple(symbol.name for symbol in facts.symbols)
        return found

    def _many(self, group: Group) -> bool:
        """Look up a folder or a pattern. One that names no file in a known language may still name others."""
        address = group.address
        low, high = addresses.range_inside(address)
        paths = self._paths[bisect_left(self._paths, low) : bisect_left(self._paths, high)]
        self._left -= len(paths)
        if self._left < 0:
            return True
        if address.glob:
            matches = globs.compiled(address.path).fullmatch
            paths = [path for path in paths if matches(path)]
        if address.symbol:
            return sum(self._symbol(path, address.symbol) for path in paths) > 0
        for path in paths:
            self._file(path)
        return True
