"""JSON as it is printed and stored: one line, compact, or indented.

Importing ``json`` costs half of what starting the interpreter does. So what a short command reads and prints is
done with the parts in C that ``json`` itself is made of; where an interpreter has none, ``json`` has them.
"""

from __future__ import annotations

try:
    from _json import encode_basestring as _quote_utf8
    from _json import encode_basestring_ascii as _quote
    from _json import make_encoder, make_scanner
except ImportError:  # an interpreter without the C accelerator
    from json.encoder import py_encode_basestring as _quote_utf8
    from json.encoder import py_encode_basestring_ascii as _quote

    make_encoder = make_scanner = None  # type: ignore[assignment,misc]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

quote = _quote
"""Encodes a string as ASCII."""

quote_utf8 = _quote_utf8
"""Encodes a string; what is no ASCII stands as it is."""


class _Reading:
    """What ``json.loads`` tells the scanner in C."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = {"-Infinity": -float("inf"), "Infinity": float("inf"), "NaN": float("nan")}.__getitem__
    memo: dict[str, str] = {}  # noqa: RUF012 the scanner in C has one of its own


def loads(text: str) -> Any:
    """Return what JSON text says, as ``json.loads`` does.

    Raises:
        ValueError: it is no JSON.
    """
    if _scan is not None:
        try:
            value, end = _scan(text, 0)
        except (StopIteration, SystemError):  # it says what is wrong only where json has been loaded
            end = -1
        if end == len(text):
            return value
    import json  # reads blanks around the value, or tells what is wrong

    return json.loads(text)


def _encoder(quote: Callable[[str], str], separators: tuple[str, str]) -> Callable[[object], str]:
    """Return what encodes as ``json.dumps`` does."""
    between, behind_key = separators
    if make_encoder is None:
        import json

        is_ascii = quote is _quote
        return lambda value: json.dumps(value, ensure_ascii=is_ascii, separators=separators)
    encode = make_encoder(None, _refuse, quote, None, behind_key, between, False, False, True)
    return lambda value: "".join(encode(value, 0))


def _refuse(value: object) -> object:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_scan = None if make_scanner is None else make_scanner(_Reading)  # type: ignore[arg-type]

one_line = _encoder(_quote, (", ", ": "))
"""Returns one line of JSON, in ASCII: safe on every terminal and in every encoding."""

compact = _encoder(_quote, (",", ":"))
"""Returns JSON without blanks, in ASCII: any bytes of a command survive as escapes."""

compact_utf8 = _encoder(_quote_utf8, (",", ":"))
"""Returns JSON without blanks in which names stand as they are, so that SQL finds them."""


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
