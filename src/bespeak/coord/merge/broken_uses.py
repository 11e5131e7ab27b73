"""New uses on one side of what the other deleted, renamed, moved or changed: conflicts that git does not see.

A use is new if its line is one that the side has written. It is in conflict if, after the merge, its name no longer
means anything, or if the call no longer fits.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bespeak.coord.merge import call_compatibility
from bespeak.coord.merge.advice import advise
from bespeak.coord.merge.call_compatibility import keywords
from bespeak.coord.merge.file_conflicts import OURS
from bespeak.coord.merge.model import Half, Item, ItemKind, SideChange
from bespeak.coord.merge.side_changes import words
from bespeak_symbols.model import CALL, CERTAIN, IMPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from bespeak.coord.merge.definitions import Node, Source, Version
    from bespeak.coord.merge.resolved_trees import ResolvedTrees
    from bespeak.coord.merge.side_changes import Side
    from bespeak.coord.merge.symbol_matching import Pair
    from bespeak_symbols.model import Edge, Facts, Reference

_BODY_CHANGED = 0.15
_BY_GLOBAL = "global"
"""How a use of a script's name is found that nothing imports."""
_LONGEST_LINE = 1_000
_WHOLE_FILE = "*"
"""In place of a scope: all of them."""
_DECLARING = frozenset({"c", "cpp"})
_UNITS = (".c", ".cc", ".cpp", ".cxx", ".c++")
"""Files that are compiled by themselves: what is static in one, no other file sees."""


