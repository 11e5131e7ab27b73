"""Edges for languages that are read by name: a use may mean what is called so, and nothing more is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import FAINT, GUESS, LIKELY, UNSURE
from bespeak_symbols.model import BY_NAME, Edge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bespeak_symbols.model import Reference, World

_MOST = 4
"""A name that more definitions have says nothing."""


def resolve(path: str, world: World) -> Iterator[Edge]:
    """Return the edges that start in a file."""
    facts = world.facts(path)
    for use in facts.references if facts is not None else ():
        for callee, confidence in _meant(use, path, world):
            caller = f"{path}::{use.within}" if use.within else path
            if callee != caller:
                yield Edge(caller, callee, use.kind, BY_NAME, confidence, use.line)


def _meant(use: Reference, path: str, world: World) -> list[tuple[str, float]]:
    """Return what a use may mean, each with how sure that is."""
    receiver, dotted, last = use.text.rpartition(".")
    language = world.paths[path]
    all_of_name = [one for one in world.defining(last) if world.paths.get(_file(one)) == language]
    if not dotted:
        near = [one for one in all_of_name if _file(one) == path and _in_sight(_owner(one), use.within)]
        return _rated(near, LIKELY) or _rated(all_of_name, UNSURE)
    members = [one for one in all_of_name if _owner(one)]
    owner = _class_of(use.within) if receiver == "self" else receiver
    named = [one for one in members if _last(_owner(one)) == _last(owner)]
    return _rated(named, LIKELY) or _rated(members or _top_level(receiver, all_of_name), GUESS)


def _top_level(receiver: str, found: Sequence[str]) -> Sequence[str]:
    """Return what a name before a dot can have in it if it is a module, a package or an alias of one."""
    return found if receiver.isidentifier() and receiver != "self" else ()


def _rated(found: Sequence[str], alone: float) -> list[tuple[str, float]]:
    different = sorted(set(found))
    if not different or len(different) > _MOST:
        return []
    return [(one, alone if len(different) == 1 else FAINT) for one in different]


def _in_sight(owner: str, within: str) -> bool:
    return not owner or within == owner or within.startswith(f"{owner}.")


def _class_of(within: str) -> str:
    return within.rpartition(".")[0]


def _file(address: str) -> str:
    return address.partition("::")[0]


def _owner(address: str) -> str:
    return address.partition("::")[2].rpartition(".")[0]


def _last(name: str) -> str:
    return name.rpartition(".")[2]
