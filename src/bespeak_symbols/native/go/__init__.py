"""Go: what one file says, and which definition a name in it means.

Symbols are named as in their package: ``Save``, ``Store``, ``Store.Save`` for a method of ``Store`` or ``*Store``. An
interface's methods are symbols without a body. What belongs to a package is worked out from folders and ``go.mod``.

It has the modules of every family and no others.
"""

from bespeak_symbols.native.go.extract import extract
from bespeak_symbols.native.go.resolve import resolve

__all__ = ["extract", "resolve"]
