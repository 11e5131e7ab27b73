"""What a Rust path means: through modules, ``use``, globs and re-exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols.native.rust.imports import Module, outward

if TYPE_CHECKING:
    from bespeak_symbols.model import Import
    from bespeak_symbols.native.rust.imports import Modules, Table

_MOST_STEPS = 60


@dataclass(frozen=True, slots=True)
class Item:
    """What a path leads to.

    Args:
        address: of it.
        kind: as of a symbol; ``module``.
        module: the module, if it is one.
        rest: the parts behind it, which are no path any more: of a type its methods, of a constant its fields.
    """

    address: str
    kind: str
    module: Module | None = None
    rest: tuple[str, ...] = ()

    def then(self, rest: list[str]) -> Item:
        """Return it with what stands behind it."""
        return Item(self.address, self.kind, self.module, tuple(rest)) if rest else self


class Paths:
    """Answers what paths mean, for one snapshot."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self._found: dict[tuple[Module, str, str, Module], Item | None] = {}

    def find(self, parts: list[str], path: str, within: str, space: str) -> Item | None:
        """Return what a path means at some place.

        Args:
            parts: of the path.
            path: of the file.
            within: the symbol in which it is written.
            space: the name space of the last part: ``type``, ``frozen`` or ``macro``.
        """
        return self._find(parts, path, within, space, set())

    def _find(
        self, parts: list[str], path: str, within: str, space: str, seen: set[tuple[Module, str, str]]
    ) -> Item | None:
        table = self.modules.table(path)
        if table is None or not parts or len(seen) > _MOST_STEPS:
            return None
        here = Module(path, table.module_of(within))
        at, item = self._begin(parts, table, here, within, space, seen)
        while item is not None and at < len(parts):
            if item.module is not None:
                last = at + 1 == len(parts)
                item = self._in(item.module, parts[at], space if last else "type", here, seen, at + 1 < len(parts))
                at += 1
            elif item.kind == "enum" and self.variant(item, parts[at]) is not None:
                item = self.variant(item, parts[at])
                at += 1
            else:
                return item.then(parts[at:])
        return item

    def _begin(
        self,
        parts: list[str],
        table: Table,
        here: Module,
        within: str,
        space: str,
        seen: set[tuple[Module, str, str]],
    ) -> tuple[int, Item | None]:
        first = parts[0]
        module: Module | None = None
        if first in {"crate", "$crate"}:
            module = self.modules.root(here)
        elif first == "super":
            above = self.modules.parent(here)
            at = 1
            while at < len(parts) and parts[at] == "super" and above is not None:
                above = self.modules.parent(above)
                at += 1
            return at, _of_module(above)
        elif first == "self":
            module = here
        if module is not None:
            return 1, _of_module(module)
        if first == "":
            return 2, _of_module(self.modules.crate(parts[1], here.path)) if len(parts) > 1 else None
        more = len(parts) > 1
        item = self._around(first, table, here, within, "type" if more else space, seen)
        if item is None and more:
            item = self._around(first, table, here, within, "value", seen)
        return 1, item or _of_module(self.modules.crate(first, here.path))

    def _around(
        self,
        name: str,
        table: Table,
        here: Module,
        within: str,
        space: str,
        seen: set[tuple[Module, str, str]],
    ) -> Item | None:
        """Look in the functions around a place, then in its module."""
        for around in outward(within):
            if around == here.prefix:
                break
            inner = Module(here.path, around)
            if table.has(around, "function") or table.has(around, "method"):
                found = self._in(inner, name, space, inner, seen, False) if (inner, name, space) not in seen else None
                if found is not None:
                    return found
        return self._in(here, name, space, here, seen, False)

    def _in(
        self, module: Module, name: str, space: str, asking: Module, seen: set[tuple[Module, str, str]], more: bool
    ) -> Item | None:
        """Return what a name means in a module.

        Args:
            module: where to look.
            name: what to look for.
            space: in which name space.
            asking: the module that wants to know: it sees what is private only in what is around it.
            seen: what is being looked for already.
            more: the path goes on behind the name.
        """
        key = (module, name, space)
        known = (module, name, space, asking)
        if known in self._found:
            return self._found[known]
        if key in seen or len(seen) > _MOST_STEPS:
            return None
        seen = seen | {key}
        found = self._declared(module, name, space, seen) or self._by_glob(module, name, space, asking, seen)
        if found is None and more and space == "type":
            found = self._in(module, name, "value", asking, seen, False)
        if len(seen) == 1:
            self._found[known] = found
        return found

    def _declared(self, module: Module, name: str, space: str, seen: set[tuple[Module, str, str]]) -> Item | None:
        table = self.modules.table(module.path)
        if table is None:
            return None
        full = f"{module.prefix}.{name}" if module.prefix else name
        symbol = table.named(full, space)
        if symbol is not None:
            inner = Module(module.path, full) if symbol.kind == "module" else None
            return Item(f"{module.path}::{full}", symbol.kind, inner)
        if space == "type":
            child = self.modules.child(module, name)
            if child is not None:
                return _of_module(child)
        for one in table.imports.get((module.prefix, name), ()):
            found = self._imported(one, module.path, space, seen)
            if found is not None and not found.rest:
                return found
        return None

    def _imported(self, one: Import, path: str, space: str, seen: set[tuple[Module, str, str]]) -> Item | None:
        parts = [*one.module.split("::"), one.name] if one.name else one.module.split("::")
        if len(parts) == 1 and parts[0] == one.local:
            return _of_module(self.modules.crate(parts[0], path))
        return self._find(parts, path, one.within, space, seen)

    def _by_glob(
        self, module: Module, name: str, space: str, asking: Module, seen: set[tuple[Module, str, str]]
    ) -> Item | None:
        table = self.modules.table(module.path)
        globs = table.globs.get(module.prefix, []) if table is not None else []
        for one in globs:
            if not one.exported and asking != module and not self._inside(asking, module):
                continue
            source = self._find(one.module.split("::"), module.path, one.within, "type", seen)
            if source is None or source.rest:
                continue
            if source.module is not None:
                found = self._in(source.module, name, space, asking, seen, False)
            else:
                found = self.variant(source, name) if source.kind == "enum" and space == "value" else None
            if found is not None:
                return found
        return None

    def _inside(self, module: Module, around: Module) -> bool:
        above: Module | None = module
        for _ in range(_MOST_STEPS):
            if above is None or above == around:
                return above == around
            above = self.modules.parent(above)
        return False

    def variant(self, item: Item, name: str) -> Item | None:
        """Return a variant of an enum."""
        path, _, full = item.address.partition("::")
        table = self.modules.table(path)
        if table is not None and table.has(f"{full}.{name}", "constant"):
            return Item(f"{item.address}.{name}", "constant")
        return None


def _of_module(module: Module | None) -> Item | None:
    return None if module is None else Item(module.address, "module", module)
