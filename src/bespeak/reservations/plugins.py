"""Importing the init modules of repositories, in which backends of one's own register themselves."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable
from bespeak.base.paths import user_folder
from bespeak.reservations.errors import ReservationBackendError

if TYPE_CHECKING:
    from collections.abc import Iterator


def load_init_modules(repos: list[Any]) -> None:
    """Put ``libs`` of each repository on the import path and import its ``init`` modules.

    Args:
        repos: objects with ``libs`` (directories) and ``init`` (dotted names).

    Raises:
        ReservationBackendError: a module cannot be imported; the message names it and the settings.
    """
    with _own_bytecode():
        _load_all(repos)


def _load_all(repos: list[Any]) -> None:
    for repo in repos:
        for lib in getattr(repo, "libs", ()):
            if str(lib) not in sys.path:
                sys.path.append(str(lib))
        for module in getattr(repo, "init", ()):
            _load(module, str(getattr(repo, "path", getattr(repo, "sut_dir", "?"))))


@contextmanager
def _own_bytecode() -> Iterator[None]:
    """Import from sources, never from ``__pycache__`` folders of a repository: trust is bound to the sources."""
    before = sys.pycache_prefix
    if before is None:
        folder = user_folder(os.environ, "XDG_CACHE_HOME", ".cache")
        sys.pycache_prefix = os.path.join(folder, "bespeak", "bytecode")
    try:
        yield
    finally:
        sys.pycache_prefix = before


def _load(module: str, settings: str) -> None:
    try:
        import_module(module)
    except (Exception, SystemExit) as error:
        told = isinstance(error, ImportError | SyntaxError) and str(error)
        reason = f"{type(error).__name__}: {escape_unprintable(str(error))}" if told else type(error).__name__
        raise ReservationBackendError(
            f"the init module {module!r} of {escape_unprintable(settings)} failed: {reason} (details with --debug)"
        ) from error
