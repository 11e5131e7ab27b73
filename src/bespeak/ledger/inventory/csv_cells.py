"""Values of an inventory in cells of a CSV file.

Lists are separated by semicolons, labels are written ``arch=arm64; ram=8; usb3``. A word that would be read as
something else (a number that is a text, a name with a semicolon) stands in JSON quotes.
"""

from __future__ import annotations

import json

from bespeak.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_LISTS = ("parts", "groups")
_DECODER = json.JSONDecoder()
_SPECIAL = frozenset(';="')


def read(key: str, cell: str) -> Any:
    """Return the value that a cell, which is not empty, has in a table of the other formats.

    Raises:
        UsageError: it cannot be read.
    """
    if key == "labels":
        return _labels(cell)
    if key == "seats" and cell.isascii() and cell.isdigit() and len(cell) <= 12:  # noqa: PLR2004 more than any seats
        return int(cell)
    if key == "approval" and cell in ("true", "false"):
        return cell == "true"
    if key in ("seats", "approval") or key in _LISTS:
        return [_text(words, key) for words in _items(cell, key)]
    return cell


def write(key: str, value: Any) -> str:
    """Return the cell of a value."""
    if value is True:
        return "true"
    if isinstance(value, dict):
        return "; ".join(_label(name, said) for name, said in value.items())
    if isinstance(value, list):
        written = "; ".join(_word(item) for item in value)
        bare = len(value) == 1 and (value[0].isdigit() if key == "seats" else value[0] in ("true", "false"))
        return _quoted(value[0]) if bare and key in ("seats", "approval") else written
    return str(value)


def scalar(text: str) -> str | int | float | bool:
    """Return the number or truth value that a word is written like, else the word."""
    if text in ("true", "false"):
        return text == "true"
    for read_number in (int, float):
        try:
            number: int | float = read_number(text)
        except ValueError:
            continue
        if repr(number) == text:
            return number
    return text


def _labels(cell: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for words in _items(cell, "labels"):
        (name, _), *rest = words
        if name in found:
            raise UsageError(f"labels: {name!a} stands there twice")
        if not rest:
            found[name] = True
        elif len(rest) == 1:
            text, quoted = rest[0]
            found[name] = text if quoted else scalar(text)
        else:
            raise UsageError(f"labels: the label {name!a} has several values; write NAME=VALUE; NAME=VALUE")
    return found


def _label(name: str, said: Any) -> str:
    if said is True:
        return _word(name)
    if isinstance(said, str):
        return f"{_word(name)}={_word(said) if said and scalar(said) == said else _quoted(said)}"
    return f"{_word(name)}={json.dumps(said)}"


def _text(words: Sequence[tuple[str, bool]], key: str) -> str:
    if len(words) > 1:
        raise UsageError(f"{key}: {words[0][0]!a} is followed by an equals sign; write it in quotes")
    return words[0][0]


def _items(cell: str, key: str) -> list[list[tuple[str, bool]]]:
    """Return, for each item of a list, the words between its equals signs, and whether each was in quotes."""
    items: list[list[tuple[str, bool]]] = [[]]
    at = 0
    while True:
        word, quoted, at = _next_word(cell, at, key)
        items[-1].append((word, quoted))
        if at >= len(cell):
            return items
        if cell[at] == ";":
            items.append([])
        at += 1


def _next_word(cell: str, at: int, key: str) -> tuple[str, bool, int]:
    """Return the word that begins at ``at``, whether it is in quotes, and where the sign behind it is."""
    while at < len(cell) and cell[at] == " ":
        at += 1
    if cell[at : at + 1] == '"':
        try:
            word, at = _DECODER.raw_decode(cell, at)
        except ValueError:
            raise UsageError(f"{key}: {cell[at:][:60]!a} has no closing quote") from None
        while at < len(cell) and cell[at] == " ":
            at += 1
        if at < len(cell) and cell[at] not in ";=":
            raise UsageError(f"{key}: {cell[at:][:60]!a} stands behind a closing quote")
        return word, True, at
    end = at
    while end < len(cell) and cell[end] not in ";=":
        end += 1
    return cell[at:end].strip(" "), False, end


def _word(text: str) -> str:
    plain = text and text == text.strip() and text.isprintable() and not _SPECIAL.intersection(text)
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
