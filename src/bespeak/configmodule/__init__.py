"""The active lab of this invocation, under the name that code written for otto looks for.

The command line says which lab is active, or how to load it; :func:`get_lab` is asked only by who needs it, so
help, completion and commands without a lab never read lab data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bespeak.base.errors import NoContextError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bespeak.labs.model import Lab


class _Active:
    """The lab, or the function that loads it at the first question."""

    lab: Lab | None = None
    load: Callable[[], Lab] | None = None


_active = _Active()


def get_lab() -> Lab:
    """Return the active lab.

    Raises:
        NoContextError: no lab was named, or there is no lab of that name.
    """
    if _active.lab is None:
        if _active.load is None:
            raise NoContextError("no lab is active; name one with --lab / -l or BESPEAK_LAB")
        _active.lab = _active.load()
    return _active.lab


def set_lab(lab: Lab | None) -> None:
    """Make ``lab`` the active one; None for no lab at all."""
    _active.lab = lab
    _active.load = None


def set_lab_loader(load: Callable[[], Lab]) -> None:
    """Say how the active lab is loaded; ``load`` is called at most once, when somebody needs the lab."""
    _active.lab = None
    _active.load = load
