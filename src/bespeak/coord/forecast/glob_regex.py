"""Patterns of paths as regular expressions, for one pattern that meets thousands of files.

Whoever writes a pattern must not be able to make everybody wait, so each wildcard that something follows is matched
once, at the first place where it can be, and never tried again: what remains is then the most there can be, so nothing
is missed. That keeps the time of a match within the product of both lengths.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bespeak.coord import globs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bespeak.coord.globs import Name, Token

_LAST = 0x10FFFF
_FOLDER = "(?:[^/]+/)*"


@lru_cache(maxsize=4096)
def compiled(path: str) -> re.Pattern[str]:
    """Return the expression that a path has to match in full."""
    parts: list[list[str]] = [[]]
    for name in globs.parse(path):
        if name is globs.ANY_FOLDERS:
            parts.append([])
        else:
            parts[-1].append(_name(name))
    *heads, last = parts
    text = "".join(f"{name}/" for name in heads[0]) if heads else ""
    text += "".join(f"(?>{_FOLDER}?{''.join(f'{name}/' for name in names)})" for names in heads[1:])
    text += (_FOLDER if heads else "") + "/".join(last)
    return re.compile(text)


def _name(name: Name) -> str:
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
    if not token:
        return "(?!)"
    if token == ((0, _LAST),):
        return "[^/]"
    if len(token) == 1 and token[0][0] == token[0][1]:
        return re.escape(chr(token[0][0]))
    return f"(?!/)[{''.join(f'{_escaped(low)}-{_escaped(high)}' for low, high in token)}]"


def _escaped(number: int) -> str:
    return f"\\U{number:08x}"
