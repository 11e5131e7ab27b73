"""The facts of one Rust file, by name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bespeak_symbols.model import Binding, Facts, Import, Symbol

TYPES = frozenset({"struct", "enum", "trait", "type"})
_KINDS = {
    "type": TYPES | {"module"},
    "value": frozenset({"function", "constant", "variable", "struct"}),
    "macro": frozenset({"macro"}),
}


class Table:
    """The facts of one file, by name."""

    __slots__ = ("bindings", "facts", "globs", "impls", "imports", "modules", "path", "symbols")

    def __init__(self, path: str, facts: Facts) -> None:
        self.path = path
        self.facts = facts
        self.symbols: dict[str, list[Symbol]] = {}
        self.bindings: dict[str, list[Binding]] = {}
        self.imports: dict[tuple[str, str], list[Import]] = {}
        self.globs: dict[str, list[Import]] = {}
        self.modules: dict[tuple[str, str], str] = {}
        self.impls: list[Binding] = []
        for symbol in facts.symbols:
            self.symbols.setdefault(symbol.name, []).append(symbol)
        for binding in facts.bindings:
            if binding.how == "impl":
                self.impls.append(binding)
            else:
                self.bindings.setdefault(binding.name, []).append(binding)
        for one in facts.imports:
            if one.module.startswith("mod "):
                self.modules.setdefault((one.within, one.local), one.module.removeprefix("mod "))
            elif one.local == "*":
                self.globs.setdefault(one.within, []).append(one)
            else:
                self.imports.setdefault((one.within, one.local), []).append(one)

    def bound(self, name: str, how: str) -> list[str]:
        """Return what a name is bound to in one way, in the order of the source."""
        return [binding.target for binding in self.bindings.get(name, ()) if binding.how == how]

    def has(self, name: str, kind: str) -> bool:
        """Return whether there is a symbol of a name and a kind."""
        return any(symbol.kind == kind for symbol in self.symbols.get(name, ()))

    def named(self, name: str, space: str) -> Symbol | None:
        """Return the symbol of a name in a name space: ``type``, ``value`` or ``macro``."""
        kinds = _KINDS[space]
        return next((symbol for symbol in self.symbols.get(name, ()) if symbol.kind in kinds), None)

    def module_of(self, within: str) -> str:
        """Return the inline module in which something stands; empty for the file's own."""
        return next((around for around in outward(within) if self.has(around, "module")), "")


def outward(within: str) -> Iterator[str]:
    """Yield a qualified name and all around it, innermost first."""
    while within:
        yield within
        within = within.rpartition(".")[0]
