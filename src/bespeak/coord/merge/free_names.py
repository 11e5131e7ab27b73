"""Names that mean nothing in a file: no import, definition, parameter or variable of it is in sight for them.

Pure. What one file alone can tell: a name that is free here may be built in, or defined in another file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak_symbols.model import Facts, Import, Reference

_WORD = re.compile(r"\w+")
_RECEIVERS = frozenset({"this", "super", "self", "Self", "crate", "new", "cls", "()", "[]", "*", ""})
"""What the first part of a use can be without being a name that a file binds."""
_LOCALS = ".<locals>"


@dataclass(frozen=True, slots=True)
class NamesInSight:
    """What a file binds: for each name the scopes (qualified names; empty for the whole file) that bind it."""

    imports: dict[str, list[Import]]
    others: dict[str, set[str]]

    def binds(self, name: str, within: str) -> bool:
        """Tell whether a name means something of this file for what stands in a scope of it."""
        scopes = {one.within for one in self.imports.get(name, ())} | self.others.get(name, set())
        return any(_encloses(scope, within) for scope in scopes)

    def imported(self, name: str, within: str) -> Import | None:
        """Return the import that binds a name for what stands in a scope; None if something else does."""
        if any(_encloses(scope, within) for scope in self.others.get(name, ())):
            return None
        return next((one for one in self.imports.get(name, ()) if _encloses(one.within, within)), None)


def names_in_sight(facts: Facts) -> NamesInSight:
    """Return what a file binds."""
    imports: dict[str, list[Import]] = {}
    for one in facts.imports:
        for name in _imported_names(one, facts.language):
            imports.setdefault(name, []).append(one)
    others: dict[str, set[str]] = {}
    for qualified in _defined(facts):
        scope, _, name = qualified.replace(_LOCALS, "").rpartition(".")
        others.setdefault(name, set()).add(scope)
    return NamesInSight(imports, others)


def _defined(facts: Facts) -> Iterator[str]:
    yield from (symbol.name for symbol in facts.symbols)
    yield from (binding.name for binding in facts.bindings)


def _imported_names(one: Import, language: str) -> Iterable[str]:
    """Return what an import may be called here; a Go package need not have the name of its folder."""
    if language != "go":
        return {one.local.split(".")[0]} - {"*"}
    parts = one.module.split("/")
    return {one.local, parts[-1].replace("-", ""), *(word for part in parts[-2:] for word in _WORD.findall(part))} - {
        "*",
        ".",
    }


def _encloses(scope: str, within: str) -> bool:
    return not scope or within == scope or within.startswith(scope + ".")


def head(reference: Reference) -> str:
    """Return the name that a file has to bind for a use to mean something; empty if there is none."""
    name = reference.text.partition(".")[0]
    return "" if name in _RECEIVERS or not name.isidentifier() else name


def free_names(facts: Facts, sight: NamesInSight) -> dict[str, list[Reference]]:
    """Return the uses whose first name nothing in a file binds, by that name."""
    found: dict[str, list[Reference]] = {}
    for reference in facts.references:
        name = head(reference)
        free = name and reference.bound < 0 and not reference.root
        if free and not sight.binds(name, reference.within):
            found.setdefault(name, []).append(reference)
    return found
