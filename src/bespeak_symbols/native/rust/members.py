"""Which function of a type or a trait a Rust name means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols.native import inheritance
from bespeak_symbols.native.meaning import Type
from bespeak_symbols.native.rust.imports import outward
from bespeak_symbols.native.rust.types import OF_EVERYBODY, POINTERS, read_bounds, read_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bespeak_symbols.native.rust.imports import Modules
    from bespeak_symbols.native.rust.paths import Paths
    from bespeak_symbols.native.rust.types import Written

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Member:
    """A function of a type or a trait that was found.

    Args:
        address: where it is.
        owner: the type it was looked for in.
        how: ``typed``, or ``inherited`` for what a trait has for all.
        sure: nothing else can be meant.
        trait: the trait, if which function is run is only known when the program runs.
    """

    address: str
    owner: Type
    how: str = "typed"
    sure: bool = True
    trait: str = ""


class Members:
    """Answers what types are and what functions they have, for one snapshot."""

    def __init__(self, modules: Modules, paths: Paths) -> None:
        self.modules = modules
        self.paths = paths
        self.world = modules.world
        self._by_owner: dict[str, dict[str, list[str]]] = {}
        self._own: dict[tuple[str, str], list[str]] = {}
        self._has: dict[tuple[str, str, str], bool] = {}

    # From a written type to a type.

    def type_of(self, text: str, path: str, within: str, given: Mapping[str, Type]) -> Type | None:
        """Return the type that a text means at some place.

        Args:
            text: as written.
            path: of the file.
            within: the symbol in which it is written.
            given: the types that stand for type parameters, by the parameter's address; ``Self`` for that.
        """
        return self._known(read_type(text), path, within, given, 0) if text else None

    def _known(self, written: Written, path: str, within: str, given: Mapping[str, Type], depth: int) -> Type | None:
        name = written.name
        if not name or depth > _DEEPEST or name.startswith("="):
            return None
        if name == "dyn":
            return self._bounded(written.arguments, path, within)
        if name == "Self" or name.startswith("Self::"):
            return self._self(name, path, within, given, depth)
        found, parameter = self._parameter(name, path, within, given)
        if parameter:
            return found
        arguments = tuple(self._known(one, path, within, given, depth + 1) or Type("?") for one in written.arguments)
        return self._named(name, path, within, given, depth, arguments)

    def _named(
        self, name: str, path: str, within: str, given: Mapping[str, Type], depth: int, arguments: tuple[Type, ...]
    ) -> Type | None:
        item = self.paths.find(name.split("::"), path, within, "type") if name not in {"()", "[]"} else None
        if item is None or item.rest:
            return Type(name.rpartition("::")[2], arguments)
        if item.kind == "type":
            return self._alias(item.address, given, depth, arguments)
        return Type("dyn", traits=(item.address,)) if item.kind == "trait" else Type(item.address, arguments)

    def _self(self, name: str, path: str, within: str, given: Mapping[str, Type], depth: int) -> Type | None:
        own = given.get("Self") or self.own_type(path, within)
        if name == "Self" or own is None or not own.own:
            return own if name == "Self" else None
        return self._alias(f"{path}::{own.head.partition('::')[2]}.{name.removeprefix('Self::')}", given, depth)

    def _alias(
        self, address: str, given: Mapping[str, Type], depth: int, arguments: tuple[Type, ...] = ()
    ) -> Type | None:
        path, _, full = address.partition("::")
        table = self.modules.table(path)
        targets = table.bound(full, "alias") if table is not None else []
        if len(set(targets)) != 1:
            return None
        mine = dict(zip(self._parameters(path, full), arguments, strict=False))
        return self._known(read_type(targets[0]), path, full, {**given, **mine}, depth + 1)

    def _parameters(self, path: str, name: str) -> list[str]:
        """Return the addresses of the type parameters of an item, in order."""
        table = self.modules.table(path)
        return [
            f"{path}::{symbol}"
            for symbol, bindings in (table.bindings.items() if table is not None else ())
            if symbol.rpartition(".")[0] == name and bindings[0].how == "parameter"
        ]

    def _parameter(self, name: str, path: str, within: str, given: Mapping[str, Type]) -> tuple[Type | None, bool]:
        table = self.modules.table(path)
        for around in outward(within):
            bounds = table.bound(f"{around}.{name}", "parameter") if table is not None else []
            if bounds:
                found = given.get(f"{path}::{around}.{name}")
                if found is not None:
                    return (found if found.head != "?" else None), True
                return self._bounded(read_bounds("+".join(bound for bound in bounds if bound)), path, around), True
        return None, False

    def _bounded(self, bounds: tuple[Written, ...], path: str, within: str) -> Type | None:
        """Return a type of which only the traits are known."""
        traits = []
        for one in bounds:
            item = self.paths.find(one.name.split("::"), path, within, "type")
            if item is not None and item.kind == "trait":
                traits.append(item.address)
            elif one.name.rpartition("::")[2] in {"Iterator", "IntoIterator"}:
                items = [part for part in one.arguments if part.name == "=Item"]
                inner = self._known(items[0].arguments[0], path, within, {}, 1) if items else None
                return Type("Iter", (inner,)) if inner is not None else None
            elif one.name in {"AsRef", "Into", "Borrow", "Deref"} and one.arguments:
                return None
        return Type("dyn", traits=tuple(dict.fromkeys(traits))) if bounds else None

    def own_type(self, path: str, within: str) -> Type | None:
        """Return what ``Self`` is at some place: the type of the ``impl`` block, or something with the trait."""
        table = self.modules.table(path)
        for around in outward(within):
            if table is None or not (table.has(around, "method") or table.has(around, "constant")):
                if table is None or table.named(around, "type") is None:
                    continue
                owner = around
            else:
                owner = around.rpartition(".")[0]
            if not owner or table.has(owner, "module"):
                return None
            outer, _, name = owner.rpartition(".")
            item = self.paths.find([name], path, outer, "type")
            if item is None:
                return Type(name)
            if item.kind == "type":
                return self._alias(item.address, {}, 0)
            return Type("dyn", traits=(item.address,)) if item.kind == "trait" else Type(item.address)
        return None

    def given(self, kind: Type) -> dict[str, Type]:
        """Return what stands for ``Self`` and for the type parameters of a type."""
        path, _, name = kind.head.partition("::")
        if not kind.own or not kind.arguments:
            return {"Self": kind}
        return {"Self": kind} | dict(zip(self._parameters(path, name), kind.arguments, strict=False))

    # Functions.

    def method(self, kind: Type, name: str) -> list[Member]:
        """Return the functions that a name may mean in a type; several if a type has it more than once."""
        if kind.head == "dyn":
            found = next((one for one in (self.of_trait(trait, name) for trait in kind.traits) if one), "")
            return [Member(found, kind, trait=found.rpartition(".")[0])] if found else []
        own = self.own(kind.head, name) if kind.own or name not in OF_EVERYBODY else []
        if own:
            return [Member(one, kind, sure=kind.own and len(own) == 1) for one in own]
        traits = [one for one in self.candidates(name) if self._is_trait(one.rpartition(".")[0])]
        if kind.own:
            for address in traits:
                if self.has_trait(kind.head, address.rpartition(".")[0]):
                    return [Member(address, kind, "inherited")]
        everything = [] if kind.head in POINTERS or name in OF_EVERYBODY else self._for_all(name, traits)
        return [Member(one, kind, sure=False) for one in everything]

    def _for_all(self, name: str, traits: list[str]) -> list[str]:
        """Return the function of the only trait with that name, if it is implemented for whatever has another trait."""
        if len(traits) != 1:
            return []
        path = traits[0].partition("::")[0]
        table = self.modules.table(path)
        found = [
            f"{path}::{one.name}.{name}"
            for one in (table.impls if table is not None else ())
            if table is not None and table.bound(f"{one.name}.{one.name.rpartition('.')[2]}", "parameter")
        ]
        return [one for one in found if one in self.candidates(name)][:1]

    def target(self, kind: Type) -> Type | None:
        """Return what a type leads on to by ``Deref``; None if it does not."""
        path, _, full = kind.head.partition("::")
        table = self.modules.table(path) if kind.own else None
        targets = table.bound(f"{full}.Target", "alias") if table is not None else []
        if len(set(targets)) != 1:
            return None
        return self.type_of(targets[0], path, full, self.given(kind))

    def candidates(self, name: str) -> list[str]:
        """Return all functions of that name that belong to a type or a trait."""
        return [address for found in self._owners(name).values() for address in found]

    def _owners(self, name: str) -> dict[str, list[str]]:
        if name not in self._by_owner:
            owners: dict[str, list[str]] = {}
            for address in self.world.defining(name):
                path, _, full = address.partition("::")
                table = self.modules.table(path) if "." in full else None
                if table is not None and (table.has(full, "method") or table.has(full, "constant")):
                    owners.setdefault(full.split(".")[-2], []).append(address)
            self._by_owner[name] = owners
        return self._by_owner[name]

    def own(self, head: str, name: str) -> list[str]:
        """Return the functions that ``impl`` blocks for a type have under a name; those beside the type come first."""
        key = (head, name)
        if key not in self._own:
            simple = head.rpartition("::")[2].rpartition(".")[2]
            found = [one for one in self._owners(name).get(simple, ()) if self._owned(one, head)]
            here = [one for one in found if one.partition("::")[0] == head.partition("::")[0]]
            self._own[key] = here or found
        return self._own[key]

    def _owned(self, address: str, head: str) -> bool:
        owner = address.rpartition(".")[0]
        if owner == head:
            return True
        path, _, full = owner.partition("::")
        outer, _, simple = full.rpartition(".")
        item = self.paths.find([simple], path, outer, "type")
        return (item.address if item is not None else simple) == head

    def of_trait(self, trait: str, name: str) -> str:
        """Return the function of a trait, or of what the trait asks for; empty if there is none."""
        for one in inheritance.nearest_first(trait, self._asked_for):
            path, _, full = one.partition("::")
            table = self.modules.table(path)
            if table is not None and table.has(f"{full}.{name}", "method"):
                return f"{one}.{name}"
        return ""

    def _asked_for(self, trait: str) -> Iterator[str]:
        """Yield the traits that a trait asks for."""
        path, _, full = trait.partition("::")
        table = self.modules.table(path)
        for symbol in table.symbols.get(full, ()) if table is not None else ():
            for base in symbol.bases:
                item = self.paths.find(read_type(base).name.split("::"), path, full, "type")
                if item is not None and item.kind == "trait":
                    yield item.address

    def _is_trait(self, address: str) -> bool:
        path, _, full = address.partition("::")
        table = self.modules.table(path)
        return table is not None and table.has(full, "trait")

    def has_trait(self, head: str, trait: str) -> bool:
        """Return whether a type has a trait, as far as its file and the trait's tell."""
        return any(self.implemented(path, head, trait) for path in dict.fromkeys(_files(head, trait)))

    def implemented(self, path: str, head: str, trait: str) -> bool:
        """Return whether a file implements a trait for a type."""
        key = (path, head, trait)
        if key not in self._has:
            self._has[key] = self._implemented(path, head, trait)
        return self._has[key]

    def _implemented(self, path: str, head: str, trait: str) -> bool:
        table = self.modules.table(path)
        simple = head.rpartition("::")[2].rpartition(".")[2]
        for one in table.impls if table is not None else ():
            outer, _, name = one.name.rpartition(".")
            if name != simple or not self._owned(f"{path}::{one.name}.", head):
                continue
            item = self.paths.find(read_type(one.target).name.split("::"), path, outer, "type")
            if item is not None and item.address == trait:
                return True
        return False

    def overriding(self, member: Member) -> list[str]:
        """Return the functions that may be run in place of a trait's."""

        def replaces(address: str) -> bool:
            owner = address.rpartition(".")[0]
            if self._is_trait(owner):
                return False
            path, _, full = owner.partition("::")
            outer, _, simple = full.rpartition(".")
            item = self.paths.find([simple], path, outer, "type")
            return self.implemented(path, item.address if item is not None else simple, member.trait)

        return inheritance.overriding(member.address, self.candidates(member.address.rpartition(".")[2]), replaces)


def _files(*addresses: str) -> list[str]:
    return [address.partition("::")[0] for address in addresses]
