"""One resource as a table of an inventory file: keys and plain values, checked one by one."""

from __future__ import annotations

from bespeak.base import timeparse
from bespeak.base.clock import FOREVER_US, SECOND_US
from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import UsageError
from bespeak.base.frozen import frozen
from bespeak.base.natural_order import natural_order
from bespeak.ledger import opening_hours, validation
from bespeak.ledger.inventory.model import Entry, Properties
from bespeak.ledger.inventory.name_ranges import expand
from bespeak.ledger.inventory.serialize import exact_duration
from bespeak.ledger.model import Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bespeak.ledger.inventory.model import Label

KEYS = (
    *("description", "labels", "owner", "contact", "link", "location", "seats", "parts", "groups"),
    *("cooldown", "hours", "check_in", "approval"),
)
"""The keys of a resource in an inventory file, in the order in which they are written."""

MOST_LABELS = 64
MOST_PARTS = 1_000
_MOST_NUMBER = 2**63
_TEXTS = ("description", "owner", "contact", "link", "location")


@frozen
class Place:
    """Where a value stands: the file and the table, for messages."""

    file: str
    table: str

    def wrong(self, key: str, reason: str) -> UsageError:
        """Return the error for the value of ``key``."""
        said = f"{key}: " if key else ""
        return UsageError(f"{escape_unprintable(self.file)}: {escape_unprintable(self.table)}: {said}{reason}")


def entry_of(name: str, table: Any, place: Place) -> Entry:
    """Return the resource that a table describes.

    Raises:
        UsageError: a key is unknown or a value cannot be; the message names file, table, key and value.
    """
    if not isinstance(table, dict):
        raise place.wrong("", f"must be a table, not {short_repr(table)}")
    for key in table:
        if key not in KEYS:
            near = suggest(key, KEYS, count=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(KEYS)}"
            raise place.wrong("", f"there is no key {short_repr(key)}; {hint}")
    read = {key: _checked(key, value, place) for key, value in table.items()}
    seats = read.get("seats", 1)
    resource = Resource(
        name,
        capacity=seats if isinstance(seats, int) else len(seats),
        declared=True,
        description=read.get("description", ""),
        cooldown_us=read.get("cooldown", 0),
        hours=read.get("hours", ""),
        check_in_us=read.get("check_in"),
        approval=read.get("approval"),
    )
    texts = {key: read[key] for key in ("owner", "contact", "link", "location", "labels", "groups") if key in read}
    properties = Properties(**texts, seats=() if isinstance(seats, int) else seats, parts=read.get("parts", ()))
    if name in properties.parts:
        raise place.wrong("parts", f"{short_repr(name)} cannot be a part of itself")
    return Entry(resource, properties)


def table_of(entry: Entry) -> dict[str, Any]:
    """Return the table that describes a resource; what is as usual is left out."""
    resource, known = entry.resource, entry.properties
    values: dict[str, Any] = {
        "description": resource.description,
        "labels": dict(known.labels),
        "owner": known.owner,
        "contact": known.contact,
        "link": known.link,
        "location": known.location,
        "seats": list(known.seats) or (resource.capacity if resource.capacity > 1 else None),
        "parts": list(known.parts),
        "groups": list(known.groups),
        "cooldown": exact_duration(resource.cooldown_us) if resource.cooldown_us else None,
        "hours": resource.hours,
        "check_in": None if resource.check_in_us is None else exact_duration(resource.check_in_us),
        "approval": None if resource.approval is None else list(resource.approval) or True,
    }
    return {key: values[key] for key in KEYS if values[key]}


def label_value(value: Any) -> Label:
    """Return the value of a label.

    Raises:
        UsageError: it is no text, number or truth value, or none that every form of an inventory can hold.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return validation.check_text("value", value)
    if isinstance(value, int) and -_MOST_NUMBER <= value < _MOST_NUMBER:
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    raise UsageError(f"must be a text, a number, true or false, not {short_repr(value)}")


def _checked(key: str, value: Any, place: Place) -> Any:
    read: Callable[[str, Any], Any] = _text if key in _TEXTS else _READERS[key]
    try:
        return read(key, value)
    except UsageError as error:
        raise place.wrong(key, str(error)) from None


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"must be a text, not {short_repr(value)}")
    return validation.check_text(key, value)


def _labels(_key: str, value: Any) -> tuple[tuple[str, Label], ...]:
    if isinstance(value, list):
        value = dict.fromkeys(_names("label", value), True)
    if not isinstance(value, dict):
        raise UsageError(f"must be a table, not {short_repr(value)}")
    if len(value) > MOST_LABELS:
        raise UsageError(f"{len(value)} labels; at most {MOST_LABELS}")
    found = []
    for name, said in value.items():
        validation.check_name("label", name)
        try:
            found.append((name, label_value(said)))
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from None
    return tuple(sorted(found, key=lambda pair: pair[0]))


def _seats(_key: str, value: Any) -> int | tuple[str, ...]:
    if isinstance(value, list):
        names = _names("seat", value)
        if not names:
            raise UsageError("no seat is named; a resource has at least one")
        return names
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= validation.MOST_SEATS:
        raise UsageError(
            f"must be a number from 1 to {validation.MOST_SEATS} or a list of names, not {short_repr(value)}"
        )
    return value


def _parts(_key: str, value: Any) -> tuple[str, ...]:
    names = tuple(name for text in _names("part", value) for name in expand(text))
    if len(names) > MOST_PARTS:
        raise UsageError(f"{len(names)} parts; at most {MOST_PARTS}")
    return tuple(natural_order(set(names)))


def _groups(_key: str, value: Any) -> tuple[str, ...]:
    return tuple(sorted(_names("group", value)))


def _approval(_key: str, value: Any) -> tuple[str, ...] | None:
    if isinstance(value, bool) or value == []:
        return () if value else None
    return tuple(sorted(_names("user", value)))


def _names(kind: str, value: Any) -> tuple[str, ...]:
    """Return a list of different names."""
    if not isinstance(value, list):
        raise UsageError(f"must be a list of texts, not {short_repr(value)}")
    for item in value:
        if not isinstance(item, str):
            raise UsageError(f"must be a list of texts, and {short_repr(item)} is none")
        validation.check_name(kind, item)
        if value.count(item) > 1:
            raise UsageError(f"{short_repr(item)} stands there twice")
    return tuple(value)


def _length(key: str, value: Any) -> int:
    text = _text(key, value)
    length_us = timeparse.duration(text)
    if length_us >= FOREVER_US or length_us % SECOND_US:
        raise UsageError(f"must be a length of whole seconds, not {short_repr(text)}")
    return length_us


def _hours(key: str, value: Any) -> str:
    return opening_hours.parse(_text(key, value)).text


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "labels": _labels,
    "seats": _seats,
    "parts": _parts,
    "groups": _groups,
    "cooldown": _length,
    "check_in": _length,
    "hours": _hours,
    "approval": _approval,
}
