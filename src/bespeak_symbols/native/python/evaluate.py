"""What the names and expressions of a file mean: lexical lookup, modules, and what calls return.

One evaluator serves one file and remembers what it has worked out, for others' names too. What depends on itself
means nothing at that point; since the questions about one file always come in the same order, so do the answers.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from bespeak_symbols import confidence
from bespeak_symbols.model import Binding, Import, Symbol
from bespeak_symbols.native import meaning
from bespeak_symbols.native.meaning import Meaning, each_once, merged
from bespeak_symbols.native.python import values
from bespeak_symbols.native.python.expressions import SLICE
from bespeak_symbols.native.python.imports import modules, table
from bespeak_symbols.native.python.members import ClassHierarchy
from bespeak_symbols.native.python.scopes import GIVEN
from bespeak_symbols.native.python.values import ELSEWHERE, NOBODY_KNOWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak_symbols.model import World
    from bespeak_symbols.native.python.imports import Entry, Table

    Meanings = tuple[Meaning, ...]

_BUILTINS = frozenset(dir(builtins))
_PLAIN = frozenset(
    {"str", "int", "float", "bool", "bytes", "list", "dict", "set", "tuple", "len", "open", "range", "repr"}
)
_MOST_ENTRIES = 40
_DEEPEST = 60


class Evaluator:
    """Answers what something means, seen from anywhere in a snapshot."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.modules = modules(world)
        self.classes = ClassHierarchy(self)
        self._known: dict[tuple[str, ...], Meanings] = {}
        self._depth = 0

    def table(self, path: str) -> Table | None:
        """Return the names of a file."""
        return table(self.world, path)

    def text(self, path: str, scope: str, text: str) -> Meanings:
        """Return what a dotted text means in a scope of a file."""
        key = path, scope, text
        known = self._known.get(key)
        if known is not None:
            return known
        self._known[key] = ()
        if self._depth >= _DEEPEST:
            return ()
        self._depth += 1
        try:
            head, _, last = text.rpartition(".")
            if not head:
                found = self.look(path, scope, text)
            elif text == "super.()":
                found = self._super(path, scope)
            else:
                found = self.step(self.text(path, scope, head), last)
        finally:
            self._depth -= 1
        self._known[key] = found
        return found

    def _super(self, path: str, scope: str) -> Meanings:
        names = self.table(path)
        around = "" if names is None else names.class_around(scope)
        return (Meaning(meaning.SUPER, path, around, confidence.MEMBER, "inherited"),) if around else ()

    def look(self, path: str, scope: str, name: str) -> Meanings:
        """Return what a name means in a scope of a file."""
        names = self.table(path)
        if names is None:
            return ()
        for inner in names.scopes(scope):
            entries = names.entries.get((inner, name))
            if entries:
                return self._entries(path, entries)
            found = self._starred(path, names.stars.get(inner, ()), name)
            if found is not None:
                return found
        if name in _PLAIN:
            return (Meaning(meaning.EXTERNAL, how="plain"),)
        return (ELSEWHERE,) if name in _BUILTINS else ()

    def bound(self, path: str, number: int) -> Meanings:
        """Return what a name means where it is known which of the assignments of a file was the last."""
        facts, names = self.world.facts(path), self.table(path)
        if facts is None or names is None:
            return ()
        meant = facts.bindings[number]
        scope, _, name = meant.name.rpartition(".")
        entries = names.entries.get((scope, name), [])
        found = self._entries(path, [one for one in entries if not isinstance(one, Binding) or _is_seen(one, meant)])
        return found if any(each.kind != meaning.UNKNOWN for each in found) else self._entries(path, entries)

    def _starred(self, path: str, stars: list[Import] | tuple[()], name: str) -> Meanings | None:
        """Return what a name means that may come from imports of everything; None if it comes from none of them."""
        outside = False
        for star in stars:
            module = self.modules.find(star.module, path)
            if module is None:
                outside = True
                continue
            names = self.table(module.path)
            hidden = name.startswith("_") if names is None or names.exports is None else name not in names.exports
            found = () if hidden else self.exported(module.path, name)
            if found:
                return tuple(each.at_most(confidence.IMPORTED, "import") for each in found)
        return (NOBODY_KNOWS,) if outside and name not in _BUILTINS else None

    def exported(self, path: str, name: str) -> Meanings:
        """Return what a name means to those that take it from a module."""
        key = path, "", "module", name
        known = self._known.get(key)
        if known is not None:
            return known
        self._known[key] = ()
        found: Meanings | None = None
        names = self.table(path)
        if names is not None:
            entries = names.entries.get(("", name))
            found = self._entries(path, entries) if entries else self._starred(path, names.stars.get("", ()), name)
        if found is None:
            inner = self.modules.inside(path, name)
            if inner is not None:
                found = (Meaning(meaning.MODULE, inner, confidence=confidence.IMPORTED, how="module"),)
            elif names is not None and ("", "__getattr__") in names.entries:
                found = (NOBODY_KNOWS,)
        self._known[key] = found or ()
        return found or ()

    def _entries(self, path: str, entries: list[Entry]) -> Meanings:
        found: list[Meaning] = []
        bound = [entry for entry in entries if isinstance(entry, Binding)]
        for entry in entries[:_MOST_ENTRIES]:
            if isinstance(entry, Symbol):
                found += self._symbol(path, entry, bound)
            elif isinstance(entry, Import):
                found += self.imported(path, entry)
            else:
                found += self.binding(path, entry)
        variable = next((entry for entry in entries if isinstance(entry, Symbol) and _stored(entry)), None)
        if variable is not None:
            found = [each.but(via=f"{path}::{variable.name}") for each in found]
        if any(one.how == GIVEN for one in bound) and len(bound) == len(entries):
            return _given(found, bound)
        return merged(values.telling(found))

    def _symbol(self, path: str, symbol: Symbol, bound: list[Binding]) -> Meanings:
        if symbol.kind in {"function", "method"}:
            return (Meaning(meaning.FUNCTION, path, symbol.name, confidence.DEFINED, "local"),)
        if symbol.kind == "class":
            return (Meaning(meaning.CLASS, path, symbol.name, confidence.DEFINED, "local"),)
        return () if bound else (Meaning(meaning.VARIABLE, path, symbol.name, confidence.DEFINED, "local"),)

    def imported(self, path: str, taken: Import) -> Meanings:
        """Return what an import makes a name mean."""
        dotted = taken.module
        if not taken.name and taken.local == dotted:
            dotted = dotted.partition(".")[0]
        module = self.modules.find(dotted, path)
        if module is None:
            return (ELSEWHERE,)
        if not taken.name:
            return (Meaning(meaning.MODULE, module.path, "", module.confidence, "import"),)
        found = self.exported(module.path, taken.name)
        if not found:
            return (NOBODY_KNOWS,)
        return tuple(each.at_most(module.confidence, _how(each, module.path)) for each in found)

    def binding(self, path: str, bound: Binding) -> Meanings:
        """Return what a binding makes a name mean."""
        if bound.how == "value" or not bound.target:
            return (NOBODY_KNOWS,)
        if bound.how in {"self", "class"}:
            kind = meaning.INSTANCE if bound.how == "self" else meaning.CLASS
            return (Meaning(kind, path, bound.target, confidence.MEMBER, "self"),)
        if bound.target == "None.()":
            return (Meaning(meaning.EXTERNAL, how="None"),)
        if bound.how in {"alias", GIVEN}:
            found = self.text(path, bound.within, bound.target) or (NOBODY_KNOWS,)
            return tuple(
                _renamed(each) if bound.how == "alias" else each.at_most(confidence.MEMBER, GIVEN) for each in found
            )
        return self._held(path, bound) if bound.how in {"mapped", "listed"} else self._declared(path, bound)

    def _held(self, path: str, bound: Binding) -> Meanings:
        """Return what a collection is of which one item is known."""
        held = self.text(path, bound.within, bound.target)
        kind = meaning.VALUES if bound.how == "mapped" else meaning.ITEMS
        sure = confidence.MEMBER if bound.key else confidence.DECLARED
        return (Meaning(kind, of=held, confidence=sure, key=bound.key),) if held else ()

    def _declared(self, path: str, bound: Binding) -> Meanings:
        """Return what an annotation makes a name mean."""
        within = bound.within
        names = self.table(path)
        target = bound.target
        if target in {"Self", "typing.Self"} and names is not None:
            held: Meanings = (Meaning(meaning.CLASS, path, names.class_around(within), confidence.DECLARED),)
        else:
            held = self.text(path, within, target)
        instances = tuple(_instance(each) for each in held) or (NOBODY_KNOWS,)
        if bound.how == "type":
            return instances
        return (
            Meaning(
                meaning.ITEMS if bound.how == "items" else meaning.VALUES, of=instances, confidence=confidence.DECLARED
            ),
        )

    def step(self, before: Meanings, part: str) -> Meanings:
        """Return what one more part of a dotted text makes of what stands before it."""
        if part[:1] == "[":
            before = values.holding(before, part)
        if len(before) == 1:
            return merged(self.one_step(before[0], part))
        found: list[Meaning] = []
        for each in before:
            found += self.one_step(each, part)
        return merged(found)

    def one_step(self, before: Meaning, part: str) -> Meanings:
        """Return what a part makes of one meaning."""
        if before.kind == meaning.UNKNOWN:
            return (before,)
        if part == "()":
            return self.called(before)
        if part[:1] == "[":
            return self.item(before, part)
        return self._attribute(before, part)

    def _attribute(self, before: Meaning, part: str) -> Meanings:
        if before.kind == meaning.MODULE:
            found = self.exported(before.path, part)
            return tuple(each.at_most(before.confidence, "module") for each in found) or (NOBODY_KNOWS,)
        if before.kind in {meaning.CLASS, meaning.INSTANCE, meaning.SUPER}:
            return tuple(
                inner for each in self.classes.member(before, part) for inner in self.classes.read(each, before)
            )
        if before.kind in {meaning.ITEMS, meaning.VALUES}:
            return _of_collection(before, part)
        return (ELSEWHERE,) if before.kind == meaning.EXTERNAL else (NOBODY_KNOWS,)

    def called(self, function: Meaning) -> Meanings:
        """Return what calling something gives."""
        if function.kind == meaning.CLASS:
            sure, given = min(function.confidence, confidence.MEMBER), function.how == GIVEN
            return (
                Meaning(
                    meaning.INSTANCE, function.path, function.name, sure, GIVEN if given else "typed", exact=not given
                ),
            )
        if function.kind == meaning.FUNCTION:
            names = self.table(function.path)
            entries = () if names is None else names.entries.get((function.name, "()"), ())
            found = [
                each for entry in entries if isinstance(entry, Binding) for each in self.binding(function.path, entry)
            ]
            sure = confidence.MEMBER if self._as_written(function) else confidence.DECLARED
            return tuple(_given_back(each, sure) for each in merged(values.telling(found))) or (NOBODY_KNOWS,)
        if function.kind == meaning.INSTANCE:
            return tuple(
                inner
                for each in self.classes.member(function, "__call__")
                if each.kind == meaning.FUNCTION
                for inner in self.called(each)
            )
        if function.kind == meaning.GIVER:
            return _taken_out(function.of)
        if function.kind == meaning.EXTERNAL:
            return (
                (ELSEWHERE,) if function.how == "plain" else (Meaning(meaning.UNKNOWN, confidence=0.0, how="external"),)
            )
        return (function,) if function.kind in {meaning.ITEMS, meaning.VALUES} else (NOBODY_KNOWS,)

    def _as_written(self, function: Meaning) -> bool:
        """Return whether a call gives what the function itself returns: no decorator or overriding method is called."""
        symbol = self.classes.symbol(function.address)
        if symbol is None or symbol.signature.startswith("@"):
            return False
        return symbol.kind == "function" or function.exact or not self.classes.is_overridden(function.address)

    def item(self, whole: Meaning, part: str) -> Meanings:
        """Return what ``x[i]``, or a loop over ``x``, gives."""
        if whole.kind == meaning.ITEMS and part == SLICE:
            return (Meaning(meaning.ITEMS, of=whole.of, confidence=min(whole.confidence, confidence.DECLARED)),)
        if whole.kind == meaning.ITEMS or (whole.kind == meaning.VALUES and part != "[*]"):
            return _taken_out(whole.of, whole.confidence if whole.key == part else confidence.DECLARED)
        if whole.kind == meaning.INSTANCE:
            method = "__iter__" if part == "[*]" else "__getitem__"
            found = [
                inner
                for each in self.classes.member(whole, method)
                if each.kind == meaning.FUNCTION
                for inner in self.called(each)
            ]
            return tuple(found) if part != "[*]" else self._iterated(found)
        return (whole,) if whole.kind == meaning.CLASS else (NOBODY_KNOWS,)

    def _iterated(self, iterators: list[Meaning]) -> Meanings:
        """Return what a loop takes from what ``__iter__`` gives."""
        held = [inner for each in iterators if each.kind == meaning.ITEMS for inner in each.of]
        found = list(_taken_out(held))
        for each in iterators:
            if each.kind == meaning.INSTANCE:
                methods = [one for one in self.classes.member(each, "__next__") if one.kind == meaning.FUNCTION]
                found += [inner for one in methods for inner in self.called(one)]
        return tuple(found)


