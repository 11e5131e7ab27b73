"""Rust: crates and their modules, use trees, impl blocks, traits, generics, macros and closures.

Addresses: what an ``impl`` block holds is ``Type.method`` in the file of the block, also if a trait asks for it; a
variant is ``Enum.Variant``; what is in an inline module begins with the module's name.

Beyond the modules of every family: ``statements`` walks function bodies and patterns, ``paths`` says what a path means,
``types`` reads types and knows the standard library's.
"""

from __future__ import annotations

from bespeak_symbols.native.rust.extract import extract as extract
from bespeak_symbols.native.rust.resolve import resolve as resolve
