"""Worlds made of texts: what a resolver sees of a snapshot, without git and without a cache."""

from __future__ import annotations

from bespeak_symbols.native import registry


class World:
    """The files of a snapshot, given as text by path."""

    def __init__(self, files):
        self._files = {path: text if isinstance(text, bytes) else text.encode() for path, text in sorted(files.items())}
        self.paths = {path: registry.language_of(path) for path in self._files if registry.language_of(path)}
        self._facts = {}
        self.memo = {}

    def facts(self, path):
        if path not in self._facts:
            language = self.paths.get(path)
            known = registry.load(language).extract(self._files[path], path) if language else None
            self._facts[path] = known
        return self._facts[path]

    def defining(self, name):
        found = {
            f"{path}::{symbol.name}"
            for path in self.paths
            for symbol in self.facts(path).symbols
            if symbol.name.rpartition(".")[2] == name
        }
        return tuple(sorted(found))

    def text(self, path):
        return self._files.get(path)

    def edges(self, path):
        """Return the edges that start in a file, in order."""
        found = set(registry.load(self.paths[path]).resolve(path, self))
        return sorted(found, key=lambda edge: (edge.caller, edge.line, edge.callee, edge.kind, edge.how))

    def symbols(self):
        """Return all addresses that an edge may have at its ends."""
        return {*self.paths, *(f"{path}::{symbol.name}" for path in self.paths for symbol in self.facts(path).symbols)}
