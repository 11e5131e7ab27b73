"""Importing init modules from the very bytes that were compared with the record of trust.

Whoever can write a module file could put another one there between the comparison and the import, so the import does
not read sources again. An extension module can only be loaded from its file; it is compared once more right before.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import TYPE_CHECKING

from bespeak.settings.trust import read_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, ModuleType

    from bespeak.settings.trust import Contents


@contextmanager
def importing(contents: Contents) -> Iterator[None]:
    """Import modules whose files are among ``contents`` from there; all others as usual."""
    finder = _Finder(contents)
    at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(at, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or spec.origin not in self._contents:
            return spec
        raw = self._contents[spec.origin]
        if raw is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(name, spec.origin, raw)
        elif raw is None or read_all([spec.origin])[spec.origin] != raw:
            raise ImportError("it changed after it was compared with what is trusted", name=name, path=spec.origin)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, raw: bytes) -> None:
        super().__init__(name, path)
        self._raw = raw

    def get_data(self, path: str) -> bytes:
        return self._raw if path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._raw, self.get_filename(fullname))
