"""Lines of a source taken out, put in or exchanged; line ends stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def split(text: bytes) -> list[bytes]:
    """Return the lines of a text, each with its end."""
    parts = text.split(b"\n")
    return [line for line in (*(part + b"\n" for part in parts[:-1]), parts[-1]) if line]


def without(text: bytes, first: int, last: int) -> bytes:
    """Return a text without some lines (from 1), and with the blank lines of one side of them only."""
    lines = split(text)
    before, after = lines[: first - 1], lines[last:]
    while before and not before[-1].strip() and (not after or not after[0].strip()):
        before.pop()
    return b"".join(before + after)


def exchanged(text: bytes, first: int, last: int, new: Sequence[bytes]) -> bytes:
    """Return a text with other lines in place of some (from 1)."""
    lines = split(text)
    return b"".join([*lines[: first - 1], *new, *lines[last:]])


def inserted(text: bytes, line: int, new: bytes) -> bytes:
    """Return a text with a line before another (from 1)."""
    lines = split(text)
    end = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
    if line > 1 and len(lines) >= line - 1 and not lines[line - 2].endswith(b"\n"):
        lines[line - 2] += end
    return b"".join([*lines[: line - 1], new.rstrip(b"\r\n") + end, *lines[line - 1 :]])
