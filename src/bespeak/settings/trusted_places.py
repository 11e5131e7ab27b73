"""Which of the places that settings name are beyond their own folder, and so need the user's trust in it."""

from __future__ import annotations

import os

from bespeak.base.display import short_repr
from bespeak.base.paths import anchored, in_git_folder, outside, public_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BUILT_IN_BACKENDS = ("json", "ledger", "none")


def elsewhere(url: str, root: str) -> bool:
    """Tell whether a book is anywhere but in the folder ``root``; a git folder in it counts as elsewhere."""
    return "://" in url or outside(url, root) or in_git_folder(url, root)


def needs_trust(url: str, root: str) -> bool:
    """Tell whether a folder has to be trusted before the book it names is used."""
    from bespeak.base.fileio import stays_empty

    return elsewhere(url, root) or stays_empty(url)


def beyond(table: dict[str, Any], root: str) -> str:
    """Return what a ``[reservations]`` table names that needs trust, in words; empty when it needs none."""
    backend = table.get("backend", "none")
    if isinstance(backend, str) and backend not in BUILT_IN_BACKENDS:
        return f"code to run (reservation backend {short_repr(backend)})"
    for place in places_of(table, root):
        if elsewhere(place, root):
            return f"reservations ({public_url(place)})"
    return ""


def places_of(table: dict[str, Any], root: str) -> list[str]:
    """Return where the built-in backends would look: absolute paths and URLs."""
    backend = table.get("backend")
    if backend not in ("json", "ledger"):
        return []
    own = table.get(backend)
    own = own if isinstance(own, dict) else {}
    named = [own.get("path"), *((own.get("url"), table.get("url")) if backend == "ledger" else ())]
    texts = [text for text in named if isinstance(text, str) and text and "\0" not in text]
    if backend == "json":
        return [os.path.join(root, os.path.expanduser(text)) for text in texts]
    return [_book(text.removeprefix("sqlite://"), root) for text in texts]


def _book(text: str, root: str) -> str:
    return text if "://" in text else anchored(text, root)
