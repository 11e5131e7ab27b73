"""What a backend offers: one way to turn sources into symbols and edges.

A backend is a package of this one (``native`` reads with tree-sitter) whose module ``registry`` has the functions of
:class:`Backend`. The index, the cache and the call graph know languages only through it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bespeak_symbols.model import Edge, Facts, World

DEFAULT = "native"


class Backend(Protocol):
    """One way to turn sources into symbols and edges."""

    @property
    def NAME(self) -> str:  # noqa: N802 -- a constant of the module
        """The name of the backend's package."""

    def language_of(self, path: str) -> str | None:
        """Return the language of a file by its name; None if the backend cannot read it."""

    def language_by_name(self, path: str) -> str | None:
        """Return the language of a file that is read by name alone; None for all others."""

    def has_separate_declarations(self, language: str) -> bool:
        """Return whether a definition depends on a declaration of its name in another file."""

    def version(self, language: str) -> str:
        """Return a word that changes when the backend may read the language differently."""

    def extract(self, language: str, source: bytes, path: str) -> Facts:
        """Return what a file says. Any bytes are accepted; ``path`` only tells dialects apart.

        Raises:
            GrammarsMissingError: the grammars are not installed.
        """

    def resolve(self, language: str, path: str, world: World) -> Iterable[Edge]:
        """Return the edges that start in a file."""


def load(name: str = DEFAULT) -> Backend:
    """Return a backend by its name."""
    backend: Backend = import_module(f"bespeak_symbols.{name}.registry")
    return backend
