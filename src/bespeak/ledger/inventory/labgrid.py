"""The places of labgrid as an inventory: ``places.yaml`` of its coordinator, and the file of ``sync-places.py``.

Tags become labels, the comment becomes the description. What only labgrid understands is kept in labels of its own
(``labgrid.matches`` ...), so that the places come back as they were. Who has acquired a place is no inventory.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bespeak.base.display import short_repr
from bespeak.base.errors import UsageError
from bespeak.ledger.inventory import sidecar
from bespeak.ledger.inventory.table import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN = "labgrid."
_TIMES = ("created", "changed")
_LISTS = ("aliases", "matches")
_HOLDS = ("acquired", "acquired_resources", "allowed", "reservation")
_KEYS = frozenset({"comment", "tags", *_LISTS, *_TIMES, *_HOLDS})
_MATCH = ("exporter", "group", "cls", "name", "rename")
_SYNCED = frozenset({"matches", "tags"})


def tables(file: str, document: Any) -> list[tuple[str, str, Any]]:
    """Return (name, where it stands, table) of each place.

    Raises:
        UsageError: one is no place of labgrid.
    """
    synced = _is_synced(document)
    places = document["places"] if synced else document
    if not isinstance(places, dict):
        raise Place(file, "places").wrong("", f"must be a table of places, not {short_repr(places)}")
    found = []
    for name, said in places.items():
        place = Place(file, f"place {short_repr(name)}")
        if not isinstance(name, str) or not isinstance(said, dict):
            raise place.wrong("", f"must be a place with matches and tags, not {short_repr(said)}")
        found.append((name, place.table, _table(said, place, synced=synced)))
    return found


def document(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return places of labgrid for tables of an inventory.

    Raises:
        UsageError: a label that keeps what only labgrid understands has been changed to something else.
    """
    return {name: _place(name, table) for name, table in tables.items()}


def _is_synced(document: Any) -> bool:
    """Tell the file of sync-places.py from one place that is called ``places``."""
    if not isinstance(document, dict) or document.keys() != {"places"} or not isinstance(document["places"], dict):
        return False
    return all(isinstance(one, dict) for one in document["places"].values())


def _table(said: Mapping[str, Any], place: Place, *, synced: bool) -> dict[str, Any]:
    for key in said:
        if key not in (_SYNCED if synced else _KEYS):
            raise place.wrong("", f"there is no key {short_repr(key)}; a place has {', '.join(sorted(_KEYS))}")
    tags = {key: _tag(key, value, place, synced=synced) for key, value in (said.get("tags") or {}).items()}
    rest = sidecar.read(tags.pop(sidecar.FIELD, None), place)
    exact = rest.pop(sidecar.LABELS)
    labels: dict[str, Any] = {
        key: exact[key] if key in exact and sidecar.label_text(exact[key]) == text else text
        for key, text in tags.items()
    }
    labels |= {key: value for key, value in exact.items() if _is_own(key)}
    own = {
        "aliases": sorted(sidecar.texts(said.get("aliases") or [], "aliases", place)),
        "matches": [_match(one, place) for one in said.get("matches") or []],
    }
    labels |= {_OWN + key: json.dumps(value, ensure_ascii=False) for key, value in own.items() if value}
    for key in _TIMES:
        if (value := said.get(key)) is not None:
            labels[_OWN + key] = value
    return {"description": said.get("comment") or "", "labels": labels, **rest}


def _tag(key: Any, value: Any, place: Place, *, synced: bool) -> str:
    if isinstance(key, str) and key.startswith(_OWN):
        raise place.wrong("tags", f"{short_repr(key)}: names with {_OWN} are taken for what only labgrid understands")
    if isinstance(value, str):
        return value
    if synced and isinstance(value, (int, float)):
        return str(value)  # as sync-places.py does
    raise place.wrong("tags", f"{short_repr(key)}: must be a text, not {short_repr(value)}")


def _match(said: Any, place: Place) -> str | list[str]:
    """Return a match as one types it, ``exporter/group/class[/name]``; with the new name, if it has one, as a list."""
    rename = None
    if isinstance(said, dict) and len(said) == 1 and not said.keys() & set(_MATCH):
        ((said, rename),) = said.items()
    if isinstance(said, str):
        parts: list[Any] = said.split("/")
    elif isinstance(said, dict) and said.keys() <= set(_MATCH):
        parts, rename = [said.get(key) for key in _MATCH[:3]], said.get("rename")
        parts += [said["name"]] if said.get("name") is not None else []
    else:
        parts = []
    if len(parts) not in (3, 4) or not all(isinstance(one, str) and "/" not in one for one in parts):
        raise place.wrong("matches", f"must be exporter/group/class or exporter/group/class/name, not {said!a:.80}")
    if rename is not None and not isinstance(rename, str):
        raise place.wrong("matches", f"rename must be a text, not {short_repr(rename)}")
    return "/".join(parts) if rename is None else ["/".join(parts), rename]


def _place(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    labels = dict(table.get("labels", {}))
    matches = [_written(one, name) for one in sidecar.stored_list(labels, _OWN + "matches", name)]
    aliases = sidecar.stored_list(labels, _OWN + "aliases", name)
    times = {key: labels.pop(_OWN + key) for key in _TIMES if _OWN + key in labels}
    tags = {key: sidecar.label_text(value) for key, value in labels.items() if not _is_own(key)}
    rest: dict[str, Any] = {key: value for key, value in table.items() if key not in ("description", "labels")}
    exact = {key: value for key, value in labels.items() if _is_own(key) or not isinstance(value, str)}
    text = sidecar.write({**rest, sidecar.LABELS: exact})
    if text is not None:
        tags[sidecar.FIELD] = text
    return {"aliases": aliases, "comment": table.get("description", ""), "matches": matches, "tags": tags, **times}


def _is_own(key: str) -> bool:
    """Tell a label that would mean something else if it stood among the tags."""
    return key == sidecar.FIELD or key.startswith(_OWN)


def _written(match: str | list[str], name: str) -> dict[str, str | None]:
    pattern, rename = (match, None) if isinstance(match, str) else match
    parts = pattern.split("/")
    if len(parts) not in (3, 4):
        raise UsageError(f"resource {name!a}: the label {_OWN}matches has no exporter/group/class: {pattern!a}")
    return dict(zip(_MATCH, (*parts, None)[:4], strict=False)) | {"rename": rename}
