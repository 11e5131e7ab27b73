"""An index that a compiler's indexer wrote (SCIP): read as data, a document at a time.

Only the parts of the format that say where a symbol is defined and used are described here; protobuf skips the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bespeak_symbols.errors import SymbolsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MOST_BYTES = 64_000_000
"""Larger indexes are not read."""
_MOST_OCCURRENCES = 500_000
"""Of one document."""
_DEFINITION, _IMPORT = 1, 2
_ONE_LINE, _LINES = 3, 4
_LABEL_ONE, _LABEL_MANY = 1, 3
_INT32, _STRING, _BYTES, _MESSAGE = 5, 9, 12, 11
_MESSAGES: dict[str, tuple[tuple[str, int, int, int, str], ...]] = {
    "Index": (("documents", 2, _LABEL_MANY, _BYTES, ""),),
    "Head": (("relative_path", 1, _LABEL_ONE, _STRING, ""),),
    "Document": (
        ("occurrences", 2, _LABEL_MANY, _MESSAGE, "Occurrence"),
        ("position_encoding", 6, _LABEL_ONE, _INT32, ""),
    ),
    "Occurrence": (
        ("range", 1, _LABEL_MANY, _INT32, ""),
        ("symbol", 2, _LABEL_ONE, _STRING, ""),
        ("symbol_roles", 3, _LABEL_ONE, _INT32, ""),
    ),
}
"""The fields that are read, by message: name, number, label, type and the message it holds."""
_LAST_NAME = re.compile(r"(?:`((?:[^`]|``)+)`|([\w+$-]+))(?:\([\w+$-]*\)\.|[/#.:!])$")


class ScipError(SymbolsError):
    """An index of a compiler cannot be read."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A symbol at a place of one line.

    Args:
        symbol: as the index names it.
        line: from 1.
        first: its first character, from 0, in the document's encoding of positions.
        beyond: the one after its last.
        defines: it is defined here.
        imports: it is imported here.
    """

    symbol: str
    line: int
    first: int
    beyond: int
    defines: bool
    imports: bool


@dataclass(frozen=True, slots=True)
class Document:
    """What an index says of one file.

    Args:
        encoding: of positions: 1 UTF-8, 2 UTF-16, 3 UTF-32, 0 not said.
    """

    occurrences: tuple[Occurrence, ...]
    encoding: int


def is_local(symbol: str) -> bool:
    """Tell whether a symbol is known in one file only: a variable, say."""
    return symbol.startswith("local ")


def name_of(symbol: str) -> str:
    """Return the last name of a symbol; empty if it has none."""
    found = _LAST_NAME.search(symbol)
    return "" if found is None else (found[1] or found[2]).replace("``", "`")


class ScipIndex:
    """An index in memory.

    Args:
        content: its bytes.
        wanted: the files of interest, by path; others are skipped.

    Raises:
        ScipError: it is too large, it is no such index, or the library that reads it is not installed.
    """

    def __init__(self, content: bytes, wanted: Collection[str]) -> None:
        if len(content) > MOST_BYTES:
            raise ScipError(f"larger than {MOST_BYTES // 1_000_000} MB")
        self._documents: dict[str, bytes] = {}
        for packed in _parsed("Index", content).documents:
            path = _parsed("Head", packed).relative_path
            if path in wanted:
                self._documents[path] = packed
        self._defined: dict[str, list[tuple[str, int]]] | None = None

    @property
    def paths(self) -> Collection[str]:
        """The files of interest of which it says something."""
        return self._documents.keys()

    def document(self, path: str) -> Document | None:
        """Return what it says of a file; None if that is nothing.

        Raises:
            ScipError: the document is damaged.
        """
        packed = self._documents.get(path)
        if packed is None:
            return None
        parsed = _parsed("Document", packed)
        if len(parsed.occurrences) > _MOST_OCCURRENCES:
            raise ScipError(f"more than {_MOST_OCCURRENCES} occurrences in {path}")
        return Document(tuple(_occurrences(parsed)), parsed.position_encoding)

    def definitions(self, symbol: str) -> list[tuple[str, int]]:
        """Return where a symbol is defined among the files of interest: path and line, from 1.

        Raises:
            ScipError: a document is damaged.
        """
        if self._defined is None:
            self._defined = {}
            for path, packed in self._documents.items():
                for one in _occurrences(_parsed("Document", packed)):
                    if one.defines and not is_local(one.symbol):
                        self._defined.setdefault(one.symbol, []).append((path, one.line))
        return self._defined.get(symbol, [])


def _occurrences(document: Any) -> Iterator[Occurrence]:
    for one in document.occurrences:
        place = tuple(one.range)
        if len(place) == _LINES and place[0] == place[2]:
            place = (place[0], place[1], place[3])
        if len(place) == _ONE_LINE and one.symbol and place[0] >= 0 and 0 <= place[1] <= place[2]:
            roles = one.symbol_roles
            yield Occurrence(
                one.symbol, place[0] + 1, place[1], place[2], bool(roles & _DEFINITION), bool(roles & _IMPORT)
            )


def _parsed(message: str, content: bytes) -> Any:
    kind, broken = _classes()
    try:
        return kind[message].FromString(content)
    except broken as failed:
        raise ScipError(f"no index of a compiler, or a damaged one: {failed}") from failed


@cache
def _classes() -> tuple[dict[str, Any], type[Exception]]:
    """Return a class for each message, and what protobuf raises for damaged bytes."""
    try:
        descriptions = import_module("google.protobuf.descriptor_pb2")
        pools = import_module("google.protobuf.descriptor_pool")
        factory = import_module("google.protobuf.message_factory")
        errors = import_module("google.protobuf.message")
    except ImportError as missing:
        raise ScipError("reading it needs the extra 'scip'") from missing
    file = descriptions.FileDescriptorProto(name="bespeak/scip.proto", package="bespeak.scip", syntax="proto3")
    for name, described in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, label, kind, holds in described:
            made = message.field.add(name=field, number=number, label=label, type=kind)
            if holds:
                made.type_name = f".bespeak.scip.{holds}"
    pool = pools.DescriptorPool()
    pool.Add(file)
    found = {name: factory.GetMessageClass(pool.FindMessageTypeByName(f"bespeak.scip.{name}")) for name in _MESSAGES}
    return found, errors.DecodeError
