"""Python: what a file says, and what its names mean.

Beyond the modules of every family: ``arguments`` (what the calls of a file give to parameters), ``bindings``
(statements that give names a meaning), ``rebinding`` (which of several assignments a use sees), ``scopes`` (what is
gathered while the tree is walked), ``values`` (what an expression may mean).
"""

from bespeak_symbols.native.python.extract import extract
from bespeak_symbols.native.python.resolve import resolve

__all__ = ["extract", "resolve"]
