"""The values of the symbol index: the facts of one file, and the edges between files.

Facts (:class:`Facts`) depend on the bytes of one file alone, so the cache stores them by the id of the content. What a
name means depends on other files: edges are resolved from facts and never stored with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bespeak_symbols import confidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CERTAIN = confidence.CERTAIN
SEPARATOR = "::"
"""Stands between the path of a file and the qualified name of a symbol in it."""

BY_NAME = "by name"
"""How an edge of a language that is read by name alone was resolved."""

CALL, USE, INHERIT, IMPORT = "call", "use", "inherit", "import"
"""Kinds of edges: a call; any other use of a name; a base class; an import."""

_assign = object.__setattr__


@dataclass(frozen=True, slots=True)
class Symbol:
    """One definition in one file.

    Args:
        name: its qualified name, outermost first, with dots: ``Class.method``, ``outer.inner``.
        kind: ``function``, ``method``, ``class``, ``interface``, ``enum``, ``struct``, ``trait``, ``type``,
            ``constant``, ``variable``, ``macro``, ``module`` or ``namespace``.
        first_line: its first line from 1, decorators, attributes and a documentation comment above it included.
        last_line: its last line.
        signature: parameters, result, bases and modifiers, blanks evened out: what a caller depends on.
        body: a digest of the tokens of its body, without comments, layout and documentation.
        doc: a digest of its documentation; empty if it has none.
        bases: what it derives from, as written.
        own: a digest of the tokens of its body without those of symbols inside it, its own name replaced.
    """

    name: str
    kind: str
    first_line: int
    last_line: int
    signature: str
    body: str
    doc: str = ""
    bases: tuple[str, ...] = ()
    own: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """A name that a file takes from another.

    Args:
        local: what it is called here; ``*`` for everything.
        module: where it is from, as written.
        name: what it is called there; empty for the module itself.
        line: from 1.
        within: the symbol in which it is imported; empty for the whole file.
        exported: others can take it from here (a re-export).
    """

    local: str
    module: str
    name: str
    line: int
    within: str = ""
    exported: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that is called or used.

    Args:
        text: as written, with dots between the parts: ``self.store.save``; a part that is no name is ``()`` for the
            result of a call, ``[]`` for an item (``[0]``, ``['name']`` where the key is told) and ``[:]`` for a slice.
        kind: ``call``, ``use`` or ``inherit``.
        line: from 1.
        within: the symbol in which it stands; empty for the top level of the file.
        arguments: how many are given in a call, -1 when that is not known.
        bound: which of the file's bindings (from 0) the first part of the text means, where an extractor knows the
            blocks; -1 if it does not say.
        root: the qualified name (of a symbol, binding or import of this file) that the first part means; empty if
            it means none or the extractor does not say.
    """

    text: str
    kind: str
    line: int
    within: str = ""
    arguments: int = -1
    bound: int = -1
    root: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name stands for, as far as one file tells.

    Args:
        name: the name, qualified by the symbol in which it is bound (``function.variable``, ``Class.attribute``);
            ``function.()`` is what calling the function returns.
        target: what it is bound to, as written.
        how: ``alias`` (the same thing), ``type`` (an instance of it: declared or made by calling it), ``result``
            (what calling it returns), ``items`` (a collection of instances of it; ``values`` if by keys), ``listed``
            and ``mapped`` (a collection of the thing itself), ``self`` and ``class`` (the receiver of a method of it)
            or ``frozen`` (nobody knows: it only hides what the name would mean further out).
        line: from 1.
        bound: as in a reference, for the first part of the target.
        root: as in a reference, for the first part of the target.
        within: the symbol in which the target is to be read, where the extractor says so.
        key: at which item of a collection the target is, as in the text of a reference; empty if that is not said.
    """

    name: str
    target: str
    how: str
    line: int
    bound: int = -1
    root: str = ""
    within: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file or line that could not be read, and why; ``line`` is 0 for the whole file."""

    path: str
    why: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that one file says.

    Args:
        language: of which language it was read as.
        symbols: in the order of the source.
        unread: lines (from 1) at which the parser found what is no text of the language, and a word on it.
        package: the package, namespace or module that the file itself says it belongs to.
        exports: what others can take, if the language says so by a list; None if it does not.
    """

    language: str
    symbols: tuple[Symbol, ...] = ()
    imports: tuple[Import, ...] = ()
    references: tuple[Reference, ...] = ()
    bindings: tuple[Binding, ...] = ()
    unread: tuple[tuple[int, str], ...] = ()
    package: str = ""
    exports: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """One symbol depends on another.

    Args:
        caller: its address, ``path::Qualified.name``; the path alone for the top level of a file.
        callee: the address of what it depends on.
        kind: ``call``, ``use``, ``inherit`` or ``import``.
        how: how the name was resolved, for example ``local``, ``import``, ``module``, ``self``, ``inherited``,
            ``constructor``, ``alias``, ``re-export``, ``typed``, ``override``, ``name`` (only its name fits),
            ``by name`` (the language is read by name alone), ``scip`` (an index of a compiler says so).
        confidence: of 1, a level of :mod:`~bespeak_symbols.confidence`; from ``CERTAIN`` on the edge is certain.
        line: of the caller's file, from 1.
    """

    caller: str
    callee: str
    kind: str
    how: str
    confidence: float
    line: int

    def __init__(self, caller: str, callee: str, kind: str, how: str, confidence: float, line: int) -> None:
        # Written out because so many are made.
        _assign(self, "caller", caller)
        _assign(self, "callee", callee)
        _assign(self, "kind", kind)
        _assign(self, "how", how)
        _assign(self, "confidence", confidence)
        _assign(self, "line", line)

    @property
    def certain(self) -> bool:
        """The name can mean nothing else."""
        return self.confidence >= CERTAIN


if TYPE_CHECKING:

    class World(Protocol):
        """The files of one snapshot, as a resolver sees them."""

        @property
        def paths(self) -> Mapping[str, str]:
            """The language of each file that can be read, by path, in order."""

        def facts(self, path: str) -> Facts | None:
            """Return what a file says; None if it is not there or cannot be read."""

        def defining(self, name: str) -> tuple[str, ...]:
            """Return the addresses of all symbols whose last name is ``name``, in order."""

        def text(self, path: str) -> bytes | None:
            """Return the bytes of any file of the snapshot (a project file, say); None if it is not there."""

        @property
        def memo(self) -> dict[object, Any]:
            """What resolvers want to remember while this snapshot lives, by a key of their own."""

    class Language(Protocol):
        """What the package of a language family offers."""

        def extract(self, source: bytes, path: str) -> Facts:
            """Return what a file says. Any bytes are taken; ``path`` only tells dialects apart (``.tsx``)."""

        def resolve(self, path: str, world: World) -> Iterable[Edge]:
            """Return the edges that start in a file."""