@dataclass(frozen=True, slots=True)
class User:
    """The side that uses, and the files it changed.

    Args:
        files: as they are on that side.
        before: the same, as they were in the base.
        paths: where a file was in the base, by its path on that side, if it had another.
        fresh: returns the lines that it wrote in a file: ranges ``[first, beyond)``.
    """

    side: Side
    files: Version
    before: Version
    paths: Mapping[str, str]
    fresh: Callable[[str], Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Changer:
    """The side that changed what is used.

    Args:
        moved: files that are not where they were: path after (empty: deleted) by path before.
    """

    side: Side
    moved: Mapping[str, str]

    def ours_first(self, changed: Half, used: Half) -> tuple[Half, Half]:
        """Return what this side and the user's did: ours, then theirs."""
        return (changed, used) if self.side.name == OURS else (used, changed)


def uses(user: User, changer: Changer, trees: ResolvedTrees, *, everything: bool = False) -> list[Item]:
    """Return an item for each new use that does not survive the merge, in order.

    Args:
        user: the side that uses.
        changer: the side that changed what is used.
        trees: in which names are resolved.
        everything: also uses of what was changed inside only.
    """
    wanted = _suspects(user, changer, everything=everything)
    if not wanted:
        return []
    found: dict[tuple[str, str], Item] = {}
    known = KnownUses(user.before)
    for path in sorted(user.files.keys() & trees.may_name(user.side.name, wanted)):
        if user.fresh(path):
            now = count_uses(user.files[path])
            for edge in trees.edges(user.side.name, path):
                new = is_fresh(user, path, edge.line) and is_new(user, edge, now, known)
                new = new and not (edge.how == _BY_GLOBAL and _is_packed(changer.side, edge.callee))
                item = _item(user, changer, trees, edge) if new else None
                if item is not None:
                    key = (item.address, item.user)
                    if key not in found or found[key].confidence < item.confidence:
                        found[key] = item
    return _without_echoes(found.values())


def _is_packed(side: Side, address: str) -> bool:
    """Tell whether a definition is in a line that no person writes: a program has named what is in it."""
    nodes = [pair.before for pair in side.by_address.get(address, ()) if pair.before is not None]
    return any(len(line) > _LONGEST_LINE for node in nodes for line in node.text[:1])


class KnownUses:
    """The uses in the files of a version, counted when they are asked for."""

    def __init__(self, files: Version) -> None:
        self._files = files
        self._counted: dict[str, Counter[Hashable]] = {}

    def __call__(self, path: str) -> Counter[Hashable]:
        """Return the uses in a file; none if it is not in the version."""
        if path not in self._counted:
            self._counted[path] = count_uses(self._files[path]) if path in self._files else Counter()
        return self._counted[path]


def _suspects(user: User, changer: Changer, *, everything: bool) -> set[str]:
    """Return what is changed so that a use of it can break: its addresses on the side that uses."""
    found = {
        pair.before.address for pair in changer.side.pairs if pair.before and _matters(pair, everything=everything)
    }
    after = {before: path for path, before in user.paths.items()}
    suspects = found | {after.get(path, path) for path in changer.moved}
    for address in found:
        pairs = user.side.by_address.get(address, ())
        suspects.update(pair.after.address for pair in pairs if pair.after is not None)
    return suspects


def _matters(pair: Pair, *, everything: bool) -> bool:
    """Tell whether what was done to a definition can break a use of it."""
    return pair.before is not None and bool(
        set(words(pair)) - {SideChange.DOCSTRING, *(() if everything else (SideChange.BODY,))}
    )


def is_fresh(user: User, path: str, line: int) -> bool:
    """Tell whether the side that uses has written a line."""
    return any(first <= line < beyond for first, beyond in user.fresh(path))


def count_uses(source: Source) -> Counter[Hashable]:
    """Return the uses in a file, in a form that stays the same when lines are moved or rewritten."""
    uses: Counter[Hashable] = Counter((ref.within, ref.text, ref.arguments) for ref in source.facts.references)
    uses.update((_WHOLE_FILE, ref.text, ref.arguments) for ref in source.facts.references)
    uses.update((one.module, one.name) for one in source.facts.imports)
    return uses


def is_new(user: User, edge: Edge, now: Counter[Hashable], known: KnownUses) -> bool:
    """Tell whether a side has more of such a use than the base had: a line that was only touched is none."""
    path, _, within = edge.caller.partition("::")
    source = user.files[path]
    before = user.side.before(edge.caller) if within else user.paths.get(path, path)
    old_path, _, old_within = before.partition("::")
    old: Counter[Hashable] = known(old_path) if before else Counter()
    if edge.kind == IMPORT:
        return any(now[use] > old[use] for use in _texts(source.facts, edge))
    # Where a copy of a definition is added, git may take the copy for the old one, and the old one for new.
    scopes = [(edge.caller.partition("::")[2], old_within)]
    if old_path == user.paths.get(path, path):
        scopes.append((_WHOLE_FILE, _WHOLE_FILE))
    return any(
        now[after, ref.text, ref.arguments] > old[before_it, ref.text, ref.arguments]
        for ref in _references(source.facts, edge)
        for after, before_it in scopes
    )


def _without_echoes(items: Iterable[Item]) -> list[Item]:
    """Leave out what only repeats another: the import beside the call, the constructor beside its class."""
    left = sorted(items, key=lambda item: (item.address, item.user))
    named = {(item.address, item.path, item.kind) for item in left if item.user != item.path}
    heads = {(item.address, item.user, item.kind) for item in left}
    kept = []
    for item in left:
        outer, _, _ = item.address.rpartition(".")
        imported = item.user == item.path and (item.address, item.path, item.kind) in named
        if not imported and (not outer or (outer, item.user, item.kind) not in heads):
            kept.append(item)
    return kept


def _item(user: User, changer: Changer, trees: ResolvedTrees, edge: Edge) -> Item | None:
    address = user.side.before(edge.callee)
    if not address:
        return None
    if "::" not in address:
        return _of_file(user, changer, trees, edge)
    pairs = changer.side.changed(address)
    if not pairs:
        return None
    if changer.side.gone(address):
        return _of_gone(user, changer, trees, edge, pairs[0])
    confidence = _misfit(user, changer, edge, address)
    if confidence <= 0:
        return None
    return _made(user, changer, edge, pairs[0], ItemKind.DEPENDENCY, confidence)


def _of_gone(user: User, changer: Changer, trees: ResolvedTrees, edge: Edge, pair: Pair) -> Item | None:
    done = words(pair)
    kind = (
        ItemKind.DELETE_USE
        if SideChange.DELETED in done
        else ItemKind.RENAME_EDIT
        if SideChange.RENAMED in done
        else ItemKind.MOVE_EDIT
    )
    path = edge.caller.partition("::")[0]
    if survives(user, changer, trees, edge, path):
        return None
    return _made(user, changer, edge, pair, kind, 0.95 if edge.confidence >= CERTAIN else edge.confidence)


def survives(user: User, changer: Changer, trees: ResolvedTrees, edge: Edge, path: str) -> bool:
    """Tell whether a use means something after the merge, as surely as before."""
    merged = changer.moved.get(path) or path
    found = trees.merged(merged, changer.side.name)
    if found is None:
        return False
    facts, edges = found
    texts = _texts(user.files[path].facts, edge)
    within = edge.caller.partition("::")[2]
    names = {within, changer.side.after(user.side.before(edge.caller)).partition("::")[2]}
    lines = {
        *(ref.line for ref in facts.references if ref.text in texts and ref.within in names),
        *(one.line for one in facts.imports if (one.module, one.name) in texts),
    }
    if not lines:  # the other side took the use away, or its name means nothing any more and is no use
        kept = any(ref.text in texts for ref in facts.references)
        return not kept and not trees.keeps_line(merged, user.files[path].lines[edge.line - 1])
    return any(other.line in lines and other.kind == edge.kind and _as_sure(edge, other, changer) for other in edges)


def _as_sure(edge: Edge, other: Edge, changer: Changer) -> bool:
    """Tell whether an edge after the merge stands for one before: it leads to the same thing, as surely."""
    if other.confidence < min(edge.confidence, CERTAIN):
        return False
    names = {edge.callee.rpartition(".")[2].rpartition("::")[2]}
    after = changer.side.after(edge.callee)
    return other.callee in {edge.callee, after} or other.callee.rpartition(".")[2].rpartition("::")[2] in names


def _texts(facts: Facts, edge: Edge) -> set[Hashable]:
    """Return how the thing at the end of an edge is written where the edge starts."""
    if edge.kind == IMPORT:
        return {(one.module, one.name) for one in facts.imports if one.line == edge.line}
    return {ref.text for ref in _references(facts, edge)}


def _references(facts: Facts, edge: Edge) -> list[Reference]:
    within = edge.caller.partition("::")[2]
    here = [ref for ref in facts.references if ref.line == edge.line and ref.within == within]
    parts = edge.callee.partition("::")[2].split(".")
    exact = [ref for ref in here if ref.text.rpartition(".")[2] == parts[-1]]
    return exact or [ref for ref in here if ref.text.rpartition(".")[2] in parts] or here


def _of_file(user: User, changer: Changer, trees: ResolvedTrees, edge: Edge) -> Item | None:
    """Return an item for the use of a whole file that is not there any more."""
    if edge.callee not in changer.moved:
        return None
    path = edge.caller.partition("::")[0]
    if survives(user, changer, trees, edge, path):
        return None
    becomes = changer.moved[edge.callee]
    done = (SideChange.MOVED,) if becomes else (SideChange.DELETED,)
    return _build(
        user,
        changer,
        edge,
        edge.callee,
        done,
        becomes,
        ItemKind.MOVE_EDIT if becomes else ItemKind.DELETE_USE,
        edge.confidence,
    )


def _misfit(user: User, changer: Changer, edge: Edge, address: str) -> float:
    """Return how likely a new use does not go with what the symbol has become, of 1."""
    before = [pair.before for pair in changer.side.by_address[address] if pair.before is not None]
    after = [pair.after for pair in changer.side.now.get(address, ()) if pair.after is not None]
    if _contents(after) == _contents(pair.after for pair in user.side.now.get(edge.callee, ())):
        return 0.0  # both sides made the same change, and the use was written for it
    after += _declared(changer, address)
    done = {word for pair in changer.side.changed(address) for word in words(pair)}
    if SideChange.SIGNATURE not in done:
        return _BODY_CHANGED if SideChange.BODY in done and edge.kind == CALL else 0.0
    if edge.kind != CALL:
        return 0.0
    source = user.files[edge.caller.partition("::")[0]]
    calls = _references(source.facts, edge)
    found = [
        min((_breaks(one, two, call, source) for one in before for two in after), default=0.0)
        for call in calls
        if call.kind == CALL
    ]
    return round(max(found, default=0.0) * min(1.0, edge.confidence + 0.05), 2)


def _contents(found: Iterable[Node | None]) -> set[tuple[str, str]]:
    return {(node.signature, node.own) for node in found if node is not None}


def _declared(changer: Changer, address: str) -> list[Node]:
    """Return the declarations of a C or C++ function in other files: default arguments stand there only."""
    path, _, name = address.partition("::")
    if not any(node.language in _DECLARING for node in (pair.after for pair in changer.side.now[address]) if node):
        return []
    found = (pair.after for pair in changer.side.pairs)
    return [
        node
        for node in found
        if node and node.symbol.name == name and node.path != path and node.signature.endswith(";")
    ]


def _breaks(one: Node, two: Node, call: Reference, source: Source) -> float:
    first, second = (
        call_compatibility.parameters(
            node.signature, node.language, method=node.symbol.kind == "method" or bool(node.parent)
        )
        for node in (one, two)
    )
    if one.family == "type":
        return 0.0
    if first is not None and second is not None and _static_is_nothing(one, two, source.path):
        first, second = (call_compatibility.without(found, "static ") for found in (first, second))
    if one.language == "go" and first is not None and second is not None:
        if not _takes_results(source, call):
            second = replace(second, result=first.result)
        if call_compatibility.returned(first.result) != call_compatibility.returned(second.result):
            return call_compatibility.FITS_NO_MORE
    named = one.language == "python"
    given = keywords(source.lines, call.line, call.text.rpartition(".")[2]) if named else frozenset[str]()
    return call_compatibility.breaks(first, second, call.arguments, given)


def _takes_results(source: Source, call: Reference) -> bool:
    """Tell whether a call of Go is not a statement by itself."""
    line = source.lines[call.line - 1].strip().decode("utf-8", "replace")
    return not line.removeprefix("go ").removeprefix("defer ").startswith(call.text)


def _static_is_nothing(before: Node, after: Node, path: str) -> bool:
    """Tell whether a call in a file goes on whether or not what it calls is ``static``."""
    if after.parent:  # a method that needs no object any more may still be given one
        return "static " not in before.signature
    return after.language in _DECLARING and (after.path == path or not after.path.endswith(_UNITS))


def _made(user: User, changer: Changer, edge: Edge, pair: Pair, kind: ItemKind, confidence: float) -> Item:
    address = pair.before.address if pair.before is not None else edge.callee
    becomes = "" if pair.after is None else pair.after.address
    return _build(user, changer, edge, address, words(pair), becomes, kind, confidence)


def _build(
    user: User,
    changer: Changer,
    edge: Edge,
    address: str,
    done: tuple[SideChange, ...],
    becomes: str,
    kind: ItemKind,
    confidence: float,
) -> Item:
    first, second = Half(changer.side.label, done, becomes), Half(user.side.label, (SideChange.USED,), edge.callee)
    halves = changer.ours_first(first, second)
    return Item.of_halves(
        kind,
        address,
        halves,
        confidence=round(confidence, 2),
        how=f"{edge.kind} resolved by {edge.how.removeprefix('by ')}",
        recommendation=advise(kind, address, *halves, user=edge.caller),
        path=edge.caller.partition("::")[0],
        user=edge.caller,
        line=edge.line,
    )
