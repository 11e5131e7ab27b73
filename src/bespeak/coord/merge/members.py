"""What types are made of: their fields, attributes, enum members and methods, as far as one file tells."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.definitions import Source
    from bespeak_symbols.model import Facts

_TYPES = frozenset({"class", "struct", "interface", "trait", "enum", "type"})
_NO_VALUE = frozenset({"result", "takes"})
"""How a binding says what a method gives or takes."""
_KIN = (
    (".py", ".pyi", ".pyw"),
    (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"),
    (".c", ".h", ".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp", ".tpp", ".tcc"),
)
"""Suffixes of files that use each other's types."""


_SETS = {
    "python": re.compile(rb"\bself\.(\w+)\s*(?::[^=]+)?=[^=]"),
    "javascript": re.compile(rb"\bthis\.(\w+)\s*=[^=]"),
}
_SETS["typescript"] = _SETS["javascript"]
"""How a method gives its object an attribute."""


def members(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield the type and the name of each member that a file declares, methods among them."""
    types = {symbol.name for symbol in facts.symbols if symbol.kind in _TYPES}
    names = [symbol.name for symbol in facts.symbols]
    names += [binding.name for binding in facts.bindings if binding.how not in _NO_VALUE]
    for whole in dict.fromkeys(names):
        owner, _, name = whole.rpartition(".")
        if owner in types and name.isidentifier():
            yield owner, name


def attributes(source: Source) -> Iterator[tuple[str, str]]:
    """Yield the class and the name of each attribute that a method gives its object, of whatever value."""
    pattern = _SETS.get(source.facts.language)
    if pattern is None:
        return
    classes = [symbol for symbol in source.facts.symbols if symbol.kind == "class"]
    for number, line in enumerate(source.lines, 1):
        names = pattern.findall(line)
        around = [one for one in classes if one.first_line <= number <= one.last_line] if names else []
        if around:
            inner = max(around, key=lambda symbol: symbol.first_line)
            yield from ((inner.name, name.decode("utf-8", "replace")) for name in names)


def kin(path: str) -> tuple[str, ...]:
    """Return the suffixes of the files that can use the types of a file."""
    suffix = os.path.splitext(path)[1].lower()
    return next((suffixes for suffixes in _KIN if suffix in suffixes), (suffix,))
