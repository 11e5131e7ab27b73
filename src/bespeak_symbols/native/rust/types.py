"""Rust types as they are written and as they are known, and what the standard library's own give back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bespeak_symbols.native.meaning import Type

_TOKEN = re.compile(r"'\w+|::|->|\w+|[<>,+&*\[\](){};=!?]|\S")
_SKIPPED = frozenset({"&", "*", "mut", "const", "?", "for"})
_DEEPEST = 12
POINTERS = frozenset(
    {"Box", "Rc", "Arc", "Ref", "RefMut", "MutexGuard", "RwLockReadGuard", "RwLockWriteGuard", "Cow", "Pin"}
    | {"LazyLock", "Lazy", "LazyCell", "ManuallyDrop"}
)
_OF_POINTERS = frozenset({"clone", "as_ref", "as_mut", "into_inner", "downgrade", "get_mut"})
_MAPS = frozenset({"HashMap", "BTreeMap", "IndexMap", "FxHashMap"})
_LISTS = frozenset({"Vec", "VecDeque", "HashSet", "BTreeSet", "IndexSet", "FxHashSet", "BinaryHeap", "SmallVec", "[]"})
_ITERATED = frozenset({"iter", "iter_mut", "into_iter", "drain"})
_MAYBE_ITEM = frozenset(
    {"first", "last", "get", "get_mut", "pop", "first_mut", "last_mut", "front", "back", "front_mut", "back_mut"}
    | {"pop_front", "pop_back", "next", "next_back", "peek", "find", "nth", "max_by_key", "min_by_key", "max", "min"}
    | {"reduce", "max_by", "min_by"}
)
_ON = frozenset(
    {"filter", "skip", "take", "rev", "peekable", "chain", "inspect", "by_ref", "cloned", "copied", "skip_while"}
    | {"take_while", "step_by", "fuse", "cycle"}
)
_HELD = frozenset({"unwrap", "expect", "unwrap_or", "unwrap_or_else", "unwrap_or_default", "get_or_insert_with"})
_STILL = frozenset(
    {"as_ref", "as_mut", "as_deref", "as_deref_mut", "cloned", "copied", "take", "replace", "or", "or_else", "filter"}
    | {"map_err", "context", "with_context", "inspect", "inspect_err", "inspect_some"}
)
OF_EVERYBODY = frozenset(
    {"new", "clone", "into", "from", "len", "iter", "next", "get", "insert", "push", "fmt", "eq", "as_ref", "as_str"}
    | {"to_string", "is_empty", "contains", "map", "unwrap", "default", "hash", "cmp", "write", "read", "remove"}
    | {"expect", "collect", "extend", "pop", "join", "split", "take", "min", "max", "find", "first", "last", "and_then"}
    | {"borrow", "lock", "send", "to_owned", "to_vec", "trim", "filter", "any", "all", "count", "sum", "parse", "drop"}
)
"""Names that the standard library's own types have too, so that they tell nothing."""
_ALIKE = frozenset({"clone", "to_owned"})
_LOCKS = {"lock": "MutexGuard", "read": "RwLockReadGuard", "write": "RwLockWriteGuard"}


@dataclass(frozen=True, slots=True)
class Written:
    """A type as written.

    Args:
        name: its path with ``::``; ``dyn`` for a trait's object, ``impl`` or bounds, ``()`` for a tuple, ``[]`` for a
            slice or an array; empty if it is none of these.
        arguments: its type arguments, bounds, parts or items.
    """

    name: str
    arguments: tuple[Written, ...] = ()


NONE = Written("")


def read_type(text: str) -> Written:
    """Return what a written type consists of."""
    return _Reader(_TOKEN.findall(text)).one(0)


def read_bounds(text: str) -> tuple[Written, ...]:
    """Return the traits of ``A + B``."""
    return _Reader(_TOKEN.findall(text)).bounds(0)


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def one(self, depth: int) -> Written:
        """Read one type; those that are nested too deep are not told."""
        while self.peek() in _SKIPPED or self.peek().startswith("'"):
            self.next()
        word = self.peek()
        if depth > _DEEPEST or not word:
            self.at = len(self.tokens)
            return NONE
        if word in {"dyn", "impl"}:
            self.next()
            return Written("dyn", self.bounds(depth))
        if word == "(":
            self.next()
            return Written("()", self.several(")", depth))
        if word == "[":
            self.next()
            item = self.one(depth + 1)
            self.skip("]")
            return Written("[]", (item,))
        if word == "<":
            return self.qualified(depth)
        return self.path(depth)

    def qualified(self, depth: int) -> Written:
        """Read ``<Type as Trait>::Name``: it is the name in the type."""
        self.next()
        first = self.one(depth + 1)
        self.skip(">")
        name = first.name
        while self.peek() == "::":
            self.next()
            name += "::" + self.next()
        return Written(name if first.name else "")

    def path(self, depth: int) -> Written:
        name = ""
        arguments: tuple[Written, ...] = ()
        while self.at < len(self.tokens):
            word = self.peek()
            if word == "::" or (word.isidentifier() and word != "as"):
                name += self.next()
            elif word == "<":
                self.next()
                arguments = self.several(">", depth)
            elif word == "(" and name.rpartition("::")[2] in {"Fn", "FnMut", "FnOnce", "fn"}:
                self.next()
                self.several(")", depth)
                self.result(depth)
            else:
                break
        return Written(name.removesuffix("::"), arguments)

    def result(self, depth: int) -> None:
        if self.peek() == "->":
            self.next()
            self.one(depth + 1)

    def several(self, end: str, depth: int) -> tuple[Written, ...]:
        """Read types up to a bracket; what is named (``Item = X``) and lifetimes are left out."""
        found: list[Written] = []
        while self.at < len(self.tokens) and self.peek() != end:
            if self.peek() == "," or self.peek().startswith("'"):
                self.next()
                continue
            before = self.at
            one = self.one(depth + 1)
            if self.peek() == "=":
                self.next()
                one = Written("=" + one.name, (self.one(depth + 1),))
            found.append(one)
            if self.at == before:
                self.next()
        self.next()
        return tuple(found)

    def bounds(self, depth: int) -> tuple[Written, ...]:
        found = []
        while self.at < len(self.tokens):
            one = self.one(depth + 1)
            if one.name:
                found.append(one)
            if self.peek() != "+":
                break
            self.next()
        return tuple(found)

    def skip(self, end: str) -> None:
        """Go on behind the bracket that ends here."""
        open_ones = 0
        pairs = {"]": "[", ">": "<"}
        while self.at < len(self.tokens):
            token = self.next()
            if token == pairs[end]:
                open_ones += 1
            elif token == end:
                if not open_ones:
                    return
                open_ones -= 1


