"""The names that can mean a symbol: they make "who calls this" a lookup instead of a search through all files.

A file can only have an edge to a symbol if it mentions the symbol's name, or a name that some file gives it instead.
What each file defines, mentions and renames is kept in the cache by name.

In JavaScript and its kin "the default export" has no name that tells one file from another, so there the name of the
module is kept with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Facts

_NO_NAMES = frozenset({"", "()", "[]", "[*]", "*", "self", "this", "cls", "super"})
_NAMELESS = frozenset({"default", "exports", "module.exports"})
_SUFFIXES = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".h", ".hpp", ".hh", ".py")
_STANDS_FOR_FOLDER = frozenset({"__init__", "index", "mod", "lib", "main"})
ANYWHERE = "*"
"""The stem of a module that can be any file."""


def last(name: str) -> str:
    """Return the last part of a qualified name."""
    return name.rpartition(".")[2]


def nameless(name: str) -> bool:
    """Return whether a name means nothing without its module (``default``)."""
    return name in _NAMELESS


def with_module(name: str, stem: str) -> str:
    """Return a name that means nothing without its module, together with the module."""
    return f"{name}@{stem}"


def module_stem(module: str) -> str:
    """Return the last part of a module's name as an import has it, without a file's suffix."""
    module = module.strip("\"'<>")
    for suffix in _SUFFIXES:
        module = module.removesuffix(suffix)
    return module.replace("::", "/").replace("\\", "/").rstrip("/").rpartition("/")[2]


def stems(path: str) -> tuple[str, ...]:
    """Return the last parts of the module names that mean a file: its own, and its folder's for an ``__init__``."""
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    if stem in _STANDS_FOR_FOLDER:
        return stem, folder.rpartition("/")[2]
    return (stem, stem.removesuffix(".d")) if stem.endswith(".d") else (stem,)


def definitions(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield the symbols of a file: the last name and the whole."""
    seen = set()
    for symbol in facts.symbols:
        if symbol.name not in seen:
            seen.add(symbol.name)
            yield last(symbol.name), symbol.name


def mentions(facts: Facts) -> set[str]:
    """Return all names that a file mentions."""
    found: set[str] = set()
    for text in {reference.text for reference in facts.references}:
        found.update(text.split("."))
    for binding in facts.bindings:
        found.update(binding.target.split("."))
    for symbol in facts.symbols:
        for base in symbol.bases:
            found.update(base.split("."))
    for imported in facts.imports:
        found.update((imported.local, last(imported.name)))
        stem = module_stem(imported.module)
        found.update((stem, last(stem), *(() if stem.strip(".") else _STANDS_FOR_FOLDER)))
        if nameless(imported.name):
            found.update(with_module(imported.name, where) for where in _froms(imported.module))
    if "[*]" in found and facts.language == "python":
        found.update(("__iter__", "__next__"))
    return {name for name in found - _NO_NAMES if name[0] != "["}


def _froms(module: str) -> tuple[str, ...]:
    stem = module_stem(module)
    return (stem,) if module.startswith(".") and stem.strip(".") else (stem, ANYWHERE)


def renames(facts: Facts) -> set[tuple[str, str]]:
    """Return the names that a file gives to what has another name: (old, new).

    A new name that says nothing alone ends with ``@``; the module to put behind it is the file itself.
    """
    found: set[tuple[str, str]] = set()
    for imported in facts.imports:
        new = with_module(imported.local, "") if nameless(imported.local) else imported.local
        if nameless(imported.name):
            found.update((with_module(imported.name, where), new) for where in _froms(imported.module))
        elif imported.name and imported.name != new:
            found.add((last(imported.name), new))
    callable_here = {last(symbol.name) for symbol in facts.symbols} | {imported.local for imported in facts.imports}
    for binding in facts.bindings:
        if binding.how in {"mapped", "listed"} or (binding.how == "alias" and binding.name.endswith(".()")):
            # What a function returns, or a table holds, is called by the name of that function or table.
            new, old = last(binding.name.removesuffix(".()")), last(binding.target)
            if old in callable_here and old != new:
                found.add((old, new))
        elif binding.how == "alias":
            new = binding.name if nameless(binding.name) else last(binding.name)
            old = last(binding.target)
            if old != new:
                found.add((old, with_module(new, "") if nameless(new) else new))
    return {pair for pair in found if not _NO_NAMES & {*pair}}
