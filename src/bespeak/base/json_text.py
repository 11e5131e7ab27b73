"""JSON as it is printed and stored: one line, compact, or indented.

``json`` is imported by the functions that need its speed. What a short command prints is encoded here, because
importing ``json`` costs half of what starting the interpreter does.
"""

from __future__ import annotations

try:
    from _json import encode_basestring_ascii as _quote
except ImportError:  # an interpreter without the C accelerator
    from json.encoder import py_encode_basestring_ascii as _quote


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
    # JSON itself escapes only the first 32 characters; a terminal also obeys others, and a lone surrogate is no UTF-8.
    if found.isascii() or found.replace("\n", "").isprintable():
        return found
    return json.dumps(value, indent=indent, separators=separators)


def indented(value: object, indent: str = "") -> str:
    """Encode strings, integers, booleans, None, lists and dicts as ASCII, indented by two spaces, without ``json``."""
    if isinstance(value, str):
        return str(_quote(value))
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    inner = indent + "  "
    if isinstance(value, dict):
        items = [f"{_quote(key)}: {indented(item, inner)}" for key, item in value.items()]
        opening, closing = "{}"
    elif isinstance(value, list):
        items = [indented(item, inner) for item in value]
        opening, closing = "[]"
    else:
        return str(value)
    if not items:
        return opening + closing
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}{closing}"


def flat(value: dict[str, object]) -> str:
    """Encode an object of plain values as ASCII on one line, without ``json``."""
    return "{" + ", ".join(f"{_quote(key)}: {indented(item)}" for key, item in value.items()) + "}"