def pointee(kind: Type, method: str = "") -> Type | None:
    """Return what a pointer points to if a method is looked for there; None if it is no pointer, or has the method."""
    if kind.head in POINTERS and kind.arguments and method not in _OF_POINTERS:
        return kind.arguments[-1] if kind.head == "Cow" else kind.arguments[0]
    return None


def held(kind: Type) -> Type | None:
    """Return what ``?`` and ``Some(...)`` take out of something."""
    return kind.arguments[0] if kind.head in {"Option", "Result"} and kind.arguments else None


def item_of(kind: Type) -> Type | None:
    """Return of which type the items of a collection are, as ``for`` and closures get them."""
    while (inner := pointee(kind)) is not None:
        kind = inner
    if kind.head in _MAPS and len(kind.arguments) > 1:
        return Type("()", kind.arguments[:2])
    if kind.head in _LISTS or kind.head in {"Iter", "Option", "Result", "Iterator"}:
        return kind.arguments[0] if kind.arguments else None
    return None


def indexed(kind: Type) -> Type | None:
    """Return of which type ``x[...]`` is."""
    while (inner := pointee(kind)) is not None:
        kind = inner
    if kind.head in _MAPS and len(kind.arguments) > 1:
        return kind.arguments[1]
    return kind.arguments[0] if kind.head in _LISTS and kind.arguments else None


def result_of(kind: Type, method: str) -> Type | None:
    """Return what a method of a type of the standard library gives back; None if that is not known here."""
    if method in _ALIKE:
        return kind
    if method in {"as_ref", "as_mut"} and kind.head in POINTERS and kind.arguments:
        return kind.arguments[0]
    found = None
    if kind.head in _MAPS and len(kind.arguments) > 1:
        found = _of_map(kind.arguments[0], kind.arguments[1], method)
    elif not kind.arguments:
        found = None
    elif kind.head in {"Option", "Result"}:
        found = _of_option(kind, method)
    elif kind.head in _LISTS or kind.head == "Iter":
        found = _of_list(kind, method)
    elif kind.head == "Entry" and method in {"or_insert", "or_insert_with", "or_default"}:
        found = kind.arguments[-1]
    else:
        found = _of_cell(kind, method)
    return found


def _of_cell(kind: Type, method: str) -> Type | None:
    if kind.head in {"Mutex", "RwLock"} and method in _LOCKS:
        return Type("Result", (Type(_LOCKS[method], kind.arguments),))
    if kind.head in {"RefCell", "Cell"} and method in {"borrow", "borrow_mut", "get", "take"}:
        return Type("Ref", kind.arguments)
    return Type("Option", (Type("Rc", kind.arguments),)) if kind.head == "Weak" and method == "upgrade" else None


def _of_option(kind: Type, method: str) -> Type | None:
    if method in _HELD:
        return kind.arguments[0]
    if method in _STILL:
        return kind
    if method in {"ok", "ok_or", "ok_or_else"}:
        return Type("Option" if method == "ok" else "Result", kind.arguments[:1])
    return Type("Iter", kind.arguments[:1]) if method in _ITERATED else None


def _of_list(kind: Type, method: str) -> Type | None:
    item = kind.arguments[0]
    if method in _ITERATED or (method in _ON and kind.head == "Iter"):
        return Type("Iter", (item,))
    if method in _MAYBE_ITEM:
        return Type("Option", (item,))
    if method == "enumerate":
        return Type("Iter", (Type("()", (Type("usize"), item)),))
    return Type("[]", (item,)) if method in {"as_slice", "to_vec", "as_mut_slice"} else None


def _of_map(key: Type, item: Type, method: str) -> Type | None:
    if method in {"get", "get_mut", "remove", "insert"}:
        return Type("Option", (item,))
    if method in {"values", "values_mut", "into_values"}:
        return Type("Iter", (item,))
    if method in {"keys", "into_keys"}:
        return Type("Iter", (key,))
    if method in _ITERATED:
        return Type("Iter", (Type("()", (key, item)),))
    return Type("Entry", (key, item)) if method == "entry" else None
