"""What a chain of names means: it is followed part by part, through bindings, members and imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import UNSURE
from bespeak_symbols.native.javascript.imports import VALUES
from bespeak_symbols.native.javascript.members import CLASSES, above, distinct, is_getter, member
from bespeak_symbols.native.javascript.scopes import LOCALS
from bespeak_symbols.native.meaning import BOUND, EXTERNAL, GIVER, INSTANCE, ITEMS, KEEPER, MODULE, SYMBOL, Meaning

if TYPE_CHECKING:
    from bespeak_symbols.model import Binding, Import
    from bespeak_symbols.native.javascript.imports import Table, Tables

_ITEM = frozenset({"find", "findLast", "at", "pop", "shift", "get"})
_SAME = frozenset({"filter", "slice", "sort", "reverse", "concat", "values", "toSorted", "toReversed", "splice"})
_MOST_STEPS = 600
_DEEPEST = 24
_LONGEST_WAY = 60
"""Files through which a name may be passed on."""
_MOST_BINDINGS = 40


class Evaluator:
    """Follows chains. One is made for each chain that is asked for: it gives up after so many steps.

    Args:
        tables: of the snapshot.
    """

    __slots__ = ("_cut", "_depth", "_open", "_steps", "tables")

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._steps = 0
        self._depth = 0
        self._cut = False
        self._open: dict[tuple[str, str], list[Meaning]] = {}

    def _enough(self) -> bool:
        """Count a step; tell whether it is one too many. What is found then is not kept: it depends on the way."""
        self._steps += 1
        enough = self._steps > _MOST_STEPS or self._depth > _DEEPEST
        self._cut = self._cut or enough
        return enough

    def follow(self, path: str, root: str, parts: list[str]) -> list[list[Meaning]]:
        """Return what each beginning of a chain means: first that of its first part, last that of all of it."""
        if self._enough():
            return [[]]
        self._depth += 1
        try:
            found = [self._first(path, root, parts[0])]
            for part in parts[1:]:
                found.append(distinct([after for one in found[-1] for after in self.step(one, part)]))
                if len(found) == 2:  # noqa: PLR2004 a member of what the first part stands for
                    found[1] = self._given_to(path, f"{root}.{part}", found[1])
                if not found[-1]:
                    break
        finally:
            self._depth -= 1
        return found

    def _given_to(self, path: str, name: str, found: list[Meaning]) -> list[Meaning]:
        """Add what a member of a variable was made to be: it may be that, or what it was before."""
        table = self.tables.of(path)
        if LOCALS not in name or table is None or name not in table.bindings:
            return found
        return [one.at_most(UNSURE) for one in distinct([*found, *self.bound(path, name)])]

    def means(self, path: str, root: str, parts: list[str]) -> list[Meaning]:
        """Return what a chain means; nothing if that is not known."""
        found = self.follow(path, root, parts)
        return found[-1] if len(found) == len(parts) else []

    def _first(self, path: str, root: str, part: str) -> list[Meaning]:
        table = self.tables.of(path)
        if table is None or not root:
            return []
        if part == "this":
            known = table.symbols.get(root)
            kind = INSTANCE if known is not None and known.kind in CLASSES else SYMBOL
            return [Meaning(kind, path, root, how="self")]
        if part == "super":
            return [base.but(kind=INSTANCE if base.kind == SYMBOL else base.kind) for base in above(self, path, root)]
        return self.entity(path, root)

    def entity(self, path: str, key: str) -> list[Meaning]:
        """Return what a name of a file stands for."""
        table = self.tables.of(path)
        if table is None:
            return []
        taken = table.imports.get(key)
        if taken is not None:
            return self.imported(path, taken)
        if key in table.symbols or (key in table.holders and key not in table.bindings):
            return [Meaning(SYMBOL, path, key, how="local")]
        return self.bound(path, key)

    def bound(self, path: str, key: str) -> list[Meaning]:
        """Return what a name is bound to; unsure if it is bound to more than one thing, or to something unknown.

        A name that is bound to what it makes of itself (``sum = sum.plus(1)``) is what is known of it until then.
        """
        if (path, key) in self._open:
            self._cut = True
            return self._open[path, key]
        table = self.tables.of(path)
        found: list[Meaning] = []
        self._open[path, key] = found
        bindings = table.bindings.get(key, []) if table is not None else []
        unknown = len(bindings) > _MOST_BINDINGS
        for binding in bindings[:_MOST_BINDINGS]:
            targets = self._target(path, binding)
            unknown = unknown or not targets
            found[:] = distinct([*found, *targets])
        del self._open[path, key]
        return [one.at_most(UNSURE) for one in found] if unknown or len(found) > 1 else found

    def _target(self, path: str, binding: Binding) -> list[Meaning]:
        if not binding.target:
            return []
        parts = binding.target.split(".")
        if binding.how == "result":
            parts.append("()")
        found = self.means(path, binding.root, parts)
        if binding.how in {"type", "items"}:
            made = [each for one in found for held in self.held(one) for each in self._of_type(held)]
            sort = INSTANCE if binding.how == "type" else ITEMS
            return [one.but(kind=sort) if one.kind == INSTANCE else one for one in made]
        return [one.but(how="alias") if one.kind == SYMBOL and one.how == "local" else one for one in found]

    def _of_type(self, found: Meaning) -> list[Meaning]:
        """Return what has a type: an instance; of a type that is another's name, what that has."""
        table = self.tables.of(found.path)
        if found.kind != SYMBOL or table is None:
            return [found]
        known = table.symbols.get(found.name)
        other = self.bound(found.path, found.name) if known is not None and known.kind == "type" else []
        named = [one.at_most(found.confidence) for one in other]
        return named or [found.but(kind=INSTANCE, how="typed")]

    def held(self, found: Meaning) -> list[Meaning]:
        """Return what a constant holds, if that is known; anything else is itself."""
        if found.kind != SYMBOL:
            return [found]
        table = self.tables.of(found.path)
        known = table.symbols.get(found.name) if table is not None else None
        if known is None or known.kind not in VALUES or table is None or found.name not in table.bindings:
            return [found]
        inside = self.bound(found.path, found.name)
        return [one.at_most(found.confidence) for one in inside] or [found]

    def holding(self, found: Meaning) -> list[Meaning]:
        """Return the symbols that a constant leads to, through others that only hold them too; without itself."""
        waiting, seen, reached = [found], {(found.path, found.name)}, []
        while waiting and len(seen) < _DEEPEST:
            for one in self.held(waiting.pop()):
                if one.kind == SYMBOL and (one.path, one.name) not in seen:
                    seen.add((one.path, one.name))
                    waiting.append(one.but(how="alias" if one.how == "local" else one.how))
                    reached.append(waiting[-1])
        return reached

    def imported(self, path: str, taken: Import) -> list[Meaning]:
        """Return what an import brings."""
        target = self.tables.project.find(path, taken.module)
        if target is None:
            return [Meaning(EXTERNAL)]
        if not taken.name:
            return [Meaning(MODULE, target, how="module")]
        found = self.whole(target) if taken.name == "module.exports" else self.given(target, taken.name)
        return [one.but(how="import") if one.how in {"local", "alias"} else one for one in found]

    def whole(self, path: str) -> list[Meaning]:
        """Return what ``require`` of a file gives."""
        table = self.tables.of(path)
        if table is None:
            return []
        found = self.bound(path, "module.exports") if "module.exports" in table.bindings else []
        if not found and "exports" in table.holders:
            found = [Meaning(SYMBOL, path, "exports", how="import")]
        return found or [Meaning(MODULE, path, how="module")]

    def given(self, path: str, name: str, seen: frozenset[tuple[str, str]] = frozenset()) -> list[Meaning]:
        """Return what others take from a file under a name."""
        if (path, name) in seen:
            return []
        kept = self.tables.taken.get((path, name)) if not seen else None
        if isinstance(kept, tuple):
            return list(kept)
        if self._enough():
            return []
        found = self._given(path, name, seen | {(path, name)})
        if not seen and not self._cut:
            self.tables.taken[path, name] = tuple(found)
        return found

    def _given(self, path: str, name: str, seen: frozenset[tuple[str, str]]) -> list[Meaning]:
        table = self.tables.of(path)
        if table is None or len(seen) > _LONGEST_WAY:
            return []
        passed = table.passed.get(name)
        if passed is not None:
            return self._passed(path, passed, seen)
        if "export." + name in table.bindings:
            return self._listed(path, "export." + name)
        if name in table.exports:
            return self.entity(path, name)
        if "module.exports" in table.bindings or "exports" in table.holders:
            return self._older(path, name)
        return self._starred(path, table, name, seen)

    def _passed(self, path: str, passed: Import, seen: frozenset[tuple[str, str]]) -> list[Meaning]:
        """Return what a file takes from another only to give it on."""
        target = self.tables.project.find(path, passed.module)
        if target is None:
            return [Meaning(EXTERNAL)]
        found = self.given(target, passed.name, seen) if passed.name else [Meaning(MODULE, target, how="module")]
        return [one.but(how="re-export") if one.kind == SYMBOL else one for one in found]

    def _listed(self, path: str, name: str) -> list[Meaning]:
        """Return what ``export {a as b}`` gives: what ``a`` is, by any way but that it has another name here."""
        return [one.but(how="local") if one.how == "alias" else one for one in self.bound(path, name)]

    def _older(self, path: str, name: str) -> list[Meaning]:
        """Return a member of what an older module gives as a whole."""
        whole = self.whole(path)
        if name == "default":
            return whole
        return distinct([after for one in whole for after in self.step(one, name) if one.kind != MODULE])

    def _starred(self, path: str, table: Table, name: str, seen: frozenset[tuple[str, str]]) -> list[Meaning]:
        if name == "default":
            return []
        outside: list[Meaning] = []
        for star in table.stars:
            target = self.tables.project.find(path, star.module)
            if target is None:
                outside = [Meaning(EXTERNAL)]
                continue
            found = self.given(target, name, seen)
            if found and found[0].kind != EXTERNAL:
                return [one.but(how="re-export") if one.kind == SYMBOL else one for one in found]
        return outside

    def step(self, found: Meaning, part: str) -> list[Meaning]:
        """Return what a part of something is."""
        if found.kind == EXTERNAL:
            return [found]
        if self._enough():
            return []
        self._depth += 1
        try:
            return self._step(found, part)
        finally:
            self._depth -= 1

    def _step(self, found: Meaning, part: str) -> list[Meaning]:
        sort = found.kind
        if sort == MODULE:
            return self._of_module(found, part)
        if sort == SYMBOL:
            return self._of_symbol(found, part)
        if sort == INSTANCE:
            if part == "constructor":
                return [found.but(kind=SYMBOL)]
            return [] if part in {"()", "[]"} else member(self, found, part)
        if part == "()":
            after = {GIVER: INSTANCE, KEEPER: ITEMS, BOUND: SYMBOL}.get(sort)
        elif sort == ITEMS:
            after = INSTANCE if part == "[]" else GIVER if part in _ITEM else KEEPER if part in _SAME else None
        else:
            after = None
        return [found.but(kind=after)] if after is not None else []

    def _of_module(self, found: Meaning, part: str) -> list[Meaning]:
        if part == "()":
            return []
        given = self.given(found.path, part)
        if not given and part == "default":
            return self.whole(found.path)
        return [one.but(how="module") if one.how in {"local", "import"} else one for one in given]

    def _of_symbol(self, found: Meaning, part: str) -> list[Meaning]:
        table = self.tables.of(found.path)
        known = table.symbols.get(found.name) if table is not None else None
        kind = known.kind if known is not None else "constant"
        if part == "prototype":
            return [found]
        if known is not None and is_getter(known):
            return [after for one in self._called(found, kind) for after in self.step(one, part)]
        if kind in {"function", "method"} and part in {"call", "apply", "bind"}:
            return [found.but(kind=BOUND)] if part == "bind" else [found]
        if part == "()":
            return self._called(found, kind)
        if part == "[]":
            return [after for one in self.inside(found) for after in self.step(one, part)]
        return member(self, found, part)

    def inside(self, found: Meaning) -> list[Meaning]:
        """Return what a constant holds, but never the constant itself."""
        return [one for one in self.held(found) if (one.kind, one.path, one.name) != (SYMBOL, found.path, found.name)]

    def _called(self, found: Meaning, kind: str) -> list[Meaning]:
        """Return what calling a symbol gives."""
        if kind in CLASSES:
            return [found.but(kind=INSTANCE, how="typed")]
        if kind in VALUES:
            return [after for one in self.inside(found) for after in self.step(one, "()")]
        table = self.tables.of(found.path)
        if table is not None and found.name + ".()" in table.bindings:
            given = self.bound(found.path, found.name + ".()")
            return [one.but(confidence=min(one.confidence, found.confidence), how="typed") for one in given]
        if table is not None and kind == "function" and found.name in table.holders:
            return [found.but(kind=INSTANCE, how="typed")]
        return []
