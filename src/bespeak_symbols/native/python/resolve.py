"""The edges that start in a Python file: what each name it calls, uses, derives from or imports means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bespeak_symbols import confidence
from bespeak_symbols.model import CALL, IMPORT, INHERIT, USE, Edge
from bespeak_symbols.native import meaning
from bespeak_symbols.native.meaning import merged
from bespeak_symbols.native.python import values
from bespeak_symbols.native.python.evaluate import Evaluator
from bespeak_symbols.native.python.imports import table
from bespeak_symbols.native.python.scopes import GIVEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bespeak_symbols.model import Import, Reference, World
    from bespeak_symbols.native.meaning import Meaning

_CONSTRUCTORS = ("__new__", "__init__", "__post_init__")
_MOST_OF_A_NAME = 6
_TAKEN = {"import", "re-export", "module"}
_NO_NAME = frozenset({"(", "["})
_KINDS = {meaning.FUNCTION, meaning.CLASS}
_COMMON = frozenset(
    name
    for kind in (str, bytes, bytearray, list, dict, set, frozenset, tuple, int, float, type, BaseException)
    for name in dir(kind)
) | frozenset(
    {
        "close",
        "read",
        "write",
        "open",
        "run",
        "start",
        "stop",
        "wait",
        "send",
        "flush",
        "readline",
        "writelines",
        "seek",
    }
    | {
        "info",
        "debug",
        "warning",
        "error",
        "exception",
        "log",
        "acquire",
        "release",
        "put",
        "exists",
        "mkdir",
        "submit",
    }
    | {
        "group",
        "match",
        "search",
        "sub",
        "execute",
        "fetchone",
        "fetchall",
        "commit",
        "cancel",
        "result",
        "set",
        "fileno",
    }
    | {"is_file", "is_dir", "read_text", "write_text", "resolve", "unlink", "popleft", "appendleft", "total_seconds"}
)
"""Names of methods that so many things have that a name alone says nothing."""


def resolve(path: str, world: World) -> Iterable[Edge]:
    """Return the edges that start in a Python file."""
    facts = world.facts(path)
    if facts is None:
        return []
    maker = _Resolver(path, Evaluator(world))
    found: list[Edge] = []
    for taken in facts.imports:
        found += maker.imported(taken)
    done: dict[tuple[str, str, str, int], tuple[tuple[str, str, str, float], ...]] = {}
    for reference in facts.references:
        key = reference.text, reference.kind, reference.within, reference.bound
        if key not in done:
            done[key] = tuple((e.callee, e.kind, e.how, e.confidence) for e in maker.of(reference))
        caller = maker.address(reference.within)
        found += [Edge(caller, callee, kind, how, sure, reference.line) for callee, kind, how, sure in done[key]]
    return found


class _Resolver:
    """Makes the edges of one file."""

    def __init__(self, path: str, evaluator: Evaluator) -> None:
        self._path = path
        self._of = evaluator

    def address(self, symbol: str) -> str:
        return f"{self._path}::{symbol}" if symbol else self._path

    def imported(self, taken: Import) -> Iterator[Edge]:
        """Yield the edges of an import: to the module, and to what is taken from it."""
        caller = self.address(taken.within)
        module = self._of.modules.find(taken.module, self._path)
        if module is None:
            return
        inner = None
        if taken.name and taken.name != "*":
            for each in self._of.imported(self._path, taken):
                if each.via or each.kind in {*_KINDS, meaning.VARIABLE}:
                    sure = module.confidence if each.via else each.confidence
                    how = each.how if each.how in _TAKEN else "import"
                    yield Edge(caller, each.via or each.address, IMPORT, how, sure, taken.line)
                elif each.kind == meaning.MODULE and not each.path.endswith("/"):
                    inner = each.path
        where = inner or module.path
        if not where.endswith("/"):
            yield Edge(caller, where, IMPORT, "import", module.confidence, taken.line)

    def of(self, reference: Reference) -> Iterator[Edge]:
        """Yield the edges of one reference; their line and caller are those of the reference."""
        parts = reference.text.split(".")
        if parts[:2] == ["super", "()"]:
            parts[:2] = ["super.()"]
        before: tuple[Meaning, ...] = ()
        if parts[-1] == "[*]" and reference.kind == CALL:
            yield from self._looped(reference)
            return
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            owners: dict[str, Meaning] = {}
            if number == 0 and reference.bound >= 0:
                found = self._of.bound(self._path, reference.bound)
            elif number == 0:
                found = self._of.text(self._path, reference.within, part)
            else:
                if part[:1] == "[":
                    before = values.holding(before, part)
                members = [(one, each) for one in before for each in self._member(one, part)]
                owners = {each.address: one for one, each in reversed(members)}
                found = merged([each for _, each in members])
            if not found or (len(found) == 1 and _of_others(found[0])):
                return
            yield from self._passed(found, reference, last=last, alone=number == 0)
            if last:
                yield from self._final(before, found, part, reference, owners)
            before = tuple(inner for each in found for inner in self._read(each, before))

    def _looped(self, reference: Reference) -> Iterator[Edge]:
        """Yield the edges of a loop: to ``__iter__`` of what it is over, and to ``__next__`` of what that gives."""
        over = reference.text.removesuffix(".[*]")
        if any(each.kind == meaning.INSTANCE for each in self._of.text(self._path, reference.within, over)):
            yield from self.of(replace(reference, text=f"{over}.__iter__"))
            yield from self.of(replace(reference, text=f"{over}.__iter__.().__next__"))

    def _member(self, one: Meaning, part: str) -> tuple[Meaning, ...]:
        """Return what a part means of what stands before it, a property itself and not what it returns."""
        if one.kind in {meaning.CLASS, meaning.INSTANCE, meaning.SUPER} and part[:1] not in _NO_NAME:
            return self._of.classes.member(one, part)
        return self._of.one_step(one, part)

    def _read(self, found: Meaning, before: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
        owner = before[0] if before else values.NOBODY_KNOWS
        return self._of.classes.read(found, owner)

    def _edge(self, reference: Reference, callee: str, kind: str, how: str, confidence: float) -> Edge:
        return Edge(self.address(reference.within), callee, kind, how or "local", round(confidence, 3), reference.line)

    def _passed(self, found: Iterable[Meaning], reference: Reference, *, last: bool, alone: bool) -> Iterator[Edge]:
        """Yield the edges to what is named on the way: variables, properties, classes whose member is meant."""
        variables = {each.via for each in found}
        for each in found:
            if each.via:
                # What it holds may be anything; that it is this variable is sure if the name can be no other.
                lone = len(variables) == 1 and alone
                sure = confidence.IMPORTED if lone else min(each.confidence or confidence.DECLARED, confidence.DECLARED)
                yield self._edge(reference, each.via, USE, each.how if each.how in _TAKEN else "local", sure)
            elif each.kind == meaning.VARIABLE or (
                not last and each.kind == meaning.CLASS and each.how not in {"self", "typed"}
            ):
                yield self._edge(reference, each.address, USE, each.how, each.confidence)
            if self._of.classes.is_property(each):
                yield self._edge(reference, each.address, CALL, each.how, each.confidence)

    def _final(
        self,
        before: tuple[Meaning, ...],
        found: tuple[Meaning, ...],
        part: str,
        reference: Reference,
        owners: Mapping[str, Meaning],
    ) -> Iterator[Edge]:
        """Yield the edges to what the whole text means."""
        if part[:1] in _NO_NAME and reference.kind != CALL:
            return
        sure = list(self._known(found, part, reference, owners))
        yield from sure
        if before and reference.kind == CALL:
            known = {edge.callee for edge in sure}
            yield from (edge for edge in self._guessed(before, found, part, reference) if edge.callee not in known)

    def _known(
        self, found: tuple[Meaning, ...], part: str, reference: Reference, owners: Mapping[str, Meaning]
    ) -> Iterator[Edge]:
        for each in found:
            if each.kind == meaning.FUNCTION and not self._of.classes.is_property(each):
                yield from self._function(each, owners.get(each.address), part, reference)
            elif each.kind == meaning.CLASS and each.how != "self":
                yield self._edge(reference, each.address, reference.kind, each.how, each.confidence)
            if reference.kind == CALL:
                yield from self._made(each, reference)

    def _guessed(
        self, before: tuple[Meaning, ...], found: tuple[Meaning, ...], part: str, reference: Reference
    ) -> Iterator[Edge]:
        """Yield guesses where nothing is known of an object, or where calls in other files may give another one."""
        unknown = [one for one in before if one.kind == meaning.UNKNOWN or _lost(one, found)]
        if unknown and all(each.kind == meaning.UNKNOWN for each in found):
            yield from self._by_name(part, reference, foreign=any(one.how == "external" for one in unknown))
        elif any(one.how == GIVEN and one.kind == meaning.INSTANCE for one in before):
            yield from self._by_name(part, reference, foreign=False)

    def _function(self, each: Meaning, owner: Meaning | None, part: str, reference: Reference) -> Iterator[Edge]:
        kind = USE if reference.kind == INHERIT else reference.kind
        others: list[str] = []
        if (
            owner is not None
            and owner.kind in {meaning.INSTANCE, meaning.CLASS}
            and owner.how in {"self", "typed", "inherited", GIVEN}
        ):
            others = self._of.classes.overriding(owner, part)
        sure = min(each.confidence, confidence.REPLACEABLE) if others else each.confidence
        yield self._edge(reference, each.address, kind, each.how, sure)
        for address in others:
            if address != each.address:
                yield self._edge(reference, address, kind, "override", min(sure, confidence.OVERRIDE))

    def _made(self, each: Meaning, reference: Reference) -> Iterator[Edge]:
        """Yield the edges to what runs when a class, or an instance, is called."""
        if each.kind == meaning.CLASS:
            if each.how == "self":
                yield self._edge(reference, each.address, CALL, "self", min(each.confidence, confidence.REPLACEABLE))
            for name in _CONSTRUCTORS:
                for member in self._of.classes.member(each, name):
                    if member.kind == meaning.FUNCTION:
                        sure = min(member.confidence, each.confidence)
                        yield self._edge(reference, member.address, CALL, "constructor", sure)
        elif each.kind == meaning.INSTANCE:
            for member in self._of.classes.member(each, "__call__"):
                if member.kind == meaning.FUNCTION:
                    yield self._edge(
                        reference, member.address, CALL, member.how, min(member.confidence, confidence.DECLARED)
                    )

    def _by_name(self, name: str, reference: Reference, *, foreign: bool) -> Iterator[Edge]:
        """Yield guesses: methods of that name, if there are few and the name is not everybody's."""
        if name in _COMMON or name.startswith("__"):
            return
        addresses = self._of.world.defining(name)
        if not addresses or len(addresses) > _MOST_OF_A_NAME:
            return
        methods = [address for address in addresses if self._is_method(address)]
        sure = confidence.by_name(len(methods)) if methods else 0.0
        for address in methods:
            yield self._edge(reference, address, CALL, "name", sure / (2 if foreign else 1))

    def _is_method(self, address: str) -> bool:
        path, _, symbol = address.partition("::")
        if self._of.world.paths.get(path) != "python":
            return False
        names = table(self._of.world, path)
        return names is not None and names.kinds.get(symbol) == "method"


def _of_others(found: Meaning) -> bool:
    """Return whether it is another project's, with nothing of this one in it."""
    return found.kind == meaning.EXTERNAL and found.how != "plain" and not found.via


def _lost(one: Meaning, found: tuple[Meaning, ...]) -> bool:
    """Return whether an instance does not have what it is asked for, as far as is known."""
    return one.kind in {meaning.INSTANCE, meaning.CLASS} and all(each.kind == meaning.UNKNOWN for each in found)
