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


def width() -> int | None:
    """Return how many columns the terminal has; None where stdout is none and nothing is to be cut.

    ``COLUMNS`` goes before what the terminal says.
    """
    if not sys.stdout.isatty():
        return None
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and int(said[:6]) > 0:
        return int(said[:6])
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except OSError:
        return None


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], fit: int | None = None, elastic: Sequence[str] = ()
) -> str:
    """Lay out rows under headers; every cell is made safe to print.

    Args:
        headers: one a column.
        rows: their cells.
        fit: the columns there are; None for as many as it takes.
        elastic: headers of columns whose text may be cut to fit, the most elastic first.
    """
    cells = [list(headers), *([escape_unprintable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    if fit is not None:
        widths = _squeezed(widths, [headers.index(name) for name in elastic], fit - 2 * (len(headers) - 1))
        cells = [[_cut(cell, width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "\n".join(lines)


_NARROWEST = 7


def _squeezed(widths: list[int], elastic: Sequence[int], room: int) -> list[int]:
    """Return widths that need no more than ``room`` in all, as far as elastic columns can give way."""
    found = list(widths)
    for column in elastic:
        found[column] = max(min(found[column], _NARROWEST), found[column] - max(sum(found) - room, 0))
    return found


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: max(width - 1, 0)] + "…"


def one_line(text: str) -> str:
    """Return ``text`` on one line and safe to print."""
    return escape_unprintable(" ".join(text.split("\n")))


def cell(text: str) -> str:
    """Return the lines of ``text`` for one cell of a table, so that one can be told from the next."""
    return "; ".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


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
