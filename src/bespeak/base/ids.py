"""Identifiers: UUID version 7 (RFC 9562), made without importing :mod:`uuid`, which costs start-up time.

The first 48 bits are milliseconds, so ids sort by creation. That also makes the first characters of two ids made
the same afternoon equal; the last group of twelve is random, and its start is the short form people type.
"""

import os
import time

ID_LENGTH = 36
SHORT_LENGTH = 8
CHARACTERS = frozenset("0123456789abcdef-")
_TAIL_AT = 24


def new_id() -> str:
    """Return a new UUIDv7 as 36 characters of lower-case text."""
    milliseconds, rest_ns = divmod(time.time_ns(), 1_000_000)
    sub_ms = rest_ns * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    value = milliseconds << 80 | 0x7 << 76 | sub_ms << 64 | 0b10 << 62 | random
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def short_id(identifier: str) -> str:
    """Return the part of an id that is shown in tables: the start of its random last group."""
    return identifier[_TAIL_AT : _TAIL_AT + SHORT_LENGTH]


def tail(identifier: str) -> str:
    """Return the random last group of an id, by which it can be looked up."""
    return identifier[_TAIL_AT:]
