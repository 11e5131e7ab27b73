"""Several names in one word: ``board{1..8}``, ``rack{a,b}.gpu{01..04}``."""

from __future__ import annotations

import re
from itertools import product

from bespeak.base.errors import UsageError

MOST_NAMES = 10_000
_BRACES = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}|\{([^{}]*,[^{}]*)\}")


def expand(text: str) -> list[str]:
    """Return the names that a word stands for, in order; the word itself where it has no braces.

    Raises:
        UsageError: it stands for very many.
    """
    pieces: list[list[str]] = []
    count, end = 1, 0
    for found in _BRACES.finditer(text):
        choices = _choices(text, found)
        pieces += [[text[end : found.start()]], choices]
        count *= len(choices)
        end = found.end()
        if count > MOST_NAMES:
            raise _too_many(text)
    return ["".join(parts) for parts in product(*pieces, [text[end:]])]


def _choices(text: str, found: re.Match[str]) -> list[str]:
    first, last, words = found.groups()
    if words is not None:
        return list(dict.fromkeys(word.strip() for word in words.split(",")))
    low, high = int(first), int(last)
    if abs(high - low) >= MOST_NAMES:
        raise _too_many(text)
    width = len(first) if first.startswith("0") else 0
    step = 1 if low <= high else -1
    return [f"{number:0{width}d}" for number in range(low, high + step, step)]


def _too_many(text: str) -> UsageError:
    return UsageError(f"{text!a} stands for more than {MOST_NAMES} names")
