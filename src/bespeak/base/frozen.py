"""Frozen slotted value classes that cost nothing to start with.

``dataclasses`` writes source code for each class and compiles it in every process, and imports ``inspect`` for it: on
the start-up path of a command that is more than the command itself. The classes made here behave like
``@dataclass(frozen=True, slots=True)`` in what the project uses (fields with annotations, defaults, ``field``,
equality, hashing, ``repr``, ``replace``, ``copy`` and ``pickle``), through methods that all of them share. Type
checkers are told that they are dataclasses, which is what they check.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import field as field  # noqa: PLC0414 exported
    from dataclasses import replace as replace  # noqa: PLC0414 exported
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True, field_specifiers=(field,))
    def frozen(cls: type[T]) -> type[T]:
        """Make a frozen, slotted value class of the annotated fields of ``cls``."""

else:

    def frozen(cls: type) -> type:
        """Make a frozen, slotted value class of the annotated fields of ``cls``."""
        body = dict(cls.__dict__)
        names = tuple(body.get("__annotations__", ()))
        defaults = {name: body.pop(name) for name in names if name in body}
        body.pop("__dict__", None)
        body.pop("__weakref__", None)
        for name, method in _METHODS.items():
            if name not in body:
                body[name] = method
        body |= {"__slots__": names, "__match_args__": names, "_defaults_": defaults}
        made = type(cls)(cls.__name__, cls.__bases__, body)
        made.__qualname__ = cls.__qualname__
        made._setters_ = tuple(made.__dict__[name].__set__ for name in names)
        return made

    def field(*, default_factory: Callable[[], object]) -> _Factory:
        """Return the default of a field that is made anew for each value."""
        return _Factory(default_factory)

    def replace(of: Any, /, **changes: object) -> Any:
        """Return a copy of a value with some fields changed."""
        # By place, not by name: that is several times faster, and what is left in changes is refused.
        names = type(of).__slots__
        return type(of)(*[changes.pop(name) if name in changes else getattr(of, name) for name in names], **changes)


class _Factory:
    __slots__ = ("make",)

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make


_assign = object.__setattr__


def _init(self: Any, *given: object, **named: object) -> None:
    kind = type(self)
    names = kind.__slots__
    if len(given) > len(names):
        raise TypeError(f"{kind.__name__}() takes {len(names)} fields, but {len(given)} were given")
    for assign, item in zip(kind._setters_, given, strict=False):
        assign(self, item)
    if len(given) == len(names) and not named:
        return
    missing = []
    for name in names[len(given) :]:
        if name in named:
            _assign(self, name, named.pop(name))
        elif name in kind._defaults_:
            default = kind._defaults_[name]
            _assign(self, name, default.make() if isinstance(default, _Factory) else default)
        else:
            missing.append(name)
    if missing or named:
        raise TypeError(f"{kind.__name__}(): missing {missing}, unknown or repeated {sorted(named)}")


def _fields(of: Any) -> tuple[object, ...]:
    return tuple(getattr(of, name) for name in type(of).__slots__)


def _equal(self: Any, other: object) -> bool:
    return _fields(self) == _fields(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_fields(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__slots__)
    return f"{type(self).__qualname__}({shown})"


def _frozen(self: Any, name: str, *item: object) -> None:  # noqa: ARG001 the shape of two methods
    raise AttributeError(f"{type(self).__name__} is a value: its field {name!r} cannot be changed")


def _reduce(self: Any) -> tuple[object, ...]:
    return type(self), _fields(self)


_METHODS = {
    "__init__": _init,
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _frozen,
    "__delattr__": _frozen,
    "__reduce__": _reduce,
}
