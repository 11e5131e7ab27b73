"""What a name or an expression of C and C++ means at some place: a function, a class, a namespace or a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import RENAMED
from bespeak_symbols.native.c_family.members import (
    argument,
    member,
    with_how,
    with_name,
)
from bespeak_symbols.native.meaning import CLASS, FUNCTION, NAMESPACE, OTHER, VALUE, Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Binding, Symbol
    from bespeak_symbols.native.c_family.imports import Files

_KINDS = {"function": FUNCTION, "method": FUNCTION, "class": CLASS, "struct": CLASS, "namespace": NAMESPACE}
_TYPES = frozenset({"class", "struct", "enum"})
_SMART = frozenset({"unique_ptr", "shared_ptr", "weak_ptr", "optional", "reference_wrapper", "scoped_ptr"})
_LISTS = frozenset({"vector", "list", "deque", "array", "set", "span", "initializer_list", "multiset", "unordered_set"})
_MAPS = frozenset({"map", "unordered_map", "multimap"})
_DEEPEST = 12


class Evaluator:
    """Finds meanings as seen from one file.

    Args:
        files: all files.
        path: the file.
        others: the same of other files, to be shared and added to.
    """

    def __init__(self, files: Files, path: str, others: dict[str, Evaluator] | None = None) -> None:
        self.files = files
        self.path = path
        self.plus_plus = files.table(path).language == "cpp"
        self._closure = files.closure(path)
        self._order = (path, *sorted(self._closure - {path}))
        self._using = [
            taken for each in self._order for taken in files.table(each).imports if taken.module[:1] not in {'"', "<"}
        ]
        self._exact: dict[str, tuple[Meaning, ...]] = {}
        self._known: dict[tuple[str, str, str], tuple[Meaning, ...]] = {}
        self._others: dict[str, Evaluator] = {} if others is None else others
        self._others[path] = self

    def at(self, path: str) -> Evaluator:
        """Return the same for another file."""
        other = self._others.get(path)
        if other is None:
            other = Evaluator(self.files, path, self._others)
        return other

    # Names.

    def exactly(self, qualified: str) -> tuple[Meaning, ...]:
        """Return what a qualified name means where this file sees it declared, this file first."""
        known = self._exact.get(qualified)
        if known is None:
            self._exact[qualified] = ()
            known = self._exact[qualified] = self._exactly(qualified)
        return known

    def _exactly(self, qualified: str) -> tuple[Meaning, ...]:
        found = []
        for path, name in self.files.named(qualified.rpartition(".")[2]):
            if name == qualified and path in self._closure:
                how = "local" if path == self.path else "include"
                found += [self.meaning(path, symbol, how) for symbol in self.files.symbols(path, name)[:1]]
        own = [meaning for meaning in found if meaning.path == self.path]
        if own and not any(meaning.kind == NAMESPACE for meaning in own):
            return tuple(own)
        if found and found[0].kind == NAMESPACE:
            return tuple(found[:1])
        return tuple(found) or self._bound(qualified) or self._declared(qualified)

    def _declared(self, qualified: str) -> tuple[Meaning, ...]:
        """Return the type that this file sees declared only (``struct node;``), if one file alone defines it."""
        found = [
            self.meaning(path, symbol, "linked")
            for path, name in self.files.named(qualified.rpartition(".")[2])
            if name == qualified
            for symbol in self.files.symbols(path, name)[:1]
            if symbol.kind in _TYPES
        ]
        if len(found) != 1 or not any(qualified in self.files.table(path).declared for path in self._closure):
            return ()
        return (with_how(found[0], "linked", RENAMED),)

    def meaning(self, path: str, symbol: Symbol, how: str) -> Meaning:
        """Return what a symbol is."""
        if symbol.kind == "variable":
            return self._variable(path, symbol.name, how)
        return Meaning(_KINDS.get(symbol.kind, OTHER), path, symbol.name, how=how)

    def _variable(self, path: str, name: str, how: str) -> Meaning:
        address = f"{path}::{name}"
        for binding in self.files.table(path).bindings.get(name, ()):
            if binding.how in {"type", "alias"}:
                found = self.of_binding(path, binding, name.rpartition(".")[0], how)
                if found.kind == VALUE:
                    return found.but(confidence=1.0, how=how, exact=False, via=address)
        return Meaning(VALUE, path, how=how, via=address)

    def _bound(self, qualified: str) -> tuple[Meaning, ...]:
        """Return what a name means that is bound without a symbol: a member, an ``extern`` variable, an alias."""
        outer = qualified.rpartition(".")[0]
        for path in self._order:
            for binding in self.files.table(path).bindings.get(qualified, ()):
                if binding.how != "result":
                    found = self.of_binding(path, binding, outer, "include")
                    if found.kind != VALUE or any(each.kind in _KINDS for each in self.files.symbols(path, outer)):
                        return (found,)
                    via = f"{path}::{qualified}"
                    return (found.but(confidence=1.0, how="include", exact=False, via=via),)
        return ()

    def name(self, name: str, within: str) -> tuple[Meaning, ...]:
        """Return what an unqualified name means at a place: the innermost scope that knows it wins."""
        key = (name, within, "")
        known = self._known.get(key)
        if known is None:
            self._known[key] = ()
            known = self._known[key] = next((found for found in self._scopes(name, within) if found), ())
        return known

    def _scopes(self, name: str, within: str) -> Iterator[tuple[Meaning, ...]]:
        level = within
        while True:
            if level:
                owner = self._owner(level, name)
                if owner is not None:
                    yield member(self, owner, name)
                    outer = owner.name.rpartition(".")[0]
                    if owner.name != level and outer:
                        yield from self._scopes(name, outer)
            yield self.exactly(f"{level}.{name}" if level else name)
            yield self._taken(name, level)
            if not level:
                return
            level = level.rpartition(".")[0]

    def _owner(self, level: str, name: str) -> Meaning | None:
        """Return the class that a scope is, if it is one."""
        found = self.exactly(level)
        if not found and "." not in level and level != name:
            found = self._taken(level, "")
        return next((each for each in found if each.kind == CLASS), None)

    def _taken(self, name: str, level: str) -> tuple[Meaning, ...]:
        """Return what ``using`` at a scope gives a name."""
        found: list[Meaning] = []
        for taken in self._using:
            if taken.within != level:
                continue
            if taken.local == "*":
                found += self.exactly(f"{taken.module}.{name}")
            elif taken.local == name and taken.module != name:
                found += self.exactly(taken.module)
        return tuple(dict.fromkeys(found))

    # Types and values.

    def of_binding(self, path: str, binding: Binding, within: str, how: str) -> Meaning:
        """Return the value that a binding stands for; one without a name if that is not known."""
        if binding.how == "type":
            return Meaning(VALUE, path, binding.target, how=how, within=within, bound=binding.bound)
        if binding.how == "alias":
            found = self.at(path).expression(binding.target, within, binding.bound)
            if len(found) == 1:
                return with_how(found[0], "alias" if found[0].kind != VALUE else how, 1.0)
        return Meaning(VALUE, path, how=how)

    def classes(self, text: str, within: str, bound: int = -1, depth: int = 0) -> tuple[Meaning, ...]:
        """Return the classes that a type as written means here, seen through other names for it."""
        if depth > _DEEPEST or not text:
            return ()
        head = text.partition("<")[0].rstrip("*")
        found = self.expression(head, within, bound)
        classes: list[Meaning] = []
        for each in found:
            if each.kind == CLASS:
                classes.append(each)
            elif each.kind == OTHER:
                for binding in self.files.table(each.path).bindings.get(each.name, ()):
                    if binding.how == "alias" and binding.target.partition("<")[0].rstrip("*") != head:
                        outer = each.name.rpartition(".")[0]
                        named = self.at(each.path).classes(binding.target, outer, binding.bound, depth + 1)
                        classes += named or self._here(binding.target, outer, depth + 1)
        return tuple(dict.fromkeys(classes))

    def _here(self, target: str, within: str, depth: int) -> tuple[Meaning, ...]:
        """Return the classes of another name of a header, which this file alone may define."""
        return () if within else self.classes(target, "", -1, depth)

    def classes_of(self, held: Meaning) -> tuple[Meaning, ...]:
        """Return the classes of a value."""
        held = self.spelled_out(held)
        return self.at(held.path).classes(held.name, held.within, held.bound)

    def spelled_out(self, held: Meaning) -> Meaning:
        """Return a value with its type as it was first written: ``using Rows = std::vector<Row>``."""
        for _ in range(_DEEPEST):
            if not held.name or "<" in held.name or held.name.endswith("*"):
                break
            found = self.at(held.path).expression(held.name, held.within, held.bound)
            if len(found) != 1 or found[0].kind != OTHER:
                break
            named = found[0]
            alias = [each for each in self.files.table(named.path).bindings.get(named.name, ()) if each.how == "alias"]
            if not alias or alias[0].target == held.name:
                break
            outer = named.name.rpartition(".")[0]
            held = Meaning(
                VALUE, named.path, alias[0].target, held.confidence, held.how, within=outer, bound=alias[0].bound
            )
        return held

    # Expressions.

    def expression(self, text: str, within: str, bound: int = -1, depth: int = 0) -> tuple[Meaning, ...]:
        """Return what an expression means at a place of this file."""
        key = (text, within, str(bound))
        known = self._known.get(key) if bound >= 0 or "." in text else None
        if known is not None:
            return known
        if bound < 0 and "." not in text:
            return self.name(text, within)
        self._known[key] = ()
        first, *rest = text.split(".")
        found = self._root(first, rest, within, bound)
        for part in rest if first else rest[1:]:
            found = tuple(next_one for each in found[:4] for next_one in self.part(each, part))
            if not found or depth > _DEEPEST:
                break
        self._known[key] = found
        return found

    def _root(self, first: str, rest: list[str], within: str, bound: int) -> tuple[Meaning, ...]:
        if bound >= 0:
            return self._of_block(bound)
        if not first:
            return self.exactly(rest[0]) if rest else ()
        if first != "this":
            return self.name(first, within)
        owner = self.enclosing(within)
        if owner is None:
            return ()
        return (Meaning(VALUE, owner.path, owner.name.rpartition(".")[2] + "*", how="this", within=owner.name),)

    def _of_block(self, bound: int) -> tuple[Meaning, ...]:
        """Return what a name of a block stands for."""
        places = self.files.table(self.path).places
        nothing = Meaning(VALUE, self.path, how="value")
        binding = places[bound] if bound < len(places) else None
        if binding is None or binding.how == "value":
            return (nothing,)
        outer = binding.name.rpartition(".")[0]
        if binding.how != "alias":
            return (self.of_binding(self.path, binding, outer, "typed"),)
        found = self.expression(binding.target, outer, binding.bound)
        return tuple(with_how(each, "typed" if each.kind == VALUE else "alias", 1.0) for each in found) or (nothing,)

    def enclosing(self, within: str) -> Meaning | None:
        """Return the class around a place."""
        level = within
        while level:
            owner = self._owner(level, "")
            if owner is not None:
                return owner
            level = level.rpartition(".")[0]
        return None

    def part(self, of: Meaning, part: str) -> tuple[Meaning, ...]:
        """Return what a further part of an expression means."""
        if part == "()":
            found = self._called(of)
        elif part == "[]":
            found = self._item(of)
        elif part == "*":
            found = self._pointed(of)
        elif part == "&":
            found = (with_name(of, of.name + "*"),) if of.kind == VALUE and of.name else (of,)
        elif of.kind == NAMESPACE:
            found = self.exactly(f"{of.name}.{part}") or self._taken(part, of.name)
        elif of.kind == CLASS:
            found = tuple(each.but(exact=True) for each in member(self, of, part))
        elif of.kind == OTHER:
            classes = self.at(of.path).classes(of.name, "")
            found = tuple(one.but(exact=True) for each in classes for one in member(self, each, part))
            found = found or self.exactly(f"{of.name}.{part}")
        elif of.kind == VALUE:
            found = self._member_of_value(of, part)
        else:
            found = ()
        return found

    def _member_of_value(self, of: Meaning, part: str) -> tuple[Meaning, ...]:
        how = "this" if of.how == "this" else "typed"
        of = self.spelled_out(of)
        if of.name.endswith("*"):
            return ()
        owners = self.classes_of(of)
        return tuple(
            dict.fromkeys(with_how(each, how, of.confidence) for owner in owners for each in member(self, owner, part))
        )

    def _called(self, of: Meaning) -> tuple[Meaning, ...]:
        """Return what calling something gives."""
        if of.kind == CLASS:
            outer, _, last = of.name.rpartition(".")
            return (Meaning(VALUE, of.path, last, of.confidence, "typed", within=outer),)
        if of.kind == OTHER:
            return (Meaning(VALUE, of.path, of.name, of.confidence, "typed"),)
        if of.kind == FUNCTION:
            outer = of.name.rpartition(".")[0]
            results = [
                Meaning(VALUE, of.path, binding.target, of.confidence, "typed", within=outer, bound=binding.bound)
                for binding in self.files.table(of.path).bindings.get(of.name, ())
                if binding.how == "result"
            ]
            kinds = {result.name for result in results}
            return tuple(results[:1]) if len(kinds) == 1 else ()
        return ()

    def _pointed(self, of: Meaning) -> tuple[Meaning, ...]:
        """Return what a value points to: by itself, as a smart pointer, or by an operator of its own."""
        if of.kind != VALUE or not of.name:
            return (of,) if of.kind != VALUE else ()
        held = self.spelled_out(of)
        if held.name.endswith("*"):
            return (with_name(held, held.name[:-1]),)
        head, _, rest = held.name.partition("<")
        if head.rpartition(".")[2] in _SMART and rest:
            return (with_name(held, argument(rest)),)
        owners = self.classes_of(held)
        for sign in ("operator->", "operator*"):
            called = [result for owner in owners for each in member(self, owner, sign) for result in self._called(each)]
            if called:
                return (with_name(called[0], called[0].name.rstrip("*")),)
        return () if "<" in held.name else (held,)

    def _item(self, of: Meaning) -> tuple[Meaning, ...]:
        """Return what an item of a value is: of a list what it lists, of an array what that is made of."""
        if of.kind != VALUE or not of.name:
            return ()
        of = self.spelled_out(of)
        if of.name.endswith("*"):
            return (with_name(of, of.name[:-1]),)
        head, _, rest = of.name.partition("<")
        last = head.rpartition(".")[2]
        if last in _LISTS and rest:
            return (with_name(of, argument(rest)),)
        if last in _MAPS and rest:
            return (with_name(of, argument(rest, 1)),)
        operators = [each for owner in self.classes_of(of) for each in member(self, owner, "operator[]")]
        if operators:
            return self._called(operators[0])
        return () if "<" in of.name else (of,)
