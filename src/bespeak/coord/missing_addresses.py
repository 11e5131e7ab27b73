"""Addresses that name nothing that is there: found by a look at names and words, before anything is parsed.

The look is on the path of hooks, so it reads only files whose symbols are named, and only for a word: a file without
the word has no symbol of that name. A file that is yet to be written is not told unless one of nearly that name is
there, which makes it a slip.
"""

from __future__ import annotations

import os

from bespeak.base.fileio import read_regular
from bespeak.base.frozen import frozen
from bespeak.coord.address import SEPARATOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak.coord.address import Address
    from bespeak.git.repository import Repository

_LARGEST = 4 * 1024 * 1024
_MOST_COMPARED = 1000
_LEAST_LENGTH, _LONGEST_SLIP = 5, 2


@frozen
class MissingAddress:
    """An address that names nothing.

    Args:
        address: as it is stored.
        nearest: what is there and is called most like it; None if nothing is.
    """

    address: str
    nearest: str | None

    @property
    def text(self) -> str:
        """What is to be told, in one line."""
        from bespeak.base.display import escape_unprintable

        near = f"; the nearest is {escape_unprintable(self.nearest)}" if self.nearest else ""
        return f"{escape_unprintable(self.address)} is not in the work tree{near}"


def absent_of(repository: Repository, wanted: Iterable[Address]) -> list[MissingAddress]:
    """Return those of the addresses that name nothing in the work tree; patterns are not looked at.

    Args:
        repository: whose work tree is looked at.
        wanted: the addresses.
    """
    found = (_absent(repository, address) for address in wanted if not address.glob and address.path)
    return [each for each in found if each is not None]


def _absent(repository: Repository, address: Address) -> MissingAddress | None:
    path = os.path.join(repository.root, address.path)
    if not os.path.lexists(path):
        near = _near_path(path, address)
        return MissingAddress(address.text, near) if near else None
    if not address.symbol:
        return None
    try:
        content = read_regular(path, _LARGEST)[0]
    except OSError:
        return None
    if address.symbol[-1].encode("utf-8", "surrogateescape") in content:
        return None
    return MissingAddress(address.text, _near_symbol(repository, address, content))


def _near_path(path: str, address: Address) -> str | None:
    """Return the address with a name of the same folder that is the same but for a slip."""
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder)[:_MOST_COMPARED]
    except OSError:
        return None
    near = next((other for other in sorted(names) if _differs_by_a_slip(name, other)), None)
    return None if near is None else address.path.removesuffix(name) + near + address.text[len(address.path) :]


def _differs_by_a_slip(name: str, other: str) -> bool:
    """Tell whether two names are the same but for two letters in one place; short names are never alike."""
    begin = _common_length(name, other)
    end = min(_common_length(name[::-1], other[::-1]), min(len(name), len(other)) - begin)
    return len(name) >= _LEAST_LENGTH and max(len(name), len(other)) - begin - end <= _LONGEST_SLIP


def _common_length(one: str, other: str) -> int:
    return next(
        (at for at, (here, there) in enumerate(zip(one, other, strict=False)) if here != there),
        min(len(one), len(other)),
    )


def _near_symbol(repository: Repository, address: Address, content: bytes) -> str | None:
    from bespeak.base.display import suggest
    from bespeak.base.errors import UnavailableError
    from bespeak.coord.symbol_index import open_index

    try:
        with open_index(repository) as index:
            facts = index.facts(address.path, content)
    except UnavailableError:
        return None
    names = () if facts is None else [symbol.name for symbol in facts.symbols]
    near = suggest(".".join(address.symbol), names, 1)
    return f"{address.path}{SEPARATOR}{near[0]}" if near else None
