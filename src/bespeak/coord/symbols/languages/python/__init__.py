"""Python: what a file says, and what its names mean."""

from bespeak.coord.symbols.languages.python.edges import resolve
from bespeak.coord.symbols.languages.python.extract import extract

__all__ = ["extract", "resolve"]
