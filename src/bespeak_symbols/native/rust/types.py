"""Rust types as they are written and as they are known, and what the standard library's own give back."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"'\w+|::|->|\w+|[<>,+&*\[\](){};=!?]|\S")
_SKIPPED = frozenset({"&", "*", "mut", "const", "?", "for"})
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Written:
    """A type as written.

    Args:
        name: its path with ``::``; ``dyn`` for a trait's object, ``impl`` or bounds, ``()`` for a tuple, ``[]`` for a
            slice or an array; empty if it is none of these.
        arguments: its type arguments, bounds, parts or items.
    """

    name: str
    arguments: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True)
class Type:
    """A type: one of the snapshot by its address, another by its last name, or ``dyn`` with the traits it has."""

    head: str
    arguments: tuple[Type, ...] = ()
    traits: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """It is a type of the snapshot."""
        return "::" in self.head


NONE = Written("")


def read_type(text: str) -> Written:
    """Return what a written type consists of."""
    return _Reader(_TOKEN.findall(text)).one(0)


def read_bounds(text: str) -> tuple[Written, ...]:
    """Return the traits of ``A + B``."""
    return _Reader(_TOKEN.findall(text)).bounds(0)


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def one(self, depth: int) -> Written:
        """Read one type; those that are nested too deep are not told."""
        while self.peek() in _SKIPPED or self.peek().startswith("'"):
            self.next()
        word = self.peek()
        if depth > _DEEPEST or not word:
            self.at = len(self.tokens)
            return NONE
        if word in {"dyn", "impl"}:
            self.next()
            return Written("dyn", self.bounds(depth))
        if word == "(":
            self.next()
            return Written("()", self.several(")", depth))
        if word == "[":
            self.next()
            item = self.one(depth + 1)
            self.skip("]")
            return Written("[]", (item,))
        if word == "<":
            return self.qualified(depth)
        return self.path(depth)

    def qualified(self, depth: int) -> Written:
        """Read ``<Type as Trait>::Name``: it is the name in the type."""
        self.next()
        first = self.one(depth + 1)
        self.skip(">")
        name = first.name
        while self.peek() == "::":
            self.next()
            name += "::" + self.next()
        return Written(name if first.name else "")

    def path(self, depth: int) -> Written:
        name = ""
        arguments: tuple[Written, ...] = ()
        while self.at < len(self.tokens):
            word = self.peek()
            if word == "::" or (word.isidentifier() and word != "as"):
                name += self.next()
            elif word == "<":
                self.next()
                arguments = self.several(">", depth)
            elif word == "(" and name.rpartition("::")[2] in {"Fn", "FnMut", "FnOnce", "fn"}:
                self.next()
                self.several(")", depth)
                self.result(depth)
            else:
                break
        return Written(name.removesuffix("::"), arguments)

    def result(self, depth: int) -> None:
        if self.peek() == "->":
            self.next()
            self.one(depth + 1)

    def several(self, end: str, depth: int) -> tuple[Written, ...]:
        """Read types up to a bracket; what is named (``Item = X``) and lifetimes are left out."""
        found: list[Written] = []
        while self.at < len(self.tokens) and self.peek() != end:
            if self.peek() == "," or self.peek().startswith("'"):
                self.next()
                continue
            before = self.at
            one = self.one(depth + 1)
            if self.peek() == "=":
                self.next()
                one = Written("=" + one.name, (self.one(depth + 1),))
            found.append(one)
            if self.at == before:
                self.next()
        self.next()
        return tuple(found)

    def bounds(self, depth: int) -> tuple[Written, ...]:
        found = []
        while self.at < len(self.tokens):
            one = self.one(depth + 1)
            if one.name:
                found.append(one)
            if self.peek() != "+":
                break
            self.next()
        return tuple(found)

    def skip(self, end: str) -> None:
        """Go on behind the bracket that ends here."""
        open_ones = 0
        pairs = {"]": "[", ">": "<"}
        while self.at < len(self.tokens):
            token = self.next()
            if token == pairs[end]:
                open_ones += 1
            elif token == end:
                if not open_ones:
                    return
                open_ones -= 1
