"""Merges with a planted conflict that git does not see, made from real code, each with a twin that is harmless.

One side changes a definition everywhere it is used, the other copies real code that uses it. The twin has the same new
code beside a change of something else, or beside a change that leaves the use whole.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import special

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bespeak_symbols.model import Symbol
    from harness.real_code import CodeTree, Defined

Files = dict[str, bytes]
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Case:
    """A base, two sides of it, and what is planted.

    Args:
        kind: of conflict.
        language: of the code.
        base: files that the base has besides those of the tree.
        changer: what the side that changes a definition changes.
        user: what the side that uses it changes.
        harmless: what the twin's changer changes instead.
        harmless_user: what the twin's user changes; None for the same.
    """

    kind: str
    language: str
    base: Files
    changer: Files
    user: Files
    harmless: Files
    harmless_user: Files | None = None


class Planter:
    """Makes cases from one tree; the same seed gives the same cases."""

    def __init__(self, tree: CodeTree, seed: int) -> None:
        self.tree = tree
        self.random = random.Random(f"{tree.language} {seed}")
        self._number = 0

    def cases(self, each: int) -> Iterator[Case]:
        """Yield up to ``each`` cases of every kind that the tree offers."""
        for kind, make in _KINDS.items():
            made = 0
            pool = self._pool(kind)
            for _ in range(_TRIES if pool or kind not in _OF else 0):
                if made >= each:
                    break
                case = make(self, kind, self.random.choice(pool) if pool else None)
                if case is not None:
                    made += 1
                    yield case
        for kind, files in special.cases(self.tree.language):
            yield Case(kind, self.tree.language, *files)

    def _pool(self, kind: str) -> list[Defined]:
        kinds = _OF.get(kind, frozenset())
        return [one for one in self.tree.defined if one.kind in kinds]

    def name(self, word: str) -> str:
        """Return a new name."""
        self._number += 1
        return f"{word}{self._number}"

    def copied(self, of: Defined) -> Files | None:
        """Return the change that adds a copy of a function that uses a definition; None if there is none to copy."""
        name = of.last
        users = [one for one in self.tree.users(name) if self.tree.visible(one[0], of)]
        self.random.shuffle(users)
        for path, symbol in users[:20]:
            lines = self.tree.changed_lines(path, name)
            room = self.tree.room(path, symbol, lines)
            if room and not self._defines(path, symbol, name):
                return {path: self.with_copy(path, symbol, self.random.choice(room), self.name("newly_added_"))}
        return None

    def _defines(self, path: str, symbol: Symbol, name: str) -> bool:
        """Tell whether a function binds the name itself: a parameter or a variable."""
        bound = re.compile(rb"\b(?:let|let mut|const|var|auto|int|for|fn)\s+%s\b" % re.escape(name.encode()))
        text = self.tree.text(path, symbol)
        return (
            bound.search(text) is not None
            or self._takes(text, name)
            or any(
                binding.name.rpartition(".")[2] == name and binding.name.startswith(f"{symbol.name}.")
                for binding in self.tree.facts[path].bindings
            )
        )

    def _takes(self, text: bytes, name: str) -> bool:
        """Tell whether a function has a parameter of that name."""
        word, given = re.escape(name.encode()), text.partition(b"(")[2].partition(b")")[0]
        last = self.tree.language in {"c", "cpp", "java"}
        pattern = rb"\b%s\s*(?:\[\]\s*)?(?:,|=|$)" if last else rb"(?:^|,)\s*(?:\.\.\.|\*+)?%s\s*(?:[,:=?\s]|$)"
        return re.search(pattern % word, given) is not None

    def with_copy(self, path: str, symbol: Symbol, after: int, new: str) -> bytes:
        """Return a file with a copy of a definition, under a new name, after a line."""
        last = symbol.name.rpartition(".")[2].encode()
        text = re.sub(rb"\b%s\b" % re.escape(last), new.encode(), self.tree.text(path, symbol))
        lines = self.tree.lines(path)
        return b"\n".join([*lines[:after], b"", text, *lines[after:]])

    def other(self, user: Files, pool: list[Defined]) -> Files | None:
        """Return a rename of something that the new code does not mention, and that git merges with it."""
        for one in self.random.sample(pool, min(len(pool), 25)):
            new = self.tree.renamed(one.last, self.name(one.last + "_other"))
            if not any(path in new or re.search(rb"\b%s\b" % one.last.encode(), text) for path, text in user.items()):
                return new
        return None

    def signature(self, of: Defined) -> Files | None:
        """Return the change that gives a function one more parameter, at every call too."""
        if of.symbol is None or not _head_of(of.symbol, self.tree.lines(of.path), of.last):
            return None
        added = _PARAMETER[self.tree.language]
        called = re.compile(rb"\b%s\s*\((\s*)(\)?)" % re.escape(of.last.encode()))
        changed: Files = {}
        for path in self.tree.mentioning(of.last):
            lines = self.tree.lines(path)
            for number, line in enumerate(lines, 1):
                head = path == of.path and number in _head_of(of.symbol, lines, of.last)
                prototype = self.tree.language in {"c", "cpp"} and re.match(rb"[\w].*\);\s*$", line) is not None
                word = added if head or prototype else b"0"
                lines[number - 1] = called.sub(
                    lambda found, word=word: (
                        found[0][: found.start(2) - found.start()]  # type: ignore[misc]
                        + word
                        + (b")" if found[2] else b", ")
                    ),
                    line,
                )
            changed[path] = b"\n".join(lines)
        return changed if changed.get(of.path, b"") != self.tree.files[of.path] else None


def _head_of(symbol: Symbol, lines: list[bytes], name: str) -> range:
    """Return the line on which a function's name and bracket stand."""
    for number in range(symbol.first_line, min(symbol.last_line, symbol.first_line + 12) + 1):
        if re.search(rb"\b%s\s*\(" % re.escape(name.encode()), lines[number - 1]):
            return range(number, number + 1)
    return range(0)


