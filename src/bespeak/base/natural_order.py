"""The order in which people list names: ``board2`` before ``board10``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Key = tuple[tuple[tuple[int, str], ...], str]

_DIGITS = "0123456789"


def natural_key(name: str) -> Key:
    """Return the sort key of a name: runs of digits count as numbers, letters by their code points."""
    parts: list[tuple[int, str]] = []
    rest = name
    while rest:
        text = rest[: _until(rest, digit=True)]
        if text:
            parts.append((1, text))
        rest = rest[len(text) :]
        number = rest[: _until(rest, digit=False)]
        if number:
            digits = number.lstrip("0") or "0"
            # Longer numbers are greater; a name of thousands of digits must not become an integer.
            parts.append((0, f"{len(digits):06d}{digits}"))
        rest = rest[len(number) :]
    return tuple(parts), name


def natural_order(names: Iterable[str]) -> list[str]:
    """Return the names in natural order."""
    return sorted(names, key=natural_key)


def _until(text: str, *, digit: bool) -> int:
    """Return the index of the first character that is a digit (or is none)."""
    for index, char in enumerate(text):
        if (char in _DIGITS) is digit:
            return index
    return len(text)
