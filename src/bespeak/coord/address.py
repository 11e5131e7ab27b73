"""Addresses: what a claim can name, and when two of them overlap.

An address is a file, a symbol of a file (``path::Class.method``), a folder (``dir/``) or a pattern of files. Each has
a key, a path in one tree in which a folder holds its files, a file its symbols and a class its methods: two plain
addresses overlap when one key begins the other. So an index on the key finds all that overlaps: the beginnings of a
key are a short list, and all that it begins is one range. A pattern is kept under the folder from which it starts.
"""

from __future__ import annotations

from bespeak.base.frozen import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.coord.globs import Name

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
            from bespeak.coord import globs

            return globs.literal_prefix(self.path)[0]
        if not self.symbol:
            return self.path
        names = [name.replace("/", _SLASH_IN_SYMBOL) for name in self.symbol]
        return "/".join((self.path, _SYMBOLS, *names))

    @property
    def names(self) -> tuple[Name, ...]:
        """The path as a pattern."""
        from bespeak.coord import globs

        if self.glob:
            return globs.parse(self.path)
        own: tuple[Name, ...] = tuple(self.path.split("/")) if self.path else ()
        return (*own, globs.ANY_FOLDERS, globs.ANY_NAME) if self.folder else own


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
        from bespeak.coord import globs

        begun = globs.literal_prefix(address.path)[1]
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


def relation(one: Address, two: Address) -> str | None:
    """Return how ``one`` stands to ``two``: ``same``, ``contains`` it, is ``inside`` it, ``overlaps``, or None."""
    if one.glob or two.glob:
        return _together(_paths(one, two), _nested(one.symbol, two.symbol))
    mine, other = one.key, two.key
    if mine == other:
        return SAME
    if not mine or other.startswith(mine + "/"):
        return CONTAINS
    return INSIDE if not other or mine.startswith(other + "/") else None


def _nested(one: tuple[str, ...], two: tuple[str, ...]) -> str | None:
    if one == two:
        return SAME
    if two[: len(one)] == one:
        return CONTAINS
    return INSIDE if one[: len(two)] == two else None


def _together(paths: str | None, symbols: str | None) -> str | None:
    """Combine how two paths and how two symbols stand to each other."""
    if paths is None or symbols is None:
        return None
    if SAME in (paths, symbols):
        return symbols if paths == SAME else paths
    return paths if paths == symbols else OVERLAPS


def _paths(one: Address, two: Address) -> str | None:
    if one.path == two.path and not (one.folder or two.folder):
        return SAME
    if not one.glob:
        turned = _paths(two, one)
        return {CONTAINS: INSIDE, INSIDE: CONTAINS}.get(turned or "", turned)
    if two.folder and one.key in _all_below(two.path, one.key):
        return INSIDE
    from bespeak.coord import globs

    if not globs.meet(one.names, two.names):
        return None
    if two.glob:
        return OVERLAPS
    return CONTAINS if not two.folder or _holds_all_of(one, two.path) else OVERLAPS


def _all_below(folder: str, key: str) -> tuple[str, ...]:
    """Return ``(key,)`` if it is ``folder`` or lies below it."""
    return (key,) if not folder or key == folder or key.startswith(folder + "/") else ()


def _holds_all_of(pattern: Address, folder: str) -> bool:
    """Tell whether a pattern that ends with ``**`` matches every file below ``folder``."""
    from bespeak.coord import globs

    names = pattern.names
    if names[-2:] != (globs.ANY_FOLDERS, globs.ANY_NAME):
        return False
    head = names[:-2]
    above = (tuple(start.split("/")) if start else () for start in beginnings(folder))
    return any(globs.meet(head, start) for start in above)
