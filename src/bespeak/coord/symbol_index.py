"""Symbols of a git repository: the index of them, and who depends on what at some addresses."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak.base.display import escape_unprintable
from bespeak.base.errors import NotFoundError, UnavailableError
from bespeak.coord import address_parser
from bespeak.coord.address import CONTAINS, SAME, SEPARATOR, Address
from bespeak.coord.diagrams import Arrow, Diagram
from bespeak.coord.errors import ClaimError
from bespeak.coord.globs import relation
from bespeak.coord.languages import language_of_suffix, unread_language
from bespeak.git.errors import UnknownRevisionError
from bespeak.git.objects import Objects
from bespeak.storage import sqlite_files
from bespeak_symbols.call_graph import FOLLOWED, CallGraph
from bespeak_symbols.errors import GrammarsMissingError
from bespeak_symbols.index import Index
from bespeak_symbols.model import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bespeak.git.objects import Listing
    from bespeak.git.repository import Repository
    from bespeak_symbols.index import Progress
    from bespeak_symbols.listing_cache import Sources
    from bespeak_symbols.model import Edge, Facts, Symbol
    from bespeak_symbols.object_reader import Listing as AnyListing
    from bespeak_symbols.snapshot import Snapshot

CALLER, CALLEE = "caller", "callee"
DEEPEST = 20
_FOLDER, _FILE = "bespeak", "symbols.sqlite3"
_UNREAD = 100


def open_index(repository: Repository, progress: Progress | None = None, folder: str | None = None) -> Index:
    """Return the symbol index of a repository.

    Args:
        repository: where to read.
        progress: called while files are read, with how many are and how many there are in all.
        folder: a private git directory that the caller keeps, to read objects that are only there; None for none.
    """
    path = os.path.join(repository.common_dir, _FOLDER, _FILE)
    return _GitIndex(_Reader(repository, folder), path, progress, check=sqlite_files.check)


class _Reader(Objects):
    """Objects of git, with the errors of coord."""

    def revision(self, name: str) -> Listing:
        try:
            return super().revision(name)
        except UnknownRevisionError as unknown:
            raise ClaimError(str(unknown)) from None


class _GitIndex(Index):
    """The index of a git repository, with the errors of bespeak."""

    def sources(self, listing: AnyListing) -> Sources:
        with _missing_grammars_told():
            return super().sources(listing)

    def facts(self, path: str, source: bytes, blob: str | None = None) -> Facts | None:
        with _missing_grammars_told():
            return super().facts(path, source, blob)

    def read_again(self, path: str, language: str, content: bytes | None) -> Facts | None:
        with _missing_grammars_told():
            return super().read_again(path, language, content)


@contextmanager
def _missing_grammars_told() -> Iterator[None]:
    try:
        yield
    except GrammarsMissingError as missing:
        raise UnavailableError(
            "reading source files needs the extra 'symbols': in the clone of bespeak, pip install '.[symbols]'"
        ) from missing


@dataclass(frozen=True, slots=True)
class AddressedSymbol:
    """A symbol and its address."""

    address: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class WalkedEdge:
    """An edge, how far it is from what was asked for, and in which direction it was walked."""

    distance: int
    direction: str
    edge: Edge


@dataclass(frozen=True, slots=True)
class SymbolReport:
    """What is at some addresses.

    Args:
        commit: of the revision; empty for a work tree.
        symbols: at the addresses, in their order.
        steps: edges that lead there (``caller``) and from there (``callee``), nearest first.
        unknown: addresses that name nothing.
        unread: what could not be read of the files asked for; of all files if callers were asked for, for these can be
            anywhere.
        notice: why what was read could not be kept; empty if it is.
    """

    commit: str
    symbols: tuple[AddressedSymbol, ...]
    steps: tuple[WalkedEdge, ...]
    unknown: tuple[str, ...]
    unread: tuple[Unread, ...]
    notice: str


def report(
    repository: Repository,
    addresses: Sequence[str],
    folder: str,
    *,
    directions: Sequence[str] = (),
    depth: int = 1,
    revision: str | None = None,
    progress: Progress | None = None,
) -> SymbolReport:
    """Return what is at some addresses, and what is around it.

    Args:
        repository: where to look.
        addresses: as typed: files, symbols, folders, patterns.
        folder: the folder that relative paths start from, absolute.
        directions: ``caller`` and ``callee``: which edges to follow.
        depth: over how many edges, 1 to 20.
        revision: None for the work tree as it is.
        progress: as for the index.

    Raises:
        ClaimError: an address, the depth or the revision is wrong.
        NotFoundError: none of the addresses names anything.
        UnavailableError: the extra ``symbols`` is not installed.
    """
    if not 1 <= depth <= DEEPEST:
        raise ClaimError(field="depth", reason=f"{depth}; it must be from 1 to {DEEPEST}")
    address_parser.check(addresses)
    wanted = address_parser.locate_all(addresses, repository, folder)
    with open_index(repository, progress) as index:
        snapshot = index.worktree() if revision is None else index.snapshot(revision)
        graph = CallGraph(snapshot)
        inside = {address.text: _symbols_in(graph, address) for address in wanted}
        unknown = tuple(text for text, symbols in inside.items() if not symbols)
        if len(unknown) == len(wanted):
            where = "the work tree" if revision is None else escape_unprintable(revision)
            reasons = _blind((*graph.unread, *_other_languages(index, snapshot, wanted)), unknown)
            told = ", ".join(map(escape_unprintable, unknown))
            raise NotFoundError(f"no symbol of {where} is at {told}{reasons}{_nearest(snapshot, wanted)}")
        start = sorted({symbol for symbols in inside.values() for symbol in symbols})
        steps = tuple(step for direction in directions for step in _walk(graph, start, direction, depth))
        placed = tuple(found for address in start for found in _placed(graph, address))
        commit = snapshot.commit if revision else ""
        compiler = () if snapshot.compiler is None else snapshot.compiler.unread
        unread = graph.unread if CALLER in directions else (*_unread_in(graph, wanted), *compiler)
        unread = (*unread, *_other_languages(index, snapshot, wanted))
        return SymbolReport(commit, placed, steps, unknown, unread, escape_unprintable(index.notice))


def _unread_in(graph: CallGraph, wanted: Sequence[Address]) -> tuple[Unread, ...]:
    """Return what could not be read of the files that some addresses name."""
    files = [
        Address(address.path if address.symbol else address.text, address.path, (), address.glob) for address in wanted
    ]
    return tuple(
        part
        for part in graph.unread
        if any(relation(file, Address(part.path, part.path)) in {SAME, CONTAINS} for file in files)
    )


def _symbols_in(graph: CallGraph, address: Address) -> tuple[str, ...]:
    """Return the symbols that an address holds; a pattern holds those of every file that it matches."""
    if not address.glob:
        return graph.symbols_in(address.text)
    suffix = f"{SEPARATOR}{'.'.join(address.symbol)}" if address.symbol else ""
    pattern = Address(address.path, address.path, glob=True)
    matching = (path for path in graph.snapshot.paths if relation(pattern, Address(path, path)) in {SAME, CONTAINS})
    return tuple(sorted(symbol for path in matching for symbol in graph.symbols_in(path + suffix)))


def _nearest(snapshot: Snapshot, wanted: Iterable[Address]) -> str:
    """Return what is called most like the first of some addresses, as the end of a message."""
    from bespeak.coord.forecast.address_lookup import AddressLookup

    first = next(iter(wanted))
    near = "" if first.glob else AddressLookup(snapshot).nearest(first)
    return f"; the nearest is {escape_unprintable(near)}" if near else ""


def _other_languages(index: Index, snapshot: Snapshot, wanted: Iterable[Address]) -> tuple[Unread, ...]:
    """Return the files at some addresses whose language is not read, or by name only."""
    found = {}
    for address in wanted:
        language = unread_language(address.path, index.backend.language_of)
        if language and snapshot.blob(address.path) is not None:
            found[address.path] = Unread(address.path, f"{language} is not read")
        elif index.backend.language_by_name(address.path) and address.path in snapshot.paths:
            told = f"{language_of_suffix(address.path)} is read by name only"
            found[address.path] = Unread(address.path, told)
    return tuple(found.values())


def _blind(unread: Iterable[Unread], unknown: Iterable[str]) -> str:
    """Return what of the files at some addresses could not be read, as the end of a message."""
    paths = {address.partition(SEPARATOR)[0] for address in unknown}
    parts = [
        f"{escape_unprintable(part.path)}{f':{part.line}' if part.line else ''}: {escape_unprintable(part.why)}"
        for part in unread
        if part.path in paths
    ]
    return f" (not read: {'; '.join(parts)})" if parts else ""


def _placed(graph: CallGraph, address: str) -> Iterable[AddressedSymbol]:
    path, _, name = address.partition(SEPARATOR)
    facts = graph.snapshot.facts(path)
    return (
        AddressedSymbol(address, symbol) for symbol in (facts.symbols if facts and name else ()) if symbol.name == name
    )


def _walk(graph: CallGraph, start: Iterable[str], direction: str, depth: int) -> list[WalkedEdge]:
    """Return the edges within a distance, each once, at its least distance."""
    seen: dict[Edge, int] = {}
    known = set(start)
    front = sorted(known)
    for distance in range(1, depth + 1):
        reached: set[str] = set()
        for symbol in front:
            for edge in graph.into(symbol) if direction == CALLER else graph.out_of(symbol):
                if edge.kind in FOLLOWED and edge not in seen:
                    seen[edge] = distance
                    reached.add(edge.caller if direction == CALLER else edge.callee)
        front = sorted(reached - known)
        known |= reached
    return [WalkedEdge(distance, direction, edge) for edge, distance in seen.items()]


def report_json(of: SymbolReport, limit: int) -> dict[str, object]:
    """Return the answer as JSON has it; at most ``limit`` edges, all for 0."""
    shown = of.steps[:limit] if limit else of.steps
    return {
        "commit": of.commit or None,
        "symbols": [
            {
                "address": each.address,
                "kind": each.symbol.kind,
                "first_line": each.symbol.first_line,
                "last_line": each.symbol.last_line,
                "signature": each.symbol.signature,
            }
            for each in of.symbols
        ],
        "edges": [
            {
                "distance": step.distance,
                "direction": step.direction,
                "caller": step.edge.caller,
                "callee": step.edge.callee,
                "kind": step.edge.kind,
                "how": step.edge.how,
                "confidence": step.edge.confidence,
                "line": step.edge.line,
            }
            for step in shown
        ],
        "edges_total": len(of.steps),
        "unknown_addresses": list(of.unknown),
        "unread": [{"path": part.path, "why": part.why, "line": part.line} for part in of.unread[:_UNREAD]],
        "unread_total": len(of.unread),
        "notice": of.notice,
    }


def symbols_diagram(of: SymbolReport) -> Diagram:
    """Return the edges as a diagram; an edge that is not certain is dashed."""
    certain: dict[tuple[str, str], bool] = {}
    for step in of.steps:
        pair = step.edge.caller, step.edge.callee
        certain[pair] = certain.get(pair, False) or step.edge.certain
    ends = {end for pair in certain for end in pair}
    shown = sorted(ends | ({each.address for each in of.symbols} if not certain else set()))
    keys = {address: f"s{number}" for number, address in enumerate(shown)}
    arrows = tuple(
        Arrow(keys[caller], keys[callee], dashed=not sure) for (caller, callee), sure in sorted(certain.items())
    )
    return Diagram("symbols", {key: address for address, key in keys.items()}, arrows)
