"""The resources of call-dibs as an inventory: its ``resources.json``, names with a description.

A list there names the members of a group. The form has no place for anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak.base.display import short_repr
from bespeak.ledger.inventory import sidecar
from bespeak.ledger.inventory.table import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = ("description", "groups")


def tables(file: str, document: Any) -> list[tuple[str, str, Any]]:
    """Return (name, where it stands, table) of each resource.

    Raises:
        UsageError: it is no such file, or a group has a member that is not in it.
    """
    if not isinstance(document, dict):
        raise Place(file, "resources").wrong("", f"must be names with descriptions, not {short_repr(document)}")
    found: dict[str, dict[str, Any]] = {}
    for name, said in document.items():
        if isinstance(said, str):
            found[name] = {"description": said, "groups": []}
        elif not isinstance(said, list):
            raise Place(file, short_repr(name)).wrong("", f"must be a description, not {short_repr(said)}")
    for group, members in document.items():
        if isinstance(members, str):
            continue
        place = Place(file, f"group {short_repr(group)}")
        for member in dict.fromkeys(sidecar.texts(members, "", place)):
            if member not in found:
                raise place.wrong("", f"there is no resource {short_repr(member)} here")
            found[member]["groups"].append(group)
    return [(name, short_repr(name), table) for name, table in found.items()]


def document(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the file for tables of an inventory; a group that has the name of a resource is left out."""
    found: dict[str, Any] = {name: table.get("description", "") for name, table in tables.items()}
    for name, table in tables.items():
        for group in table.get("groups", ()):
            if group not in tables:
                found.setdefault(group, []).append(name)
    return found


def left_out(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return, by resource, the keys of tables that the form has no place for."""
    found = {}
    for name, table in tables.items():
        keys = [key for key in table if key not in KEYS]
        keys += ["groups"] if any(group in tables for group in table.get("groups", ())) else []
        if keys:
            found[name] = keys
    return found
