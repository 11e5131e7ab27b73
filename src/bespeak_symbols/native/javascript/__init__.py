"""JavaScript and TypeScript, with JSX: what a file says, and what the names in it mean.

The extractor knows the scopes of the file, so each reference and binding says by ``root`` what its first part stands
for; the resolver only follows that, through imports and bindings, to other files.

Beyond the modules of every family: ``functions``, ``statements`` and ``modules`` (import and export statements) walk
the tree with ``declarations``; ``scopes`` and ``bindings`` are what they gather.
"""

from __future__ import annotations

from bespeak_symbols.native.javascript.extract import extract
from bespeak_symbols.native.javascript.resolve import resolve

__all__ = ["extract", "resolve"]
