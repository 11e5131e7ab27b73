"""Addresses: what a claim can name, and when two of them overlap.

An address is a file, a symbol of a file (``path::Class.method``), a folder (``dir/``) or a pattern of files. Each has
a key, a path in one tree in which a folder holds its files, a file its symbols and a class its methods: two plain
addresses overlap when one key begins the other. So an index on the key finds all that overlaps: the beginnings of a
key are a short list, and all that it begins is one range. A pattern is kept under the folder from which it starts.
"""

from __future__ import annotations

from bespeak.base.frozen import frozen

SEPARATOR = "::"
SAME, CONTAINS, INSIDE, OVERLAPS = "same", "contains", "inside", "overlaps"
WILD = "*?["
_SYMBOLS = "::"
_SLASH_IN_SYMBOL = "\x1f"
_EVERYTHING = ("\x01", "\U0010ffff\U0010ffff")
_BELOW_SURROGATES, _ABOVE_SURROGATES = 0xD7FF, "\ue000"


@frozen
class Address:
    """One address, normalised.

    Args:
        text: as it is shown and stored; folders end with a slash.
        path: from the repository's root; a pattern if ``glob``; empty for the root itself.
        symbol: the names of the symbol, outermost first; empty for the whole file.
        glob: the path is a pattern.
    """

    text: str
    path: str
    symbol: tuple[str, ...] = ()
    glob: bool = False

    @property
    def folder(self) -> bool:
        """It names a folder."""
        return self.text.endswith("/")

    @property
    def key(self) -> str:
        """Where it stands in the tree of keys; a pattern stands at the folder that it starts from."""
        if self.glob:
            return literal_prefix(self.path)[0]
        if not self.symbol:
            return self.path
        names = [name.replace("/", _SLASH_IN_SYMBOL) for name in self.symbol]
        return "/".join((self.path, _SYMBOLS, *names))


def is_wild(text: str) -> bool:
    """Tell whether ``text`` has a wildcard in it."""
    return any(char in text for char in WILD)


def stored(text: str, glob: bool) -> Address:
    """Return the address that was stored as ``text``."""
    path, _, symbol = text.partition(SEPARATOR)
    if text == "./":
        return Address(text, "")
    return Address(text, path if glob else path.removesuffix("/"), symbol_names(symbol), glob)


def symbol_names(text: str) -> tuple[str, ...]:
    """Return the names of a symbol, outermost first; ``.`` and ``::`` both stand between them."""
    return tuple(name for name in text.replace(SEPARATOR, ".").split(".") if name)


def beginnings(key: str) -> list[str]:
    """Return the keys of everything that holds ``key``, outermost first, and ``key`` itself."""
    if not key:
        return [""]
    names = key.split("/")
    return ["", *("/".join(names[: count + 1]) for count in range(len(names)))]


def range_inside(address: Address) -> tuple[str, str]:
    """Return the range of keys (first, and first beyond) in which all lies that may be inside ``address``."""
    key = address.key
    begun = ""
    if address.glob:
        begun = literal_prefix(address.path)[1]
    if begun:
        low = f"{key}/{begun}" if key else begun
        return low, after(low)
    return (f"{key}/", f"{key}0") if key else _EVERYTHING


def after(prefix: str) -> str:
    """Return the first text, by code points, that is greater than all that begin with ``prefix`` (not empty)."""
    last = ord(prefix[-1])
    if last == _BELOW_SURROGATES:
        return prefix[:-1] + _ABOVE_SURROGATES
    return prefix[:-1] + chr(last + 1) if last < ord(_EVERYTHING[1][0]) else _EVERYTHING[1]


def literal_prefix(path: str) -> tuple[str, str]:
    """Return the folder under which all that a pattern matches must lie, and the characters that go on from there."""
    head: list[str] = []
    for text in path.split("/"):
        if is_wild(text):
            begin = min(text.find(char) for char in WILD if char in text)
            return "/".join(head), text[:begin]
        head.append(text)
    return "/".join(head[:-1]), head[-1]


def plain_relation(one: Address, two: Address) -> str | None:
    """Return how ``one`` stands to ``two``, neither of them a pattern; see :func:`bespeak.coord.globs.relation`."""
    mine, other = one.key, two.key
    if mine == other:
        return SAME
    if not mine or other.startswith(mine + "/"):
        return CONTAINS
    return INSIDE if not other or mine.startswith(other + "/") else None
