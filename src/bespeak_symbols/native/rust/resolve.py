"""The edges that start in a Rust file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import ONE_OF_SEVERAL, OVERRIDE, REPLACEABLE, by_name, of_way
from bespeak_symbols.model import CALL, IMPORT, INHERIT, Edge
from bespeak_symbols.native.rust.evaluate import evaluator_of
from bespeak_symbols.native.rust.imports import Module
from bespeak_symbols.native.rust.types import OF_EVERYBODY, read_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Import, Reference, World
    from bespeak_symbols.native.rust.evaluate import Evaluator, Value
    from bespeak_symbols.native.rust.members import Member

_MOST_BY_NAME = 3


def resolve(path: str, world: World) -> Iterator[Edge]:
    """Yield the edges that start in a Rust file."""
    evaluator = evaluator_of(world, path)
    if evaluator is None:
        return
    resolving = _Resolver(evaluator)
    for one in evaluator.table.facts.imports:
        yield from resolving.imported(one)
    yield from resolving.implemented()
    for reference in evaluator.table.facts.references:
        yield from resolving.edges(reference)


class _Resolver:
    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.path = evaluator.path
        self.table = evaluator.table
        self.members = evaluator.members
        self.paths = evaluator.paths

    def imported(self, one: Import) -> Iterator[Edge]:
        caller = f"{self.path}::{one.within}" if one.within else self.path
        if one.module.startswith("mod "):
            module = self.evaluator.modules.child(self._module(one.within), one.local)
            if module is not None:
                yield Edge(caller, module.address, IMPORT, "module", of_way("module"), one.line)
            return
        parts = [*one.module.split("::"), one.name] if one.name else one.module.split("::")
        seen = set()
        for space in ("type", "value", "macro"):
            item = self.paths.find(parts, self.path, one.within, space)
            if item is not None and not item.rest and item.address not in seen and item.address != caller:
                seen.add(item.address)
                yield Edge(caller, item.address, IMPORT, "import", of_way("import"), one.line)

    def _module(self, within: str) -> Module:
        return Module(self.path, self.table.module_of(within))

    def implemented(self) -> Iterator[Edge]:
        """A type depends on the traits that are implemented for it here."""
        for one in self.table.impls:
            outer = one.name.rpartition(".")[0]
            item = self.paths.find(read_type(one.target).name.split("::"), self.path, outer, "type")
            if item is None or item.kind != "trait":
                continue
            here = one.name if one.name in self.table.symbols else outer
            caller = f"{self.path}::{here}" if here else self.path
            yield Edge(caller, item.address, INHERIT, "impl", of_way("impl"), one.line)

    def edges(self, reference: Reference) -> Iterator[Edge]:
        """Yield the edges of one reference."""
        within = reference.within
        caller = f"{self.path}::{within}" if within else self.path
        weak = reference.kind == CALL and self.table.has(within, "macro")
        for callee, how, confidence in self._targets(reference):
            sure = min(confidence, REPLACEABLE) if weak else confidence
            yield Edge(caller, callee, reference.kind, how, sure, reference.line)

    def _targets(self, reference: Reference) -> Iterator[tuple[str, str, float]]:
        parts = reference.text.split(".")
        if parts[-1] == "!":
            yield from self._macro(parts[:-1], reference)
        elif reference.kind == INHERIT:
            item = self.paths.find(parts, self.path, reference.within, "type")
            if item is not None and not item.rest:
                yield item.address, "type", of_way("type")
        elif reference.kind == CALL:
            yield from self._called(parts, reference)
        else:
            yield from self._used(parts, reference)

    def _macro(self, parts: list[str], reference: Reference) -> Iterator[tuple[str, str, float]]:
        name = parts[-1]
        found = [
            address
            for address in self.members.world.defining(name)
            if self._is_macro(address) and (len(parts) == 1 or address.count("::"))
        ]
        here = [address for address in found if address.startswith(self.path + "::")]
        item = self.paths.find(parts, self.path, reference.within, "macro")
        if here and len(parts) == 1:
            yield here[0], "local", of_way("local")
        elif item is not None and not item.rest:
            yield item.address, "import", of_way("import")
        elif found:
            root = self.evaluator.modules.root(self._module(reference.within))
            mine = [one for one in found if self._root_of(one) == root]
            if len(mine) == 1:
                yield mine[0], "module", of_way("module")
            elif len(found) <= _MOST_BY_NAME:
                for one in found:
                    yield one, "name", by_name(len(found))

    def _is_macro(self, address: str) -> bool:
        path, _, full = address.partition("::")
        table = self.evaluator.modules.table(path)
        return table is not None and table.has(full, "macro")

    def _root_of(self, address: str) -> Module:
        return self.evaluator.modules.root(Module(address.partition("::")[0]))

    def _called(self, parts: list[str], reference: Reference) -> Iterator[tuple[str, str, float]]:
        found = self.evaluator.evaluate(parts, reference.within, reference.bound)
        if found.found:
            for member in found.found:
                yield from self._member(member, self._how(parts, reference, member), found.sure)
        elif found.item is not None:
            if found.item.kind in {"function", "struct", "constant"} and "::" in found.item.address:
                how = self._how_item(found, reference)
                yield found.item.address, how, of_way(how)
        elif not found.known and len(parts) > 1 and self._is_method(parts, reference):
            yield from self._by_name(parts[-1])

    def _is_method(self, parts: list[str], reference: Reference) -> bool:
        """Whether it is called on a value: a path that leads nowhere is a path to something outside."""
        marked = any(part in {"()", "[]", "@", "?", "{}", "&"} for part in parts)
        return reference.bound >= 0 or parts[0] == "self" or marked

    def _member(self, member: Member, how: str, sure: bool) -> Iterator[tuple[str, str, float]]:
        if member.trait:
            yield member.address, how, REPLACEABLE
            for address in self.members.overriding(member):
                yield address, "override", OVERRIDE
        else:
            yield member.address, how, of_way(how) if sure and member.sure else ONE_OF_SEVERAL

    def _how(self, parts: list[str], reference: Reference, member: Member) -> str:
        if member.how == "inherited":
            return "inherited"
        if reference.bound < 0 and parts[0] in {"self", "Self"} and len(parts) == len(("self", "name")):
            return "self"
        return "typed"

    def _how_item(self, found: Value, reference: Reference) -> str:
        if reference.bound >= 0:
            return "alias"
        if found.item is not None and found.item.kind != "function":
            return "constructor"
        return "local" if found.item is not None and found.item.address.startswith(self.path + "::") else "import"

    def _by_name(self, name: str) -> Iterator[tuple[str, str, float]]:
        """Of what is called on something of which nothing is known, at least the name may tell."""
        if name in OF_EVERYBODY:
            return
        found = self.members.candidates(name)
        if 0 < len(found) <= _MOST_BY_NAME:
            for address in found:
                yield address, "name", by_name(len(found))

    def _used(self, parts: list[str], reference: Reference) -> Iterator[tuple[str, str, float]]:
        if parts[0] in {"self", "Self"} and len(parts) == 1:
            return
        item = self.paths.find(parts, self.path, reference.within, "type") if reference.bound < 0 else None
        if item is not None and not item.rest and item.kind != "module":
            yield self._named(item.address)
            return
        found = self.evaluator.evaluate(parts, reference.within, reference.bound)
        for member in found.found:
            alone = found.sure and member.sure and not member.trait
            yield member.address, "typed", of_way("typed") if alone else ONE_OF_SEVERAL
        if not found.found and found.item is not None and "::" in found.item.address:
            yield self._named(found.item.address)

    def _named(self, address: str) -> tuple[str, str, float]:
        how = "local" if address.startswith(self.path + "::") else "import"
        return address, how, of_way(how)
