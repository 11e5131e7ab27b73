"""The edges that start in a Java file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import OVERRIDE, by_name, of_way
from bespeak_symbols.model import CALL, IMPORT, INHERIT, USE, Edge
from bespeak_symbols.native.java.evaluate import evaluator_of
from bespeak_symbols.native.meaning import CLASS, MODULE, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Import, Reference, World
    from bespeak_symbols.native.java.evaluate import Evaluator
    from bespeak_symbols.native.meaning import Meaning

_SELF_AND_NAME = 2
_MOST_BY_NAME = 3


def resolve(path: str, world: World) -> Iterator[Edge]:
    """Yield the edges that start in a Java file."""
    evaluator = evaluator_of(world, path)
    if evaluator is None:
        return
    resolving = _Resolver(path, evaluator)
    for one in evaluator.table.facts.imports:
        yield from resolving.imported(one)
    for reference in evaluator.table.facts.references:
        yield from resolving.edges(reference)


class _Resolver:
    def __init__(self, path: str, evaluator: Evaluator) -> None:
        self.path = path
        self.evaluator = evaluator
        self.members = evaluator.members
        self.names = evaluator.names

    def imported(self, one: Import) -> Iterator[Edge]:
        if one.local == "*":
            return
        module = one.module.removeprefix("static ")
        found = self.names.in_package(f"{module}.{one.name}", self.path)
        if found is None and one.module != module:
            owner = self.names.in_package(module, self.path)
            table, inside = self.names.at(owner) if owner is not None else (None, "")
            if table is not None and f"{inside}.{one.name}" in table.symbols:
                found = f"{owner}.{one.name}"
        if found is not None:
            yield Edge(self.path, found, IMPORT, "import", of_way("import"), one.line)

    def edges(self, reference: Reference) -> Iterator[Edge]:
        """Yield the edges of one reference."""
        caller = f"{self.path}::{reference.within}" if reference.within else self.path
        for callee, how, confidence in self._targets(reference):
            yield Edge(caller, callee, reference.kind, how, confidence, reference.line)

    def _targets(self, reference: Reference) -> Iterator[tuple[str, str, float]]:
        parts = reference.text.split(".")
        if parts[0] == "new" and "()" not in parts:
            yield from self._made(".".join(parts[1:]), reference)
        elif reference.kind == INHERIT:
            around = reference.within.rpartition(".")[0]
            found = self.names.find(reference.text, self.path, around)
            if found is not None:
                yield found, "type", of_way("type")
        elif reference.kind == CALL:
            yield from self._called(parts, reference)
        else:
            yield from self._used(parts, reference)

    def _made(self, name: str, reference: Reference) -> Iterator[tuple[str, str, float]]:
        found = self.names.find(name, self.path, reference.within)
        if found is not None and (reference.kind != CALL or not self.members.is_interface(found)):
            yield found, "constructor", of_way("constructor")
            constructor = self.members.constructor(found, reference.arguments)
            if constructor is not None:
                yield constructor, "constructor", of_way("constructor")

    def _called(self, parts: list[str], reference: Reference) -> Iterator[tuple[str, str, float]]:
        name, arguments = parts[-1], reference.arguments
        if len(parts) == 1:
            if name in {"this", "super"}:
                yield from self._begun(name, reference)
                return
            member = self.evaluator.unqualified(name, reference.within, arguments)
            if member is not None:
                yield from self._method(member, self._plain(member, reference), arguments)
            return
        found = self.evaluator.evaluate(parts[:-1], reference.within, reference.bound)
        if found.type is None:
            if found.kind != MODULE:
                yield from self._by_name(name, arguments)
            return
        if not found.type.own:
            return
        member = self.members.method(found.type, name, arguments)
        if member is None:
            return
        exact = found.exact or found.kind == CLASS
        yield from self._method(member.at_most(found.confidence), _how(parts, found), arguments, exact=exact)

    def _begun(self, word: str, reference: Reference) -> Iterator[tuple[str, str, float]]:
        classes = self.evaluator.around(reference.within)
        if word == "super" and classes:
            bases = self.names.bases(classes[0])
            table, name = self.names.at(classes[0])
            classes = [bases[0][0]] if bases and table is not None and table.bound(name, "base") else []
        constructor = self.members.constructor(classes[0], reference.arguments) if classes else None
        if constructor is not None:
            yield constructor, "constructor", of_way("constructor")

    def _plain(self, member: Meaning, reference: Reference) -> str:
        owner = member.address.rpartition(".")[0]
        if member.how != "inherited":
            mine = self.evaluator.around(reference.within)[:1] == [owner]
            return "self" if mine else "import"
        return "local" if owner in self.evaluator.around(reference.within) else "inherited"

    def _method(
        self, member: Meaning, how: str, arguments: int, *, exact: bool = False
    ) -> Iterator[tuple[str, str, float]]:
        yield member.address, how, _sure(member, how)
        if not exact:
            for address in self.members.overriding(member, arguments):
                yield address, "override", OVERRIDE

    def _by_name(self, name: str, arguments: int) -> Iterator[tuple[str, str, float]]:
        """Of what is called on something of which nothing is known, at least the name may tell."""
        found = []
        for address in self.names.world.defining(name):
            table, inside = self.names.at(address)
            takes = table.bound(inside, "takes") if table is not None else []
            if takes and self.members.method(_owner(address), name, arguments) is not None:
                found.append(address)
            if len(found) > _MOST_BY_NAME:
                return
        for address in found:
            yield address, "name", by_name(len(found))

    def _used(self, parts: list[str], reference: Reference) -> Iterator[tuple[str, str, float]]:
        found = self.evaluator.evaluate(parts, reference.within, reference.bound)
        if found.path:
            how = "local" if found.address.startswith(self.path + "::") else "import"
            yield found.address, how, of_way(how)
        elif len(parts) > 1 and found.type is None and reference.kind == USE:
            before = self.evaluator.evaluate(parts[:-1], reference.within, reference.bound)
            kind = before.type
            member = self.members.method(kind, parts[-1], -1) if kind is not None and kind.own else None
            if member is not None:
                how = _how(parts, before)
                yield member.address, how, _sure(member, how)


def _sure(member: Meaning, how: str) -> float:
    return min(of_way(how), member.confidence)


def _owner(address: str) -> Type:
    return Type(address.rpartition(".")[0])


def _how(parts: list[str], found: Meaning) -> str:
    if found.kind == CLASS:
        return "static"
    return {"this": "self", "super": "super"}.get(parts[0], "typed") if len(parts) == _SELF_AND_NAME else "typed"
