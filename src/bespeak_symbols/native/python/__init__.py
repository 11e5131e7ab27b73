"""Python: what a file says, and what its names mean."""

from bespeak_symbols.native.python.extract import extract
from bespeak_symbols.native.python.resolve import resolve

__all__ = ["extract", "resolve"]
