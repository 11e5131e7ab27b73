"""What a Java expression comes to, followed part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import ONE_OF_SEVERAL
from bespeak_symbols.native.java.imports import Names, outward
from bespeak_symbols.native.java.members import OBJECT_METHODS, Members
from bespeak_symbols.native.java.types import item_of, library_result
from bespeak_symbols.native.meaning import CLASS, INSTANCE, MODULE, SUPER, UNKNOWN, Meaning, Type

if TYPE_CHECKING:
    from bespeak_symbols.model import World
    from bespeak_symbols.native.java.imports import Table

_MOST_STEPS = 40


NOTHING = Meaning(UNKNOWN)
_OBJECT = Type("Object")


class Evaluator:
    """Evaluates the expressions of one file."""

    def __init__(self, names: Names, members: Members, table: Table) -> None:
        self.names = names
        self.members = members
        self.table = table
        self._locals: dict[int, Meaning] = {}

    def around(self, within: str) -> list[str]:
        """Return the addresses of the classes around a place, innermost first."""
        return [f"{self.table.path}::{one}" for one in outward(within) if self.table.is_class(one)]

    # The first part.

    def evaluate(self, parts: list[str], within: str, bound: int, arguments: int = -1) -> Meaning:
        """Return what an expression comes to.

        Args:
            parts: of the text.
            within: the symbol in which it stands.
            bound: the local variable with which it begins, by its place in the bindings; -1 for none.
            arguments: how many are given to the last call in it.
        """
        if len(parts) > _MOST_STEPS:
            return NOTHING
        at, found = self._first(parts, within, bound, arguments)
        while at < len(parts) and found is not NOTHING:
            if at + 1 < len(parts) and parts[at + 1] == "()":
                found = self._called(found, parts[at])
                at += 2
            else:
                found = self._step(found, parts[at])
                at += 1
        return found

    def _first(self, parts: list[str], within: str, bound: int, arguments: int) -> tuple[int, Meaning]:
        first = parts[0]
        if bound >= 0:
            return 1, self._local(bound)
        if first == "new":
            end = parts.index("()") if "()" in parts else len(parts)
            name = ".".join(parts[1:end])
            kind = self.names.type_of(name, self.table.path, within, {})
            return end + 1, _value(kind, kind.head if kind is not None and kind.own else "")
        if first in {"this", "super"}:
            return 1, self._self(self.around(within)[:1], first)
        if len(parts) > 1 and parts[1] == "()":
            member = self.unqualified(first, within, arguments if parts[2:] == [] else -1)
            kind = self.members.result(member, -1) if member is not None else None
            return 2, _value(kind, sure=member.confidence) if member is not None else NOTHING
        if first == "()":
            return 1, NOTHING
        return 1, self._name(first, within)

    def _self(self, classes: list[str], word: str) -> Meaning:
        if not classes:
            return NOTHING
        if word == "this":
            return _value(Type(classes[0]))
        table, name = self.names.at(classes[0])
        line = self.members.line(Type(classes[0]))
        next(line)
        kind = next(line, None)
        derived = table is not None and table.bound(name, "base") and kind is not None
        extended = derived and kind is not None and not self.members.is_interface(kind.head)
        return Meaning(SUPER, exact=True, type=kind if extended else _OBJECT)

    def _local(self, bound: int) -> Meaning:
        """Return what a local variable is; one that begins with itself is not known."""
        if bound not in self._locals:
            self._locals[bound] = NOTHING
            binding = self.table.facts.bindings[bound]
            within = binding.name.rpartition(".")[0]
            if binding.how == "type":
                self._locals[bound] = _value(self.names.type_of(binding.target, self.table.path, within, {}))
            elif binding.how == "from":
                found = self.evaluate(binding.target.split("."), within, binding.bound)
                self._locals[bound] = _value(found.type, sure=found.confidence) if found.kind != CLASS else NOTHING
        return self._locals[bound]

    def _name(self, name: str, within: str) -> Meaning:
        for address in self.around(within):
            member = self.members.field(Type(address), name)
            if member is not None:
                return _value(self.members.field_type(member), member.address)
        found = self.names.find(name, self.table.path, within)
        if found is not None:
            return _class(found)
        for owner in self._static_owners(name):
            member = self.members.field(Type(owner), name)
            if member is not None:
                return _value(self.members.field_type(member), member.address)
        if name in self.table.imports or name[:1].isupper():
            return Meaning(CLASS, type=Type(name))
        return Meaning(MODULE, name=name)

    def _static_owners(self, name: str) -> list[str]:
        """Return the classes from which a member may be imported by its bare name."""
        texts = [
            one.module.removeprefix("static ")
            for one in (*self.table.imports.get(name, ()), *self.table.wildcards)
            if one.module.startswith("static ") or one.name == "*"
        ]
        found = (self.names.in_package(text, self.table.path) for text in texts)
        return [one for one in found if one is not None]

    def unqualified(self, name: str, within: str, arguments: int) -> Meaning | None:
        """Return the method that a bare name means: of the innermost class that has one of that name, or imported."""
        doubt = False
        for place, address in enumerate(self.around(within)):
            if self.members.has_method(address, name):
                member = self.members.method(Type(address), name, arguments)
                if member is None:
                    return None
                how = "inherited" if place > 0 else member.how
                return member.at_most(ONE_OF_SEVERAL if doubt else 1.0).but(how=how)
            if name in OBJECT_METHODS:
                return None
            doubt = doubt or self.members.open_ended(address, name)
        for owner in self._static_owners(name):
            member = self.members.method(Type(owner), name, arguments)
            if member is not None:
                return member.at_most(ONE_OF_SEVERAL if doubt else 1.0).but(how="import")
        return None

    # The other parts.

    def _step(self, found: Meaning, part: str) -> Meaning:
        if found.kind == MODULE:
            name = f"{found.name}.{part}"
            address = self.names.in_package(name, self.table.path)
            return _class(address) if address else Meaning(MODULE, name=name)
        kind = found.type
        if kind is None:
            return NOTHING
        if part in {"this", "super"} and found.kind == CLASS:
            interface = part == "super" and self.members.is_interface(kind.head)
            return Meaning(SUPER, exact=True, type=kind) if interface else self._self([kind.head], part)
        if part == "[]":
            return _value(item_of(kind), sure=found.confidence)
        member = self.members.field(kind, part) if kind.own else None
        if member is not None:
            return _value(self.members.field_type(member), member.address, found.confidence)
        nested = self.names.nested(kind.head, part) if kind.own and found.kind == CLASS else None
        return _class(nested) if nested is not None else NOTHING

    def _called(self, found: Meaning, name: str) -> Meaning:
        kind = found.type
        if kind is None:
            return NOTHING
        if not kind.own:
            return _value(library_result(kind, name), sure=found.confidence)
        if found.kind == CLASS and name in {"values", "valueOf"}:
            return _value(Type("[]", (kind,)) if name == "values" else kind)
        member = self.members.method(kind, name, -1)
        if member is None:
            return NOTHING
        return _value(self.members.result(member, -1), sure=min(found.confidence, member.confidence))


def _value(kind: Type | None, address: str = "", sure: float = 1.0) -> Meaning:
    """Return a value of a type, and what the last part of its text means."""
    path, _, name = address.partition("::")
    return Meaning(INSTANCE, path, name, sure, type=kind)


def _class(address: str) -> Meaning:
    path, _, name = address.partition("::")
    return Meaning(CLASS, path, name, type=Type(address))


def evaluator_of(world: World, path: str) -> Evaluator | None:
    """Return what evaluates the expressions of a file; None if it is no Java file that can be read."""
    memo = world.memo
    names = memo.get("java")
    if not isinstance(names, Names):
        names = Names(world)
        memo["java"] = names
        memo["java members"] = Members(names)
    members = memo["java members"]
    table = names.table(path)
    return Evaluator(names, members, table) if table is not None and isinstance(members, Members) else None
