"""Patterns of paths: what they match, and whether two of them have a path in common.

``*`` and ``?`` and ``[a-z]`` stay within one name, ``**`` as a whole name stands for any number of folders. A pattern
stands for the files that it matches, at exactly that depth: ``src/*`` is not ``src/**``. Two patterns overlap when
some path matches both, which is decided by walking both at once, so it costs the product of their lengths and never
more.
"""

from __future__ import annotations

from functools import lru_cache

from bespeak.coord.address import CONTAINS, INSIDE, OVERLAPS, SAME, beginnings, is_wild, plain_relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from bespeak.coord.address import Address

    T = TypeVar("T")

    Ranges = tuple[tuple[int, int], ...]
    Token = Ranges | None
    """One character out of some ranges of code points; None for any number of any characters."""
    Name = str | tuple[Token, ...]
    """One name of a path: itself, or what it may be."""

_LAST = 0x10FFFF
_FOLDERS = "(?:[^/]+/)*"
_ANY_CHARACTER = ((0, _LAST),)
ANY_NAME: tuple[Token, ...] = (None,)
ANY_FOLDERS: tuple[Token, ...] = ()
"""The name ``**``: any number of names, none among them."""


def parse(path: str) -> tuple[Name, ...]:
    """Return the names of a pattern. ``a/**`` means every file below ``a``, as ``a/**/*`` does."""
    names: list[Name] = []
    for text in path.split("/"):
        name = ANY_FOLDERS if text == "**" else _name(text)
        if name is not ANY_FOLDERS or not names or names[-1] is not ANY_FOLDERS:
            names.append(name)
    if names[-1] is ANY_FOLDERS:
        names.append(ANY_NAME)
    return tuple(names)


def _name(text: str) -> Name:
    if not is_wild(text):
        return text
    tokens: list[Token] = []
    index = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char == "*":
            if not tokens or tokens[-1] is not None:
                tokens.append(None)
        elif char == "?":
            tokens.append(_ANY_CHARACTER)
        elif char == "[" and (end := _class_end(text, index)):
            tokens.append(_ranges(text[index:end]))
            index = end + 1
        else:
            tokens.append(((ord(char), ord(char)),))
    return tuple(tokens)


def _class_end(text: str, start: int) -> int:
    """Return where the class that begins at ``start`` is closed; 0 if it is not, and ``[`` stands for itself."""
    first = start + (text[start : start + 1] in {"!", "^"})
    return max(0, text.find("]", first + 1))


def _ranges(inside: str) -> Ranges:
    negated = inside[0] in "!^"
    body = inside[1:] if negated else inside
    found: list[tuple[int, int]] = []
    index = 0
    while index < len(body):
        low = high = ord(body[index])
        if index + 2 < len(body) and body[index + 1] == "-":
            high = ord(body[index + 2])
            index += 2
        index += 1
        if low <= high:
            found.append((low, high))
    return _others(found) if negated else tuple(found)


def _others(ranges: list[tuple[int, int]]) -> Ranges:
    """Return every code point outside ``ranges``."""
    left: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            left.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        left.append((start, _LAST))
    return tuple(left)


def sql_like(path: str) -> str:
    """Return a LIKE pattern (escaped by backslashes) that lets pass every address of a file that a pattern matches.

    It lets others pass too: it only spares comparing what cannot match.
    """
    parts: list[str] = []
    names = path.split("/")
    for number, name in enumerate(names):
        if name == "**":
            parts.append("%")
        else:
            parts.append(_like(name))
            parts.append("/" if number + 1 < len(names) else "")
    return "".join(parts) + "%"


def _like(name: str) -> str:
    if "[" in name:
        return "%"
    escaped = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "%")


def intersect(one: Sequence[Name], two: Sequence[Name]) -> bool:
    """Tell whether some path matches both."""
    return _have_common(one, two, ANY_FOLDERS, lambda name: names_intersect(name, ANY_NAME), names_intersect)


def names_intersect(one: Name, two: Name) -> bool:
    """Tell whether some name matches both."""
    if isinstance(one, str) and isinstance(two, str):
        return one == two
    return _have_common(_tokens(one), _tokens(two), None, bool, _characters_meet)


def _tokens(name: Name) -> tuple[Token, ...]:
    return tuple(((ord(char), ord(char)),) for char in name) if isinstance(name, str) else name


def _characters_meet(one: Token, two: Token) -> bool:
    return any(low <= top and bottom <= high for low, high in one or () for bottom, top in two or ())