def _is_seen(one: Binding, meant: Binding) -> bool:
    """Return whether a binding is of the same assignment as another, or puts something into what was assigned."""
    return one.line == meant.line or one.how in {"mapped", "listed"}


def _stored(symbol: Symbol) -> bool:
    return symbol.kind in {"variable", "constant", "type"}


def _taken_out(held: Iterable[Meaning], sure: float = confidence.DECLARED) -> Meanings:
    """Return what is taken out of a collection; that it holds nothing else is not certain."""
    return tuple(each.at_most(sure) for each in held)


def _given(found: list[Meaning], bound: list[Binding]) -> Meanings:
    """Return what a parameter may be: each call gives what it gives, so one makes another no less certain."""
    known = each_once(each for each in found if each.kind != meaning.UNKNOWN)
    if all(one.how in {GIVEN, "value"} for one in bound):
        return known or (NOBODY_KNOWS,)
    return merged(known)


def _given_back(each: Meaning, sure: float) -> Meaning:
    """Return what a function returns: a function or a class itself as sure as that, what is declared as a type."""
    made = each.exact or each.key or each.how == "self" or each.kind in {meaning.FUNCTION, meaning.CLASS}
    return each.at_most(sure if made else confidence.DECLARED, "typed")


def _how(each: Meaning, module: str) -> str:
    if each.how == "alias":
        return "alias"
    where = each.via.partition("::")[0] if each.via else each.path
    return "import" if where == module or each.kind == meaning.MODULE else "re-export"


def _renamed(each: Meaning) -> Meaning:
    return (
        each.at_most(confidence.RENAMED, "alias")
        if each.kind in {meaning.FUNCTION, meaning.CLASS} and each.how != "self"
        else each
    )


def _instance(held: Meaning) -> Meaning:
    if held.kind == meaning.CLASS:
        return Meaning(meaning.INSTANCE, held.path, held.name, min(held.confidence, confidence.DECLARED), "typed")
    return held if held.kind in {meaning.EXTERNAL, meaning.ITEMS, meaning.VALUES, meaning.INSTANCE} else NOBODY_KNOWS


def _of_collection(whole: Meaning, part: str) -> Meanings:
    """Return what a method of a list or a mapping gives, as a collection or one item, before it is called."""
    if part in {"values", "copy"} or (part == "items" and whole.kind == meaning.ITEMS):
        if part == "copy":
            return (whole,)
        sure = min(whole.confidence, confidence.DECLARED)
        return (Meaning(meaning.ITEMS if part == "values" else whole.kind, of=whole.of, confidence=sure),)
    if part in {"__enter__", "__aenter__", "pop", "get", "setdefault", "popleft"}:
        return (Meaning(meaning.GIVER, of=whole.of),)
    return (ELSEWHERE,)
