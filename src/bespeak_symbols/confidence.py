"""How sure an edge is: one scale for all languages.

A level says which share of the edges that carry it are calls, uses or bases that the program really has.
``tests/unit/symbols/test_confidence.py`` holds the levels above :data:`OVERRIDE` against programs that were traced and
programs whose calls were written down by hand; docs/reference/coord.md has the table for users.
"""

from __future__ import annotations

EXACT = 1.0
"""No name was resolved: a file that is included by its path, or what an index of a compiler says."""

DEFINED = 0.98
"""A definition in sight: of the same scope, file or module."""

IMPORTED = 0.97
"""A definition in another file, taken from where it is defined."""

RENAMED = 0.95
"""The same by another name, or a declaration and the only definition that fits it."""

MEMBER = 0.93
"""A member of a class that is known: of the class around, of a declared type, of an object that was made in sight."""

CERTAIN = 0.9
"""From here on an edge is called certain."""

DECLARED = 0.85
"""A member of what an annotation says that something is, where the language does not hold anybody to it."""

REPLACEABLE = 0.8
"""As found, but a derived class, another implementation or the other side of a condition may stand in its place."""

ONE_OF_SEVERAL = 0.75
"""One of several things that the name can mean there, or an overload that may not be the one."""

LIKELY = 0.7
"""Nothing else fits, though nothing says that it is meant."""

UNSURE = 0.6
"""One of several definitions of which the build takes one, or a value that is assigned more than once."""

OVERRIDE = 0.6
"""A member of a derived class that may run in place of what was found; of many such, a run needs only one."""

GUESS = 0.4
"""One of two methods of that name, of something unknown."""

FAINT = 0.3
"""One of a few things that have that name."""

_SHARED = (0.5, GUESS, FAINT)

_LEVELS = {
    **dict.fromkeys(("local",), DEFINED),
    **dict.fromkeys(("import", "package", "module", "re-export", "include", "static", "type", "impl"), IMPORTED),
    **dict.fromkeys(("alias", "linked", "declaration"), RENAMED),
}


def of_way(how: str) -> float:
    """Return how sure a name is that was resolved in one way only: ``local``, ``import``, ``typed``."""
    return _LEVELS.get(how, MEMBER)


def by_name(alike: int) -> float:
    """Return how sure one of some methods is of which nothing but the name is known.

    Args:
        alike: how many have that name, from 1.
    """
    most = len(_SHARED)
    return _SHARED[alike - 1] if alike <= most else round(_SHARED[-1] * most / alike, 3)
