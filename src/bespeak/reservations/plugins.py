"""Importing the init modules of repositories, in which backends of one's own register themselves."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from bespeak.reservations.errors import ReservationBackendError
from bespeak.text import safe


def load_init_modules(repos: list[Any]) -> None:
    """Put ``libs`` of each repository on the import path and import its ``init`` modules.

    Args:
        repos: objects with ``libs`` (directories) and ``init`` (dotted names).

    Raises:
        ReservationBackendError: a module cannot be imported; the message names it and the settings.
    """
    for repo in repos:
        for lib in getattr(repo, "libs", ()):
            if str(lib) not in sys.path:
                sys.path.append(str(lib))
        for module in getattr(repo, "init", ()):
            _load(module, str(getattr(repo, "path", getattr(repo, "sut_dir", "?"))))


def _load(module: str, settings: str) -> None:
    try:
        import_module(module)
    except (Exception, SystemExit) as error:
        told = isinstance(error, ImportError | SyntaxError) and str(error)
        reason = f"{type(error).__name__}: {safe(str(error))}" if told else type(error).__name__
        raise ReservationBackendError(
            f"the init module {module!r} of {safe(settings)} failed: {reason} (details with --debug)"
        ) from error
