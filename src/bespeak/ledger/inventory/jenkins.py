"""Jenkins' lockable resources as an inventory: the part of its Configuration as Code file that declares them.

Labels there are words: ``model:1200`` is the label ``model`` with a value, ``arm64`` one that is true. Properties
become labels too, and ``jenkins.properties`` remembers which they are. Who has reserved one is no inventory.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bespeak.base.display import short_repr
from bespeak.ledger.inventory import sidecar
from bespeak.ledger.inventory.table import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Labels = dict[str, Any]

PATH = ("unclassified", "lockableResourcesManager", "declaredResources")
_PROPERTIES, _EPHEMERAL = "jenkins.properties", "jenkins.ephemeral"
_HOLDS = ("reservedBy", "reservedTimestamp", "note")
_KEYS = frozenset({"name", "description", "labels", "properties", "ephemeral", *_HOLDS})


def tables(file: str, document: Any) -> list[tuple[str, str, Any]]:
    """Return (name, where it stands, table) of each declared resource.

    Raises:
        UsageError: the file declares none, or one cannot be read.
    """
    found = []
    for number, said in enumerate(declared(file, document), 1):
        name = said.get("name") if isinstance(said, dict) else None
        if not isinstance(name, str):
            raise Place(file, f"{PATH[-1]} {number}").wrong("name", f"must be a text, not {short_repr(name)}")
        place = Place(file, f"resource {short_repr(name)}")
        found.append((name, place.table, _table(said, place)))
    return found


def declared(file: str, document: Any) -> list[Any]:
    """Return what is listed in a whole configuration, or in a part of one that begins further down.

    Raises:
        UsageError: there is no list of declared resources.
    """
    for first in range(len(PATH)):
        found = document
        for key in PATH[first:]:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, list):
            return found
    raise Place(file, ".".join(PATH)).wrong("", "must be a list of resources")


def document(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the configuration that declares the resources of tables of an inventory.

    Raises:
        UsageError: a label that keeps what only Jenkins understands has been changed to something else.
    """
    found: Any = [_resource(name, table) for name, table in tables.items()]
    for key in reversed(PATH):
        found = {key: found}
    return dict(found)


def _table(said: Mapping[str, Any], place: Place) -> dict[str, Any]:
    for key in said:
        if key not in _KEYS:
            raise place.wrong("", f"there is no key {short_repr(key)}; a resource has {', '.join(sorted(_KEYS))}")
    words = said.get("labels") or ""
    if not isinstance(words, str):
        raise place.wrong("labels", f"must be one text of words, not {short_repr(words)}")
    properties = [_property(one, place) for one in said.get("properties") or []]
    rest = sidecar.read(next((value for name, value in properties if name == sidecar.FIELD), None), place)
    exact = rest.pop(sidecar.LABELS)
    named = {name for name, _ in properties}
    labels = _labels(words.split(), {key: value for key, value in exact.items() if key not in named})
    kept: list[Any] = []
    for name, value in properties:
        if name == sidecar.FIELD:
            continue
        fits = value is not None and name and name == name.strip() and name.isprintable() and name not in labels
        kept.append(name if fits else [name, value])
        if fits:
            typed = name in exact and sidecar.label_text(exact[name]) == value
            labels[name] = exact[name] if typed else value
    if kept:
        labels[_PROPERTIES] = json.dumps(kept, ensure_ascii=False)
    if said.get("ephemeral"):
        labels[_EPHEMERAL] = True
    return {"description": said.get("description") or "", "labels": labels, **rest}


def _property(said: Any, place: Place) -> tuple[str, str | None]:
    if not isinstance(said, dict) or not said.keys() <= {"name", "value"} or not isinstance(said.get("name"), str):
        raise place.wrong("properties", f"each has a name and a value, not {short_repr(said)}")
    value = said.get("value")
    return said["name"], value if value is None or isinstance(value, str) else sidecar.label_text(value)


def _resource(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    labels = dict(table.get("labels", {}))
    properties: list[dict[str, str]] = []
    typed: Labels = {}
    for one in sidecar.stored_list(labels, _PROPERTIES, name):
        if not isinstance(one, str):
            properties.append({"name": one[0]} if one[1] is None else {"name": one[0], "value": one[1]})
        elif one in labels:
            value = labels.pop(one)
            properties.append({"name": one, "value": sidecar.label_text(value)})
            typed |= {} if isinstance(value, str) else {one: value}
    ephemeral = {"ephemeral": True} if labels.pop(_EPHEMERAL, False) else {}
    words, exact = _words(labels)
    rest = {key: value for key, value in table.items() if key not in ("description", "labels")}
    text = sidecar.write({**rest, sidecar.LABELS: exact | typed})
    if text is not None:
        properties.append({"name": sidecar.FIELD, "value": text})
    said = {"description": table.get("description", ""), "labels": " ".join(words), "properties": properties}
    return {"name": name, **{key: value for key, value in said.items() if value}, **ephemeral}


def _word(key: str, value: object) -> str | None:
    """Return the word of a label; None if it can be none."""
    word = key if value is True else f"{key}:{sidecar.label_text(value)}"
    return word if word.split() == [word] else None


def _labels(words: Iterable[str], exact: Labels) -> Labels:
    """Return the labels that words mean; each of ``exact`` that is among them, or can be no word, means itself."""
    left = dict.fromkeys(words)
    found: Labels = {}
    for key, value in exact.items():
        word = _word(key, value)
        if word is None or word in left:
            found[key] = value
    for key, value in found.items():
        left.pop(_word(key, value) or "", None)
    keys = [word.partition(":")[0] for word in left]
    for word in left:
        key, _, value = word.partition(":")
        split = key and value and keys.count(key) == 1 and key not in found
        found[key if split else word] = value if split else True
    return found


def _words(labels: Labels) -> tuple[list[str], Labels]:
    """Return the words for labels, and those labels that have to stand beside them so that all come back."""
    words = sorted({word for key, value in labels.items() if (word := _word(key, value)) is not None})
    back = _labels(words, {})
    exact = {key: value for key, value in labels.items() if key not in back or not _same(back[key], value)}
    return words, exact if _labels(words, exact) == labels else labels


def _same(one: object, other: object) -> bool:
    """Tell whether two values are the same and of one kind: 1 is not true."""
    return one == other and type(one) is type(other)
