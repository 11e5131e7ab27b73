"""C and C++: what one file says, and which definition a name in it means.

Names of symbols are qualified by namespaces and classes with dots; names in anonymous namespaces stand one level
higher. What is seen in one file only (``static``, an anonymous namespace) has a signature that begins with
``static``. A declaration without a body is a symbol without a digest of a body, and left out where the same file has
the body; a call goes to the definition, wherever the declaration was seen. All overloads share one address.

Beyond the modules of every family: ``classes`` (structures and enumerations, and what only C++ has) and ``macros``
(macros that the parser is not to see, because they expand to attributes or to nothing).
"""

from bespeak_symbols.native.c_family.extract import extract
from bespeak_symbols.native.c_family.resolve import resolve

__all__ = ["extract", "resolve"]
