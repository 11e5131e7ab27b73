"""Sensors and event log of an IPMI controller, read by the process that speaks IPMI.

Everything here only reads. What a controller does not have is named, and hides nothing else.
"""

from __future__ import annotations

import struct
from typing import Any

_CHASSIS, _GET_STATUS = 0, 1
_STORAGE, _LOG_INFO, _LOG_ENTRY = 0x0A, 0x40, 0x43
_NEWEST = 0xFFFF
_WHOLE_ENTRY = 0xFF
_LOOK_BACK = 16
_MOST_EVENTS = 5
_MOST_SENSORS = 200


def health(command: Any) -> dict[str, Any]:
    """Return the chassis status (``data``), sensors, events, and what could not be read.

    Args:
        command: the library's ``Command`` with an open session; it is closed at the end.
    """
    status = command.xraw_command(netfn=_CHASSIS, command=_GET_STATUS)
    found: dict[str, Any] = {"data": list(bytearray(status["data"])), "sensors": [], "events": [], "unread": []}
    for what, read in (("sensors", _sensors), ("events", _events)):
        try:
            found[what] = read(command)
        except Exception as error:  # noqa: BLE001 - whatever the library makes of a controller without them
            found["unread"].append(f"{what}: {str(error) or type(error).__name__}")
    command.ipmi_session.logout()
    return found


def _sensors(command: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for reading in command.get_sensor_data():
        if len(found) == _MOST_SENSORS:
            break
        if not reading.unavailable:
            found.append(
                {
                    "name": reading.name,
                    "kind": reading.type or "sensor",
                    "value": None if reading.value is None else float(reading.value),
                    "unit": reading.units or "",
                    "health": reading.health,
                    "states": list(reading.states),
                }
            )
    return found


def _events(command: Any) -> list[str]:
    """Return the newest entries that tell of something bad, newest first."""
    from pyghmi.ipmi.events import EventHandler

    info = bytearray(command.xraw_command(netfn=_STORAGE, command=_LOG_INFO)["data"])
    count = struct.unpack_from("<H", info, 1)[0]
    if not count:
        return []
    command.oem_init()
    handler = EventHandler(command.init_sdr(), command)
    newest = _entry(command, _NEWEST)
    entries = [newest]
    number = struct.unpack_from("<H", newest)[0]
    for earlier in range(number - 1, max(number - _LOOK_BACK, 0), -1):
        try:
            entries.append(_entry(command, earlier))
        except Exception:  # noqa: BLE001 - numbers need not follow each other
            break
    decoded = [handler._sel_decode(entry) for entry in entries]  # noqa: SLF001 - the library offers whole logs only
    return [_line(each) for each in decoded if each.get("severity") and not each.get("deassertion")][:_MOST_EVENTS]


def _entry(command: Any, number: int) -> bytearray:
    asked = bytearray(struct.pack("<HHBB", 0, number, 0, _WHOLE_ENTRY))
    return bytearray(command.xraw_command(netfn=_STORAGE, command=_LOG_ENTRY, data=asked)["data"])[2:]


def _line(event: dict[str, Any]) -> str:
    level = "warning" if event["severity"] == 1 else "critical"
    what = ": ".join(str(event[key]) for key in ("component", "event") if event.get(key))
    return f"{level}: {what or 'event of the maker'} (entry {event.get('record_id')})"
