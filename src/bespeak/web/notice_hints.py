"""Hints within the process that somebody has new notices, so that open pages need not ask the book all the time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_counts: Counter[str] = Counter()


def tell(users: Iterable[str]) -> None:
    """Say that each of ``users`` has something new."""
    _counts.update(users)


def count(user: str) -> int:
    """Return a number that changes whenever ``user`` has something new."""
    return _counts[user]
