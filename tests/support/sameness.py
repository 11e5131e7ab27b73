"""When two outputs of one command are the same: values that differ from run to run are compared by their form.

A page shows what a user sees: whole output, with real times and ids. Another run has other ones, so both sides are
brought into one form first. What a person typed (``--for 2h``) or can count (``place 1``) is compared as it is.
"""

from __future__ import annotations

import getpass
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

READER, HOME, MACHINE = "alice", "/home/alice", "lab1"

_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)"
_FORMS = (
    (rf"{_DAY}T{_CLOCK}{_ZONE}?", "<time>"),
    (rf"{_DAY} {_CLOCK}(?: UTC|{_ZONE})?", "<time>"),
    (r"\b1[6-9]\d{8}(?:\d{6}|\.\d+)?\b", "<epoch>"),
    (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<id>"),
    (r"\bsha256:[0-9a-f]+", "<id>"),
    (r"\b[0-9a-f]{7,64}\b", "<id>"),
    (r"(?<=127\.0\.0\.1:)\d+", "<port>"),
    (r"(?<=127\.0\.0\.1-)\d+", "<port>"),
    (r"(?<!\()\b(?:\d+h ?)?(?:\d+m ?)?\d+(?:\.\d+)? ?(?:s|ms|µs|seconds)\b", "<duration>"),
    (r"\b(?<=in )\d+[dhm](?:\d+[hms])*\b", "<duration>"),
    (r"\b(pid|PID|\"pid\":|worker pid|target pid)(\s+)\d+", r"\1\2<pid>"),
    (r"\bPython/?3\.\d+\S*|python3\.\d+", "<python>"),
)
_ID = re.compile(r"\b(?:sha256:)?[0-9a-f]{7,64}\b(?!-)|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
_COMPILED = tuple((re.compile(pattern), form) for pattern, form in _FORMS)


def same(shown: str, printed: str) -> bool:
    """Tell whether a page shows what was printed; how far columns are apart does not count."""
    return _form(shown) == _form(printed)


def ids_of(text: str) -> list[str]:
    """Return the ids in a text, in order."""
    return _ID.findall(text)


def _form(text: str) -> list[str]:
    for pattern, form in _COMPILED:
        text = pattern.sub(form, text)
    return [" ".join(line.split()) for line in text.splitlines()]


@dataclass(frozen=True)
class Stand:
    """What this machine's names stand for on a page: (pattern, name on a page) pairs, the longest paths first."""

    names: tuple[tuple[str, str], ...]

    @classmethod
    def of_this_machine(cls, folder: Path) -> Stand:
        """Return the names for a page that is run in ``folder``."""
        paths = [(folder / "home", HOME), (folder, f"{HOME}/lab"), (Path(sys.executable).parent, f"{HOME}/.venv/bin")]
        both = [(re.escape(str(one)), name) for path, name in paths for one in (path, path.resolve())]
        words = [(re.escape(socket.gethostname()), MACHINE), (re.escape(getpass.getuser()), READER)]
        return cls((*both, *((rf"(?<![\w/.-]){word}(?![\w/-])", name) for word, name in words)))

    def as_on_a_page(self, output: str) -> str:
        """Return what was printed with the names of a page: alice, on the machine lab1."""
        for pattern, name in self.names:
            output = re.sub(rf"({pattern})((?:  +(?=\S))?)", lambda match: _in_its_column(match, name), output)  # noqa: B023
        return output


def _in_its_column(match: re.Match[str], name: str) -> str:
    """Return ``name`` with so many spaces behind it that the next column stays where it is."""
    return name + " " * max(2, len(match[0]) - len(name)) if match[2] else name
