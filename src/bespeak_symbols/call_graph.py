"""Who depends on whom: edges between symbols, resolved file by file when they are asked for.

An edge starts in a file that can be resolved alone, so what a symbol depends on costs one file. Who depends on a
symbol is found among the files that mention one of the names it goes by. Answers do not depend on what was asked
before, nor on the order in which files are met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols import name_index
from bespeak_symbols.errors import SymbolsError
from bespeak_symbols.model import CALL, INHERIT, SEPARATOR, USE, Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak_symbols.model import Edge
    from bespeak_symbols.snapshot import Snapshot

FOLLOWED = frozenset({CALL, USE, INHERIT})
"""Kinds of edges along which a change has effects; an import alone does not say what is used."""

_MADE_BY_CLASS = frozenset({"constructor", "new", "init", "<init>"})


@dataclass(frozen=True, slots=True)
class Reached:
    """A symbol that was reached from others.

    Args:
        distance: over how many edges at least; 0 for those from which the walk started.
        confidence: of the best way of that length: the product of its edges'.
        path: that way, from the start on; edges are given as they are, whichever way they are walked.
    """

    distance: int
    confidence: float
    path: tuple[Edge, ...]


def _order(edge: Edge) -> tuple[str, int, str, str, str, float]:
    return edge.caller, edge.line, edge.callee, edge.kind, edge.how, edge.confidence


def symbol_of(address: str) -> str:
    """Return the qualified name in an address; empty for a whole file."""
    return address.partition(SEPARATOR)[2]


class CallGraph:
    """The edges of one snapshot, resolved on demand and remembered."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._by_file: dict[str, tuple[Edge, ...]] = {}
        self._into: dict[str, list[Edge]] = {}
        self._asked: dict[str, tuple[Edge, ...]] = {}
        self._failed: dict[str, Unread] = {}

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What could not be read, with files whose edges could not be worked out so far."""
        compiler = () if self.snapshot.compiler is None else self.snapshot.compiler.unread
        return (*self.snapshot.unread, *(self._failed[path] for path in sorted(self._failed)), *compiler)

    @property
    def resolved(self) -> frozenset[str]:
        """The files whose edges are known by now."""
        return frozenset(self._by_file)

    def edges_of(self, path: str) -> tuple[Edge, ...]:
        """Return all edges that start in a file, one for each place where it names something."""
        known = self._by_file.get(path)
        if known is None:
            kept = self.snapshot.edges(path) if path in self.snapshot.paths else ()
            known = self._by_file[path] = self._resolved(path) if kept is None else kept
            for edge in known:
                self._into.setdefault(edge.callee, []).append(edge)
        return known

    def _resolved(self, path: str) -> tuple[Edge, ...]:
        language = self.snapshot.paths.get(path)
        if language is None:
            return ()
        try:
            ours = set(self.snapshot.backend.resolve(language, path, self.snapshot))
            compiler = self.snapshot.compiler
            found = tuple(sorted(ours if compiler is None else compiler.outrank(path, [*ours]), key=_order))
        except SymbolsError as missing:
            self._failed[path] = Unread(path, f"its names could not be resolved: {missing}")
            return ()
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as failed:
            self._failed[path] = Unread(path, f"its names could not be resolved: {type(failed).__name__}")
            return ()
        self.snapshot.keep_edges(path, found)
        return found

    def out_of(self, address: str) -> tuple[Edge, ...]:
        """Return the edges that start in exactly this symbol, or at the top level of this file."""
        path = address.partition(SEPARATOR)[0]
        return tuple(edge for edge in self.edges_of(path) if edge.caller == address)

    def into(self, address: str) -> tuple[Edge, ...]:
        """Return the edges that end in exactly this symbol (or in this file as a module)."""
        known = self._asked.get(address)
        if known is None:
            for path in sorted(self.may_name(address)):
                self.edges_of(path)
            known = self._asked[address] = tuple(sorted(self._into.get(address, ()), key=_order))
        return known

    def may_name(self, address: str) -> set[str]:
        """Return the files that may have an edge to a symbol: those that mention a name it goes by."""
        path, _, symbol = address.partition(SEPARATOR)
        if path not in self.snapshot.paths:
            return set()
        found = {path}
        declared = self.snapshot.backend.has_separate_declarations(self.snapshot.paths[path])
        for name in self._names(path, symbol):
            found |= self.snapshot.mentioning(name)
            if declared:
                found.update(address.partition(SEPARATOR)[0] for address in self.snapshot.defining(name))
        return found

    def _names(self, path: str, symbol: str) -> set[str]:
        if not symbol:
            folder = path.rpartition("/")[0].rpartition("/")[2]
            known = {*name_index.stems(path), folder} - {""}
        else:
            known = {name_index.last(symbol)}
            owner = symbol.rpartition(".")[0]
            if owner and _unnamed(name_index.last(symbol), name_index.last(owner)):
                # It is called by the name of its class, or of one derived from that, or where one of these is at hand.
                known |= {name_index.last(symbol_of(made)) for made in self._derived(f"{path}::{owner}")}
        left = sorted(known)
        while left:
            more = self.snapshot.renaming(left.pop()) - known
            known |= more
            left += sorted(more)
        return known

    def _derived(self, address: str) -> set[str]:
        """Return a class and all that are derived from it."""
        found = {address}
        left = [address]
        while left:
            more = {edge.caller for edge in self.into(left.pop()) if edge.kind == INHERIT} - found
            found |= more
            left += sorted(more)
        return found

    def reach(
        self, addresses: Iterable[str], depth: int, *, callers: bool = True, kinds: frozenset[str] = FOLLOWED
    ) -> dict[str, Reached]:
        """Return what can be reached from some addresses, nearest first, then by address.

        Args:
            addresses: where to start; a file, folder or class stands for all symbols it holds.
            depth: over how many edges at most.
            callers: walk to those that depend on the addresses; else to what these depend on.
            kinds: of the edges to follow.
        """
        start = sorted({symbol for address in addresses for symbol in self.symbols_in(address)})
        reached = {symbol: Reached(0, 1.0, ()) for symbol in start}
        newest = set(start)
        for distance in range(1, depth + 1):
            found: dict[str, Reached] = {}
            for symbol in sorted(newest):
                before = reached[symbol]
                for edge in self.into(symbol) if callers else self.out_of(symbol):
                    other = edge.caller if callers else edge.callee
                    sure = before.confidence * edge.confidence
                    if edge.kind in kinds and other not in reached and not _as_good(found.get(other), sure):
                        found[other] = Reached(distance, sure, (*before.path, edge))
            reached.update(sorted(found.items()))
            newest = set(found)
        return reached

    def symbols_in(self, address: str) -> tuple[str, ...]:
        """Return the symbols that an address holds: a file, a folder or a class.

        A file holds its top level (the path alone) and all its symbols, a symbol itself and those inside it. An
        address that names nothing of the snapshot holds nothing.
        """
        return tuple(sorted(set(self._held(address))))

    def _held(self, address: str) -> Iterator[str]:
        plain = address.partition(SEPARATOR)[0]
        symbol = symbol_of(address).replace(SEPARATOR, ".")
        for path in self._files(plain):
            if not symbol:
                yield path
            facts = self.snapshot.facts(path)
            for known in facts.symbols if facts is not None else ():
                if not symbol or known.name == symbol or known.name.startswith(symbol + "."):
                    yield f"{path}::{known.name}"

    def _files(self, plain: str) -> list[str]:
        paths = self.snapshot.paths
        if plain in paths:
            return [plain]
        if plain in {"", ".", "./"}:
            return list(paths)
        folder = plain.rstrip("/") + "/"
        return [path for path in paths if path.startswith(folder)] if plain.endswith("/") else []


def _unnamed(name: str, owner: str) -> bool:
    """Return whether a method is called without its name: a constructor, an operator, what Python calls by itself."""
    return name == owner or name in _MADE_BY_CLASS or name.startswith(("__", "operator"))


def _as_good(known: Reached | None, confidence: float) -> bool:
    """Return whether a way is known that is at least as good; edges come in order, so the first of equals stays."""
    return known is not None and known.confidence >= confidence