def _rename(of: Planter, kind: str, one: Defined | None) -> Case | None:
    user = None if one is None else of.copied(one)
    if one is None or user is None:
        return None
    harmless = of.other(user, of.tree.defined)
    changer = of.tree.renamed(one.last, of.name(one.last + "_renamed"))
    return None if harmless is None else Case(kind, of.tree.language, {}, changer, user, harmless)


def _delete(of: Planter, kind: str, one: Defined | None) -> Case | None:
    """The definition goes, and what used it uses another."""
    if one is None or one.symbol is None or one.symbol.last_line - one.symbol.first_line < 2:
        return None
    user = of.copied(one)
    harmless = None if user is None else of.other(user, of.tree.defined)
    others = [two for two in of.tree.defined if two.kind == one.kind and two.last != one.last]
    if user is None or harmless is None or not others:
        return None
    lines = of.tree.lines(one.path)
    del lines[one.symbol.first_line - 1 : one.symbol.last_line]
    changer = {
        path: re.sub(rb"\b%s\b" % one.last.encode(), others[0].last.encode(), text)
        for path, text in {
            **{path: of.tree.files[path] for path in of.tree.mentioning(one.last)},
            one.path: b"\n".join(lines),
        }.items()
    }
    return Case(kind, of.tree.language, {}, changer, user, harmless)


def _signature(of: Planter, kind: str, one: Defined | None) -> Case | None:
    user = None if one is None else of.copied(one)
    if one is None or user is None or not _calls(user, of.tree.files, one.last):
        return None
    changer, harmless = of.signature(one), of.other(user, of.tree.defined)
    if changer is None or harmless is None:
        return None
    return Case(kind, of.tree.language, {}, changer, user, harmless)


def _calls(user: Files, before: Files, name: str) -> bool:
    called = re.compile(rb"\b%s\s*\(" % re.escape(name.encode()))
    return any(len(called.findall(text)) > len(called.findall(before[path])) for path, text in user.items())


def _imported(of: Planter, kind: str, _: Defined | None) -> Case | None:
    """An import goes together with the one function that needed it; the other side copies that function."""
    tree = of.tree
    paths = [path for path in tree.files if tree.facts[path].imports]
    for path in of.random.sample(paths, min(8, len(paths))):
        lines = tree.lines(path)
        for one in tree.facts[path].imports:
            mentioned = tree.changed_lines(path, one.local) if one.local.isidentifier() else set()
            single = re.search(rb"[,{(]", lines[one.line - 1]) is None and not one.within and one.line in mentioned
            if not single or tree.language in {"c", "cpp"} or len(mentioned) < 2:
                continue
            for symbol in (of_path[1] for of_path in tree.users(one.local) if of_path[0] == path):
                held = set(range(symbol.first_line, symbol.last_line + 1))
                if mentioned - {one.line} <= held:
                    case = _import_case(of, kind, path, symbol, one.line)
                    if case is not None:
                        return case
    return None


