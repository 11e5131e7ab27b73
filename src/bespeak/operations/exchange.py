"""Reservations as files of other programs and back: JSON, CSV, iCalendar, and the JSON file of otto.

What bespeak itself wrote comes back as it was. Of a form that knows less (otto's has no start and no purpose) what it
knows comes back.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from bespeak.base.clock import FOREVER_US, as_datetime, from_iso, iso, of_datetime
from bespeak.base.errors import Field, UsageError, needs_extra
from bespeak.ledger.model import Holder, Mode, Request
from bespeak.ledger.validation import plain_path
from bespeak.operations import held_elsewhere
from bespeak.operations.exchange_item import NOT_AS_DOCUMENTED, Item, what_is_wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from bespeak.ledger.model import Reservation

FORMATS = ("json", "csv", "ical", "otto")
"""Forms that are written and read."""
READ_ONLY = ("labgrid", "jenkins", "dibs")
"""Forms of which only the holds are read: those programs take none from a file."""
_COLUMNS = ("resources", "holder", "starts", "ends", "mode", "purpose", "tags")
_BETWEEN = "\n"


def of_reservation(of: Reservation) -> Item:
    """Return what travels of a reservation."""
    return Item(of.resources, of.holder, of.starts_us, of.ends_us, of.mode, of.purpose, of.tags)


def plainly_named(items: Iterable[Item], known: Collection[str]) -> tuple[list[Item], dict[str, str]]:
    """Return the items with resources as a new book names them, and what was renamed.

    Earlier versions made a resource of its own of ``./rack1``; a book that knows it keeps it.

    Args:
        items: what was read.
        known: the resources of the book.
    """
    found: dict[str, str] = {}
    result = []
    for item in items:
        names = {name: name if name in known else plain_path(name) or name for name in item.resources}
        found |= {name: plain for name, plain in names.items() if name != plain}
        result.append(replace(item, resources=tuple(dict.fromkeys(names.values()))))
    return result, found


def requests(items: Iterable[Item], me: str, now_us: int) -> list[Request]:
    """Return what has to be reserved; what is over is left out, and what has begun begins now.

    Args:
        items: as they were read.
        me: who imports them, and for whom those are that name nobody.
        now_us: the present, µs UTC.
    """
    return [
        Request(
            resources=one.resources,
            holder=Holder(me) if one.holder in (None, me) else Holder(str(one.holder), me),
            starts_us=one.starts_us if (one.starts_us or 0) > now_us else None,
            ends_us=one.ends_us,
            mode=one.mode,
            purpose=one.purpose,
            tags=one.tags,
        )
        for one in items
        if one.ends_us > now_us
    ]


def dump(form: str, items: Sequence[Item], now_us: int) -> str:
    """Return the text of a file.

    Args:
        form: one of :data:`FORMATS`.
        items: what is in it.
        now_us: the present, µs UTC; otto's form has only what is held now.
    """
    if form == "otto":
        return _dump_otto([one for one in items if (one.starts_us or 0) <= now_us < one.ends_us])
    writers: dict[str, Callable[[Sequence[Item]], str]] = {"json": _dump_json, "csv": _dump_csv, "ical": _dump_ical}
    return writers[form](items)


def load(form: str, text: str, resources: tuple[str, ...] = ()) -> list[Item]:
    """Return what a file says.

    Args:
        form: one of :data:`FORMATS` or of :data:`READ_ONLY`.
        text: its content.
        resources: which ones are meant by events of a calendar that say none.

    Raises:
        UsageError: it cannot be read.
    """
    if form == "ical":
        return _load_ical(text, resources)
    if form in READ_ONLY:
        return held_elsewhere.load(form, text)
    readers: dict[str, Callable[[str], list[Item]]] = {"json": _load_json, "csv": _load_csv, "otto": _load_otto}
    try:
        return readers[form](text)
    except (*NOT_AS_DOCUMENTED, csv.Error) as error:
        raise UsageError(f"this is no {form} of reservations: {what_is_wrong(error)}") from None


def _row(of: Item) -> dict[str, Any]:
    return {
        "resources": list(of.resources),
        "holder": of.holder,
        "starts": iso(of.starts_us),
        "ends": iso(of.ends_us),
        "mode": of.mode.value,
        "purpose": of.purpose,
        "tags": dict(of.tags),
    }


def _item(row: dict[str, Any]) -> Item:
    unknown = sorted(set(row) - set(_COLUMNS))
    if unknown:
        raise ValueError(f"unknown {', '.join(unknown)}")
    resources, tags = row["resources"], row.get("tags") or {}
    if not isinstance(resources, list) or not all(isinstance(name, str) for name in resources):
        raise ValueError("resources must be a list of names")
    return Item(
        tuple(resources),
        row.get("holder") or None,
        from_iso(row["starts"]) if row.get("starts") else None,
        from_iso(row["ends"]) if row.get("ends") else FOREVER_US,
        Mode(row.get("mode") or "exclusive"),
        str(row.get("purpose") or ""),
        tuple((str(key), str(value)) for key, value in tags.items()),
    )


def _dump_json(items: Sequence[Item]) -> str:
    return json.dumps({"version": 1, "reservations": [_row(one) for one in items]}, indent=2, ensure_ascii=False) + "\n"


def _load_json(text: str) -> list[Item]:
    found = json.loads(text)
    if found.get("version") != 1:
        raise ValueError("version must be 1")
    return [_item(row) for row in found["reservations"]]


def _dump_csv(items: Sequence[Item]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)  # else a lone \r would end a row
    writer.writerow(_COLUMNS)
    for one in items:
        row = _row(one)
        tags = json.dumps(row["tags"], ensure_ascii=False) if row["tags"] else ""
        cells = (*(row[name] or "" for name in _COLUMNS[1:6]), tags)
        writer.writerow((_BETWEEN.join(one.resources), *cells))
    return text.getvalue()


def _load_csv(text: str) -> list[Item]:
    found = []
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if "resources" not in (reader.fieldnames or ()):
        raise ValueError("there is no column resources")
    for row in reader:
        cells: dict[str, Any] = dict(row)
        cells["resources"] = [name for name in cells["resources"].split(_BETWEEN) if name]
        cells["tags"] = json.loads(cells["tags"]) if cells.get("tags") else {}
        found.append(_item(cells))
    return found


def _dump_otto(items: Sequence[Item]) -> str:
    rows = []
    for one in items:
        row: dict[str, Any] = {"user": one.holder, "resources": list(one.resources)}
        if one.ends_us < FOREVER_US:
            row["expires"] = iso(one.ends_us)
        rows.append(row)
    return json.dumps({"version": 1, "reservations": rows}, indent=2, ensure_ascii=False) + "\n"


def _load_otto(text: str) -> list[Item]:
    found = json.loads(text)
    if found.get("version") != 1:
        raise ValueError("version must be 1")
    rows = [{**row, "holder": row["user"], "ends": row.get("expires")} for row in found["reservations"]]
    return [_item({key: value for key, value in row.items() if key not in ("user", "expires")}) for row in rows]


def _dump_ical(items: Sequence[Item]) -> str:
    icalendar = _icalendar()
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//bespeak//reservations//EN")
    calendar.add("version", "2.0")
    for number, one in enumerate(items):
        event = icalendar.Event()
        starts_us = one.starts_us or 0
        event.add("uid", f"{number}-{starts_us}@bespeak")
        event.add("dtstamp", as_datetime(starts_us))
        event.add("dtstart", as_datetime(starts_us))
        if one.ends_us < FOREVER_US:
            event.add("dtend", as_datetime(one.ends_us))
        event.add("summary", f"{one.holder}: {', '.join(one.resources)}")
        event.add("location", ", ".join(one.resources))
        event.add("description", one.purpose)
        event.add("x-bespeak", json.dumps(asdict(one) | {"mode": one.mode.value}))
        calendar.add_component(event)
    text: str = calendar.to_ical().decode("utf-8")
    return text


def _load_ical(text: str, resources: tuple[str, ...]) -> list[Item]:
    icalendar = _icalendar()
    try:
        calendar = icalendar.Calendar.from_ical(text)
        return [_event(event, resources) for event in calendar.walk("VEVENT")]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise UsageError(f"this is no calendar of reservations: {str(error)[:200]}") from None


def _event(event: Any, resources: tuple[str, ...]) -> Item:
    if "X-BESPEAK" in event:
        facts = json.loads(str(event["X-BESPEAK"]))
        tags = tuple((str(key), str(value)) for key, value in facts["tags"])
        names = tuple(map(str, facts["resources"]))
        window = facts["starts_us"], facts["ends_us"]
        return Item(names, facts["holder"], *window, Mode(facts["mode"]), facts["purpose"], tags)
    title = str(event.get("SUMMARY", "an event"))
    if "RRULE" in event:
        raise UsageError(f"the event {title[:80]!a} comes again: reserve it as a series, with ", Field("every"))
    names = resources or tuple(
        part for part in (each.strip() for each in str(event.get("LOCATION", "")).split(",")) if part
    )
    if not names:
        raise UsageError(f"the event {title[:80]!a} names no resource; say which with ", Field("resource"))
    ends = event.get("DTEND")
    return Item(
        names, None, _instant(event["DTSTART"].dt), FOREVER_US if ends is None else _instant(ends.dt), purpose=title
    )


def _instant(of: datetime | date) -> int:
    """Return the instant of a time of a calendar, µs UTC; local where it has no zone."""
    if not isinstance(of, datetime):
        of = datetime(of.year, of.month, of.day)  # noqa: DTZ001 a day of the machine's calendar
    return of_datetime(of.astimezone())


def _icalendar() -> Any:
    try:
        import icalendar
    except ImportError as missing:
        raise UsageError(needs_extra("a calendar file", "ical")) from missing
    return icalendar
