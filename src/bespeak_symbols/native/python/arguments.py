"""What the calls of one file give to the parameters of its functions.

A parameter without an annotation says nothing of itself, but ``run(work)`` says that ``job`` of ``def run(job)`` may be
``work``. Only calls are followed whose function is in sight: by its name, another name for it, a method of an object
that was made here, or a parameter that was given it. Calls in other files are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bespeak_symbols.model import Binding
from bespeak_symbols.native.python import expressions
from bespeak_symbols.native.python.scopes import GIVEN, Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from bespeak_symbols.model import Symbol
    from bespeak_symbols.native.python.scopes import Parameters, Scope, State

_NAMES = frozenset({"identifier", "attribute", "call"})
_SPLATS = frozenset({"list_splat", "dictionary_splat"})
_MOST_ROUNDS = 4
_MOST_GIVEN = 12
_MOST_MEANINGS = 6
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class _Callee:
    """Something that a text means: a ``function``, a ``class`` or an ``instance``, and whether it stands behind one."""

    kind: str
    name: str
    behind: str = ""


def note(state: State, function: str, given: Iterable[Node], scope: Scope) -> None:
    """Note a call if what it gives has names."""
    listed = tuple(given)
    if any(_value(one).type in _NAMES for one in listed) and not function.startswith(expressions.UNKNOWN):
        state.calls.append(Call(function, listed, scope))


def _value(given: Node) -> Node:
    value = given.child_by_field_name("value") if given.type == "keyword_argument" else given
    return given if value is None else value


class Arguments:
    """Finds which function each call of a file means, and binds its parameters."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._symbols: dict[str, Symbol] = {}
        for symbol in state.symbols:
            self._symbols.setdefault(symbol.name, symbol)
        self._bound: dict[str, list[Binding]] = {}
        for bound in state.bindings:
            self._bound.setdefault(bound.name, []).append(bound)
        self._last = {name.rpartition(".")[2] for name in (*self._symbols, *self._bound)}
        self._done: set[tuple[str, str, str]] = set()
        self._by_parameter = False

    def bind(self) -> None:
        """Bind the parameters of the functions that the file calls; then again of those that parameters call."""
        left = [call for call in self._state.calls if self._may_be_here(call.function)]
        for _ in range(_MOST_ROUNDS):
            before = len(self._done)
            again = []
            for call in left:
                self._by_parameter = False
                for callee in self._meant(call.function, call.scope.name, 0):
                    self._give(call, callee)
                if self._by_parameter:
                    again.append(call)
            if len(self._done) == before:
                return
            left = again

    def _may_be_here(self, function: str) -> bool:
        """Return whether the file has something of the last name of what is called."""
        last = function.removesuffix(".()").rpartition(".")[2]
        return last in self._last or last[:1] in {"(", "["}

    def _give(self, call: Call, callee: _Callee) -> None:
        if callee.kind == "class":
            made = self._member(callee.name, "__init__", 0)
            callee = _Callee("function", "" if made is None else made.name, "instance")
        known = self._state.parameters.get(callee.name)
        if callee.kind != "function" or known is None or not known.open:
            return
        for name, value in _matched(call, known, callee.behind):
            if name in known.open:
                texts = [value] if isinstance(value, str) else expressions.alternatives(value, call.scope.known)
                for text in texts:
                    self._given(f"{callee.name}.{name}", known.open[name], text, call.scope)

    def _given(self, parameter: str, line: int, text: str, scope: Scope) -> None:
        key = parameter, text, scope.name
        bound = self._bound.setdefault(parameter, [])
        if key in self._done or len(bound) > _MOST_GIVEN or f"{scope.name}.{text}" == parameter:
            return
        if text.startswith(expressions.UNKNOWN) or text in expressions.PLAIN:
            return
        self._done.add(key)
        bound.append(Binding(parameter, text, GIVEN, line, within=scope.name))
        self._state.bindings.append(bound[-1])

    def _meant(self, text: str, scope: str, depth: int) -> list[_Callee]:
        """Return the functions, classes and instances of this file that a text may mean."""
        if depth > _DEEPEST:
            return []
        head, *rest = text.split(".")
        found = self._looked_up(head, scope, depth)
        for part in rest:
            found = [inner for one in found for inner in self._part(one, part, depth)][:_MOST_MEANINGS]
        return found

    def _looked_up(self, head: str, scope: str, depth: int) -> list[_Callee]:
        if head not in self._last:
            return []
        place = scope
        while True:
            name = f"{place}.{head}" if place else head
            if name in self._bound or name in self._symbols:
                return self._named(name, depth)
            if not place:
                return []
            place = place.rpartition(".")[0]
            while place and self._kind(place) == "class":
                place = place.rpartition(".")[0]

    def _kind(self, name: str) -> str:
        symbol = self._symbols.get(name)
        return "" if symbol is None else symbol.kind

    def _named(self, name: str, depth: int) -> list[_Callee]:
        """Return what a qualified name of this file means."""
        kind = self._kind(name)
        if kind in {"function", "method", "class"}:
            return [_Callee("class" if kind == "class" else "function", name)]
        found: list[_Callee] = []
        self._by_parameter = self._by_parameter or self._is_open(name)
        for bound in self._bound.get(name, ())[:_MOST_GIVEN]:
            if bound.how in {"self", "class"}:
                found.append(_Callee("instance" if bound.how == "self" else "class", bound.target))
            elif bound.how in {"alias", GIVEN} and bound.target:
                found += self._meant(bound.target, bound.within, depth + 1)
        return found[:_MOST_MEANINGS]

    def _is_open(self, name: str) -> bool:
        function, _, parameter = name.rpartition(".")
        known = self._state.parameters.get(function)
        return known is not None and parameter in known.open

    def _part(self, one: _Callee, part: str, depth: int) -> list[_Callee]:
        if part == "()":
            if one.kind == "class":
                return [_Callee("instance", one.name)]
            return self._named(f"{one.name}.()", depth + 1) if one.kind == "function" else []
        if one.kind == "function":
            return []
        member = self._member(one.name, part, depth)
        return [] if member is None else [_Callee(member.kind, member.name, one.kind)]

    def _member(self, owner: str, name: str, depth: int) -> _Callee | None:
        """Return a method of a class or of its bases in this file; None if it has none."""
        if depth > _DEEPEST:
            return None
        kind = self._kind(f"{owner}.{name}")
        if kind in {"function", "method", "class"}:
            return _Callee("class" if kind == "class" else "function", f"{owner}.{name}")
        symbol = self._symbols.get(owner)
        for base in () if symbol is None else symbol.bases:
            for above in self._meant(base, owner.rpartition(".")[0], depth + 1):
                found = self._member(above.name, name, depth + 1) if above.kind == "class" else None
                if found is not None:
                    return found
        return None


def _matched(call: Call, known: Parameters, behind: str) -> Iterator[tuple[str, Node | str]]:
    """Yield the parameters that a call gives something, and what."""
    hidden = known.receiver == "class" or (known.receiver == "self" and behind == "instance")
    names = known.positional[1:] if hidden else known.positional
    place = 0
    for given in call.given:
        if isinstance(given, str):
            yield from ((name, given) for name in names[:1])
        elif given.type in _SPLATS:
            place = len(names)
        elif given.type == "keyword_argument":
            name = given.child_by_field_name("name")
            if name is not None:
                yield expressions.name_of(name), _value(given)
        elif given.type != "comment":
            if place < len(names):
                yield names[place], given
            place += 1
