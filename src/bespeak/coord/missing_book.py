"""Claims of a repository in whose git directory no book was made, and this process may make none.

It can be read: nothing is claimed until a process that may write makes the book.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bespeak.base.errors import UnavailableError
from bespeak.coord.schema import COORD
from bespeak.storage import open_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from tempfile import TemporaryDirectory

    from bespeak.storage.interface import Dialect, Engine, Listener, T, Transaction


class MissingBook:
    """The book at a path where there is none; see :class:`bespeak.storage.interface.Engine`.

    Args:
        path: where it would be.
    """

    dialect: Dialect = "sqlite"
    made = False
    moved_to: str | None = None

    def __init__(self, path: str) -> None:
        self.name = path
        self._empty: Engine | None = None
        self._made: Engine | None = None
        self._folder: TemporaryDirectory[str] | None = None

    def transact(self, keys: Iterable[str], work: Callable[[Transaction], T]) -> T:
        """Refuse: nothing can be written here."""
        del keys, work
        raise self._read_only()

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` on the book if it was made by now, else on one in which nothing is claimed."""
        return self._current().read(work)

    def _current(self) -> Engine:
        if self._made is None and os.path.lexists(self.name):
            self._made = open_engine(self.name, [COORD])
        if self._made is not None:
            return self._made
        if self._empty is None:
            from tempfile import TemporaryDirectory

            self._folder = TemporaryDirectory(prefix="bespeak-coord-")
            self._empty = open_engine(os.path.join(self._folder.name, "book"), [COORD], durable=False)
        return self._empty

    def listen(self, topics: Iterable[str]) -> Listener:
        """Refuse: a listener makes a file beside the book."""
        del topics
        raise self._read_only()

    def _read_only(self) -> UnavailableError:
        return UnavailableError(f"book {self.name}: {os.path.dirname(self.name)} is read-only")

    def close(self) -> None:
        """Close what was opened, and remove the empty book."""
        for engine in (self._made, self._empty):
            if engine is not None:
                engine.close()
        if self._folder is not None:
            self._folder.cleanup()
