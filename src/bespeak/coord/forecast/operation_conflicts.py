"""Which two operations of two runs on one place come into conflict, and why.

One table, so that it can be read, checked and argued with: every pair of operations is in it, and it says the same
whichever of the two comes first. ``-`` stands for a claim whose maker did not say what it will do.
"""

from __future__ import annotations

from bespeak.coord.states import INTENDED

UNSTATED = None

_WHY = {
    "g": "one edits what the other takes away",
    "r": "one edits what has another name by then",
    "m": "one edits what is elsewhere by then",
    "e": "both edit it",
    "x": "one edits what the other takes apart",
    "n": "it cannot have both names",
    "p": "it cannot be in both places",
    "b": "it gets another name and another place at once",
    "t": "it gets another name while it is taken apart",
    "w": "it is moved while it is taken apart",
    "d": "both take it apart, each in its own way",
    "u": "one takes away what the other claims",
    "k": "one renames what the other claims",
    "o": "one moves what the other claims",
    "a": "one takes apart what the other claims",
    ".": "",
}
_ORDER = ("delete", "rename", "move", "modify", "extract", "inline", "split", "merge", UNSTATED)
_TABLE = """
delete   . g g g g g g g u
rename   g n b r t t t t k
move     g b p m w w w w o
modify   g r m e x x x x .
extract  g t w x d d d d .
inline   g t w x d d d d a
split    g t w x d d d d a
merge    g t w x d d d d a
-        u k o . . a a a .
"""


def _read() -> dict[tuple[str | None, str | None], str]:
    found: dict[tuple[str | None, str | None], str] = {}
    for one, line in zip(_ORDER, _TABLE.strip().splitlines(), strict=True):
        for two, letter in zip(_ORDER, line.split()[1:], strict=True):
            found[one, two] = _WHY[letter]
    return found


_KNOWN = _read()
OPERATIONS = tuple(operation for operation in _ORDER if operation in INTENDED)


def why(one: str | None, two: str | None) -> str:
    """Return why two operations of two runs on one place come into conflict; empty if they do not.

    Args:
        one: an operation, or None if it was not stated.
        two: the other run's.
    """
    return _KNOWN[one, two]
