"""The edges that start in one JavaScript or TypeScript file.

Some are likely and not certain: methods known by their name alone, overrides, globals of scripts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols.confidence import LIKELY, OVERRIDE, UNSURE, by_name, of_way
from bespeak_symbols.model import CALL, IMPORT, INHERIT, USE, Edge
from bespeak_symbols.native import inheritance
from bespeak_symbols.native.javascript.evaluate import Evaluator
from bespeak_symbols.native.javascript.imports import LANGUAGES, VALUES, tables_of
from bespeak_symbols.native.javascript.members import CLASSES, above, bases, is_getter, member
from bespeak_symbols.native.meaning import EXTERNAL, INSTANCE, MODULE, SYMBOL, Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Import, Reference, World
    from bespeak_symbols.native.javascript.imports import Tables

_MOST_ALIKE = 4
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


@dataclass(frozen=True, slots=True)
class EdgeOrigin:
    """Where an edge starts."""

    caller: str
    line: int

    def to(self, found: Meaning, kind: str, how: str = "") -> Edge:
        """Return the edge from here to what was found."""
        way = how or found.how
        return Edge(self.caller, found.address, kind, way, min(of_way(way), found.confidence), self.line)


def resolve(path: str, world: World) -> Iterator[Edge]:
    """Return the edges that start in a file."""
    tables = tables_of(world)
    facts = world.facts(path)
    if facts is None or tables.of(path) is None:
        return
    for taken in facts.imports:
        yield from _import(path, taken, tables)
    for reference in facts.references:
        origin = EdgeOrigin(f"{path}::{reference.within}" if reference.within else path, reference.line)
        yield from _reference(path, reference, origin, tables)


def _import(path: str, taken: Import, tables: Tables) -> Iterator[Edge]:
    """Return the edge of an import: to what is taken, or to the file if that is no symbol of it."""
    target = tables.project.find(path, taken.module)
    if target is None:
        return
    origin = EdgeOrigin(f"{path}::{taken.within}" if taken.within else path, taken.line)
    how = "re-export" if taken.exported else "import"
    whole = taken.name in {"", "*", "module.exports"}
    found = [] if whole else Evaluator(tables).given(target, taken.name)
    named = [one for one in found if one.kind == SYMBOL and _exists(one, tables)]
    for one in named:
        yield origin.to(one.but(confidence=1.0), IMPORT, how)
    if not named:
        yield origin.to(Meaning(MODULE, target), IMPORT, how)


def _exists(found: Meaning, tables: Tables) -> bool:
    table = tables.of(found.path)
    return table is not None and found.name in table.symbols


def _reference(path: str, reference: Reference, origin: EdgeOrigin, tables: Tables) -> Iterator[Edge]:
    parts = reference.text.split(".")
    evaluator = Evaluator(tables)
    if reference.text == "super" and reference.kind == CALL:
        for base in above(evaluator, path, reference.root):
            yield from (edge for edge in _made(base, origin, tables) if edge.kind == CALL)
        return
    if not reference.root and parts[0] not in {"this", "super", "()"}:
        yield from strangers(parts, reference.kind, origin.caller, reference.line, tables)
        return
    ways = evaluator.follow(path, reference.root, parts)
    whole = ways[-1] if len(ways) == len(parts) else []
    yield from _getters(ways[: len(parts) - 1], origin, tables)
    if reference.kind == CALL:
        yield from _call(reference, origin, (parts, ways, whole), tables)
        return
    edges = [edge for one in whole for edge in _use(one, reference.kind, origin, tables)]
    yield from edges or _nearest(ways, origin, tables)


def _use(found: Meaning, kind: str, origin: EdgeOrigin, tables: Tables) -> Iterator[Edge]:
    """Return what naming a symbol comes to; to name a getter is to call it."""
    if found.kind != SYMBOL or not _exists(found, tables):
        return
    table = tables.of(found.path)
    known = table.symbols[found.name] if table is not None else None
    getter = known is not None and is_getter(known)
    if kind == INHERIT and known is not None and known.kind in VALUES:
        for held in Evaluator(tables).held(found):
            if held.kind == SYMBOL and held.name != found.name:
                yield origin.to(held, INHERIT)
    yield origin.to(found, CALL if getter and kind == USE else kind)


def _getters(ways: list[list[Meaning]], origin: EdgeOrigin, tables: Tables) -> Iterator[Edge]:
    """Return the calls of getters that are named on the way to something else."""
    for found in ways[1:]:
        for one in found:
            for edge in _use(one, USE, origin, tables):
                if edge.kind == CALL:
                    yield edge


def _nearest(ways: list[list[Meaning]], origin: EdgeOrigin, tables: Tables) -> Iterator[Edge]:
    """Return what was surely named on the way to something that is not known."""
    for found in reversed(ways):
        named = [edge for one in found for edge in _use(one, USE, origin, tables)]
        if named:
            yield from (edge for edge in named if edge.kind == USE)
            return


def _call(
    reference: Reference,
    origin: EdgeOrigin,
    followed: tuple[list[str], list[list[Meaning]], list[Meaning]],
    tables: Tables,
) -> Iterator[Edge]:
    parts, ways, whole = followed
    called = False
    for one in whole:
        made = one.but(kind=SYMBOL) if parts == ["this"] else one
        for edge in _called(made, origin, tables):
            called = called or edge.kind == CALL
            yield edge
        if one.kind == SYMBOL and len(parts) > 1 and parts[0] != "super" and not _exact(ways[-2], tables):
            yield from overriding(one, origin.caller, reference.line, tables)
    if called:
        return
    if not whole:
        yield from _nearest(ways, origin, tables)
    last_known = next((found for found in reversed(ways) if found), [])
    if len(parts) > 1 and not any(one.kind in {EXTERNAL, MODULE} for one in last_known):
        yield from named_alike(parts[-1], origin.caller, reference.line, tables)


def _exact(found: list[Meaning], tables: Tables) -> bool:
    """Tell whether a member is taken of a class itself, and not of something that may be of a derived one."""
    for one in found:
        table = tables.of(one.path)
        known = table.symbols.get(one.name) if table is not None else None
        if one.kind == SYMBOL and known is not None and known.kind in CLASSES:
            return True
    return False


def _called(found: Meaning, origin: EdgeOrigin, tables: Tables) -> Iterator[Edge]:
    """Return the edges of a call of what was found."""
    table = tables.of(found.path)
    if found.kind != SYMBOL or table is None:
        return
    known = table.symbols.get(found.name)
    if known is not None and known.kind in VALUES:
        called = [one for one in Evaluator(tables).holding(found) if _exists(one, tables)]
        for one in called:
            yield from _made(one, origin, tables)
        yield origin.to(found, USE if called else CALL)
    elif known is not None:
        yield from _made(found, origin, tables)


def _made(found: Meaning, origin: EdgeOrigin, tables: Tables) -> Iterator[Edge]:
    """Return the edges of a call of a function or a class; that of a class also runs its constructor."""
    if found.kind != SYMBOL or not _exists(found, tables):
        return
    table = tables.of(found.path)
    kind = table.symbols[found.name].kind if table is not None else ""
    if kind in {"enum", "namespace", "interface", "type"}:
        yield origin.to(found, USE)
        return
    yield origin.to(found.at_most(UNSURE) if _redefined(found, tables) else found, CALL)
    if kind in CLASSES:
        for made in member(Evaluator(tables), found.but(kind=INSTANCE, how="constructor"), "constructor"):
            if made.kind == SYMBOL and _exists(made, tables):
                inherited = made.name.rpartition(".")[0] != found.name or made.path != found.path
                yield origin.to(made, CALL, "inherited" if inherited else "constructor")


def _redefined(found: Meaning, tables: Tables) -> bool:
    """Tell whether what was found is given another meaning by an assignment."""
    table = tables.of(found.path)
    return table is not None and found.name in table.bindings


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
            if len(methods) > _MOST_ALIKE:
                return
    for address in methods:
        yield Edge(caller, address, CALL, "name", by_name(len(methods)), line)


def overriding(found: Meaning, caller: str, line: int, tables: Tables) -> Iterator[Edge]:
    """Return edges to the methods of derived classes that may be called in place of one that was found."""
    owner, _, name = found.name.rpartition(".")
    if not owner or name == "constructor" or name.startswith("#"):
        return

    def next_ones(one: tuple[str, str]) -> list[tuple[str, str]]:
        return [(base.path, base.name) for base in bases(Evaluator(tables), *one) if base.name]

    def replaces(address: str) -> bool:
        there, _, symbol = address.partition("::")
        derived = symbol.rpartition(".")[0]
        table = tables.of(there)
        known = table is not None and derived in table.inherits and (there, derived) != (found.path, owner)
        return known and (found.path, owner) in inheritance.nearest_first((there, derived), next_ones)

    for address in inheritance.overriding(found.address, tables.world.defining(name), replaces):
        yield Edge(caller, address, CALL, "override", OVERRIDE, line)


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
    for one in Evaluator(tables).means(found[0], parts[0], parts):
        if one.name:
            yield Edge(caller, one.address, kind, "global", LIKELY, line)
