"""Languages that are read by name: definitions, and uses that are matched with them by name alone.

Nothing is known of imports, types, inheritance or scopes beyond one function, so no edge is certain; each says
``by name``. A language is one row of a table.
"""

from bespeak_symbols.native.by_name.extract import extract
from bespeak_symbols.native.by_name.resolve import resolve

__all__ = ["extract", "resolve"]
