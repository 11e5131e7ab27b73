"""Imports: what one side removed and the other newly needs is imported again; what was moved is taken from there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bespeak.coord.merge.file_conflicts import BASE, OURS, THEIRS
from bespeak.coord.merge.free_names import names_in_sight
from bespeak.coord.merge.model import ItemKind, SideChange
from bespeak.coord.merge.steps.import_lines import alone, place_for, redirected, with_import
from bespeak.coord.merge.steps.lines import exchanged, inserted, split
from bespeak.coord.merge.steps.model import Proposal, StepKind
from bespeak.coord.merge.steps.state import OTHER
from bespeak_symbols.model import CERTAIN, IMPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.model import Item
    from bespeak.coord.merge.steps.state import MergeState
    from bespeak_symbols.model import Facts, Import

_SCRIPTS = frozenset({"javascript", "typescript"})


def add_imports(state: MergeState) -> Iterator[Proposal]:
    """Propose to import again what a side stopped importing and the other newly uses."""
    for item in state.plan.items:
        if item.kind == ItemKind.DELETE_USE and item.likely and item.how.startswith("import "):
            user = _user(item)
            yield _again(state, item, user)


def _user(item: Item) -> str:
    return OURS if SideChange.USED in item.ours_change else THEIRS


def _name(address: str) -> str:
    return address.rpartition("::")[2].rpartition(".")[2]


def _again(state: MergeState, item: Item, user: str) -> Proposal:
    taker = OTHER[user]
    name = _name(item.address)
    reason = (
        f"{_label(state, taker)} no longer imports {name} in {item.path}, {_label(state, user)} newly uses it there."
    )
    base = item.address.partition("::")[0]
    path = state.path_on(taker, base)
    facts, there = state.facts(user, item.path), state.facts(taker, path)
    one = None if facts is None else _import_of(facts, item, name)
    line = None if one is None or facts is None else alone(facts, split(state.text(user, item.path) or b""), one)
    place = None if line is None or there is None else _place(state, base, taker, path, one) or place_for(there)
    if line is None or place is None or there is None:
        why = "nobody can tell how it is imported here"
        return Proposal(StepKind.IMPORT_ADDED, item.address, reason, {}, obstacle=why)
    text = inserted(state.text(taker, path) or b"", place, line)
    made = state.index.facts(path, text)
    broken = made is None or len(made.unread) > len(there.unread) or len(made.imports) <= len(there.imports)
    why = f"a line like {line.decode('utf-8', 'replace').strip()!r} does not fit there" if broken else ""
    return Proposal(StepKind.IMPORT_ADDED, item.address, reason, {taker: {path: text}}, obstacle=why)


def _import_of(facts: Facts, item: Item, name: str) -> Import | None:
    """Return the import that gives a name, or everything of a module with the name in it."""
    one = names_in_sight(facts).imported(name, item.user.partition("::")[2])
    told = item.how.removeprefix("import ").removesuffix(" is gone from the merged file")
    return one or next((each for each in facts.imports if each.local == "*" and each.module == told), None)


def _label(state: MergeState, side: str) -> str:
    return state.sides[0 if side == OURS else 1].name


def _place(state: MergeState, base: str, taker: str, path: str, lost: Import | None) -> int | None:
    """Return the line of a file before which the import stood that a side took out; None if it is not known."""
    facts = state.facts(BASE, base)
    same = [one for one in facts.imports if lost is not None and not one.within] if facts is not None else []
    known = [one.line for one in same if lost is not None and (one.local, one.module) == (lost.local, lost.module)]
    for hunk in state.hunks(taker, path) or ():
        if known and hunk.first <= known[0] < hunk.beyond and hunk.new_first == hunk.new_beyond:
            return hunk.new_first
    return None


def redirect_uses(state: MergeState) -> Iterator[Proposal]:
    """Propose to import what was moved from where it is now."""
    for item in state.plan.items:
        if item.kind == ItemKind.MOVE_EDIT and item.likely and item.user:
            yield _redirected(state, item, _user(item))


def _redirected(state: MergeState, item: Item, user: str) -> Proposal:
    now, known = (item.theirs_name, item.ours_name) if user == OURS else (item.ours_name, item.theirs_name)
    reason = f"{_label(state, OTHER[user])} moved {item.address} to {now}: {item.path} takes it from there."
    proposal = Proposal(StepKind.USE_REDIRECTED, item.address, reason, {}, obstacle="its import is not read")
    facts, text = state.facts(user, item.path), state.text(user, item.path)
    if facts is None or text is None or not now:
        return proposal
    lines = split(text)
    module = _module(state, OTHER[user], now, item.path, facts)
    name = _name(now)
    if module is None or (("::" in now) and name != _name(known)):
        return proposal
    taken = _imported(state, user, item.path, known, facts)
    if "::" not in now and not taken:
        return proposal
    new = _rewritten(facts, lines, taken, now, module)
    if new is None:
        return proposal
    return Proposal(StepKind.USE_REDIRECTED, item.address, reason, {user: {item.path: new}})


def _imported(state: MergeState, user: str, path: str, known: str, facts: Facts) -> list[Import]:
    """Return the imports of a file that lead to an address."""
    edges = state.graph(user).edges_of(path)
    lines = {edge.line for edge in edges if edge.kind == IMPORT and edge.callee == known and edge.confidence >= CERTAIN}
    name = _name(known) if "::" in known else ""
    return [one for one in facts.imports if one.line in lines and (not name or one.name == name)]


def _rewritten(facts: Facts, lines: list[bytes], taken: list[Import], now: str, module: str) -> bytes | None:
    """Return a file in which what was moved is imported from where it is now."""
    text = b"".join(lines)
    if not taken:
        line = _fresh_line(facts, now, module)
        return None if line is None else with_import(text, facts, line)
    for one in sorted(taken, key=lambda one: one.line, reverse=True):
        old = lines[one.line - 1]
        if facts.language == "java":
            new = [old.replace(f"{one.module}.{one.name}".encode(), f"{module}.{one.name}".encode())]
        else:
            new = redirected(old, one.name, module) or []
        if not new or new == [old]:
            return None
        text = exchanged(text, one.line, one.line, new)
    return text


def _fresh_line(facts: Facts, now: str, module: str) -> bytes | None:
    if "::" not in now or "." in now.rpartition("::")[2]:
        return None
    name = _name(now)
    if facts.language == "python":
        return f"from {module} import {name}\n".encode()
    if facts.language == "java":
        return f"import {module}.{name};\n".encode()
    return f'import {{ {name} }} from "{module}";\n'.encode() if facts.language in _SCRIPTS else None


def _module(state: MergeState, changer: str, now: str, user: str, facts: Facts) -> str | None:
    """Return how a file has to write the module in which something is now; None if nobody can tell."""
    path = now.partition("::")[0]
    if facts.language == "java":
        there = state.facts(changer, path)
        return there.package if there is not None and there.package else None
    if facts.language in _SCRIPTS:
        relative = posixpath.relpath(path, posixpath.dirname(user) or ".")
        stem = relative.rpartition(".")[0].removesuffix("/index")
        return stem if stem.startswith(".") else f"./{stem}"
    return _learned(state, changer, now, user) if facts.language == "python" else None


def _learned(state: MergeState, changer: str, now: str, user: str) -> str | None:
    """Return how the side that moved it writes that module, or what the layout of folders says."""
    graph = state.graph(changer)
    for edge in graph.into(now):
        facts = graph.snapshot.facts(edge.caller.partition("::")[0])
        for one in facts.imports if edge.kind == IMPORT and facts is not None else ():
            if one.line == edge.line and one.name == _name(now) and not one.module.startswith("."):
                return one.module
    files = set(graph.snapshot.files)
    path = now.partition("::")[0]
    folder, stem = posixpath.split(path.rpartition(".")[0])
    if f"{folder}/__init__.py" in files and folder == posixpath.dirname(user):
        return f".{stem}"
    parts = [] if stem == "__init__" else [stem]
    while folder and f"{folder}/__init__.py" in files:
        folder, last = posixpath.split(folder)
        parts.insert(0, last)
    return ".".join(parts) or None
