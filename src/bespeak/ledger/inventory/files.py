"""Inventory files: TOML, JSON and CSV with the same keys, and those of other programs, read and written.

The same inventory has one written form in each format, so what is exported and read again is the same file.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from bespeak.base import yaml_text
from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.base.errors import UsageError
from bespeak.base.natural_order import natural_key
from bespeak.ledger import validation
from bespeak.ledger.inventory import csv_cells, dibs, jenkins, labgrid
from bespeak.ledger.inventory.model import Entry
from bespeak.ledger.inventory.name_ranges import expand
from bespeak.ledger.inventory.table import KEYS, Place, entry_of, table_of
from bespeak.ledger.inventory.whole_and_parts import circle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMATS = ("toml", "json", "csv", "labgrid", "jenkins", "dibs")
_YAML = {"labgrid": labgrid, "jenkins": jenkins}
_TOP = "resources"
_NAME = "name"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

Entries = dict[str, Entry]


def read(file: str, raw: bytes, format_: str) -> Entries:
    """Return the entries of an inventory file by name, in natural order.

    Args:
        file: its name, for messages.
        raw: its bytes.
        format_: one of :data:`FORMATS`.

    Raises:
        UsageError: it cannot be read; one line with file, table, key and value.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{escape_unprintable(file)}: is not UTF-8 (byte {error.start})") from None
    if format_ == "csv":
        return entries_of(file, _csv_tables(file, text))
    document = _document(file, text, format_)
    reader = dibs.tables if format_ == "dibs" else _YAML[format_].tables if format_ in _YAML else _tables
    return entries_of(file, reader(file, document))


def entries_of(file: str, tables: Iterable[tuple[str, str, Any]]) -> Entries:
    """Return the entries that tables describe, by name in natural order.

    Args:
        file: where they stand, for messages.
        tables: (the name or range of names, where it stands, the table) of each.

    Raises:
        UsageError: one cannot be, a name comes twice, or parts are not in the file or are made of themselves.
    """
    found: Entries = {}
    for text, where, table in tables:
        place = Place(file, where)
        try:
            names = [validation.check_name("resource", name) for name in expand(text)]
        except UsageError as error:
            raise place.wrong("", str(error)) from None
        for name in names:
            if name in found:
                raise place.wrong("", f"the resource {short_repr(name)} is described twice")
            found[name] = entry_of(name, table, place)
    _check_parts(file, found)
    return dict(sorted(found.items(), key=lambda item: natural_key(item[0])))


def write(entries: Iterable[Entry], format_: str) -> str:
    """Return the text of an inventory file.

    Raises:
        UsageError: a name in it would be read as several.
    """
    tables = _written(entries)
    if format_ in _YAML:
        return yaml_text.write(_YAML[format_].document(tables))
    if format_ in ("json", "dibs"):
        document = dibs.document(tables) if format_ == "dibs" else {_TOP: tables}
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return _csv_text(tables) if format_ == "csv" else _toml_text(tables)


def left_out(entries: Iterable[Entry], format_: str) -> dict[str, list[str]]:
    """Return, by resource, the keys that a form has no place for; nothing, where the way back is exact."""
    return dibs.left_out(_written(entries)) if format_ == "dibs" else {}


