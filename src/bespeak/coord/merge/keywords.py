"""Which arguments a Python call gives by name: the count alone does not say whether a renamed parameter breaks it."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_LINES = 50
_TEXTS = re.compile(r"""(\"{3}|'{3}).*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*""", re.DOTALL)
_NAMED = re.compile(r"\s*(\w+)\s*=(?!=)")


def keywords(lines: Sequence[bytes], line: int, name: str) -> frozenset[str]:
    """Return the names by which the calls of something give arguments; empty where the text cannot be followed.

    Args:
        lines: of the file.
        line: on which the call begins, from 1.
        name: the last part of what is called, as it is written there.
    """
    source = b"\n".join(lines[line - 1 : line - 1 + _MOST_LINES]).decode("utf-8", "replace")
    text = _TEXTS.sub(lambda found: "" if found[0].startswith("#") else "0", source)
    calls = re.finditer(rf"\b{re.escape(name)}\s*\(", text)
    first_line = text.find("\n") if "\n" in text else len(text)
    found = [_given(text, call.end()) for call in calls if call.start() < first_line]
    return frozenset.intersection(*found) if found else frozenset()


def _given(text: str, start: int) -> frozenset[str]:
    """Return the names before ``=`` from the opening bracket of a call to the closing one."""
    given: set[str] = set()
    depth = 1
    at_start = True
    for index in range(start, len(text)):
        char = text[index]
        if at_start and depth == 1:
            named = _NAMED.match(text, index)
            given.update(named.groups() if named else ())
        at_start = char == ","
        depth += (char in "([{") - (char in ")]}")
        if not depth:
            return frozenset(given)
    return frozenset()
