"""What a Rust expression comes to, followed part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols.native.meaning import Type
from bespeak_symbols.native.rust.imports import Modules
from bespeak_symbols.native.rust.members import Members
from bespeak_symbols.native.rust.paths import Item, Paths
from bespeak_symbols.native.rust.types import held, indexed, item_of, pointee, result_of

if TYPE_CHECKING:
    from bespeak_symbols.model import World
    from bespeak_symbols.native.rust.imports import Table
    from bespeak_symbols.native.rust.members import Member

_MARKS = frozenset({"()", "[]", "@", "?", "{}", "&", "!"})
_MOST_STEPS = 40
_DATA = frozenset({"struct", "enum"})


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression comes to.

    Args:
        kind: its type; None if it is not known.
        item: what it names, if it is a path and no value yet.
        found: the functions it names, if it does.
        sure: nothing else can be meant.
        known: something is known of it, though it may be of no use.
    """

    kind: Type | None
    item: Item | None = None
    found: tuple[Member, ...] = ()
    sure: bool = True
    known: bool = False


NOTHING = Value(None)


class Evaluator:
    """Evaluates the expressions of one file."""

    def __init__(self, members: Members, table: Table) -> None:
        self.members = members
        self.paths = members.paths
        self.modules = members.modules
        self.table = table
        self.path = table.path
        self._locals: dict[int, Value] = {}

    def evaluate(self, parts: list[str], within: str, bound: int) -> Value:
        """Return what an expression comes to.

        Args:
            parts: of the text.
            within: the symbol in which it stands.
            bound: the local variable with which it begins, by its place in the bindings; -1 for none.
        """
        if len(parts) > _MOST_STEPS:
            return NOTHING
        at, found = self._first(parts, within, bound)
        while at < len(parts) and found is not NOTHING:
            found = self.step(found, parts[at])
            at += 1
        return found

    def _first(self, parts: list[str], within: str, bound: int) -> tuple[int, Value]:
        first = parts[0]
        if bound >= 0:
            return 1, self._local(bound)
        if first in _MARKS:
            return 1, NOTHING
        if first in {"self", "Self"}:
            own = self.members.own_type(self.path, within)
            if own is not None:
                return 1, Value(own, known=True) if first == "self" else self._named(own)
        end = next((place for place, part in enumerate(parts) if part in _MARKS), len(parts))
        return end, self.named(parts[:end], within)

    def _named(self, own: Type) -> Value:
        return Value(None, Item(own.head, "struct"), known=True) if own.head != "dyn" else Value(own, known=True)

    def named(self, parts: list[str], within: str) -> Value:
        """Return what a path means, and what stands behind it."""
        if len(parts) == 1:
            kind = self.members.type_of(parts[0], self.path, within, {}) if parts[0][:1].isupper() else None
            if kind is not None and kind.head == "dyn":
                return Value(kind, known=True)
        item = self.paths.find(parts, self.path, within, "value") or self.paths.find(parts, self.path, within, "type")
        if item is None:
            return self._outside(parts, within)
        found = Value(None, Item(item.address, item.kind, item.module), known=True)
        for part in item.rest:
            found = self.step(found, part)
        return found

    def _outside(self, parts: list[str], within: str) -> Value:
        """A path of which the beginning is a type parameter, or a type from outside that may have a trait of ours."""
        if not parts[:-1] or not parts[-2][:1].isupper():
            return NOTHING if parts[0][:1].islower() and len(parts) == 1 else Value(None, known=True)
        kind = self.members.type_of("::".join(parts[:-1]), self.path, within, {})
        return self._member(kind, parts[-1], sure=True) if kind is not None else NOTHING

    def _local(self, bound: int) -> Value:
        """Return what a local variable is; one that begins with itself is not known."""
        if bound not in self._locals:
            self._locals[bound] = NOTHING
            binding = self.table.facts.bindings[bound]
            within = binding.name.rpartition(".")[0]
            if binding.how == "type":
                self._locals[bound] = Value(self.members.type_of(binding.target, self.path, within, {}), known=True)
            elif binding.how == "from":
                self._locals[bound] = self.evaluate(binding.target.split("."), within, binding.bound)
        return self._locals[bound]

    # The other parts.

    def step(self, found: Value, part: str) -> Value:
        """Return what a part of an expression makes of what stands before it."""
        if part == "()":
            return self._called(found)
        if part in _MARKS:
            return self._marked(found, part)
        if found.item is not None:
            return self._static(found.item, part)
        if found.kind is None:
            kind = self._constant_of(found.found[0]) if found.found else None
            return NOTHING if kind is None else self._part(kind, part, found.sure)
        return self._part(found.kind, part, found.sure)

    def _constant_of(self, member: Member) -> Type | None:
        path, _, full = member.address.partition("::")
        table = self.modules.table(path)
        if table is None or not table.has(full, "constant"):
            return None
        return self._of_constant(Item(member.address, "constant"))

    def _marked(self, found: Value, part: str) -> Value:
        if part == "{}":
            return Value(self._instance(found.item), known=True) if found.item is not None else NOTHING
        kind = found.kind if found.item is None else self._of_constant(found.item)
        if kind is None:
            return NOTHING
        following = {"?": held, "[]": indexed, "@": item_of}.get(part, lambda one: Type("Rc", (one,)))(kind)
        return Value(following, sure=found.sure, known=following is not None)

    def _instance(self, item: Item | None) -> Type | None:
        if item is None:
            return None
        if item.kind == "type":
            return self.members.type_of(item.address.rpartition("::")[2].rpartition(".")[2], *_at(item.address), {})
        if item.kind == "constant":
            return Type(item.address.rpartition(".")[0]) if self._is_variant(item.address) else None
        return Type(item.address) if item.kind in _DATA else None

    def _is_variant(self, address: str) -> bool:
        path, _, full = address.partition("::")
        table = self.modules.table(path)
        return table is not None and table.has(full.rpartition(".")[0], "enum")

    def _called(self, found: Value) -> Value:
        if found.found:
            results = [self._result(member) for member in found.found]
            kind = results[0] if all(one == results[0] for one in results) else None
            return Value(kind, sure=found.sure and found.found[0].sure, known=kind is not None)
        if found.item is None:
            return Value(found.kind, sure=found.sure, known=True) if found.known and found.kind is not None else NOTHING
        if found.item.kind == "function":
            path, _, full = found.item.address.partition("::")
            table = self.modules.table(path)
            texts = set(table.bound(full, "result")) if table is not None else set()
            kind = self.members.type_of(texts.pop(), path, full, {}) if len(texts) == 1 else None
            return Value(kind, known=kind is not None)
        return Value(self._instance(found.item), known=True)

    def _result(self, member: Member) -> Type | None:
        path, _, full = member.address.partition("::")
        table = self.modules.table(path)
        texts = set(table.bound(full, "result")) if table is not None else set()
        if len(texts) != 1:
            return None
        return self.members.type_of(texts.pop(), path, full, self.members.given(member.owner))

    def _static(self, item: Item, part: str) -> Value:
        """A name behind the name of a type or a constant."""
        if item.kind in {"constant", "variable"}:
            kind = self._of_constant(item)
            named = self._field_type(Type(item.address), part)
            if named is not None:
                return Value(named, known=True)
            return self._part(kind, part, True) if kind is not None else NOTHING
        if item.kind == "trait":
            return self._member(Type("dyn", traits=(item.address,)), part, sure=True)
        variant = self.paths.variant(item, part) if item.kind == "enum" else None
        if variant is None and self._is_variant(f"{item.address}.{part}"):
            variant = Item(f"{item.address}.{part}", "constant")
        if variant is not None:
            path, _, full = variant.address.partition("::")
            table = self.modules.table(path)
            if table is not None and table.has(full, "constant"):
                return Value(None, variant, known=True)
        kind = self._instance(item) or Type(item.address)
        field = self._field_type(kind, part)
        found = self._member(kind, part, sure=True)
        if found.found or (field is None and part != "default"):
            return found
        return Value(field or kind, known=True)

    def _of_constant(self, item: Item) -> Type | None:
        path, _, full = item.address.partition("::")
        table = self.modules.table(path)
        if table is None:
            return None
        if self._is_variant(item.address):
            return Type(item.address.rpartition(".")[0])
        texts = set(table.bound(full, "type"))
        return self.members.type_of(texts.pop(), path, full.rpartition(".")[0], {}) if len(texts) == 1 else None

    def _part(self, kind: Type, part: str, sure: bool) -> Value:
        """A field or a method of a value; pointers lead on to what they point to."""
        for _ in range(_MOST_STEPS):
            if kind.head == "()" and part.isdigit():
                place = int(part)
                return Value(kind.arguments[place], known=True) if place < len(kind.arguments) else NOTHING
            field = self._field_type(kind, part)
            found = self._member(kind, part, sure=sure)
            if found.found:
                return Value(field, found=found.found, sure=sure, known=True)
            if field is not None:
                return Value(field, sure=sure, known=True)
            inner = pointee(kind, part) or self.members.target(kind)
            if inner is None:
                break
            kind = inner
        return self._library(kind, part, sure)

    def _library(self, kind: Type, part: str, sure: bool) -> Value:
        result = result_of(kind, part)
        if result is not None and result.head != "?":
            return Value(result, sure=sure, known=True)
        return Value(None, known=kind.head not in {"?", "dyn"})

    def _field_type(self, kind: Type, part: str) -> Type | None:
        path, _, full = kind.head.partition("::")
        table = self.modules.table(path) if kind.own else None
        texts = set(table.bound(f"{full}.{part}", "type")) if table is not None else set()
        if len(texts) != 1:
            return None
        return self.members.type_of(texts.pop(), path, full, self.members.given(kind))

    def _member(self, kind: Type, part: str, *, sure: bool) -> Value:
        found = tuple(self.members.method(kind, part))
        return Value(None, found=found, sure=sure, known=True)


def _at(address: str) -> tuple[str, str]:
    path, _, full = address.partition("::")
    return path, full.rpartition(".")[0]


def evaluator_of(world: World, path: str) -> Evaluator | None:
    """Return what evaluates the expressions of a file; None if it is no Rust file that can be read."""
    memo = world.memo
    members = memo.get("rust")
    if not isinstance(members, Members):
        modules = Modules(world)
        members = Members(modules, Paths(modules))
        memo["rust"] = members
    table = members.modules.table(path)
    return Evaluator(members, table) if table is not None else None
