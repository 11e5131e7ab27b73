"""Printing: names made safe, colours only where somebody sees them, instants in the local zone, tables, JSON."""

from __future__ import annotations

import os
import sys

from bespeak.base.display import escape_unprintable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_STYLES = {"red": "1;31", "magenta": "1;35", "yellow": "33", "bold": "1", "dim": "2"}


def colours(stream: TextIO, allowed: bool) -> bool:
    """Tell whether to colour what goes to ``stream``: a terminal, and nobody said no."""
    if not allowed or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def styled(text: str, style: str, coloured: bool) -> str:
    """Return ``text`` in a style (``red``, ``magenta``, ``yellow``, ``bold``, ``dim``), if it is to be coloured."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if coloured else text


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under headers; every cell is made safe to print."""
    cells = [list(headers), *([escape_unprintable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "\n".join(lines)


def one_line(text: str) -> str:
    """Return ``text`` on one line and safe to print."""
    return escape_unprintable(" ".join(text.split("\n")))


def not_written(error: OSError, done: str = "") -> Exception:
    """Return what to raise when stdout cannot be written: nobody shall take it for a failure of the book.

    Args:
        error: of writing.
        done: what the command has changed all the same.
    """
    if isinstance(error, BrokenPipeError):
        return error
    from bespeak.base.errors import BespeakError

    stands = f"; {done}" if done else ""
    return BespeakError(f"the answer could not be written: {error.strerror or error}{stands}")


def to_stderr(text: str) -> None:
    """Print to stderr at once; a closed one is nobody's problem."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def shell_words(words: Sequence[str]) -> str:
    """Return words as one would type them at a shell."""
    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%"
    return " ".join(
        word if word and not word.strip(plain) else "'" + word.replace("'", "'\"'\"'") + "'" for word in words
    )
