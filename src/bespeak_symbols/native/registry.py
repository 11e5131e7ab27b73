"""Which language a file is in, and which package reads it. A package is loaded for its first file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bespeak_symbols import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak_symbols.model import Edge, Facts, Language, World

NAME = "native"


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads a language.

    Args:
        name: of the language.
        suffixes: of its files, in small letters.
        module: below ``native``: a module or package with ``extract`` and ``resolve``.
        grammars: the grammars it parses with.
        declared: a definition depends on a declaration of its name in another file.
        by_name: uses are matched with definitions by name alone; only read where its grammar is installed.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    grammars: tuple[str, ...]
    declared: bool = False
    by_name: bool = False


READERS = (
    Reader("python", (".py", ".pyi", ".pyw"), "python", ("python",)),
    Reader("javascript", (".js", ".jsx", ".mjs", ".cjs"), "javascript", ("javascript",)),
    Reader("typescript", (".ts", ".tsx", ".mts", ".cts"), "javascript", ("typescript",)),
    Reader("java", (".java",), "java", ("java",)),
    Reader("rust", (".rs",), "rust", ("rust",)),
    Reader("go", (".go",), "go", ("go",)),
    Reader("c", (".c", ".h"), "c_family", ("c", "cpp"), declared=True),
    Reader(
        "cpp",
        (".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp", ".tpp", ".tcc"),
        "c_family",
        ("cpp",),
        declared=True,
    ),
    Reader("ruby", (".rb", ".rake", ".gemspec"), "by_name", ("ruby",), by_name=True),
    Reader("kotlin", (".kt", ".kts"), "by_name", ("kotlin",), by_name=True),
    Reader("csharp", (".cs",), "by_name", ("c_sharp",), by_name=True),
    Reader("php", (".php",), "by_name", ("php",), by_name=True),
    Reader("swift", (".swift",), "by_name", ("swift",), by_name=True),
    Reader("scala", (".scala", ".sc"), "by_name", ("scala",), by_name=True),
    Reader("shell", (".sh", ".bash"), "by_name", ("bash",), by_name=True),
    Reader("lua", (".lua",), "by_name", ("lua",), by_name=True),
    Reader("sql", (".sql",), "by_name", ("sql",), by_name=True),
)

_BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}
_BY_NAME = {reader.name: reader for reader in READERS}


def suffix_of(path: str) -> str:
    """Return the suffix of a path in small letters, with its dot; empty if it has none."""
    return os.path.splitext(path)[1].lower()


def language_of(path: str) -> str | None:
    """Return the language of a file by its name; None if it is in none that can be read."""
    reader = _BY_SUFFIX.get(suffix_of(path))
    return None if reader is None or (reader.by_name and not _installed(reader.grammars[0])) else reader.name


def language_by_name(path: str) -> str | None:
    """Return the language of a file that is read by name alone; None for others, or if its grammar is not installed."""
    reader = _BY_SUFFIX.get(suffix_of(path))
    return reader.name if reader is not None and reader.by_name and _installed(reader.grammars[0]) else None


@cache
def _installed(grammar: str) -> bool:
    return find_spec(syntax.module_of(grammar)) is not None


def has_separate_declarations(language: str) -> bool:
    """Return whether a definition depends on a declaration of its name in another file."""
    return _BY_NAME[language].declared


def load(language: str) -> Language:
    """Return the module that reads a language."""
    module: Language = import_module("bespeak_symbols.native." + _BY_NAME[language].module)
    return module


def extract(language: str, source: bytes, path: str) -> Facts:
    """Return what a file says."""
    return load(language).extract(source, path)


def resolve(language: str, path: str, world: World) -> Iterable[Edge]:
    """Return the edges that start in a file."""
    return load(language).resolve(path, world)


@cache
def version(language: str) -> str:
    """Return a digest of what reads the language: the code of its family and the grammar."""
    reader = _BY_NAME[language]
    whole = blake2b(digest_size=8)
    here = os.path.dirname(os.path.abspath(__file__))
    above = os.path.dirname(here)
    shared = (os.path.join(above, "model.py"), os.path.join(above, "syntax.py"))
    for path in (*shared, *_sources(here, reader.module)):
        with open(path, "rb") as source:
            whole.update(source.read() + b"\0")
    for grammar in reader.grammars:
        whole.update(f"{grammar} {_weight(syntax.module_of(grammar))}\0".encode())
    return whole.hexdigest()


def _sources(folder: str, module: str) -> list[str]:
    """Return the files of a module, all of a package, and what language modules share."""
    found = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name == module and os.path.isdir(path):
            found += [os.path.join(path, inner) for inner in sorted(os.listdir(path)) if inner.endswith(".py")]
        elif name.endswith(".py") and name != os.path.basename(__file__):
            found.append(path)
    return found


def _weight(module: str) -> int:
    """Return the size of a grammar's library, in bytes: it differs from release to release."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return 0
    folder = os.path.dirname(spec.origin)
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder) if name.endswith(".so"))
