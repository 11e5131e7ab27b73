"""Edges that are likely and not certain: methods known by their name alone, overrides, globals of scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.model import CALL, Edge
from bespeak_symbols.native.javascript.evaluate import Meanings
from bespeak_symbols.native.javascript.imports import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.native.javascript.found import Found
    from bespeak_symbols.native.javascript.tables import Tables


_OVERRIDE = 0.6
_GLOBAL = 0.7
_ALIKE = (0.5, 0.4, 0.3, 0.3)
"""How likely a method is meant that shares its name with none, one, two or three others; with more, none is."""
_MOST_OVERRIDES = 200
_COMMON_WORDS = """
add all any append apply assign at bind call catch charAt charCodeAt clear close concat constructor create
debug defineProperty delete destroy dispatch emit end endsWith entries error every exec fill filter finally
find findIndex flat flatMap forEach from get getTime hasOwnProperty has includes indexOf info init insert
isArray join json keys lastIndexOf length listen log map match next now off on once open parse pipe pop push
read reduce reject remove render replace reset resolve reverse run search send set shift slice some sort
splice split start startsWith stop stringify substr substring test text then throw toFixed toISOString toJSON
toLowerCase toString toUpperCase trace trim type unshift update use value valueOf values warn write
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""Names that so many things have that a call of them on something unknown says nothing."""


def named_alike(name: str, caller: str, line: int, tables: Tables) -> Iterator[Edge]:
    """Return edges to the methods of a name, if only a few things have it."""
    if name in _COMMON or name in {"()", "[]"}:
        return
    methods = []
    for address in tables.world.defining(name):
        there, _, symbol = address.partition("::")
        table = tables.of(there)
        known = table.symbols.get(symbol) if table is not None else None
        if known is not None and known.kind == "method" and address not in methods:
            methods.append(address)
            if len(methods) > len(_ALIKE):
                return
    for address in methods:
        yield Edge(caller, address, CALL, "name", _ALIKE[len(methods) - 1], line)


def overriding(found: Found, caller: str, line: int, tables: Tables) -> Iterator[Edge]:
    """Return edges to the methods of derived classes that may be called in place of one that was found."""
    owner, _, name = found.name.rpartition(".")
    if not owner or name == "constructor" or name.startswith("#"):
        return
    for address in tables.world.defining(name)[:_MOST_OVERRIDES]:
        there, _, symbol = address.partition("::")
        table = tables.of(there)
        derived = symbol.rpartition(".")[0]
        if table is None or derived not in table.inherits or (there, symbol) == (found.path, found.name):
            continue
        if _derived(there, derived, found.path, owner, tables):
            yield Edge(caller, address, CALL, "override", _OVERRIDE, line)


def _derived(path: str, name: str, base_path: str, base: str, tables: Tables) -> bool:
    """Tell whether a class is derived from another."""
    waiting, seen = [(path, name)], {(path, name)}
    while waiting and len(seen) < _MOST_OVERRIDES:
        for above in Meanings(tables).bases(*waiting.pop()):
            if (above.path, above.name) == (base_path, base):
                return True
            if above.name and (above.path, above.name) not in seen:
                seen.add((above.path, above.name))
                waiting.append((above.path, above.name))
    return False


def strangers(parts: list[str], kind: str, caller: str, line: int, tables: Tables) -> Iterator[Edge]:
    """Return edges to what a script declares for all scripts, if a name is declared nowhere in the file itself."""
    found = []
    for address in tables.world.defining(parts[0]):
        there, _, symbol = address.partition("::")
        table = tables.of(there)
        if symbol == parts[0] and table is not None and table.script and tables.world.paths.get(there) in LANGUAGES:
            found.append(there)
    if len(set(found)) != 1:
        return
    for one in Meanings(tables).means(found[0], parts[0], parts):
        if one.name:
            yield Edge(caller, f"{one.path}::{one.name}", kind, "global", _GLOBAL, line)
