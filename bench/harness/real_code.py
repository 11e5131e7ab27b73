"""Real code of one language out of a local clone, as a tree that can be edited by name."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bespeak_symbols.native import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Facts, Symbol

MOST_FILES = 250
"""So many files of a clone make a tree."""
_LARGEST = 120_000
_FEWEST = 8
_SHORTEST = 5
_APART = 5
"""So many lines between two edits are enough for git to keep them apart."""
_PROJECTS = frozenset({"go.mod", "Cargo.toml", "package.json", "tsconfig.json"})
_CALLABLE = frozenset({"function", "method"})
_TYPES = frozenset({"class", "struct", "interface", "trait", "enum", "type"})


@dataclass(frozen=True, slots=True)
class Defined:
    """A definition of a name that the whole tree defines once.

    Args:
        path: of its file.
        name: its qualified name.
        kind: of the symbol; ``field`` for a member of a type that holds a value.
        symbol: where it is; None for a field.
    """

    path: str
    name: str
    kind: str
    symbol: Symbol | None = None

    @property
    def last(self) -> str:
        """Its own name."""
        return self.name.rpartition(".")[2]


class CodeTree:
    """The files of one language in a clone, and what they define.

    Args:
        root: of the clone.
        language: which files to take.
    """

    def __init__(self, root: str, language: str) -> None:
        self.language = language
        found = dict(_files(root, language))
        self.projects = {path: text for path, text in found.items() if _is_project(path)}
        """Files that say what the name of a module or package means."""
        self.files = {path: text for path, text in found.items() if path not in self.projects}
        self.facts: dict[str, Facts] = {
            path: registry.extract(language, text, path) for path, text in self.files.items()
        }

    @cached_property
    def enough(self) -> bool:
        """Tell whether there is enough code to plant something."""
        return len(self.files) >= _FEWEST

    @cached_property
    def words(self) -> Counter[str]:
        """How often the tree has each word."""
        found: Counter[str] = Counter()
        for text in self.files.values():
            found.update(re.findall(r"[A-Za-z_]\w*", text.decode("utf-8", "replace")))
        return found

    @cached_property
    def defined(self) -> list[Defined]:
        """The definitions whose last name is defined once in the tree and used besides."""
        found = [one for path in self.files for one in self._defined_in(path)]
        times = Counter(one.last for one in found)
        return [
            one
            for one in found
            if times[one.last] == 1
            and len(one.last) >= _SHORTEST
            and self.words[one.last] > 1
            and not one.last.startswith(("__", "test", "Test", "operator"))
        ]

    def _defined_in(self, path: str) -> Iterator[Defined]:
        facts = self.facts[path]
        types = {symbol.name for symbol in facts.symbols if symbol.kind in _TYPES}
        seen = set()
        for symbol in facts.symbols:
            owner = symbol.name.rpartition(".")[0]
            field = symbol.kind in {"variable", "constant"} and owner in types
            seen.add(symbol.name)
            yield Defined(path, symbol.name, "field" if field else symbol.kind, symbol)
        for name in dict.fromkeys(binding.name for binding in facts.bindings):
            owner, _, last = name.rpartition(".")
            if owner in types and name not in seen and last.isidentifier():
                yield Defined(path, name, "field")

    def mentioning(self, name: str) -> list[str]:
        """Return the files that have a word."""
        found = re.compile(rb"\b%s\b" % re.escape(name.encode()))
        return [path for path, text in self.files.items() if found.search(text)]

    def visible(self, path: str, of: Defined) -> bool:
        """Return whether a file sees a definition: in C only over ``#include``, but for functions, which are linked.

        What is called so elsewhere (``uint64_t`` of the compiler) does not change with the definition.
        """
        if self.language not in {"c", "cpp"} or of.kind in _CALLABLE or path == of.path:
            return True
        word = re.compile(rb"\b%s\b" % re.escape(of.last.encode()))
        return any(word.search(self.files[one]) for one in self._included(path))

    def _included(self, path: str) -> set[str]:
        """Return the files that a file includes, directly or not, as far as their names tell."""
        found: set[str] = set()
        left = [path]
        while left:
            for taken in self.facts[left.pop()].imports:
                name = "/" + taken.module[1:-1].rpartition("./")[2]
                more = {one for one in self.files if f"/{one}".endswith(name)} - found
                found |= more
                left += more
        return found

    def renamed(self, name: str, new: str) -> dict[str, bytes]:
        """Return the files in which a word becomes another."""
        found = re.compile(rb"\b%s\b" % re.escape(name.encode()))
        return {path: found.sub(new.encode(), self.files[path]) for path in self.mentioning(name)}

    def lines(self, path: str) -> list[bytes]:
        """Return the lines of a file."""
        return self.files[path].split(b"\n")

    def text(self, path: str, symbol: Symbol) -> bytes:
        """Return the lines of a definition."""
        return b"\n".join(self.lines(path)[symbol.first_line - 1 : symbol.last_line])

    def users(self, name: str) -> list[tuple[str, Symbol]]:
        """Return the functions that have a name as a part of an expression, and do not define it."""
        used = re.compile(rb"(?<![\"'`\w])%s\b(?![\"'`])" % re.escape(name.encode()))
        found = []
        for path in self.mentioning(name):
            for symbol in self.facts[path].symbols:
                if symbol.kind in _CALLABLE and symbol.name.rpartition(".")[2] != name:
                    text = self.text(path, symbol)
                    body = _code(text.partition(b"\n")[2])
                    if used.search(body) and self._refers(path, symbol, name) and self.copied_well(path, symbol):
                        found.append((path, symbol))
        return found

    def _refers(self, path: str, symbol: Symbol, name: str) -> bool:
        """Tell whether an expression of a function has a name that may be this tree's own: not ``library.name``."""
        if self.language in {"c", "cpp", "rust"}:
            return True  # not every member that is read is an expression of the index
        facts = self.facts[path]
        imported = {one.local for one in facts.imports}
        for one in facts.references:
            parts = one.text.split(".")
            if name in parts and one.within == symbol.name:
                at = parts.index(name)
                if not at or parts[at - 1] not in imported:
                    return True
        return False

    def copied_well(self, path: str, symbol: Symbol) -> bool:
        """Tell whether a function can be copied beside itself: whole lines, not defined out of its class."""
        text = self.text(path, symbol)
        last = symbol.name.rpartition(".")[2].encode()
        head = text.partition(b"{")[0] if self.language != "python" else text
        others = [other for other in self.facts[path].symbols if other is not symbol]
        inside = any(
            other.name.startswith(f"{symbol.name}.") or other.first_line == symbol.first_line for other in others
        )
        indented = len(text) - len(text.lstrip()) if symbol.kind == "function" else 0
        plain = last in head and b"::" not in head and b"macro_rules" not in head and not last.startswith(b"__")
        whole = self.language == "python" or text.rstrip().endswith((b"}", b"};"))
        return plain and not inside and not indented and whole

    def room(self, path: str, symbol: Symbol, avoided: set[int]) -> list[int]:
        """Return the lines after which a definition beside ``symbol`` can stand, away from lines that change."""
        parent = symbol.name.rpartition(".")[0]
        ends = [
            one.last_line
            for one in self.facts[path].symbols
            if one.kind in _CALLABLE and one.name.rpartition(".")[0] == parent and one.last_line > one.first_line
        ]
        lines = self.lines(path)
        return [end for end in ends if not any(abs(end - line) <= _APART for line in avoided) and _ended(lines, end)]

    def changed_lines(self, path: str, name: str) -> set[int]:
        """Return the lines of a file that have a word."""
        found = re.compile(rb"\b%s\b" % re.escape(name.encode()))
        return {number for number, line in enumerate(self.lines(path), 1) if found.search(line)}


