"""Facts and edges as bytes, for the cache: columns of numbers over one table of strings, compressed.

It follows the fields of the values themselves, so a field that is added to one of them is kept without a change here.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import MISSING, fields
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

from bespeak_symbols.model import Binding, Edge, Facts, Import, Reference, Symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTS: dict[str, type] = {"symbols": Symbol, "imports": Import, "references": Reference, "bindings": Binding}


class _Table:
    """The strings of one file, each once."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}

    def put(self, item: Any) -> Any:
        if isinstance(item, str):
            return self.index.setdefault(item, len(self.index))
        return [self.put(part) for part in item] if isinstance(item, tuple) else item


@cache
def _defaults(kind: Any) -> dict[str, object]:
    """Return the defaults of the fields of a value class."""
    return {one.name: one.default for one in fields(kind) if one.default is not MISSING}


def pack(facts: Facts) -> bytes:
    """Return facts as bytes."""
    table = _Table()
    whole: dict[str, Any] = {}
    for name in Facts.__slots__:
        kept = getattr(facts, name)
        kind = _LISTS.get(name)
        whole[name] = kept if kind is None else _columns(kept, kind, table)
    return _packed(whole, table)


def _packed(whole: dict[str, Any], table: _Table) -> bytes:
    whole["strings"] = list(table.index)
    return zlib.compress(json.dumps(whole, separators=(",", ":")).encode("ascii"), 1)


def _columns(records: Sequence[object], kind: type, table: _Table) -> list[Any]:
    """Return the fields of records as columns; a column of defaults only is None."""
    columns: list[Any] = []
    defaults = _defaults(kind)
    for name in kind.__slots__:  # type: ignore[attr-defined]
        column = [getattr(record, name) for record in records]
        plain = name in defaults and all(item == defaults[name] for item in column)
        columns.append(None if plain else [table.put(item) for item in column])
    return columns


def unpack(packed: bytes) -> Facts:
    """Return the facts that :func:`pack` made bytes of.

    Raises:
        ValueError: they are something else.
    """
    try:
        whole = json.loads(zlib.decompress(packed))
        strings = whole.pop("strings")
        for name, kind in _LISTS.items():
            whole[name] = _records(whole[name], kind, strings)
        whole["unread"] = tuple((line, why) for line, why in whole["unread"])
        if whole["exports"] is not None:
            whole["exports"] = tuple(whole["exports"])
        return Facts(**whole)
    except (zlib.error, KeyError, IndexError, TypeError, ValueError, AttributeError) as broken:
        raise ValueError(f"not facts: {broken}") from broken


def _records(columns: list[Any], kind: type, strings: list[str]) -> tuple[Any, ...]:
    filled: list[Any] = []
    for column, (name, text) in zip(columns, kind.__annotations__.items(), strict=True):
        if column is None:
            filled.append(repeat(_defaults(kind)[name]))
        elif text == "str":
            filled.append([strings[number] for number in column])
        elif text.startswith("tuple"):
            filled.append([tuple([strings[number] for number in numbers]) for numbers in column])
        else:
            filled.append(column)
    return tuple(map(kind, *filled))


def pack_edges(edges: Sequence[Edge]) -> bytes:
    """Return edges as bytes."""
    table = _Table()
    return _packed({"edges": _columns(edges, Edge, table)}, table)


def unpack_edges(packed: bytes) -> tuple[Edge, ...]:
    """Return the edges that :func:`pack_edges` made bytes of.

    Raises:
        ValueError: they are something else.
    """
    try:
        whole = json.loads(zlib.decompress(packed))
        return _records(whole["edges"], Edge, whole["strings"])
    except (zlib.error, KeyError, IndexError, TypeError, ValueError, AttributeError) as broken:
        raise ValueError(f"not edges: {broken}") from broken
