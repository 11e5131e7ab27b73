"""The JSON in what a program printed, whatever else it printed before, after and between.

A wrapper may print a warning first, a shell its login message, and a logger a JSON line of its own.
"""

from __future__ import annotations

import json
import re

_LINE_START = re.compile(r"""^[ \t]*(?:\{(?=\s*["}])|\[(?=\s*[]"{[\dtfn-]))""", re.MULTILINE)
_ANYWHERE = re.compile(r"""\{(?=\s*["}])""")
_MOST_FAILURES = 100
"""So many places that only look like JSON end the search, so that garbage of any length costs a bounded time."""


def json_object(text: str) -> dict[str, object] | None:
    """Return the last JSON object of a text, or None if it has none."""
    found = json_objects(text)
    return found[-1] if found else None


def json_objects(text: str) -> list[dict[str, object]]:
    """Return the JSON objects of a text that are not part of another value, in their order.

    Only what begins a line counts, unless there is no such object: then any brace may begin one.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return _search(text, _LINE_START) or _search(text, _ANYWHERE)
    return [whole] if isinstance(whole, dict) else []


def _search(text: str, opening: re.Pattern[str]) -> list[dict[str, object]]:
    decoder = json.JSONDecoder()
    found: list[dict[str, object]] = []
    failures = 0
    match = opening.search(text)
    while match and failures < _MOST_FAILURES:
        end = match.end()
        try:
            value, end = decoder.raw_decode(text, end - 1)
        except (ValueError, RecursionError):
            failures += 1
        else:
            if isinstance(value, dict):
                found.append(value)
        match = opening.search(text, end)
    return found
