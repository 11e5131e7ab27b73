"""What collections hold, and which of several things that a name may mean say something."""

from __future__ import annotations

from bespeak_symbols.native.meaning import EXTERNAL, ITEMS, UNKNOWN, VALUES, Meaning
from bespeak_symbols.native.python.scopes import APPENDED

NOBODY_KNOWS = Meaning(UNKNOWN, confidence=0.0)
ELSEWHERE = Meaning(EXTERNAL)


def holding(several: tuple[Meaning, ...], part: str) -> tuple[Meaning, ...]:
    """Return those of several things that may have an item at a key; all if the key is not told."""
    if part in {"[]", "[*]", "[:]"} or not any(each.key for each in several):
        return several
    same = tuple(each for each in several if each.key == part)
    return same + tuple(each for each in several if not each.key or (each.key == APPENDED and not same))


def telling(several: list[Meaning]) -> list[Meaning]:
    """Return the meanings that say something beside the others.

    ``x = None`` says that there may be nothing yet, not what there will be; what a collection holds says more than
    that it is a list.
    """
    if len(several) > 1:
        several = [each for each in several if each.kind != EXTERNAL or each.how != "None"] or several
        if any(each.kind in {ITEMS, VALUES} for each in several):
            return [each for each in several if each.kind != EXTERNAL]
    return several
