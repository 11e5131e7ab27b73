"""What the types of Rust's standard library give back, as far as it leads on to types of the snapshot."""

from __future__ import annotations

from bespeak_symbols.native.rust.types import Type

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
