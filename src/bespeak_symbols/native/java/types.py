"""Java types as they are written and as they are known, and what the collections of the JDK give back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bespeak_symbols.native.meaning import Type

_TOKEN = re.compile(r"@[\w.]+|[\w.$]+|[<>,&?\[\]]|\.\.\.")


@dataclass(frozen=True, slots=True)
class Written:
    """A type as written: ``Map<String, List<Item>>[]``."""

    name: str
    arguments: tuple[Written, ...] = ()
    dimensions: int = 0


def read_type(text: str) -> Written:
    """Return what a written type consists of; of a wildcard its bound, of several bounds the first."""
    stack: list[tuple[str, list[Written], int]] = [("", [], 0)]
    settled = False
    for part in _TOKEN.findall(text):
        name, arguments, dimensions = stack[-1]
        if part == "<":
            stack.append(("", [], 0))
            settled = False
        elif part in {",", ">"} and len(stack) > 1:
            stack.pop()
            stack[-1][1].append(Written(name or "?", tuple(arguments), dimensions))
            settled = part == ">"
            if part == ",":
                stack.append(("", [], 0))
        elif part in {"[", "..."}:
            stack[-1] = (name, arguments, dimensions + 1)
        elif part == "&":
            settled = True
        elif part[0] not in "@?]>," and part not in {"extends", "super"} and not settled and not name:
            stack[-1] = (part, arguments, dimensions)
    name, arguments, dimensions = stack[0]
    return Written(name, tuple(arguments), dimensions)


_ONE = frozenset(
    [
        "List",
        "ArrayList",
        "LinkedList",
        "Set",
        "HashSet",
        "LinkedHashSet",
        "TreeSet",
        "SortedSet",
        "Collection",
        "Iterable",
        "Iterator",
        "ListIterator",
        "Queue",
        "Deque",
        "ArrayDeque",
        "PriorityQueue",
        "Stack",
        "Vector",
        "Stream",
        "Optional",
        "Supplier",
        "Callable",
        "Future",
        "CompletableFuture",
        "AtomicReference",
        "ThreadLocal",
        "BlockingQueue",
        "CopyOnWriteArrayList",
        "WeakReference",
        "SoftReference",
        "Reference",
    ]
)

_TWO = frozenset(
    ["Map", "HashMap", "TreeMap", "LinkedHashMap", "ConcurrentHashMap", "ConcurrentMap", "SortedMap", "EnumMap"]
)


_ITEM = frozenset(
    [
        "get",
        "getFirst",
        "getLast",
        "remove",
        "removeFirst",
        "removeLast",
        "poll",
        "pollFirst",
        "pollLast",
        "peekFirst",
        "peekLast",
        "pop",
        "next",
        "previous",
        "orElse",
        "orElseThrow",
        "orElseGet",
        "element",
        "first",
        "last",
        "take",
        "join",
        "call",
        "set",
    ]
)


_SAME = frozenset(
    [
        "stream",
        "parallelStream",
        "filter",
        "sorted",
        "distinct",
        "limit",
        "skip",
        "iterator",
        "listIterator",
        "subList",
        "reversed",
        "findFirst",
        "findAny",
        "max",
        "min",
        "toList",
        "peek",
        "takeWhile",
        "dropWhile",
        "or",
        "descendingIterator",
    ]
)


_VALUE = frozenset(
    ["get", "getOrDefault", "put", "remove", "computeIfAbsent", "computeIfPresent", "compute", "merge", "putIfAbsent"]
)


def item_of(kind: Type) -> Type | None:
    """Return of which type the items of a collection or an array are; None if that is not known."""
    return kind.arguments[0] if kind.arguments and (kind.head == "[]" or kind.head in _ONE) else None


def library_result(kind: Type, method: str) -> Type | None:
    """Return what a method of a class of the JDK gives back; None if that is not known here."""
    found = None
    if kind.head in _ONE and kind.arguments:
        if method == "peek":
            found = kind if kind.head == "Stream" else kind.arguments[0]
        elif method in _ITEM:
            found = kind.arguments[0]
        elif method in _SAME:
            found = Type("Stream" if method.endswith("tream") else kind.head, kind.arguments)
    elif kind.head in _TWO and len(kind.arguments) > 1:
        found = _of_map(kind, method)
    elif kind.head == "Entry" and len(kind.arguments) > 1:
        found = kind.arguments[{"getKey": 0, "getValue": 1}[method]] if method in {"getKey", "getValue"} else None
    return found


def _of_map(kind: Type, method: str) -> Type | None:
    key, item = kind.arguments[:2]
    if method in _VALUE:
        return item
    whole = {"values": (item,), "keySet": (key,), "entrySet": (Type("Entry", (key, item)),)}
    return Type("Set", whole[method]) if method in whole else None
