"""From the bytes of a ``lab.toml`` or ``hosts.json`` to tables, or one clear line.

Both formats say the same: a list or table of hosts, optionally a table of labs, optionally the short form, in which
the file describes one lab. JSON may also be the bare list of hosts that otto reads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.settings import SettingsError

_TOP_KEYS = ("name", "description", "resources", "labs", "hosts", "devices")
_LAB_KEYS = ("resources", "description")


class LabDataError(SettingsError):
    """A lab file, or a value in it, cannot be used; the message names file, host, field and value."""


@dataclass(frozen=True, slots=True)
class DeclaredLab:
    """What a file says about a lab itself."""

    name: str
    resources: frozenset[str] = frozenset()
    description: str = ""


@dataclass(frozen=True, slots=True)
class RawHost:
    """A host as it stands in the file, not yet checked.

    Attributes:
        where: its place in the file, for messages.
        table: what stands there; anything at all.
        key: its name, when the file keys hosts by name.
    """

    where: str
    table: Any
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one file."""

    path: str
    labs: tuple[DeclaredLab, ...] = ()
    hosts: tuple[RawHost, ...] = ()
    only_lab: str | None = field(default=None)
    """The lab of hosts that name none: the one lab of the short form."""
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The power devices that hosts of this file refer to, by name."""


def parse(path: str, raw: bytes) -> Document:
    """Read the bytes of a lab file.

    Raises:
        LabDataError: they are not what the format asks for; single hosts are not checked here.
    """
    value = _from_json(path, raw) if path.endswith(".json") else _from_toml(path, raw)
    if isinstance(value, list):
        return Document(path, hosts=_hosts(path, value))
    if not isinstance(value, dict):
        raise LabDataError(f"{escape_unprintable(path)}: must be a list of hosts or a table, not {short_repr(value)}")
    for key in value:
        if key not in _TOP_KEYS:
            raise LabDataError(f"{escape_unprintable(path)}: {_unknown(key, _TOP_KEYS)}")
    labs = _labs(path, value.get("labs", {}))
    only = value.get("name")
    if only is not None:
        labs = (*labs, _short_form(path, only, value))
    elif "resources" in value or "description" in value:
        raise LabDataError(
            f"{escape_unprintable(path)}: resources and description need the name of the lab beside them"
        )
    return Document(path, labs, _hosts(path, value.get("hosts", [])), only, _devices(path, value.get("devices", {})))


def texts(value: Any, said_by: str) -> list[str]:
    """Return a list of non-empty texts.

    Args:
        value: what stands in the file.
        said_by: file, host and field, for the message.

    Raises:
        LabDataError: it is something else.
    """
    if not isinstance(value, list):
        raise LabDataError(f"{said_by} must be a list of texts, not {short_repr(value)}")
    for number, item in enumerate(value):
        if not isinstance(item, str) or not item:
            raise LabDataError(f"{said_by}[{number}] must be a text, not {short_repr(item)}")
    return value


def _short_form(path: str, name: Any, value: dict[str, Any]) -> DeclaredLab:
    if not isinstance(name, str) or not name:
        raise LabDataError(f"{escape_unprintable(path)}: name must be a text, not {short_repr(name)}")
    table = {key: value[key] for key in _LAB_KEYS if key in value}
    return _lab(path, name, table)


def _labs(path: str, value: Any) -> tuple[DeclaredLab, ...]:
    if not isinstance(value, dict):
        raise LabDataError(f"{escape_unprintable(path)}: labs must be a table, not {short_repr(value)}")
    return tuple(_lab(path, name, table) for name, table in value.items())


def _lab(path: str, name: str, table: Any) -> DeclaredLab:
    where = f"{escape_unprintable(path)}: lab {short_repr(name)}"
    if not name:
        raise LabDataError(f"{where}: the name is empty")
    if not isinstance(table, dict):
        raise LabDataError(f"{where}: must be a table, not {short_repr(table)}")
    for key in table:
        if key not in _LAB_KEYS:
            raise LabDataError(f"{where}: {_unknown(key, _LAB_KEYS)}")
    description = table.get("description", "")
    if not isinstance(description, str):
        raise LabDataError(f"{where}: description must be a text, not {short_repr(description)}")
    return DeclaredLab(name, frozenset(texts(table.get("resources", []), f"{where}: resources")), description)


def _devices(path: str, value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        raise LabDataError(f"{escape_unprintable(path)}: devices must be a table, not {short_repr(value)}")
    for name, table in value.items():
        where = f"{escape_unprintable(path)}: device {short_repr(name)}"
        if not name or ":" in name:
            raise LabDataError(f"{where}: a name has a character and no colon")
        if not isinstance(table, dict):
            raise LabDataError(f"{where}: must be a table, not {short_repr(table)}")
        if not isinstance(table.get("type"), str) or not table["type"]:
            raise LabDataError(f"{where}: type must be a text, not {short_repr(table.get('type'))}")
    return value


def _hosts(path: str, value: Any) -> tuple[RawHost, ...]:
    if isinstance(value, dict):
        return tuple(
            RawHost(f"{escape_unprintable(path)}: host {short_repr(key)}", table, key) for key, table in value.items()
        )
    if isinstance(value, list):
        return tuple(RawHost(f"{escape_unprintable(path)}: host number {at}", table) for at, table in enumerate(value))
    raise LabDataError(f"{escape_unprintable(path)}: hosts must be a table or a list, not {short_repr(value)}")


def _unknown(key: str, known: tuple[str, ...]) -> str:
    near = suggest(key, known, count=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return f"there is no setting {short_repr(key)}; {hint}"


def _from_toml(path: str, raw: bytes) -> Any:
    import tomllib

    try:
        return tomllib.loads(_text(path, raw))
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, "TOML", error) from error


def _from_json(path: str, raw: bytes) -> Any:
    import json

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(f"the key {short_repr(twice)} stands twice in one object")
        return table

    try:
        return json.loads(_text(path, raw), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, "JSON", error) from error


def _text(path: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabDataError(f"{escape_unprintable(path)}: is not UTF-8 (byte {error.start})") from error


def _unreadable(path: str, kind: str, error: Exception) -> LabDataError:
    if isinstance(error, LabDataError):
        return error
    reason = "nested too deeply" if isinstance(error, RecursionError) else escape_unprintable(str(error))
    return LabDataError(f"{escape_unprintable(path)}: is not {kind}: {reason}")


def is_lab_file(path: str) -> bool:
    """Tell whether a name in ``[labs] search`` is that of a file rather than of a directory."""
    return os.path.splitext(path)[1] in {".json", ".toml"}
