"""A snapshot of sources given as text: enough of one for the language modules to resolve names in."""

from __future__ import annotations

from textwrap import dedent

from bespeak_symbols.native import registry


class Sources:
    """Some files as a resolver sees them.

    Args:
        files: text or bytes by path; text is dedented.
    """

    def __init__(self, files):
        self._bytes = {path: dedent(text).encode() if isinstance(text, str) else text for path, text in files.items()}
        languages = {path: registry.language_of(path) for path in sorted(self._bytes)}
        self.paths = {path: language for path, language in languages.items() if language is not None}
        self.memo = {}
        self._facts = {path: registry.load(self.paths[path]).extract(self._bytes[path], path) for path in self.paths}

    def facts(self, path):
        """Return what a file says."""
        return self._facts.get(path)

    def defining(self, name):
        """Return the addresses of all symbols with this last name."""
        found = {
            f"{path}::{symbol.name}"
            for path, facts in self._facts.items()
            for symbol in facts.symbols
            if symbol.name.rpartition(".")[2] == name
        }
        return tuple(sorted(found))

    def text(self, path):
        """Return the bytes of a file."""
        return self._bytes.get(path)

    def symbol(self, address):
        """Return the first symbol at an address."""
        path, _, name = address.partition("::")
        return next(symbol for symbol in self._facts[path].symbols if symbol.name == name)

    def names(self, path, kind=None):
        """Return the names of a file's symbols, in order."""
        return [symbol.name for symbol in self._facts[path].symbols if kind in (None, symbol.kind)]

    def edges(self, path):
        """Return all edges that start in a file."""
        return list(registry.load(self.paths[path]).resolve(path, self))

    def out(self, address, kind="call", *, certain=None):
        """Return what depends on the address leads to: callees, sorted; ``certain`` picks one sort of edges."""
        return sorted(
            {
                edge.callee
                for edge in self.edges(address.partition("::")[0])
                if edge.caller == address and edge.kind == kind and certain in (None, edge.certain)
            }
        )

    def addresses(self):
        """Return all addresses that an edge may have at its ends."""
        return {*self.paths, *(f"{path}::{name}" for path in self.paths for name in self.names(path))}
