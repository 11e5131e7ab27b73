"""Lines that only import: merged as a set, found for a name, and written for another place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bespeak.coord.merge.file_conflicts import BASE, OURS, THEIRS
from bespeak.coord.merge.steps.lines import inserted

if TYPE_CHECKING:
    from bespeak_symbols.model import Facts, Import

    Spans = dict[str, tuple[int, int]]

_UNORDERED = frozenset({"go", "java", "python", "javascript", "typescript", "rust"})
"""Languages in which the order of imports means nothing, as long as each one names what it takes."""
_GOES_ON = (b"(", b"{", b"\\", b",")
_FROM = re.compile(rb"^(\s*from\s+)(\S+)(\s+import\s+)([^()#\\]+?)(\s*)$")
_BRACES = re.compile(rb"""^(\s*import\s+(?:type\s+)?)\{([^{}]*)\}(\s+from\s+)(['"])([^'"]+)(['"].*)$""")


def merged_imports(
    facts: dict[str, Facts], lines: dict[str, list[bytes]], spans: Spans
) -> tuple[list[bytes], tuple[str, ...]] | None:
    """Return the imports of both sides in place of some lines, and what they are called; None if that is not certain.

    Args:
        facts: of the file in each version.
        lines: of the file in each version.
        spans: the lines ``[first, beyond)`` of each version.
    """
    if facts[OURS].language not in _UNORDERED:
        return None
    found = {version: _only_imports(facts[version], lines[version], spans[version]) for version in spans}
    base, ours, theirs = found[BASE], found[OURS], found[THEIRS]
    if base is None or ours is None or theirs is None:
        return None
    added = {text for text in theirs if text not in base}
    names = [
        {one.local: (one.module, one.name) for text in side if text not in base for one in side[text]}
        for side in (ours, theirs)
    ]
    if any(names[0][name] != names[1][name] for name in names[0].keys() & names[1].keys()):
        return None
    if any({one.local for one in theirs[text]} & names[0].keys() for text in added if text not in ours):
        return None  # two lines that take one name
    left = [text for text in ours if text in theirs or text not in base]
    taken = [*left, *(text for text in theirs if text in added and text not in ours)]
    if all(list(side) == sorted(side) for side in (ours, theirs)):
        taken.sort()
    return taken, tuple(sorted({*names[0], *names[1]}))


def _only_imports(facts: Facts, lines: list[bytes], span: tuple[int, int]) -> dict[bytes, list[Import]] | None:
    """Return the imports of some lines, by their text; None if there is anything else, or one goes over lines."""
    found: dict[bytes, list[Import]] = {}
    for number in range(*span):
        text = lines[number - 1]
        here = [one for one in facts.imports if one.line == number]
        if not here or text.strip().endswith(_GOES_ON) or not text.endswith(b"\n"):
            return None
        if any(not one.local or one.local in "*_." or one.within for one in here):
            return None
        found[text] = here
    return found


def alone(facts: Facts, lines: list[bytes], one: Import) -> bytes | None:
    """Return a line that imports one name as a file does; None if nobody can tell how it is written."""
    text = lines[one.line - 1]
    here = [each for each in facts.imports if each.line == one.line]
    if len(here) == 1 and not text.strip().endswith(_GOES_ON):
        return text
    if one.within:
        return None
    renamed = f" as {one.local}" if one.local != (one.name or one.module) else ""
    if facts.language == "python":
        words = f"from {one.module} import {one.name}" if one.name else f"import {one.module}"
        return f"{words}{renamed}\n".encode()
    if facts.language in {"javascript", "typescript"} and one.name not in {"", "default", "*"}:
        return f'import {{ {one.name}{renamed} }} from "{one.module}";\n'.encode()
    if facts.language == "rust" and one.name:
        return f"use {one.module}::{one.name}{renamed};\n".encode()
    return None


def redirected(line: bytes, name: str, module: str) -> list[bytes] | None:
    """Return the lines that take one name from another module and the others from where they were.

    Args:
        line: an import of Python, JavaScript or TypeScript.
        name: what is to come from elsewhere.
        module: from where, as it is written.
    """
    end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
    text = line.rstrip(b"\r\n")
    if match := _FROM.match(text):
        head, old, middle, names, tail = match.groups()
        mine, rest = _parted(names, name)
        made = [head + module.encode() + middle + b", ".join(mine) + tail + end]
        kept = [head + old + middle + b", ".join(rest) + tail + end] if rest else []
    elif match := _BRACES.match(text):
        head, names, middle, quote, old, tail = match.groups()
        mine, rest = _parted(names, name)
        made = [head + b"{ " + b", ".join(mine) + b" }" + middle + quote + module.encode() + tail + end]
        kept = [head + b"{ " + b", ".join(rest) + b" }" + middle + quote + old + tail + end] if rest else []
    else:
        return None
    return [*kept, *made] if mine else None


def _parted(names: bytes, name: str) -> tuple[list[bytes], list[bytes]]:
    parts = [part.strip() for part in names.split(b",") if part.strip()]
    mine = [part for part in parts if part.split()[0] == name.encode()]
    return mine, [part for part in parts if part not in mine]


def place_for(facts: Facts) -> int | None:
    """Return the line after the last import of a whole file; None if it has none."""
    found = [one.line for one in facts.imports if not one.within]
    return max(found) + 1 if found else None


def with_import(text: bytes, facts: Facts, line: bytes) -> bytes:
    """Return a file with one import more: after the others, else before its first definition."""
    place = place_for(facts)
    if place is not None:
        return inserted(text, place, line)
    first = min((symbol.first_line for symbol in facts.symbols), default=1)
    return inserted(inserted(text, first, b""), first, line)
