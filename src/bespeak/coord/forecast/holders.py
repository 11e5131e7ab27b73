"""Which claims hold a symbol: those on it, on what it is defined in, on its file, its folders, patterns of its file."""

from __future__ import annotations

from bespeak.coord import address as addresses
from bespeak.coord.forecast import glob_regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.coord.forecast.groups import Group

STEPS = 2_000_000
"""How many times a pattern is tried on a file, at most."""


class Holders:
    """Looks up who holds what.

    Args:
        groups: the claims by address.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        self._by_key: dict[str, list[Group]] = {}
        self._patterns: list[Group] = []
        for group in groups:
            if group.glob:
                self._patterns.append(group)
            else:
                self._by_key.setdefault(group.key, []).append(group)
        self._of_file: dict[str, list[Group]] = {}
        self._of_node: dict[str, Sequence[Group]] = {}
        self._left = STEPS

    @property
    def over(self) -> bool:
        """There were too many patterns to try them all on every file."""
        return self._left < 0

    def of(self, node: str) -> Sequence[Group]:
        """Return the addresses that hold a node of the call graph, ``path::Qualified.name`` or ``path``."""
        found = self._of_node.get(node)
        if found is None:
            found = self._of_node[node] = self._look(node)
        return found

    def _look(self, node: str) -> Sequence[Group]:
        path, _, symbol = node.partition(addresses.SEPARATOR)
        above = self._of_file.get(path)
        if above is None:
            above = self._of_file[path] = self._holding_file(path)
        if not symbol:
            return [group for group in above if not group.address.symbol]
        own: list[Group] = []
        names = addresses.symbol_names(symbol)
        for count in range(1, len(names) + 1):
            own += self._by_key.get(addresses.Address("", path, names[:count]).key, ())
        for group in above:
            wanted = group.address.symbol
            if not wanted or names[: len(wanted)] == wanted:
                own.append(group)
        return own

    def _holding_file(self, path: str) -> list[Group]:
        """Return the file itself, its folders, and patterns that match it, whatever symbol they name."""
        found = [group for key in addresses.beginnings(path) for group in self._by_key.get(key, ())]
        self._left -= len(self._patterns)
        if self._left >= 0:
            found += [group for group in self._patterns if glob_regex.compiled(group.path).fullmatch(path)]
        return found
