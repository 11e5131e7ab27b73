"""One generic name -> thing registry, for backends, controllers and sources of labs.

Every extension point of bespeak behaves alike: a name is registered once, an unknown name is refused with the
list of the known ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class Registry(Generic[T]):
    """Things by name.

    Args:
        kind: what the things are, for messages (``"reservation backend"``).
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def register(self, name: str, thing: T) -> None:
        """Make ``thing`` known as ``name``; the last registration of a name wins.

        Raises:
            ValueError: the name is empty.
        """
        if not name:
            raise ValueError(f"the name of a {self.kind} must not be empty")
        self._things[name] = thing

    def get(self, name: str) -> T | None:
        """Return the thing registered as ``name``, or None."""
        return self._things.get(name)

    def names(self) -> list[str]:
        """Return the registered names, sorted."""
        return sorted(self._things)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())
