"""Renames of one side, followed on the other: in the merge base and there too, so that git sees no difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.coord.merge.file_conflicts import BASE, OURS, THEIRS
from bespeak.coord.merge.model import ItemKind, SideChange
from bespeak.coord.merge.side_changes import words
from bespeak.coord.merge.steps.model import Place, Proposal, StepKind
from bespeak.coord.merge.steps.state import OTHER
from bespeak.coord.merge.steps.tokens import replaced, tokens
from bespeak.coord.merge.symbol_matching import BY_BODY
from bespeak_symbols.model import CERTAIN, IMPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.steps.state import MergeState
    from bespeak.coord.merge.steps.tokens import Token
    from bespeak.coord.merge.symbol_matching import Pair
    from bespeak_symbols.model import Edge, Facts

_DECLARED = "declaration"
"""How a definition in C or C++ leads to what declares it in a header."""
_SURE = 0.8
"""From this confidence on, that a definition was renamed is certain enough to follow it."""


class _UncertainError(Exception):
    """What keeps a rename from being followed."""


def follow_renames(state: MergeState) -> Iterator[Proposal]:
    """Propose to follow each rename that is in the way of the merge."""
    wanted = _in_the_way(state)
    for changer in (OURS, THEIRS):
        for (old, new), pairs in _renamed(state, changer).items():
            if old in wanted:
                yield _proposal(state, changer, old, new, pairs)


def _in_the_way(state: MergeState) -> set[str]:
    """Return the names that the plan tells of, or that stand in lines that git cannot merge."""
    found = {
        item.address.rpartition("::")[2].rpartition(".")[2]
        for item in state.plan.items
        if item.likely and item.kind == ItemKind.RENAME_EDIT
    }
    for clash in state.conflicted:
        for version in (BASE, OURS, THEIRS):
            lines = (state.text(version, clash.paths[version]) or b"").splitlines()
            for region in clash.regions:
                first, beyond = region.on(version)
                text = b"\n".join(lines[first - 1 : beyond - 1]).decode("utf-8", "replace")
                found.update("".join(char if char.isalnum() or char == "_" else " " for char in text).split())
    return found


def _renamed(state: MergeState, changer: str) -> dict[tuple[str, str], list[Pair]]:
    """Return what a side renamed, by the name before and after."""
    found: dict[tuple[str, str], list[Pair]] = {}
    for pair in state.changes[changer].pairs:
        if pair.before is None or pair.after is None or SideChange.RENAMED not in words(pair):
            continue
        if pair.before.last != pair.after.last:
            found.setdefault((pair.before.last, pair.after.last), []).append(pair)
    return found


def _proposal(state: MergeState, changer: str, old: str, new: str, pairs: list[Pair]) -> Proposal:
    user = OTHER[changer]
    befores = [pair.before for pair in pairs if pair.before is not None]
    labels = {name: side.name for name, side in zip((OURS, THEIRS), state.sides, strict=True)}
    address = befores[0].address
    reason = f"{labels[changer]} renamed {address} to {new}: what {labels[user]} wrote uses the new name."
    obstacle = _obstacle(state, user, pairs)
    if obstacle:
        return Proposal(StepKind.RENAME_FOLLOWED, address, reason, {}, obstacle=obstacle)
    addresses = {
        BASE: {node.address for node in befores},
        user: {state.changes[user].after(node.address) for node in befores},
    }
    try:
        base, _ = _rewritten(state, BASE, addresses[BASE], old, new)
        other, places = _rewritten(state, user, addresses[user], old, new)
    except _UncertainError as uncertain:
        return Proposal(StepKind.RENAME_FOLLOWED, address, reason, {}, obstacle=str(uncertain))
    return Proposal(StepKind.RENAME_FOLLOWED, address, reason, {BASE: base, user: other}, tuple(places))


def _obstacle(state: MergeState, user: str, pairs: list[Pair]) -> str:
    other = state.changes[user]
    for pair in pairs:
        if pair.before is None or not _is_sure(pair):
            return f"it is not certain that it was renamed ({pair.confidence:.2f} by {pair.how})"
        there = other.after(pair.before.address)
        if there.rpartition("::")[2].rpartition(".")[2] != pair.before.last:
            return "the other side renamed or deleted it too"
    return ""


def _is_sure(pair: Pair) -> bool:
    """Tell whether the new name stands for what the old one did: for the same body, that is so in any case."""
    one, two = pair.before, pair.after
    if one is not None and two is not None and pair.how == BY_BODY and one.signature == two.signature:
        return True
    return pair.confidence >= _SURE


def _rewritten(
    state: MergeState, version: str, addresses: set[str], old: str, new: str
) -> tuple[dict[str, bytes], list[Place]]:
    """Return the files of a version in which a rename is made, and where it has to be found again."""
    graph = state.graph(version)
    addresses = addresses | {
        edge.callee for address in addresses for edge in graph.out_of(address) if edge.how == _DECLARED
    }
    files, places = {}, []
    for path in sorted({path for address in addresses for path in graph.may_name(address)}):
        facts, source = graph.snapshot.facts(path), state.text(version, path)
        if facts is None or source is None:
            continue
        file = _File(state, version, path, facts, source, old)
        taken = [*file.definitions(addresses), *file.uses(graph.edges_of(path), addresses)]
        if taken:
            files[path] = replaced(source, {token.start: token for token in taken}.values(), new)
            places += [Place(version, path, line, new) for line in sorted(file.lines)]
    return files, places


class _File:
    """One file in which a name is to be replaced."""

    def __init__(self, state: MergeState, version: str, path: str, facts: Facts, source: bytes, old: str) -> None:
        self._state, self._version, self._path, self._facts = state, version, path, facts
        self._old = old
        self._tokens = tokens(source, path, facts.language, old)
        self.lines: set[int] = set()

    def definitions(self, addresses: set[str]) -> list[Token]:
        """Return the names in the definitions."""
        found = []
        for symbol in self._facts.symbols:
            if f"{self._path}::{symbol.name}" in addresses:
                inside = (token for token in self._tokens if symbol.first_line <= token.line <= symbol.last_line)
                token = next((token for token in inside if token.defines), None)
                if token is None:
                    raise _UncertainError(f"the name of {self._path}::{symbol.name} is not found in its definition")
                found.append(token)
        return found

    def uses(self, edges: tuple[Edge, ...], addresses: set[str]) -> list[Token]:
        """Return the names where the definitions are used."""
        found: list[Token] = []
        for line in sorted({edge.line for edge in edges if edge.callee in addresses}):
            here = [edge for edge in edges if edge.line == line and _last(edge.callee) == self._old]
            taken = self._imported(line, here) if any(edge.kind == IMPORT for edge in here) else self._used(line, here)
            sure = all(edge.callee in addresses and edge.confidence >= CERTAIN for edge in here)
            if taken is None or (not sure and taken):
                if self._is_fresh(line):
                    raise _UncertainError(f"what {self._old} means in {self._path}:{line} is not certain")
                continue
            if taken:
                self.lines.add(line)
            found += taken
        return found

    def _is_fresh(self, line: int) -> bool:
        return self._version != BASE and self._state.is_fresh(self._version, self._path, line)

    def _imported(self, line: int, edges: list[Edge]) -> list[Token] | None:
        named = [one for one in self._facts.imports if one.line == line and one.name == self._old]
        found = [token for token in self._tokens if line in token.starts and not token.defines]
        if len(edges) > 1 or len(found) > max(1, len(named)) or any(token.short for token in found):
            return None
        return found

    def _used(self, line: int, edges: list[Edge]) -> list[Token] | None:
        del edges
        named = [one for one in self._facts.references if one.line == line and _last(one.text) == self._old]
        found = [token for token in self._tokens if token.line == line and not token.defines]
        return None if len(found) != len(named) or any(token.short for token in found) else found


def _last(name: str) -> str:
    return name.rpartition("::")[2].rpartition(".")[2]
