"""Names that a merged file uses and nothing binds any more: one side took out the import, parameter or variable.

Each side is whole: what it uses, it binds. A name that is free in what git makes of the two, and free in neither, lost
what it stood for: one side removed that, the other has a use of it. Names that are built in, or that other files give
without being named, are free in a side too, so they are never told.
"""

from __future__ import annotations

import builtins
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.coord.merge.advice import advise_lost
from bespeak.coord.merge.file_conflicts import OURS, THEIRS
from bespeak.coord.merge.free_names import free_names, member, names_in_sight
from bespeak.coord.merge.model import Half, Item, ItemKind, SideChange
from bespeak_symbols.model import CERTAIN, IMPORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bespeak.coord.merge.definitions import ChangedFiles
    from bespeak.coord.merge.free_names import NamesInSight
    from bespeak.coord.merge.resolved_trees import ResolvedTrees
    from bespeak_symbols.model import Edge, Facts, Import, Reference

_LOST, _PERHAPS_INHERITED, _PERHAPS_FROM_ALL = 0.9, 0.6, 0.4
_SURE_ENOUGH = 0.7
"""From this confidence on, an edge of the merged file says that a name is found all the same."""
_INCLUDES = ('"', "<")
_JAVASCRIPT = """
AbortController AbortSignal Array BigInt Blob Boolean Buffer Date Error Event EventTarget File FormData Function Headers
Infinity Intl JSON Map Math NaN Number Object Promise Proxy Reflect RegExp Request Response Set String Symbol
TextDecoder TextEncoder URL URLSearchParams WeakMap WeakRef WeakSet WebSocket clearImmediate clearInterval clearTimeout
console crypto document fetch global globalThis navigator performance process queueMicrotask setImmediate setInterval
setTimeout structuredClone window describe it test expect beforeEach afterEach before after beforeAll afterAll jest
"""
_RUST = """
AsMut AsRef Box Clone Copy Debug Default DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn FnMut FnOnce From
FromIterator Future Hash Into IntoFuture IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd Result Send Sized
Some String Sync ToOwned ToString TryFrom TryInto Unpin Vec drop
"""
_BUILT_IN = {
    "python": frozenset(dir(builtins)),
    "javascript": frozenset(_JAVASCRIPT.split()),
    "rust": frozenset(_RUST.split()),
    "java": frozenset({"Override", "Deprecated", "FunctionalInterface", "SuppressWarnings", "Record"}),
}
_BUILT_IN["typescript"] = _BUILT_IN["javascript"]


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that both sides changed, and that git merges.

    Args:
        base: its path in the merge base.
        paths: its path on each side.
        merged: its path in what comes of the merge.
    """

    base: str
    paths: dict[str, str]
    merged: str


def shared_files(read: Sequence[ChangedFiles]) -> list[SharedFile]:
    """Return the files that both sides changed and neither removed, by path."""
    now = [{entry.old: entry.new for entry in one.entries if entry.old in one.before} for one in read]
    found = []
    for base in sorted(now[0].keys() & now[1].keys()):
        ours, theirs = now[0][base], now[1][base]
        if ours in read[0].after and theirs in read[1].after:
            found.append(SharedFile(base, {OURS: ours, THEIRS: theirs}, ours if ours != base else theirs))
    return found


@dataclass(frozen=True, slots=True)
class _Lost:
    """What a name lost.

    Args:
        name: the name, with the scope that bound it.
        told: what a reader is told is gone.
        confidence: that nothing else gives it, of 1.
        imported: it came from another file.
    """

    name: str
    told: str
    confidence: float
    imported: bool


class _Sides:
    """One shared file in three versions: on ours, on theirs, merged."""

    def __init__(self, file: SharedFile, read: Sequence[ChangedFiles], merged: Facts) -> None:
        sides = dict(zip((OURS, THEIRS), read, strict=True))
        self.file = file
        self.facts = {side: one.after[file.paths[side]].facts for side, one in sides.items()}
        self._before = {side: one.before[file.base].facts for side, one in sides.items()}
        self.merged = merged
        self.sight = {side: names_in_sight(one) for side, one in self.facts.items()}
        self.merged_sight = names_in_sight(merged)

    def lost(self) -> Iterator[tuple[str, Reference]]:
        """Return the names that are free in the merged file only, each with its uses there."""
        found = free_names(self.merged, self.merged_sight)
        for side, facts in self.facts.items():
            if found:
                known = free_names(facts, self.sight[side])
                found = {name: uses for name, uses in found.items() if name not in known}
        built_in = _BUILT_IN.get(self.merged.language, frozenset())
        for name in sorted(found.keys() - built_in):
            yield from ((name, use) for use in found[name])

    def given_no_more(self, trees: ResolvedTrees) -> Iterator[tuple[str, str, Reference]]:
        """Return new uses of what came with all of a file that the merged file does not take in any more.

        Returns:
            The side that uses, what it took in (as written), and the use there.
        """
        for side, facts in self.facts.items():
            lines, left = _everything_of(facts), _everything_of(self.merged)
            lost = {lines[module]: module for module in sorted(lines.keys() - left.keys())}
            if not lost or left.keys() - lines.keys():
                continue  # what the other side takes in instead may give the same
            edges = trees.edges(side, self.file.paths[side])
            known = {edge.line for edge in edges if edge.kind == IMPORT}
            given = [module for line, module in lost.items() if line in known or not module.startswith(_INCLUDES)]
            if given:
                yield from ((side, given[0], use) for use in _new_foreign(facts, self._before[side], edges))

    def user(self, use: Reference) -> tuple[str, Reference] | None:
        """Return the side that a use of the merged file is from, and the use as it is there."""
        there = {
            side: [one for one in facts.references if one.text == use.text and one.kind == use.kind]
            for side, facts in self.facts.items()
        }
        exact = {side: [one for one in found if one.within == use.within] for side, found in there.items()}
        for found in (exact, there):
            side = max((OURS, THEIRS), key=lambda side: len(found[side]))
            if found[side] and len(found[OURS]) != len(found[THEIRS]):
                return side, found[side][-1]
        return (OURS, exact[OURS][-1]) if exact[OURS] else None


def lost_names(names: tuple[str, str], read: Sequence[ChangedFiles], trees: ResolvedTrees) -> list[Item]:
    """Return an item for each scope in which a name lost what it stood for, in order.

    Args:
        names: of the revisions, ours first.
        read: what each side changed.
        trees: in which names are resolved.
    """
    shared = [file for file in shared_files(read) if not trees.by_name(file.merged)]
    merged = trees.merged_facts([file.merged for file in shared])
    found: dict[tuple[str, str, str], Item] = {}
    for file in shared:
        if file.merged in merged:
            sides = _Sides(file, read, merged[file.merged])
            for item in (*_of_names(names, sides, trees), *_of_everything(names, sides, trees)):
                found.setdefault((item.path, item.user, item.address), item)
    return [found[key] for key in sorted(found)]


def _of_names(names: tuple[str, str], sides: _Sides, trees: ResolvedTrees) -> Iterator[Item]:
    """Return items for names that the file itself bound."""
    for name, merged_use in sides.lost():
        of = sides.user(merged_use)
        if of is None:
            continue
        user, use = of
        if not _found_elsewhere(sides, merged_use, trees, _SURE_ENOUGH):
            lost = _lost_member(sides, user, use) if member(use) else _lost_name(sides, user, use, name)
            if lost.confidence:
                yield _item(names, sides, user, use, lost)


def _lost_name(sides: _Sides, user: str, use: Reference, name: str) -> _Lost:
    imported = sides.sight[user].imported(name, use.within)
    scope = _scope(sides.sight[user], name, use.within)
    return _Lost(f"{scope}{name}", name, _confidence(sides, user, imported), imported=bool(imported))


def _lost_member(sides: _Sides, user: str, use: Reference) -> _Lost:
    """Return what a member lost; a class with other bases now, or with any, may have it from there."""
    owner = sides.sight[user].owner(use.within)
    bases = [sight.bases.get(owner) for sight in (sides.merged_sight, *sides.sight.values())]
    confidence = 0.0 if bases[0] is None or bases[0] != bases[1] or bases[0] != bases[2] else _LOST
    if bases[0]:
        confidence = min(confidence, _PERHAPS_INHERITED)
    name = member(use)
    return _Lost(f"{owner}.{name}", f"{owner}.{name}", confidence, imported=False)


def _of_everything(names: tuple[str, str], sides: _Sides, trees: ResolvedTrees) -> Iterator[Item]:
    """Return items for names that came with everything of another file."""
    for user, module, use in sides.given_no_more(trees):
        name = use.text.partition(".")[0]
        kept = [one for one in sides.merged.references if one.text == use.text and one.kind == use.kind]
        scopes = {one.within for one in kept}
        if use.within not in scopes and scopes & {one.within for one in sides.facts[user].references}:
            continue  # the other side removed this very use
        if kept and not any(_found_elsewhere(sides, one, trees, CERTAIN) for one in kept):
            yield _item(names, sides, user, use, _Lost(name, module, _LOST, imported=True))


def _item(names: tuple[str, str], sides: _Sides, user: str, use: Reference, lost: _Lost) -> Item:
    labels = dict(zip((OURS, THEIRS), names, strict=True))
    changer = THEIRS if user == OURS else OURS
    path = sides.file.paths[user]
    taker = Half(labels[changer], (SideChange.DELETED,), "")
    taken = Half(labels[user], (SideChange.USED,), f"{path}::{lost.name}")
    first, second = (taker, taken) if changer == OURS else (taken, taker)
    caller = f"{path}::{use.within}" if use.within else path
    return Item(
        ItemKind.DELETE_USE,
        f"{sides.file.base}::{lost.name}",
        first.words,
        second.words,
        first.becomes,
        second.becomes,
        textual=False,
        confidence=lost.confidence,
        how=f"{'import' if lost.imported else 'name'} {lost.told} is gone from the merged file",
        recommendation=advise_lost(lost.told, sides.file.merged, taker, taken, caller, imported=lost.imported),
        path=path,
        user=caller,
        line=use.line,
    )


def _everything_of(facts: Facts) -> dict[str, int]:
    """Return the modules of which a file takes everything, as written, each with its line."""
    return {one.module: one.line for one in facts.imports if one.local == "*"}


def _new_foreign(facts: Facts, before: Facts, edges: Iterable[Edge]) -> list[Reference]:
    """Return the uses of other files' definitions that a side has more of than the merge base, each once."""
    now, old = (Counter(one.text for one in found.references) for found in (facts, before))
    by_line: dict[int, list[Reference]] = {}
    for use in facts.references:
        if now[use.text] > old[use.text] and use.bound < 0:
            by_line.setdefault(use.line, []).append(use)
    found: dict[tuple[str, str], Reference] = {}
    for edge in edges:
        symbol = edge.callee.partition("::")[2]
        foreign = edge.callee.partition("::")[0] != edge.caller.partition("::")[0]
        if edge.confidence >= CERTAIN and foreign and symbol:
            found.update({(use.text, use.within): use for use in by_line.get(edge.line, ()) if _names(use, symbol)})
    return [found[key] for key in sorted(found)]


