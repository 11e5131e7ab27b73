"""The edges that start in a C or C++ file: each reference, joined to the definitions it can mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak_symbols.confidence import EXACT, LIKELY, OVERRIDE, RENAMED, REPLACEABLE, UNSURE, by_name, of_way
from bespeak_symbols.model import CALL, IMPORT, USE, Edge
from bespeak_symbols.native import inheritance
from bespeak_symbols.native.block_extractor import kept
from bespeak_symbols.native.c_family.evaluate import Evaluator
from bespeak_symbols.native.c_family.imports import Files
from bespeak_symbols.native.c_family.members import line, member, own_member
from bespeak_symbols.native.meaning import CLASS, FUNCTION, OTHER, VALUE, Meaning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bespeak_symbols.model import Reference, Symbol, World

_CALLABLE = frozenset({"function", "method"})
_MOST_BY_NAME = 3
_RECORDS = frozenset({"class", "struct"})
_COMMON = frozenset(
    {
        "begin",
        "end",
        "size",
        "empty",
        "clear",
        "find",
        "insert",
        "erase",
        "push_back",
        "get",
        "set",
        "c_str",
        "str",
        "data",
        "init",
        "free",
    }
)


def resolve(path: str, world: World) -> Iterable[Edge]:
    """Return the edges that start in a file."""
    facts = world.facts(path)
    if facts is None:
        return
    joiner = _Resolver(kept(world, Files), path)
    yield from joiner.includes()
    for reference in facts.references:
        yield from joiner.edges(reference)
    yield from joiner.declarations()


def fitting(symbols: list[Symbol], arguments: int) -> list[Symbol]:
    """Return the overloads that take so many arguments; all of them if none does, or the number is not known."""
    if len(symbols) < 2 or arguments < 0:  # noqa: PLR2004 nothing to choose from
        return symbols
    return [symbol for symbol in symbols if _takes(symbol.signature, arguments)] or symbols


def _takes(signature: str, arguments: int) -> bool:
    """Tell whether the first list of parameters in a signature may be given so many arguments."""
    depth, most, least = 0, 1, 1
    begun = signature.find("(")
    end = begun
    for end in range(begun, len(signature) if begun >= 0 else begun):
        letter = signature[end]
        if letter in "([{<":
            depth += 1
        elif letter in ")]}>":
            depth -= 1
            if not depth:
                break
        elif depth == 1 and letter == ",":
            most, least = most + 1, least + 1
        elif depth == 1 and letter == "=":
            least -= 1
    if signature[begun + 1 : end] in {"", "void"}:
        return arguments == 0
    if "..." in signature[begun:end]:
        return arguments >= least - 1
    return least <= arguments <= most


class _Resolver:
    """Joins the references of one file."""

    def __init__(self, files: Files, path: str) -> None:
        self.files = files
        self.path = path
        self.evaluator = Evaluator(files, path)
        self._definitions: dict[tuple[str, str, int], tuple[tuple[str, float], ...]] = {}
        self._arguments = -1

    def includes(self) -> Iterator[Edge]:
        """Yield an edge to each file that is included."""
        for taken in self.files.table(self.path).imports:
            if taken.module[:1] in {'"', "<"}:
                target = self.files.include(self.path, taken.module)
                if target is not None and target != self.path:
                    yield Edge(self.path, target, IMPORT, "include", EXACT, taken.line)

    def declarations(self) -> Iterator[Edge]:
        """Yield an edge from each function to its declaration in another file: that binds it."""
        for symbols in self.files.table(self.path).symbols.values():
            symbol = symbols[0]
            if symbol.kind not in {"function", "method"} or not symbol.body or symbol.signature.startswith("static "):
                continue
            for path, name in self.files.named(symbol.name.rpartition(".")[2]):
                if path != self.path and (name == symbol.name or name.endswith("." + symbol.name)):
                    declared = self.files.symbols(path, name)
                    if declared and not declared[0].body and path in self.files.closure(self.path):
                        yield Edge(
                            f"{self.path}::{symbol.name}",
                            f"{path}::{name}",
                            USE,
                            "declaration",
                            of_way("declaration"),
                            symbol.first_line,
                        )

    def edges(self, reference: Reference) -> Iterator[Edge]:
        """Yield the edges of one reference."""
        caller = f"{self.path}::{reference.within}" if reference.within else self.path
        targets = dict.fromkeys(self._targets(reference))
        makes = any(how in {"alias", "constructor"} for _, how, _ in targets)
        for callee, how, sure in targets:
            kind = self._kind(callee, makes=makes) if reference.kind == CALL else reference.kind
            if callee != caller or kind == CALL:
                yield Edge(caller, callee, kind, how, round(min(sure, of_way(how)), 2), reference.line)

    def _kind(self, callee: str, *, makes: bool) -> str:
        """Return what a call of something is: of a type that is no class it is a conversion."""
        path, _, name = callee.partition("::")
        kinds = {symbol.kind for symbol in self.files.symbols(path, name)}
        if kinds & _CALLABLE or "macro" in kinds:
            return CALL
        if kinds & {"class", "struct"}:
            return CALL if self.evaluator.plus_plus else USE
        return CALL if makes and "type" in kinds else USE

    def _targets(self, reference: Reference) -> Iterator[tuple[str, str, float]]:
        text = reference.text
        self._arguments = reference.arguments
        making = text.startswith("new.")
        text = text.removeprefix("new.") if making else text
        found = self.evaluator.expression(text, reference.within, reference.bound)
        if not found:
            yield from self._unseen(reference, text)
            return
        share = 1.0 if len(found) == 1 else UNSURE
        for meaning in found[:8]:
            yield from self._of(meaning, reference, share, making=making)

    def _of(
        self, meaning: Meaning, reference: Reference, share: float, *, making: bool
    ) -> Iterator[tuple[str, str, float]]:
        sure = min(share, meaning.confidence)
        if meaning.kind == FUNCTION:
            pointer = reference.bound >= 0 and "." not in reference.text
            yield from self._function(meaning, min(sure, UNSURE) if pointer else sure, calls=reference.kind == CALL)
        elif meaning.kind == CLASS:
            yield meaning.address, meaning.how, sure
            if reference.kind == CALL:
                yield from self._constructor(meaning, sure)
        elif meaning.kind == VALUE:
            yield from self._value(meaning, reference, sure, making=making)
        else:
            if meaning.kind == OTHER and self._by_chance(meaning):
                sure = min(sure, REPLACEABLE)
            yield meaning.address, meaning.how, sure
            if meaning.kind == OTHER:
                yield from self._behind(meaning, reference, sure)

    def _by_chance(self, meaning: Meaning) -> bool:
        """Tell whether a macro is defined on one side of a condition only: else the name means something else."""
        bindings = self.files.table(meaning.path).bindings.get(meaning.name, ())
        symbols = self.files.symbols(meaning.path, meaning.name)
        return len(symbols) == 1 and any(binding.how == "value" for binding in bindings)

    def _behind(self, meaning: Meaning, reference: Reference, sure: float) -> Iterator[tuple[str, str, float]]:
        """Yield what another name stands for: a macro for one function, a type for a class that is made."""
        if reference.kind != CALL:
            return
        for owner in self.evaluator.at(meaning.path).classes(meaning.name, ""):
            yield owner.address, "alias", sure
            yield from self._constructor(owner, sure)
        for binding in self.files.table(meaning.path).bindings.get(meaning.name, ()):
            if binding.how == "alias" and self.files.symbols(meaning.path, meaning.name)[0].kind == "macro":
                for behind in self.evaluator.name(binding.target, ""):
                    if behind.kind == FUNCTION:
                        yield from (
                            (callee, "alias", min(sure, rate)) for callee, _, rate in self._function(behind, sure)
                        )

    def _value(
        self, meaning: Meaning, reference: Reference, sure: float, *, making: bool
    ) -> Iterator[tuple[str, str, float]]:
        last = reference.text.rpartition(".")[2]
        if reference.kind == USE:
            yield from self._variable(last, meaning, sure)
        elif reference.kind == CALL and meaning.name and not meaning.name.endswith("*"):
            for owner in self.evaluator.classes_of(meaning):
                if making:
                    yield owner.address, "constructor", sure
                    yield from self._constructor(owner, sure)
                else:
                    for called in member(self.evaluator, owner, "operator()"):
                        yield from self._function(called, sure)

    def _variable(self, last: str, meaning: Meaning, sure: float) -> Iterator[tuple[str, str, float]]:
        """Yield a variable: where it was seen with its value, or the only one that can be linked."""
        path, _, name = meaning.via.partition("::")
        if not name:
            return
        if self.files.symbols(path, name):
            yield meaning.via, meaning.how, sure
            return
        shared = [
            place
            for place in self.files.named(last)
            if place[1] == name and not self.files.symbols(*place)[0].signature.startswith("static ")
        ]
        for place in shared[:_MOST_BY_NAME]:
            yield "::".join(place), "linked", min(sure, RENAMED) if len(shared) == 1 else UNSURE

    # Functions.

    def _function(self, meaning: Meaning, sure: float, *, calls: bool = True) -> Iterator[tuple[str, str, float]]:
        for callee, rate in self.definitions(meaning):
            yield callee, meaning.how, min(sure, rate)
        if calls and not meaning.exact and meaning.how in {"typed", "this", "member", "inherited"}:
            yield from ((callee, "override", OVERRIDE) for callee in self._overrides(meaning))

    def definitions(self, meaning: Meaning) -> tuple[tuple[str, float], ...]:
        """Return the definitions of a function that was found, with how sure each is; else its declaration."""
        key = (meaning.path, meaning.name, self._arguments)
        known = self._definitions.get(key)
        if known is None:
            known = self._definitions[key] = tuple(self._linked(meaning))
        return known

    def _linked(self, meaning: Meaning) -> Iterator[tuple[str, float]]:
        here = fitting(self.files.symbols(meaning.path, meaning.name), self._arguments)
        bare = [symbol for symbol in here if not symbol.body]
        if not bare or any(symbol.signature.startswith("static ") for symbol in bare if symbol.kind == "function"):
            yield meaning.address, 1.0
            return
        if len(bare) < len(here):
            yield meaning.address, UNSURE
        found = [place for place in self._bodies(meaning.name) if place[0] != meaning.path]
        near = [place for place in found if meaning.path in self.files.closure(place[0])]
        chosen = near or found
        sure = RENAMED if len(chosen) == 1 and len(bare) == len(here) else UNSURE
        for path, name in chosen[:8]:
            yield f"{path}::{name}", sure
        if not chosen:
            yield meaning.address, 1.0

    def _bodies(self, qualified: str) -> list[tuple[str, str]]:
        """Return where a function that other files can call has its body."""
        exact: list[tuple[str, str]] = []
        inner: list[tuple[str, str]] = []
        for path, name in self.files.named(qualified.rpartition(".")[2]):
            same = name == qualified
            if not same and ("." not in name or not qualified.endswith("." + name)):
                continue
            symbols = self.files.symbols(path, name)
            if not any(symbol.kind in _CALLABLE and symbol.body for symbol in symbols):
                continue
            if symbols[0].kind == "method" or not symbols[0].signature.startswith("static "):
                (exact if same else inner).append((path, name))
        return exact or inner

    def _constructor(self, owner: Meaning, sure: float) -> Iterator[tuple[str, str, float]]:
        last = owner.name.rpartition(".")[2]
        made = own_member(self.evaluator.at(owner.path), owner, last)
        for meaning in made:
            if meaning.kind == FUNCTION:
                yield from ((callee, "constructor", min(sure, rate)) for callee, rate in self.definitions(meaning))

    def _overrides(self, meaning: Meaning) -> Iterator[str]:
        """Yield methods of subclasses that may be what is called."""
        owner, _, last = meaning.name.rpartition(".")
        declared = self.files.symbols(meaning.path, meaning.name)
        virtual = any("virtual " in symbol.signature or "override" in symbol.signature for symbol in declared)

        def replaces(place: tuple[str, str]) -> bool:
            path, name = place
            other = name.rpartition(".")[0]
            if name == meaning.name:
                return False
            kinds = {symbol.kind for symbol in self.files.symbols(path, other)}
            derived = Meaning(CLASS, path, other)
            return bool(kinds & _RECORDS) and any(each.name == owner for each in line(self.evaluator, derived))

        places = self.files.named(last) if owner and virtual else ()
        for path, name in inheritance.overriding((meaning.path, meaning.name), places, replaces):
            yield from (callee for callee, _ in self.definitions(Meaning(FUNCTION, path, name)))

    # What nothing in sight declares.

    def _unseen(self, reference: Reference, text: str) -> Iterator[tuple[str, str, float]]:
        """Yield the few functions that fit by name alone."""
        if reference.kind != CALL:
            return
        last = text.rpartition(".")[2]
        if last.startswith("operator"):
            return
        if "." not in text:
            places = self._bodies(last)
            wanted = [place for place in places if "." not in place[1]]
            sure = LIKELY if len(wanted) == 1 else by_name(len(wanted) or 1)
        else:
            wanted = [
                place
                for place in self.files.named(last)
                if any(symbol.kind == "method" for symbol in self.files.symbols(*place))
            ]
            sure = by_name(len(wanted) or 1)
        if len(wanted) <= _MOST_BY_NAME and last not in _COMMON:
            for path, name in wanted:
                yield from (
                    (callee, "name", min(sure, rate))
                    for callee, rate in self.definitions(Meaning(FUNCTION, path, name))
                )
