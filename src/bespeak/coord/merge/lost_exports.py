"""Imports that one side newly makes and that find nothing after the merge, although the file is still there.

A module can stop to give a name without deleting what has it: a default export becomes a named one, a name is taken
out of a list of exports, ``package.json`` gives a folder another short name. The new import then leads nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.coord.merge.broken_uses import is_fresh, survives
from bespeak.coord.merge.model import Half, Item, ItemKind, SideChange
from bespeak_symbols.model import IMPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak.coord.merge.broken_uses import Changer, User
    from bespeak.coord.merge.definitions import ChangedFiles
    from bespeak.coord.merge.resolved_trees import ResolvedTrees
    from bespeak_symbols.model import Edge, Facts

_CONFIDENCE = 0.9
_EXPORT = "export."
_SCRIPTS = frozenset({"javascript", "typescript"})
_PROJECTS = ("package.json", "tsconfig.json", "jsconfig.json")
"""Files that say what a module's name means."""


def lost_exports(user: User, changer: Changer, read: ChangedFiles, trees: ResolvedTrees) -> list[Item]:
    """Return an item for each new import of what a file or a project gives no more, in order.

    Args:
        user: the side that imports.
        changer: the side that changed what is given.
        read: what the changer changed.
        trees: in which names are resolved.
    """
    shrunk = {path for path in read.before.keys() & read.after.keys() if _lost(read, path)}
    projects = [entry.old for entry in read.entries if entry.old.rpartition("/")[2] in _PROJECTS]
    if not shrunk and not projects:
        return []
    found: dict[tuple[str, str], Item] = {}
    for path, edge in _new_imports(user, trees):
        file = edge.callee.partition("::")[0]
        by_project = projects[0] if projects and not _is_relative(user, path, edge) else ""
        if (file in shrunk or by_project) and not survives(user, changer, trees, edge, path):
            item = _item(user, changer, edge, edge.callee if file in shrunk else by_project)
            found.setdefault((item.address, path), item)
    return [found[key] for key in sorted(found)]


def _lost(read: ChangedFiles, path: str) -> set[str]:
    return _exported(read.before[path].facts) - _exported(read.after[path].facts)


def _exported(facts: Facts) -> set[str]:
    """Return the names that other files can take from a file."""
    if facts.language not in _SCRIPTS:
        return set()
    named = {one.name.removeprefix(_EXPORT) for one in facts.bindings if one.name.startswith(_EXPORT)}
    return named | set(facts.exports or ()) | {one.local for one in facts.imports if one.exported}


def _new_imports(user: User, trees: ResolvedTrees) -> Iterator[tuple[str, Edge]]:
    for path in sorted(user.files):
        if user.files[path].facts.language in _SCRIPTS and user.fresh(path):
            for edge in trees.edges(user.side.name, path):
                if edge.kind == IMPORT and is_fresh(user, path, edge.line) and not _was_there(user, path, edge):
                    yield path, edge


def _was_there(user: User, path: str, edge: Edge) -> bool:
    """Tell whether the merge base had an import of the same in that file already."""
    before = user.before.get(user.paths.get(path, path))
    old = {(one.module, one.name) for one in before.facts.imports} if before is not None else set()
    return all((one.module, one.name) in old for one in user.files[path].facts.imports if one.line == edge.line)


def _is_relative(user: User, path: str, edge: Edge) -> bool:
    modules = [one.module for one in user.files[path].facts.imports if one.line == edge.line]
    return all(module.strip("\"'").startswith(".") for module in modules)


def _item(user: User, changer: Changer, edge: Edge, address: str) -> Item:
    path = edge.caller.partition("::")[0]
    first = Half(changer.side.label, (SideChange.DELETED,), "")
    second = Half(user.side.label, (SideChange.USED,), address)
    halves = changer.ours_first(first, second)
    return Item.of_halves(
        ItemKind.DELETE_USE,
        address,
        halves,
        confidence=_CONFIDENCE,
        how="the import finds nothing in the merged files",
        recommendation=f"{changer.side.label} took what {path} ({user.side.label}) newly imports out of {address}: "
        "after the merge, import it as it is given now.",
        path=path,
        user=edge.caller,
        line=edge.line,
    )
