"""``[devices.NAME]``: a device is described once, and hosts refer to it.

They say ``power = "pdu1:5"``, ``management = "bmc1"`` and ``console = "ser1:7004"``.

The reference becomes the host's ``power_control``, ``management_control`` or ``console``, so whoever reads hosts knows
of no devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bespeak.base.display import escape_unprintable, short_repr, suggest
from bespeak.labs.parsing import LabDataError, RawHost

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHOOSES = {"redfish": "system", "libvirt": "domain", "http": "channel"}
_OUTLET = "outlet"
_NAMED = ("system", "domain")
_POWER = "a text such as 'pdu1:5', or a list of them"


def power_control(raw: RawHost, devices: Mapping[str, dict[str, Any]], where: str) -> dict[str, Any]:
    """Return the raw table of a host, its ``power`` as ``power_control``.

    Args:
        raw: the host.
        devices: the tables of its file.
        where: file and host, for messages.

    Raises:
        LabDataError: the reference cannot be used.
    """
    table: dict[str, Any] = raw.table
    said = table.get("power")
    references = said if isinstance(said, list) else [said]
    if said is None or (not devices and not all(isinstance(text, str) for text in references)):
        return table  # what another program keeps under this name
    if "power_control" in table:
        raise LabDataError(f"{where}: power and power_control say the same; keep one of them")
    if not references:
        raise LabDataError(f"{where}: power must be {_POWER}, not []")
    supplies = [_supply(text, devices, f"{where}: power", _POWER) for text in references]
    return {**table, "power_control": supplies if isinstance(said, list) else supplies[0]}


def management_control(table: dict[str, Any], devices: Mapping[str, dict[str, Any]], where: str) -> dict[str, Any]:
    """Return the table of a host, its ``management`` as ``management_control``.

    Args:
        table: the host.
        devices: the tables of its file.
        where: file and host, for messages.

    Raises:
        LabDataError: the reference cannot be used.
    """
    said = table.get("management")
    if said is None or not devices:
        return table  # what another program keeps under this name
    if "management_control" in table:
        raise LabDataError(f"{where}: management and management_control say the same; keep one of them")
    return {**table, "management_control": _supply(said, devices, f"{where}: management", "a text such as 'bmc1'")}


def console(table: dict[str, Any], devices: Mapping[str, dict[str, Any]], where: str) -> dict[str, Any]:
    """Return the table of a host, a reference in its ``console`` replaced by the device.

    Args:
        table: the host.
        devices: the tables of its file.
        where: file and host, for messages.

    Raises:
        LabDataError: the reference cannot be used.
    """
    said = table.get("console")
    if not isinstance(said, str) or (said not in devices and ":" not in said):
        return table
    name, colon, line = said.partition(":")
    device = _device(name, said, devices, f"{where}: console")
    if not colon:
        return {**table, "console": dict(device)}
    if not line:
        raise LabDataError(f"{where}: console {short_repr(said)}: nothing stands behind the colon")
    if device["type"] == "ssh":
        return {**table, "console": {**device, "line": line}}
    return {**table, "console": {**device, "port": int(line) if line.isascii() and line.isdigit() else line}}


def _device(name: str, text: str, devices: Mapping[str, dict[str, Any]], where: str) -> dict[str, Any]:
    if name not in devices:
        near = suggest(name, devices, count=1)
        hint = f"; did you mean {escape_unprintable(near[0])}?" if near else ""
        raise LabDataError(f"{where} {short_repr(text)}: the file has no [devices.{escape_unprintable(name)}]{hint}")
    return devices[name]


def _supply(text: Any, devices: Mapping[str, dict[str, Any]], where: str, wanted: str) -> dict[str, Any]:
    if not isinstance(text, str) or not text:
        raise LabDataError(f"{where} must be {wanted}, not {short_repr(text)}")
    name, colon, outlet = text.partition(":")
    table = _device(name, text, devices, where)
    if colon and not outlet:
        raise LabDataError(f"{where} {short_repr(text)}: nothing stands behind the colon")
    if not colon:
        return dict(table)
    chooses = _CHOOSES.get(table["type"], _OUTLET)
    is_number = chooses not in _NAMED and outlet.isascii() and outlet.isdigit()
    return {**table, chooses: int(outlet) if is_number else outlet}
