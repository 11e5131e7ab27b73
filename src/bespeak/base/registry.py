"""One generic name -> thing registry, for backends, controllers and sources of labs.

Every extension point of bespeak behaves alike: a name is registered once, what is shipped is loaded when it is asked
for, what an installed package brings along (as an entry point) is looked for when nobody else knows the name, and an
unknown name is refused with the list of the known ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bespeak.base.display import escape_unprintable, short_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")


class Registry(Generic[T]):
    """Things by name.

    Args:
        kind: what the things are, for messages (``"reservation backend"``).
        shipped: where bespeak's own things are, by name: ``package.module:attribute``.
        group: the group of entry points in which packages declare theirs; empty for none.
    """

    def __init__(self, kind: str, shipped: Mapping[str, str] | None = None, group: str = "") -> None:
        self.kind = kind
        self.group = group
        self.shipped = dict(shipped or {})
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
        """Return the thing registered as ``name``, else the shipped one, else None."""
        found = self._things.get(name)
        if found is not None or name not in self.shipped:
            return found
        from importlib import import_module

        module, _, attribute = self.shipped[name].partition(":")
        own: T = getattr(import_module(module), attribute)
        return own

    def installed(self) -> dict[str, Any]:
        """Return the entry points of the group by name; none of them is loaded."""
        if not self.group:
            return {}
        from importlib.metadata import entry_points

        return {point.name: point for point in entry_points(group=self.group)}

    def load_installed(self, name: str, register: Callable[[Any], None]) -> T | None:
        """Return what an installed package brings along under ``name``; None if none does.

        Args:
            name: the name.
            register: registers what the entry point names, or raises if it is something else.

        Raises:
            ValueError: it cannot be loaded; the message names the package.
        """
        point = self.installed().get(name)
        if point is None:
            return None
        try:
            register(point.load())
        except Exception as error:
            raise ValueError(
                f"the {self.kind} {short_repr(name)} of package {getattr(point.dist, 'name', '?')} cannot be loaded: "
                f"{type(error).__name__}: {escape_unprintable(str(error))}"
            ) from error
        return self._things.get(name)

    def names(self) -> list[str]:
        """Return the names of what is registered or shipped, sorted."""
        return sorted({*self._things, *self.shipped})

    def unknown(self, name: object, hint: str) -> str:
        """Return what is said about a name that nobody knows.

        Args:
            name: the name.
            hint: how a thing is added, a sentence.
        """
        known = ", ".join(escape_unprintable(each) for each in sorted({*self.names(), *self.installed()}))
        things = self.kind.rpartition(" ")[2] + "s"
        return f"Unknown {self.kind} {short_repr(name)}. Registered {things}: {known}. {hint}"

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())
