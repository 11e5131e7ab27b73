"""Values as JSON and back, by the annotations that they have already.

A value becomes the plain JSON of its fields: a frozen class or a dataclass an object, an enum its value, a sequence or
a set an array. What comes back is read by the annotation of the field or argument that it is for, strictly: JSON of
another process is data of a stranger. Only annotations made of values can be read; a union has to be of plain types,
or of one type and None.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Read = Callable[[Any, str], Any]

_PLAIN: dict[str, type] = {"int": int, "str": str, "bool": bool, "float": float, "None": type(None)}
_SEQUENCES = {
    "list": list, "set": set, "frozenset": frozenset,
    "Iterable": tuple, "Sequence": tuple, "Collection": tuple, "Iterator": tuple,
}  # fmt: skip
_MAPPINGS = ("dict", "Mapping")
_SHOWN = 60


class DecodeError(ValueError):
    """What was sent is not what its place is for."""


def encode(value: Any) -> Any:
    """Return a value as JSON can say it.

    Raises:
        TypeError: it is of no kind that can be read back.
    """
    kind = type(value)
    if value is None or kind in (str, int, bool, float):
        return value
    if kind in (tuple, list):
        return [encode(each) for each in value]
    if kind in (set, frozenset):
        return sorted(encode(each) for each in value)
    return _encoded_object(value, kind)


def _encoded_object(value: Any, kind: type) -> Any:
    fields = fields_of(kind)
    if fields is not None:
        return {name: encode(getattr(value, name)) for name in fields}
    if kind is dict:
        return {str(key): encode(each) for key, each in value.items()}
    if hasattr(kind, "__members__"):
        return value.value
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{kind.__name__} cannot be sent")


def fields_of(kind: type) -> tuple[str, ...] | None:
    """Return the names of the fields of a frozen class, a dataclass or a named tuple; None for another class."""
    if hasattr(kind, "_setters_"):
        return tuple(kind.__slots__)  # type: ignore[attr-defined]
    fields = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "_fields", None)
    return None if fields is None else tuple(fields)


class Codec:
    """Reads values by annotations.

    Args:
        modules: where the classes that annotations name are, by name: ``package.module``. A name that stands for a
            union of plain types has that union as its text instead, after an equals sign: ``=str | int``.
        lenient: for answers: pass over fields that the class does not have, which a newer program says in addition,
            and take 0 and 1 for a truth value.
    """

    def __init__(self, modules: Mapping[str, str], *, lenient: bool) -> None:
        self._modules = modules
        self._lenient = lenient
        self._known: dict[str, Read] = {}

    def decode(self, annotation: str, found: Any, place: str) -> Any:
        """Return the value that ``found`` stands for.

        Args:
            annotation: as it stands in the source.
            found: parsed JSON.
            place: what it is for, for messages.

        Raises:
            DecodeError: it is not of this kind.
            LookupError: the annotation is of no kind that can be read.
        """
        return self._reader(annotation)(found, place)

    def _reader(self, annotation: str) -> Read:
        known = self._known.get(annotation)
        if known is None:
            known = self._known[annotation] = self._compiled(annotation.strip())
        return known

    def _compiled(self, text: str) -> Read:
        parts = _split(text, "|")
        if len(parts) > 1:
            return self._union([part for part in parts if part != "None"], with_none="None" in parts)
        if text == "bool" and self._lenient:
            return _truth
        if text in _PLAIN:
            return _plain((_PLAIN[text],))
        if text == "object":
            return lambda found, _: found
        outer, bracket, inner = text.partition("[")
        if bracket and inner.endswith("]"):
            return self._generic(outer, inner[:-1])
        where = self._modules.get(text)
        if where is None:
            raise LookupError(f"no value of this name can be sent: {text}")
        return self._reader(where[1:]) if where.startswith("=") else self._class(text, where)

    def _union(self, parts: list[str], *, with_none: bool) -> Read:
        if all(part in _PLAIN for part in parts):
            kinds = tuple(_PLAIN[part] for part in parts)
            return _plain((*kinds, type(None)) if with_none else kinds)
        if len(parts) != 1:
            raise LookupError(f"a union of several classes cannot be read: {' | '.join(parts)}")
        read = self._reader(parts[0])
        return lambda found, place: None if found is None else read(found, place)

    def _generic(self, outer: str, inner: str) -> Read:
        parts = _split(inner, ",")
        if outer in _MAPPINGS:
            return _mapping(self._reader(parts[1]))
        if outer == "tuple" and parts[-1] != "...":
            return _fixed([self._reader(part) for part in parts])
        if outer == "tuple" or outer in _SEQUENCES:
            return _sequence(tuple if outer == "tuple" else _SEQUENCES[outer], self._reader(parts[0]))
        raise LookupError(f"no value of this kind can be sent: {outer}[...]")

    def _class(self, name: str, module: str) -> Read:
        kind: Any = getattr(import_module(module), name)
        if hasattr(kind, "__members__"):
            return _enum(kind)
        fields = fields_of(kind)
        if fields is None:
            raise LookupError(f"{name} is no class of values")
        readers: dict[str, Read] = {}
        annotations = kind.__annotations__

        def read(found: Any, place: str) -> Any:
            if type(found) is not dict:
                raise _wrong(found, place, f"the fields of a {name}")
            if not self._lenient and (more := found.keys() - annotations.keys()):
                raise DecodeError(f"{place}: {name} has no field {min(more)!a:.{_SHOWN}}")
            for key in fields:
                if key not in readers:
                    text = annotations[key]
                    readers[key] = self._reader(getattr(text, "__forward_arg__", text))
            given = {key: readers[key](found[key], f"{place}.{key}") for key in fields if key in found}
            try:
                return kind(**given)
            except TypeError as error:
                raise DecodeError(f"{place}: {error}") from None

        return read


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator outside of brackets."""
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == separator and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    return [part for part in (*parts, text[start:].strip()) if part]


def _plain(kinds: tuple[type, ...]) -> Read:
    allowed = (*kinds, int) if float in kinds and int not in kinds else kinds

    def read(found: Any, place: str) -> Any:
        if type(found) not in allowed:
            raise _wrong(found, place, " or ".join(kind.__name__ for kind in kinds))
        return found

    return read


def _truth(found: Any, place: str) -> bool:
    """Read what a database has as 0 or 1, too."""
    if found not in (0, 1):
        raise _wrong(found, place, "bool")
    return bool(found)


def _mapping(read_value: Read) -> Read:
    def read(found: Any, place: str) -> Any:
        if type(found) is not dict:
            raise _wrong(found, place, "an object")
        return {key: read_value(each, f"{place}.{key!a:.{_SHOWN}}") for key, each in found.items()}

    return read


def _sequence(make: Callable[[Any], Any], read_item: Read) -> Read:
    def read(found: Any, place: str) -> Any:
        if type(found) is not list:
            raise _wrong(found, place, "an array")
        return make([read_item(each, place) for each in found])

    return read


def _fixed(readers: list[Read]) -> Read:
    def read(found: Any, place: str) -> Any:
        if type(found) is not list or len(found) != len(readers):
            raise _wrong(found, place, f"an array of {len(readers)}")
        return tuple(read_item(each, place) for read_item, each in zip(readers, found, strict=True))

    return read


def _enum(kind: Any) -> Read:
    def read(found: Any, place: str) -> Any:
        try:
            return kind(found)
        except ValueError:
            raise _wrong(found, place, f"a {kind.__name__}") from None

    return read


def _wrong(found: Any, place: str, wanted: str) -> DecodeError:
    return DecodeError(f"{place}: {found!a:.{_SHOWN}} is not {wanted}")
