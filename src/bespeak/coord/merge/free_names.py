"""Names that mean nothing in a file: no import, definition, parameter or variable of it is in sight for them.

Pure. What one file alone can tell: a name that is free here may be built in, or defined in another file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols.model import CALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak_symbols.model import Facts, Import, Reference

_WORD = re.compile(r"\w+")
_RECEIVERS = frozenset({"this", "super", "self", "Self", "crate", "new", "cls", "()", "[]", "*", ""})
"""What the first part of a use can be without being a name that a file binds."""
_ITSELF = frozenset({"self", "this", "cls"})
"""How a method names what it belongs to."""
_LOCALS = ".<locals>"
_TYPES = frozenset({"class", "struct", "enum", "interface", "trait"})


@dataclass(frozen=True, slots=True)
class NamesInSight:
    """What a file binds: for each name the scopes (qualified names; empty for the whole file) that bind it.

    Args:
        imports: what is imported, by the name that it has here.
        others: the scopes in which a name is defined, by that name.
        bases: of each class of the file the names of what it derives from, as written.
    """

    imports: dict[str, list[Import]]
    others: dict[str, set[str]]
    bases: dict[str, tuple[str, ...]]

    def binds(self, name: str, within: str) -> bool:
        """Tell whether a name means something of this file for what stands in a scope of it."""
        scopes = {one.within for one in self.imports.get(name, ())} | self.others.get(name, set())
        return any(_encloses(scope, within) for scope in scopes)

    def imported(self, name: str, within: str) -> Import | None:
        """Return the import that binds a name for what stands in a scope; None if something else does."""
        if any(_encloses(scope, within) for scope in self.others.get(name, ())):
            return None
        return next((one for one in self.imports.get(name, ()) if _encloses(one.within, within)), None)

    def owner(self, within: str) -> str:
        """Return the class around a scope; empty if there is none in this file."""
        while within and within not in self.bases:
            within = within.rpartition(".")[0]
        return within

    def has(self, owner: str, member: str) -> bool:
        """Tell whether a class, or one of this file that it derives from, binds a member."""
        seen: set[str] = set()
        left = [owner]
        while left:
            one = left.pop()
            if one in self.others.get(member, ()):
                return True
            seen.add(one)
            left += [base for base in self.bases.get(one, ()) if base in self.bases and base not in seen]
        return False


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
    bases = {symbol.name: symbol.bases for symbol in facts.symbols if symbol.kind in _TYPES}
    return NamesInSight(imports, others, bases)


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


def head(reference: Reference, language: str) -> str:
    """Return the name that a file has to bind for a use to mean something; empty if there is none."""
    made = language == "java" and reference.kind == CALL
    name = (reference.text.removeprefix("new.") if made else reference.text).partition(".")[0]
    return "" if name in _RECEIVERS or not name.isidentifier() else name


def member(reference: Reference) -> str:
    """Return the member of its own class that a use names; empty if it names none."""
    receiver, _, rest = reference.text.partition(".")
    name = rest.partition(".")[0]
    return name if receiver in _ITSELF and name.isidentifier() else ""


def free_names(facts: Facts, sight: NamesInSight) -> dict[str, list[Reference]]:
    """Return the uses whose first name nothing in a file binds, by that name; of members by ``self.`` and the name."""
    found: dict[str, list[Reference]] = {}
    for reference in facts.references:
        name, of_itself = head(reference, facts.language), member(reference)
        if of_itself:
            owner = sight.owner(reference.within)
            if not owner or not sight.has(owner, of_itself):
                found.setdefault(f"self.{of_itself}", []).append(reference)
        elif name and reference.bound < 0 and not reference.root and not sight.binds(name, reference.within):
            found.setdefault(name, []).append(reference)
    return found