def _ended(lines: list[bytes], end: int) -> bool:
    """Tell whether a blank line follows: a definition ends there, not a list of them."""
    return end >= len(lines) or not lines[end].strip()


def _code(text: bytes) -> bytes:
    """Return a text without comments and strings, roughly."""
    return re.sub(rb'//[^\n]*|#[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', b"", text, flags=re.DOTALL)


def _is_project(path: str) -> bool:
    return path.rpartition("/")[2] in _PROJECTS


def _files(root: str, language: str) -> Iterator[tuple[str, bytes]]:
    listed = subprocess.run(
        ["git", "-C", root, "ls-tree", "-r", "-z", "--format=%(objecttype) %(objectsize) %(path)", "HEAD"],
        check=True,
        capture_output=True,
    ).stdout
    taken = 0
    for entry in listed.decode("utf-8", "replace").split("\0"):
        kind, _, rest = entry.partition(" ")
        size, _, path = rest.lstrip().partition(" ")
        code = registry.language_of(path) == language and taken < MOST_FILES
        if kind == "blob" and (code or _is_project(path)) and int(size) <= _LARGEST:
            content = subprocess.run(["git", "-C", root, "show", f"HEAD:{path}"], check=False, capture_output=True)
            if not content.returncode and b"\0" not in content.stdout and b"\r" not in content.stdout:
                taken += code
                yield path, content.stdout