def _written(entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    tables = {}
    for entry in sorted(entries, key=lambda one: natural_key(one.name)):
        if expand(entry.name) != [entry.name]:
            raise UsageError(
                f"resource {entry.name!a}: no inventory file can hold this name; it stands for several there"
            )
        tables[entry.name] = table_of(entry)
    return tables


def _check_parts(file: str, found: Mapping[str, Entry]) -> None:
    pairs = [(name, part) for name, entry in found.items() for part in entry.properties.parts]
    for whole, part in pairs:
        if part not in found:
            near = suggest(part, found, count=1)
            hint = f"did you mean {short_repr(near[0])}?" if near else "describe it too"
            raise Place(file, _table_name(whole)).wrong(
                "parts", f"there is no resource {short_repr(part)} here; {hint}"
            )
    chain = circle(pairs)
    if chain:
        shown = " > ".join(map(escape_unprintable, chain))
        raise Place(file, _table_name(chain[0])).wrong("parts", f"a resource is a part of itself: {shown}")


def _document(file: str, text: str, format_: str) -> Any:
    kind = "YAML" if format_ in _YAML else "TOML" if format_ == "toml" else "JSON"
    try:
        if kind == "YAML":
            return yaml_text.read(text)
        return tomllib.loads(text) if kind == "TOML" else json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else escape_unprintable(str(error))
        raise UsageError(f"{escape_unprintable(file)}: is not {kind}: {reason}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {short_repr(next(key for key in keys if keys.count(key) > 1))} stands twice")
    return table


def _tables(file: str, document: Any) -> list[tuple[str, str, Any]]:
    shown = escape_unprintable(file)
    if not isinstance(document, dict):
        raise UsageError(f"{shown}: must be a table with {_TOP} in it, not {short_repr(document)}")
    for key in document:
        if key != _TOP:
            hint = "did you mean resources?" if suggest(key, [_TOP]) else "an inventory has [resources.NAME]"
            raise UsageError(f"{shown}: there is no key {short_repr(key)}; {hint}")
    tables = document.get(_TOP, {})
    if not isinstance(tables, dict):
        raise UsageError(f"{shown}: {_TOP} must be a table, not {short_repr(tables)}")
    return [(name, _table_name(name), table) for name, table in tables.items()]


def _table_name(name: str) -> str:
    return f"[{_TOP}.{_key(name)}]"


def _csv_tables(file: str, text: str) -> list[tuple[str, str, Any]]:
    shown = escape_unprintable(file)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(rows.line_num, row) for row in rows if row]
    except csv.Error as error:
        raise UsageError(f"{shown}: is not CSV: line {rows.line_num}: {error}") from None
    if not lines:
        raise UsageError(f"{shown}: has no header; its first line names the columns: {_NAME},{','.join(KEYS)}")
    _, header = lines[0]
    for key in header:
        if key not in (_NAME, *KEYS) or header.count(key) > 1:
            near = suggest(key, (_NAME, *KEYS), count=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {_NAME}, {', '.join(KEYS)}"
            why = "stands there twice" if header.count(key) > 1 else f"is unknown; {hint}"
            raise UsageError(f"{shown}: the column {short_repr(key)} {why}")
    if _NAME not in header:
        raise UsageError(f"{shown}: there is no column {_NAME!r}")
    found = []
    for number, row in lines[1:]:
        if len(row) != len(header):
            raise UsageError(f"{shown}: line {number}: {len(row)} cells, and the header has {len(header)}")
        cells = dict(zip(header, row, strict=True))
        name, where = cells.pop(_NAME), f"line {number}"
        try:
            table = {key: csv_cells.read(key, cell) for key, cell in cells.items() if cell}
        except UsageError as error:
            raise Place(file, where).wrong("", str(error)) from None
        found.append((name, f"{where} ({escape_unprintable(name)})", table))
    return found


def _csv_text(tables: Mapping[str, Mapping[str, Any]]) -> str:
    used = [key for key in KEYS if any(key in table for table in tables.values())]
    rows = [[_NAME, *used]]
    for name, table in tables.items():
        rows.append([name, *(csv_cells.write(key, table[key]) if key in table else "" for key in used)])
    return "".join(",".join(map(_csv_cell, row)) + "\n" for row in rows)


def _csv_cell(text: str) -> str:
    """Quote a cell where it needs that; Python's writer leaves a lone carriage return bare."""
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text


def _toml_text(tables: Mapping[str, Mapping[str, Any]]) -> str:
    if not tables:
        return "resources = {}\n"
    return "\n".join(
        f"{_table_name(name)}\n" + "".join(f"{key} = {_toml_value(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_toml_value(inner)}" for key, inner in value.items()) + "}"
    return repr(value)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
