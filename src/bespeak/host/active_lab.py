"""The lab that is in use, for controllers whose target does not know its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_ACTIVE: ContextVar[Any] = ContextVar("bespeak_active_lab", default=None)


def active_lab() -> Any:
    """Return the lab in use: anything with ``hosts`` by id; None when there is none."""
    return _ACTIVE.get()


@contextmanager
def using_lab(lab: Any) -> Iterator[None]:
    """Make ``lab`` the lab in use for the time of a ``with``."""
    token = _ACTIVE.set(lab)
    try:
        yield
    finally:
        _ACTIVE.reset(token)
