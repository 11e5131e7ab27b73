"""Names of packages and methods of classes that are loaded on their first use, so that importing one costs nothing."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def on_first_use(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its ``__name__``.
        homes: in which of its modules each of its names is.
    """

    def load(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = f"{package}.{home}"
        __import__(module)  # importlib would have to be loaded first, which short commands never do
        value: object = getattr(sys.modules[module], name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names


class LaterModule:
    """Stands for a module whose functions become methods of a class: ``reserve = grant.reserve``.

    Args:
        name: of the module.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, function: str) -> LaterMethod:
        return LaterMethod(self._name, function)


class LaterMethod:
    """A method whose module is loaded when the method is first looked at; the class has the function itself then.

    Args:
        module: the name of the module.
        function: its name there.
    """

    def __init__(self, module: str, function: str) -> None:
        self._module = module
        self._function = function

    def __set_name__(self, owner: type, name: str) -> None:
        self._place = owner, name

    def __get__(self, instance: object, owner: type) -> object:
        __import__(self._module)
        function = getattr(sys.modules[self._module], self._function)
        setattr(*self._place, function)
        return function.__get__(instance, owner)
