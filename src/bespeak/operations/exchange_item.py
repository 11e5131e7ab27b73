"""One reservation as it travels between bespeak and other programs."""

from __future__ import annotations

from dataclasses import dataclass

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
