"""JSON as it is printed and stored: one line, compact, or indented.

``json`` is imported by the functions that need its speed. What a short command prints is encoded here, because
importing ``json`` costs half of what starting the interpreter does.
"""

from __future__ import annotations

try:
    from _json import encode_basestring as _quote_utf8
    from _json import encode_basestring_ascii as _quote
except ImportError:  # an interpreter without the C accelerator
    from json.encoder import py_encode_basestring as _quote_utf8
    from json.encoder import py_encode_basestring_ascii as _quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

quote_utf8 = _quote_utf8
"""Encodes a string; what is no ASCII stands as it is."""


def one_line(value: object) -> str:
    """Return one line of JSON, in ASCII: safe on every terminal and in every encoding."""
    import json

    return json.dumps(value)


def compact(value: object) -> str:
    """Return JSON without blanks, in ASCII: any bytes of a command survive as escapes."""
    import json

    return json.dumps(value, separators=(",", ":"))


def compact_utf8(value: object) -> str:
    """Return JSON without blanks in which names stand as they are, so that SQL finds them."""
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def printable(value: object, *, indent: int | None = 2) -> str:
    """Return JSON text that any stream and any terminal can take: what is not printable is escaped."""
    import json

    separators = None if indent else (",", ":")
    found = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return found if _is_printable(found) else json.dumps(value, indent=indent, separators=separators)


def printable_part(value: object, indent: str) -> str:
    """Return JSON text for any terminal as a part of a document; ``indent`` stands before all lines but the first."""
    found = indented(value, indent, _quote_utf8)
    return found if _is_printable(found) else indented(value, indent)


def _is_printable(text: str) -> bool:
    # JSON itself escapes only the first 32 characters; a terminal also obeys others, and a lone surrogate is no UTF-8.
    return text.isascii() or text.replace("\n", "").isprintable()


def indented(value: object, indent: str = "", quote: Callable[[str], str] = _quote) -> str:
    """Encode what JSON can say, indented by two spaces, without the slow encoder that ``json`` has for this layout.

    Args:
        value: what ``json.loads`` may have made.
        indent: what stands before all lines but the first.
        quote: encodes a string; as ASCII unless said otherwise.
    """
    try:
        return _laid_out(value, indent, quote)
    except RecursionError:
        import json

        # The standard library's encoder needs half as many frames for each level.
        return json.dumps(value, indent=2, ensure_ascii=quote is _quote).replace("\n", "\n" + indent)


def _laid_out(value: object, indent: str, quote: Callable[[str], str]) -> str:
    inner = indent + "  "
    # Plain strings, numbers and None are decided here: a call for each costs more than its text.
    if isinstance(value, dict):
        items = [
            f"{quote(key)}: {quote(item)}"
            if type(item) is str
            else f"{quote(key)}: {item}"
            if type(item) is int
            else f"{quote(key)}: null"
            if item is None
            else f"{quote(key)}: {_laid_out(item, inner, quote)}"
            for key, item in value.items()
        ]
        opening, closing = "{}"
    elif isinstance(value, list):
        items = [quote(item) if type(item) is str else _laid_out(item, inner, quote) for item in value]
        opening, closing = "[]"
    else:
        return _scalar(value, quote)
    if not items:
        return opening + closing
    separator = ",\n" + inner
    return f"{opening}\n{inner}{separator.join(items)}\n{indent}{closing}"


def _scalar(value: object, quote: Callable[[str], str]) -> str:
    if isinstance(value, str):
        return quote(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value) if isinstance(value, int) else one_line(value)


def flat(value: dict[str, object]) -> str:
    """Encode an object of plain values as ASCII on one line, without ``json``."""
    return "{" + ", ".join(f"{_quote(key)}: {indented(item)}" for key, item in value.items()) + "}"
