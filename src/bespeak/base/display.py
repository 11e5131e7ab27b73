"""Names made safe to print.

Resources, users and hosts are opaque strings that come from files and from other people. A terminal obeys what it
is sent, so whatever is not a printable character is shown as an escape; everything else is shown as it is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 120
"""A value quoted in a message is cut after so many characters; a whole file may be one value."""


def escape_unprintable(text: str) -> str:
    """Return ``text`` with every unprintable character (controls, escapes, lone surrogates) shown as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def replace_surrogates(value: object) -> object:
    """Return a JSON value in which every text is UTF-8: a byte of a name that is none becomes a replacement character.

    Git's names are bytes. What cannot be encoded would end a connection instead of an answer.
    """
    if isinstance(value, str):
        return value if value.isascii() else "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, dict):
        return {replace_surrogates(key): replace_surrogates(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [replace_surrogates(inner) for inner in value]
    return value


def short_repr(value: object) -> str:
    """Return ``value`` as a message quotes it: its repr, safe and not longer than a line."""
    try:
        text = escape_unprintable(repr(value))
    except (ValueError, RecursionError):  # an integer too long to be written out, a value nested too deeply
        return f"<{type(value).__name__}>"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def suggest(name: str, known: Iterable[str], count: int = 3, likeness: float = 0.6) -> list[str]:
    """Return the known names most like ``name``, best first.

    Args:
        name: what was typed.
        known: what exists.
        count: how many to return at most.
        likeness: from 0 (anything) to 1 (equal).
    """
    from difflib import get_close_matches

    return get_close_matches(name, list(known), n=count, cutoff=likeness)
