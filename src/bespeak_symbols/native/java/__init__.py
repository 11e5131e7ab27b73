"""Java: packages, imports, nested classes, inheritance, overloads, generics, lambdas and method references.

Addresses: a constructor is ``Class.Class``; all overloads of a method are one address; a class without a name is
called after its base and a number, ``method.Runnable$1``; what a field begins with is called from the field.

Beyond the modules of every family: ``statements`` walks method bodies, ``types`` reads types and knows the collections
of the JDK.
"""

from __future__ import annotations

from bespeak_symbols.native.java.extract import extract as extract
from bespeak_symbols.native.java.resolve import resolve as resolve
