"""Fields of a request, called by the options of a command line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bespeak.base.errors import BespeakError

_OPTIONS = {"duration": "--for"}
"""Options that are not called after their field."""


def in_options(error: BespeakError) -> str:
    """Return what failed in one line, with fields called by their options."""
    return error.spelled(_option)


def _option(field: str) -> str:
    return _OPTIONS.get(field) or "--" + field.replace("_", "-")
