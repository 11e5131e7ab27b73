"""What is held in other programs, read from their files: labgrid, Jenkins' lockable resources, call-dibs.

None of them knows an end, so each hold is one without.
"""

from __future__ import annotations

import json
from typing import Any

from bespeak.base import yaml_text
from bespeak.base.clock import FOREVER_US
from bespeak.base.errors import UsageError
from bespeak.ledger.inventory import jenkins
from bespeak.operations.exchange_item import NOT_AS_DOCUMENTED, Item, what_is_wrong


def load(form: str, text: str) -> list[Item]:
    """Return what is held.

    Args:
        form: ``labgrid`` (places.yaml), ``jenkins`` (Configuration as Code) or ``dibs`` (``dibs status --json``).
        text: the content of the file.

    Raises:
        UsageError: it cannot be read.
    """
    readers = {"labgrid": _labgrid, "jenkins": _jenkins, "dibs": _dibs}
    try:
        return readers[form](json.loads(text) if form == "dibs" else yaml_text.read(text))
    except NOT_AS_DOCUMENTED as error:
        raise UsageError(f"this is no {form} file with holds: {what_is_wrong(error)}") from None


def _labgrid(places: Any) -> list[Item]:
    """Return who has acquired which place: ``host/user``."""
    return [
        _held((name,), place["acquired"].partition("/")[2] or place["acquired"])
        for name, place in places.items()
        if place.get("acquired")
    ]


def _jenkins(document: Any) -> list[Item]:
    return [
        _held((one["name"],), one["reservedBy"], one.get("note") or "")
        for one in jenkins.declared("the file", document)
        if one.get("reservedBy")
    ]


def _dibs(rows: Any) -> list[Item]:
    """Return what is claimed; what was claimed in one call is one reservation."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row.get("owner"):
            found.setdefault((row["owner"], row.get("group") or f"alone {row['resource']}"), []).append(row)
    return [
        _held(tuple(row["resource"] for row in group), owner, group[0].get("note") or "")
        for (owner, _), group in found.items()
    ]


def _held(resources: tuple[str, ...], holder: str, purpose: str = "") -> Item:
    if not all(isinstance(text, str) for text in (*resources, holder, purpose)):
        raise TypeError("names, holders and notes must be texts")
    return Item(resources, holder, None, FOREVER_US, purpose=purpose)
