"""One reservation as it travels between bespeak and other programs."""

from __future__ import annotations

from dataclasses import dataclass

from bespeak.base.display import escape_unprintable, short_repr
from bespeak.ledger.model import Mode


@dataclass(frozen=True, slots=True)
class Item:
    """One reservation as it travels; instants in µs UTC, ``FOREVER_US`` for no end, None for a start nobody knows."""

    resources: tuple[str, ...]
    holder: str | None
    starts_us: int | None
    ends_us: int
    mode: Mode = Mode.EXCLUSIVE
    purpose: str = ""
    tags: tuple[tuple[str, str], ...] = ()


NOT_AS_DOCUMENTED = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)
"""What reading a file raises that is not as it should be."""


def what_is_wrong(error: Exception) -> str:
    """Return what is wrong with a file, in words, for an error of :data:`NOT_AS_DOCUMENTED`."""
    if isinstance(error, KeyError):
        return f"{short_repr(str(error.args[0]))} is missing"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, TypeError | AttributeError | IndexError):
        return "a value in it is of another kind than the documented one"
    return escape_unprintable(str(error)[:200])