def _names(use: Reference, symbol: str) -> bool:
    """Tell whether a use ends with the name of a symbol of another file."""
    return use.text.rpartition(".")[2] == symbol.rpartition(".")[2]


def _scope(sight: NamesInSight, name: str, within: str) -> str:
    """Return the scope that binds a name, with a dot; empty for the whole file."""
    scopes = [scope for scope in sight.others.get(name, ()) if scope and within.startswith(scope)]
    return max(scopes, key=len) + "." if scopes else ""


def _confidence(sides: _Sides, user: str, imported: Import | None) -> float:
    """Return how sure it is that nothing else gives the name, of 1; 0 if another import may."""
    stars = {module for module in _everything_of(sides.merged) if not module.startswith(_INCLUDES)}
    before = _everything_of(sides.facts[user]).keys()
    if imported is None:
        return 0.0 if stars - before else _LOST
    if stars - before or imported.module.removesuffix("." + imported.name) in stars:
        return 0.0
    java = sides.merged.language == "java"
    return _PERHAPS_FROM_ALL if stars and not java else _LOST


def _found_elsewhere(sides: _Sides, use: Reference, trees: ResolvedTrees, least: float) -> bool:
    """Tell whether the merged file's use leads somewhere all the same: into another file that gives it unasked."""
    parts = set(use.text.split("."))
    for definer in (OURS, THEIRS):  # where another file is left in conflict, either version may be kept
        found = trees.merged(sides.file.merged, definer)
        for edge in () if found is None else found[1]:
            name = edge.callee.rpartition("::")[2].rpartition(".")[2]
            if edge.line == use.line and edge.confidence >= least and name in parts:
                return True
    return False
