"""Project files as people write them: JSON with comments and commas too many."""

from __future__ import annotations

from typing import Any

_LARGEST = 1 << 20


def read_json(text: bytes | None) -> dict[str, Any] | None:
    """Return what a project file says; None if it is not there or is no object."""
    if text is None or len(text) > _LARGEST:
        return None
    import json

    said = text.decode("utf-8-sig", "replace")
    for candidate in (said, _plain(said)):
        try:
            found = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _plain(text: str) -> str:
    """Return the text without comments, and without commas before a closing bracket."""
    import re

    string = r'"(?:[^"\\]|\\.)*"'
    without = re.sub(rf"({string})|//[^\n]*|/\*.*?\*/", lambda one: one[1] or "", text, flags=re.DOTALL)
    return re.sub(rf"({string})|,(?=\s*[\]}}])", lambda one: one[1] or "", without)
