"""Asking by need, as programs are told of it: numbers beside labels, and variables that say what was given."""

from __future__ import annotations

from bespeak.base.errors import Field, UsageError
from bespeak.ledger.model import Need

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bespeak.ledger.service import Ledger

RESOURCES_VARIABLE = "BESPEAK_RESOURCES"
"""The names of what a command holds, one a line."""

_MOST_DIGITS = 6


def in_pairs(counts: Sequence[str], labels: Sequence[str]) -> tuple[Need, ...]:
    """Return the needs that numbers and label expressions state, in pairs; one number is for one label, or for any.

    Raises:
        UsageError: they go in no pairs, or a number is none.
    """
    if len(counts) > 1 and len(counts) != len(labels):
        times = f" is given {len(counts)} times and ", Field("label"), f" {len(labels)} times; they go in pairs"
        raise UsageError(Field("any"), *times)
    if len(counts) == 1 and len(labels) > 1:
        once = " is given once and ", Field("label"), " several times; give a number for each label"
        raise UsageError(Field("any"), *once)
    numbers = [_count(text) for text in counts] or [1] * len(labels)
    return tuple(Need(count, label) for count, label in zip(numbers, labels or [""] * len(numbers), strict=True))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS or int(text) == 0:
        raise UsageError(Field("any"), f" {text!a}: a number of resources, at least 1")
    return int(text)


def variables(book: Ledger, names: Iterable[str]) -> dict[str, str]:
    """Return the labels of resources as environment variables: ``BESPEAK_BOARD1_IP``.

    What is no letter and no digit becomes an underscore. Where two labels would have the same variable, neither does.
    """
    found: dict[str, str] = {}
    twice = set()
    for name, labels in book.labels_of(names).items():
        for key, value in labels.items():
            variable = f"BESPEAK_{_shouted(name)}_{_shouted(key)}"
            twice.update({variable} & found.keys())
            found[variable] = str(value).lower() if isinstance(value, bool) else str(value)
    return {variable: value for variable, value in found.items() if variable not in twice and "\0" not in value}


def _shouted(text: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in text).upper()