def _have_common(
    one: Sequence[T], two: Sequence[T], many: T, possible: Callable[[T], bool], meets: Callable[[T, T], bool]
) -> bool:
    """Tell whether some sequence matches both of two patterns.

    Args:
        one: a pattern: single things, and ``many``.
        two: the other.
        many: what stands for any number of things.
        possible: whether a single thing matches anything at all.
        meets: whether two single things have something in common.
    """
    able, other_able = ([item is not many and possible(item) for item in side] for side in (one, two))
    after = [False] * (len(two) + 1)
    for i in range(len(one), -1, -1):
        row = [False] * (len(two) + 1)
        for j in range(len(two), -1, -1):
            ended, other_ended = i == len(one), j == len(two)
            repeats = not ended and one[i] is many
            other_repeats = not other_ended and two[j] is many
            row[j] = (
                (ended and other_ended)
                or (repeats and (after[j] or (not other_ended and other_able[j] and row[j + 1])))
                or (other_repeats and (row[j + 1] or (not ended and able[i] and after[j])))
                or (not (ended or other_ended or repeats or other_repeats) and after[j + 1] and meets(one[i], two[j]))
            )
        after = row
    return after[0]


def relation(one: Address, two: Address) -> str | None:
    """Return how ``one`` stands to ``two``: ``same``, ``contains`` it, is ``inside`` it, ``overlaps``, or None."""
    if one.glob or two.glob:
        return _together(_paths(one, two), _nested(one.symbol, two.symbol))
    return plain_relation(one, two)


def _names(address: Address) -> tuple[Name, ...]:
    """Return the path of an address as a pattern."""
    if address.glob:
        return parse(address.path)
    own: tuple[Name, ...] = tuple(address.path.split("/")) if address.path else ()
    return (*own, ANY_FOLDERS, ANY_NAME) if address.folder else own


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
    if not intersect(_names(one), _names(two)):
        return None
    if two.glob:
        return OVERLAPS
    return CONTAINS if not two.folder or _holds_all_of(one, two.path) else OVERLAPS


def _all_below(folder: str, key: str) -> tuple[str, ...]:
    """Return ``(key,)`` if it is ``folder`` or lies below it."""
    return (key,) if not folder or key == folder or key.startswith(folder + "/") else ()


def _holds_all_of(pattern: Address, folder: str) -> bool:
    """Tell whether a pattern that ends with ``**`` matches every file below ``folder``."""
    names = _names(pattern)
    if names[-2:] != (ANY_FOLDERS, ANY_NAME):
        return False
    head = names[:-2]
    above = (tuple(start.split("/")) if start else () for start in beginnings(folder))
    return any(intersect(head, start) for start in above)


@lru_cache(maxsize=4096)
def compiled(path: str) -> re.Pattern[str]:
    """Return the regular expression that a path has to match in full.

    Whoever writes a pattern must not be able to make everybody wait: a wildcard that something follows is matched once,
    at the first place where it can be, and never tried again. What remains is then the most there can be, so nothing is
    missed, and the time of a match stays within the product of both lengths.
    """
    import re

    parts: list[list[str]] = [[]]
    for name in parse(path):
        if name is ANY_FOLDERS:
            parts.append([])
        else:
            parts[-1].append(_name_regex(name))
    *heads, last = parts
    text = "".join(f"{name}/" for name in heads[0]) if heads else ""
    text += "".join(f"(?>{_FOLDERS}?{''.join(f'{name}/' for name in names)})" for names in heads[1:])
    text += (_FOLDERS if heads else "") + "/".join(last)
    return re.compile(text)


def _name_regex(name: Name) -> str:
    import re

    if isinstance(name, str):
        return re.escape(name)
    parts: list[list[Token]] = [[]]
    for token in name:
        if token is None:
            parts.append([])
        else:
            parts[-1].append(token)
    *heads, last = parts
    text = _characters(heads[0]) if heads else ""
    text += "".join(f"(?>[^/]*?{_characters(tokens)})" for tokens in heads[1:])
    return text + ("[^/]*" if heads else "") + _characters(last)


def _characters(tokens: Sequence[Token]) -> str:
    return "".join(_character(token) for token in tokens)


def _character(token: Token) -> str:
    import re

    if not token:
        return "(?!)"
    if token == _ANY_CHARACTER:
        return "[^/]"
    if len(token) == 1 and token[0][0] == token[0][1]:
        return re.escape(chr(token[0][0]))
    return f"(?!/)[{''.join(f'{_escaped(low)}-{_escaped(high)}' for low, high in token)}]"


def _escaped(number: int) -> str:
    return f"\\U{number:08x}"
