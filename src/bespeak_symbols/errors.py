"""The failures that a caller of this package has to expect."""

from __future__ import annotations


class SymbolsError(Exception):
    """Sources cannot be read as symbols; the message is one line for the user."""


class GrammarsMissingError(SymbolsError):
    """The grammars of the languages, an optional dependency, are not installed."""