def _import_case(of: Planter, kind: str, path: str, symbol: Symbol, line: int) -> Case | None:
    tree = of.tree
    room = tree.room(path, symbol, {*range(symbol.first_line, symbol.last_line + 1), line})
    if not room:
        return None
    user = {path: of.with_copy(path, symbol, room[0], of.name("newly_added_"))}
    lines = tree.lines(path)
    del lines[symbol.first_line - 1 : symbol.last_line]
    harmless = b"\n".join(lines)
    del lines[line - 1]
    return Case(kind, tree.language, {}, {path: b"\n".join(lines)}, user, {path: harmless})


def _add_add(of: Planter, kind: str, one: Defined | None) -> Case | None:
    """Both sides add the same function at different places of a file."""
    if one is None or one.symbol is None or not of.tree.copied_well(one.path, one.symbol):
        return None
    room = of.tree.room(one.path, one.symbol, set())
    apart = [end for end in room if end - room[0] > 12] if room else []
    if not apart:
        return None
    new, other = of.name("newly_added_"), of.name("newly_added_")
    first, second, third = (
        {one.path: of.with_copy(one.path, one.symbol, end, name)}
        for end, name in ((room[0], new), (apart[-1], new), (room[0], other))
    )
    return Case(kind, of.tree.language, {}, first, second, third)


def _override(of: Planter, kind: str, _: Defined | None) -> Case | None:
    """A method of a base class is renamed, in the derived classes too; the other side copies one of these."""
    tree = of.tree
    symbols = [(path, symbol) for path in tree.files for symbol in tree.facts[path].symbols]
    of.random.shuffle(symbols)
    by_name = {symbol.name: path for path, symbol in symbols if symbol.kind in {"class", "interface"}}
    for path, symbol in symbols:
        bases = [base for base in symbol.bases if base in by_name]
        if symbol.kind != "class" or "." in symbol.name or len(symbol.bases) != 1 or not bases:
            continue
        mine, theirs = (
            {
                one.name.rpartition(".")[2]
                for one in tree.facts[where].symbols
                if one.name.startswith(f"{owner}.")
                and one.kind == "method"
                and not one.name.rpartition(".")[2].startswith("__")
            }
            for where, owner in ((path, symbol.name), (by_name[bases[0]], bases[0]))
        )
        for method in sorted(mine & theirs - {"constructor", symbol.name, bases[0]}):
            lines = tree.changed_lines(path, method)
            room = [end for end in (symbol.last_line,) if not any(0 <= line - end <= 4 for line in lines)]
            if not room or symbol.last_line - max(lines) < 5 or len(method) < 4:
                continue
            user = {path: of.with_copy(path, symbol, room[0], of.name("NewlyAdded"))}
            harmless = of.other(user, tree.defined)
            changer = tree.renamed(method, of.name(method + "_renamed"))
            if harmless is not None:
                return Case(kind, tree.language, {}, changer, user, harmless)
    return None


_PARAMETER = {
    "python": b"added_first",
    "javascript": b"addedFirst",
    "typescript": b"addedFirst: number",
    "java": b"int addedFirst",
    "go": b"addedFirst int",
    "rust": b"added_first: u8",
    "c": b"int added_first",
    "cpp": b"int added_first",
}
_OF: dict[str, frozenset[str]] = {
    "renamed function": frozenset({"function"}),
    "renamed method": frozenset({"method"}),
    "renamed type": frozenset({"class", "struct", "interface", "trait", "enum", "type"}),
    "renamed field": frozenset({"field"}),
    "renamed constant": frozenset({"constant", "macro"}),
    "deleted function": frozenset({"function", "method"}),
    "one more parameter": frozenset({"function"}),
    "added twice": frozenset({"function", "method"}),
}
_KINDS: dict[str, Callable[[Planter, str, Defined | None], Case | None]] = {
    **dict.fromkeys(
        ("renamed function", "renamed method", "renamed type", "renamed field", "renamed constant"), _rename
    ),
    "deleted function": _delete,
    "one more parameter": _signature,
    "import removed": _imported,
    "added twice": _add_add,
    "renamed base method": _override,
}
